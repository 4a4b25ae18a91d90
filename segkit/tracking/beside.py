"""What refreshes saw, beside what the events of today say of the same instants.

points of a grid  ->  the last refresh of each step  ->  history computed there, and a row for what the refresh saw
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from segkit.tracking import ledger, log, numbers
from segkit.tracking.ledger import Change, Ledger
from segkit.tracking.log import Log

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

COMPUTED, TRACKED = "computed", "tracked"
KEPT = "kept"
"""The method by which a tracked row was found."""


def looks(folder: Path, names: Sequence[str]) -> dict[str, list[dt.datetime]]:
    """The instants at which segments were refreshed, of those that ever were."""
    with log.reading(folder) as own:
        known = ledger.read(own)
    return {
        name: [ledger.instant(look.at) for look in known.looks if look.covers(name)] for name in names if name in known.changes
    }


def at_refreshes(points: Sequence[dt.datetime], looks: Iterable[Sequence[dt.datetime]]) -> tuple[dt.datetime, ...]:
    """The points, each moved back to the last refresh of its step, if there was one: so that both speak of one instant.

    >>> day, refresh = (dt.datetime(2025, 1, day, hour, tzinfo=dt.UTC) for day, hour in ((1, 0), (1, 9)))
    >>> [str(at) for at in at_refreshes([day, day + dt.timedelta(1)], [[refresh]])]
    ['2025-01-01 00:00:00+00:00', '2025-01-01 09:00:00+00:00']
    """
    known = sorted(set(chain.from_iterable(looks)))
    return (*points[:1], *(_last(known, before, at) for before, at in pairwise(points)))


def _last(looks: Sequence[dt.datetime], before: dt.datetime, at: dt.datetime) -> dt.datetime:
    """The last look after an instant, up to another one; that one, if there was none."""
    upto = bisect_right(looks, at)
    return looks[upto - 1] if upto and looks[upto - 1] > before else at


Row: TypeAlias = tuple[str, int, int, int, int | None, int | None]
"""Segment, instant, version, size, and who came and went since the row before: what a refresh saw."""


def seen(folder: Path, names: Sequence[str], points: Sequence[dt.datetime]) -> list[Row]:
    """What refreshes saw of segments at some points."""
    stamps = [ledger.stamp(at) for at in points]
    with log.reading(folder) as kept:
        known = ledger.read(kept)
        return [(name, *row) for name in names if name in known.changes for row in _seen(kept, known, name, stamps)]


def joined(computed: pd.DataFrame, rows: Sequence[Row], zone: str) -> pd.DataFrame:
    """A computed history with what refreshes saw at its points. `Workspace.history` says what the columns mean."""
    import pandas as pd

    seen = _frame(rows, zone)
    own = computed.assign(at=computed["at"].dt.tz_convert(zone), source=COMPUTED)
    sizes = own[["segment", "at", "size"]].astype({"size": "Int64"})
    found = seen[["segment", "at"]].merge(sizes, how="left")["size"]
    seen = seen.assign(difference=seen["size"] - found, method=KEPT, today_values="")
    both = pd.concat([own, seen], ignore_index=True)
    place = {name: i for i, name in enumerate(dict.fromkeys(both["segment"]))}
    in_order = both["segment"].map(place).argsort(kind="stable")
    kinds = {"segment": "str", "source": "str", "version": "Int64", "difference": "Int64"}
    return both.iloc[in_order][_COLUMNS].astype(kinds).reset_index(drop=True)


_COLUMNS = [
    *("segment", "at", "source", "size", "entries", "exits", "growth", "churn", "difference", "version"),
    *("method", "today_values"),
]


def _seen(own: Log, known: Ledger, name: str, stamps: Sequence[int]) -> Iterator[tuple[int, int, int, int | None, int | None]]:
    """Instant, version, size, and who came and went since the row before, of each instant at which a segment was refreshed."""
    covered = {look.at for look in known.looks if look.covers(name)}
    wanted = [at for at in stamps if at in covered]
    changes, were = known.changes[name], None
    instants = [change.at for change in changes]
    done, are = _begin(changes, instants, wanted), None
    for at in wanted:
        upto = bisect_right(instants, at)
        for i in range(done, upto):
            are = _after(own, known, are, changes, i)
        done = upto
        assert are is not None, "the first look is a change"
        moved = (None, None) if were is None else (int((are & ~were).sum()), int((were & ~are).sum()))
        yield at, changes[upto - 1].version, int(are.sum()), *moved
        were = are.copy()


def _begin(changes: Sequence[Change], instants: Sequence[int], wanted: Sequence[int]) -> int:
    """The last change up to the first wanted instant that tells all members."""
    upto = bisect_right(instants, wanted[0]) if wanted else 1
    return next(i for i in reversed(range(upto)) if ledger.tells_all(changes, i))


def _after(own: Log, known: Ledger, before: np.ndarray | None, changes: Sequence[Change], i: int) -> np.ndarray:
    """Whether each contact is a member after a change."""
    come, gone, *whole = numbers.unpacked(own.part(changes[i].part))
    if before is None or ledger.tells_all(changes, i):
        return numbers.truths(whole[0] if whole else come, known.contacts)
    before[come], before[gone] = True, False
    return before


def _frame(rows: Sequence[Row], zone: str) -> pd.DataFrame:
    """Rows of what was seen, with growth and churn against the row before."""
    import pandas as pd

    segment, at, version, size, entries, exits = zip(*rows, strict=True) if rows else ((),) * 6
    frame = pd.DataFrame(
        {
            "segment": pd.Series(segment, dtype="str"),
            "at": ledger.in_zone(at, zone),
            "source": TRACKED,
            "size": pd.Series(size, dtype="int64"),
            "entries": pd.Series(entries, dtype="Int64"),
            "exits": pd.Series(exits, dtype="Int64"),
            "version": pd.Series(version, dtype="Int64"),
        }
    )
    before = frame.groupby("segment")["size"].shift()
    before = before.where(before > 0)
    return frame.assign(growth=frame["size"] / before - 1, churn=frame["exits"].astype("float64") / before)
