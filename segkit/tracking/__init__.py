"""Membership that is kept: who was a member at each refresh, in a file of the workspace's home or in the warehouse.

    track  ->  refresh, refresh, ...  ->  sizes, moves, spells

`deciding` says what becomes of a segment. In the home what is kept is what changed: of each segment the contacts that came
and went, in a log that only grows (`log`). `ledger` reads what the log says, `members` asks the data, `incremental` no more
of it than could have changed since what was `seen` at the last refresh, `refreshing` compares both and writes one entry,
`telling` makes frames. `warehouse` does the same with tables.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from segkit.segment import Segment
from segkit.tracking import keeping, refreshing, telling, warehouse
from segkit.tracking.beside import at_refreshes, joined
from segkit.tracking.beside import looks as looks_at_home
from segkit.tracking.beside import seen as seen_at_home
from segkit.tracking.deciding import Hook, Source
from segkit.tracking.identity import written_out
from segkit.tracking.ledger import Alerts, Tracked, stamp
from segkit.tracking.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Alerts",
    "Hook",
    "Place",
    "Source",
    "Tracked",
    "Warehouse",
    "at_refreshes",
    "beside",
    "foreseen",
    "looks",
    "moves",
    "refreshed",
    "sizes",
    "spells",
    "stamp",
    "track",
    "tracked",
    "untrack",
    "warehouse",
    "written_out",
]
Place: TypeAlias = Path | Warehouse
"""Where a history is kept: a folder of the home, or a warehouse."""


def track(place: Place, segments: Sequence[Segment], alerts: Alerts) -> None:
    """Tracks segments from the next refresh on; those of the same names are replaced, and keep their history.

    Raises:
        DefinitionError: a segment has no name, two have the same, or an alert makes no sense.
    """
    wanted = keeping.wanted(segments, alerts)
    if isinstance(place, Warehouse):
        warehouse.track(place, wanted)
    else:
        keeping.track(place, wanted)


def untrack(place: Place, names: Iterable[str]) -> None:
    """Tracks segments no longer. Their history stays.

    Raises:
        DefinitionError: one is not tracked.
    """
    if isinstance(place, Warehouse):
        warehouse.untrack(place, names)
    else:
        keeping.untrack(place, names)


def tracked(place: Place) -> tuple[Segment, ...]:
    """The segments that are tracked, in the order in which they came to be."""
    return keeping.segments(warehouse.tracked(place) if isinstance(place, Warehouse) else keeping.tracked(place))


def refreshed(place: Place, source: Source, at: dt.datetime, hook: Hook | None = None) -> pd.DataFrame:
    """Refreshes what is tracked, tells a hook of each segment that moved once all is written, and gives a frame.

    `Workspace.refresh` says what the columns mean.
    """
    if isinstance(place, Warehouse):
        return warehouse.refreshed(place, source, at, hook)
    return refreshing.refreshed(place, source, at, hook)


def foreseen(place: Place, source: Source, at: dt.datetime) -> pd.DataFrame:
    """What a refresh would tell. Nothing is written."""
    if isinstance(place, Warehouse):
        return warehouse.foreseen(place, source, at)
    return refreshing.foreseen(place, source, at)


def sizes(place: Place, names: Iterable[str] | None, zone: str) -> pd.DataFrame:
    """A row for each segment and refresh. `Workspace.tracked_sizes` says what the columns mean."""
    return warehouse.sizes(place, names, zone) if isinstance(place, Warehouse) else telling.sizes(place, names, zone)


def moves(place: Place, names: Iterable[str] | None, since: int | None, key: str, zone: str) -> pd.DataFrame:
    """A row for each coming and going. `Workspace.tracked_moves` says what the columns mean."""
    if isinstance(place, Warehouse):
        return warehouse.moves(place, names, since, key, zone)
    return telling.moves(place, names, since, key, zone)


def spells(place: Place, names: Iterable[str] | None, key: str, zone: str) -> pd.DataFrame:
    """A row for each spell of membership. `Workspace.tracked_spells` says what the columns mean."""
    if isinstance(place, Warehouse):
        return warehouse.spells(place, names, key, zone)
    return telling.spells(place, names, key, zone)


def looks(place: Place, names: Sequence[str]) -> dict[str, list[dt.datetime]]:
    """The instants at which segments were refreshed, of those that ever were."""
    return warehouse.looks(place, names) if isinstance(place, Warehouse) else looks_at_home(place, names)


def beside(place: Place, computed: pd.DataFrame, names: Sequence[str], points: Sequence[dt.datetime], zone: str) -> pd.DataFrame:
    """A computed history with what refreshes saw of segments at its points. `Workspace.history` says what the columns mean."""
    rows = warehouse.seen(place, names, points) if isinstance(place, Warehouse) else seen_at_home(place, names, points)
    return joined(computed, rows, zone)
