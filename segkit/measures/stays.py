"""How long contacts stay in segments, how often they come back, and how much of a segment is the same from point to point.

    spells  ->  lengths of stay, over or not yet  ->  survival, and one row of dynamics a segment
    flows   ->  who stayed between two points     ->  stability

A stay that began before the first point has no known length, and nothing tells how long it had lasted: that is left truncation
without the time of entry, for which no delayed entry can be reckoned (Klein and Moeschberger 2003, "Survival analysis", 3.4).
Such stays are left out of all that is about lengths; those still going on at the last point are right-censored there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from segkit.measures.spells import Flows, Spells
from segkit.statistics.intervals import LEVEL
from segkit.statistics.survival import Step, kaplan_meier, median, restricted_mean

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_DAY = 86_400_000_000


def days(points: Sequence[datetime], zone: str) -> np.ndarray:
    """How many days after the first each point is: calendar days where all have one local time of day, else of 24 hours."""
    import numpy as np

    local = [at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for at in points]
    is_daily = len({at.time() for at in local}) == 1
    at = np.array(local if is_daily else [own.replace(tzinfo=None) for own in points], dtype="datetime64[us]").astype(np.int64)
    return (at - at[:1]) / _DAY


def steps(spells: Spells, segment: int, zone: str, level: float = LEVEL) -> list[Step]:
    """The product-limit estimate of the stays in a segment that began after the first point."""
    import numpy as np

    own = spells.of(segment) & (spells.entered > 0)
    at = days(spells.points, zone)
    left = spells.left[own]
    is_over = left < len(spells.points)
    lengths = np.round(at[np.minimum(left, len(at) - 1)] - at[spells.entered[own]], 6)
    found, places = np.unique(lengths, return_inverse=True)
    over = np.bincount(places, weights=is_over, minlength=len(found)).astype(int)
    rest = np.bincount(places, minlength=len(found)) - over
    return kaplan_meier(list(zip(found.tolist(), over.tolist(), rest.tolist(), strict=True)), level)


def survival(spells: Spells, zone: str, lengths: Sequence[float] | None = None, level: float = LEVEL) -> pd.DataFrame:
    """The share that stays longer than some lengths, or than each that was seen. `Workspace.survival` says what columns mean."""
    import pandas as pd

    rows = [
        (name, *row)
        for i, name in enumerate(spells.names)
        for row in _curve(steps(spells, i, zone, level), None if lengths is None else sorted(set(lengths)))
    ]
    names = ("segment", "days", "at_risk", "exits", "still_in", "survival", "low", "high")
    kinds = (str, float, int, int, int, float, float, float)
    frame = pd.DataFrame(rows, columns=list(names))
    return frame.astype(dict(zip(names, kinds, strict=True)))


def _curve(found: Sequence[Step], lengths: Sequence[float] | None) -> list[tuple[float, int, int, int, float, float, float]]:
    """A row for each length: counts are of what lies after the row before and not after this one."""
    wanted = [0.0, *(own.length for own in found if own.length > 0)] if lengths is None else lengths
    rows = []
    before = float("-inf")
    for length in wanted if found else []:
        within = [own for own in found if before < own.length <= length]
        at_risk = sum(own.ended + own.unended for own in found if own.length >= length)
        last = [own for own in found if own.length <= length][-1:]
        known = length <= found[-1].length or found[-1].survival == 0
        at = (last[0].survival, last[0].low, last[0].high) if last else (1.0, float("nan"), float("nan"))
        estimate = at if known else (float("nan"),) * 3
        rows.append((length, at_risk, sum(own.ended for own in within), sum(own.unended for own in within), *estimate))
        before = length
    return rows


# ---------------------------------------------------------------- one row a segment


def dynamics(spells: Spells, zone: str) -> pd.DataFrame:
    """A row for each segment. `Workspace.dynamics` says what the columns mean."""
    import numpy as np
    import pandas as pd

    kept = stability(spells.flows(), spells.points, zone)
    last = len(spells.points)
    rows = []
    for i, name in enumerate(spells.names):
        own = spells.of(i)
        contact = pd.Series(spells.contact[own])
        entered, left = spells.entered[own], spells.left[own]
        several = contact.value_counts(sort=False)
        people = len(several)
        entries, exits = int((entered > 0).sum()), int((left < last).sum())
        found = steps(spells, i, zone)
        between = kept[kept["segment"] == name]
        again = int((several > 1).sum())
        rows.append(
            {
                "segment": name,
                "contacts": people,
                "spells": len(contact),
                "already_in": int((entered == 0).sum()),
                "entries": entries,
                "exits": exits,
                "still_in": int((left == last).sum()),
                "mean_days": restricted_mean(found),
                "mean_up_to": found[-1].length if found else np.nan,
                **dict(zip(("median_days", "median_low", "median_high"), median(found), strict=True)),
                "returned": again,
                "returned_share": again / people if people else np.nan,
                "re_entries": len(contact) - people,
                "changes_per_contact": (entries + exits) / people if people else np.nan,
                "stability": between["stability"].mean(),
                "jaccard": between["jaccard"].mean(),
            }
        )
    names = "segment contacts spells already_in entries exits still_in mean_days mean_up_to median_days median_low median_high"
    names += " returned returned_share re_entries changes_per_contact stability jaccard"
    whole = {"contacts", "spells", "already_in", "entries", "exits", "still_in", "returned", "re_entries"}
    frame = pd.DataFrame(rows, columns=names.split())
    return frame.astype({name: str if name == "segment" else int if name in whole else float for name in frame.columns})


def stability(flows: Flows, points: Sequence[datetime], zone: str) -> pd.DataFrame:
    """What stays from each point to the next. `Workspace.stability` says what the columns mean."""
    import numpy as np
    import pandas as pd

    sizes = np.cumsum(flows.entered - flows.left, axis=1)
    before, now = sizes[:, :-1], sizes[:, 1:]
    kept = before - flows.left[:, 1:]
    at = pd.DatetimeIndex(list(points), dtype="datetime64[us, UTC]").tz_convert(zone)[1:]
    with np.errstate(invalid="ignore", divide="ignore"):
        share, jaccard = kept / before, kept / (before + now - kept)
    return pd.DataFrame(
        {
            "segment": pd.Series(np.repeat(np.array(flows.names, dtype=object), len(at)), dtype=str),
            "at": at[np.tile(np.arange(len(at)), len(flows.names))],
            "size": now.ravel(),
            "kept": kept.ravel(),
            "stability": share.ravel(),
            "jaccard": jaccard.ravel(),
        }
    )
