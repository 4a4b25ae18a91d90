"""What becomes of a segment at a refresh, wherever its history is kept: from what was seen before and what is seen now.

what a history knows  ->  plans of what is to be asked  ->  sizes, entries, exits  ->  rows with outcomes and alerts
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from segkit.engines import Engine
from segkit.errors import DataError, DefinitionError, SegkitError
from segkit.plan import Plan
from segkit.tracking import ledger
from segkit.tracking.ledger import Alerts, Tally, Tracked, Version

if TYPE_CHECKING:
    import pandas as pd

Planned = Callable[[Tracked, dt.datetime], Plan]
"""Plans a tracked segment as of an instant."""
Written = Callable[[Tracked], str]
"""Writes out what the definition of a tracked segment means."""
Hook = Callable[[str, list[Any], list[Any]], object]
"""Is told of a segment, whom to add and whom to remove."""
COLUMNS = ("segment", "version", "size", "entries", "exits", "outcome", "looked_at", "alert", "note", "error")
FIRST, REFRESHED, NEW_VERSION = "first", "refreshed", "new version"
WRITTEN = (FIRST, REFRESHED, NEW_VERSION)
ALREADY, OVERTAKEN, FAILED = "already there", "overtaken", "failed"
_AHEAD = dt.timedelta(minutes=1)


class Known(Protocol):
    """What a history knows of segments, up to its last refresh."""

    @property
    def tracked(self) -> Mapping[str, Tracked]:
        """What is tracked, by name."""
        ...

    @property
    def latest(self) -> int | None:
        """The instant of the last refresh."""
        ...

    def is_done(self, name: str, at: int) -> bool:
        """Whether a segment was refreshed at the last instant, and it is this one."""
        ...

    def version(self, name: str) -> Version | None:
        """The last version of a segment, None if it was never refreshed."""
        ...

    def last(self, name: str) -> Tally | None:
        """What was last seen of a segment, None if it was never refreshed."""
        ...


@dataclass(frozen=True)
class Row:
    """What became of a segment."""

    segment: str
    outcome: str
    version: int | None = None
    size: int | None = None
    entries: int | None = None
    exits: int | None = None
    looked_at: int | None = None
    alert: str = ""
    note: str = ""
    error: str = ""


# ---------------------------------------------------------------- before the data is asked


@dataclass(frozen=True)
class Source:
    """Where members come from: an engine, what plans segments for it, and how many contacts are looked at.

    `full` looks at all; `check` looks at those that could have changed and at all, and compares.
    """

    engine: Engine
    planned: Planned
    written: Written
    full: bool = False
    check: bool = False


@dataclass(frozen=True)
class Wanted:
    """What is to be asked: the plan of each segment and what it means; and why others could not be planned."""

    plans: Mapping[str, Plan]
    texts: Mapping[str, str]
    failed: Mapping[str, str]

    def note(self, name: str) -> str:
        """What is to be noted of a segment."""
        return "; ".join(self.plans[name].warnings)


def wanted(before: Known, at: dt.datetime, source: Source) -> Wanted:
    """What is tracked and not done yet, planned.

    Raises:
        DefinitionError: nothing is tracked, or the instant is yet to come.
        DataError: the instant lies before the last refresh.
    """
    _check_instant(before, at)
    plans, texts, failed = {}, {}, {}
    for name, own in before.tracked.items():
        if before.is_done(name, ledger.stamp(at)):
            continue
        try:
            plans[name], texts[name] = source.planned(own, at), source.written(own)
        except SegkitError as error:
            failed[name] = str(error)
    return Wanted(plans, texts, failed)


def _check_instant(before: Known, at: dt.datetime) -> None:
    if not before.tracked:
        fix = "track some: ws.track([...]), or segkit refresh FILES; if some were, look whether this is their home"
        raise DefinitionError("no segment is tracked", fix=fix)
    if at > dt.datetime.now(dt.UTC) + _AHEAD:
        raise DefinitionError(
            f"{told_at(at)} is yet to come: a refresh keeps what was seen, and the next one has to be later",
            fix="leave out as_of, or pass an instant that has been",
        )
    if before.latest is not None and ledger.stamp(at) < before.latest:
        raise DataError(
            f"the last refresh was as of {told_at(ledger.instant(before.latest))}, which is later than {told_at(at)}",
            fix="pass a later as_of, or set the clock right; if it ran ahead then, put back the history from a copy",
        )


def told_at(at: dt.datetime) -> str:
    """An instant as it is told."""
    return f"{at.replace(tzinfo=None).isoformat(' ')} UTC"


# ---------------------------------------------------------------- once it has answered


def settled(now: Known, name: str, at: int, failed: Mapping[str, str]) -> Row | None:
    """The row of a segment of which nothing is written; None where something is."""
    if now.is_done(name, at):
        return _standing(now, name, ALREADY)
    if now.latest is not None and now.latest > at:
        return _standing(now, name, OVERTAKEN)
    if name in failed:
        return replace(_standing(now, name, FAILED), error=failed[name])
    return None


def _standing(now: Known, name: str, outcome: str) -> Row:
    """The row of a segment that stays as the history has it."""
    last = now.last(name)
    if last is None:
        return Row(name, outcome)
    moved = (last.entered, last.exited) if last.at == now.latest else (0, 0)
    return Row(name, outcome, last.version, last.size, *(moved if outcome == ALREADY else (None, None)))


def decided(now: Known, name: str, text: str, note: str, *, size: int, entries: int, exits: int) -> Row:
    """The row of a segment that is written: by the last version, or by a new one where it means something else."""
    last = now.version(name)
    row = Row(name, REFRESHED, 1 if last is None else last.number, size, entries, exits, note=note)
    row = replace(row, alert=_alert(row, now.tracked[name].alerts, now.last(name)))
    if last is None:
        return replace(row, outcome=FIRST, entries=None, exits=None)
    return row if last.text == text else replace(row, outcome=NEW_VERSION, version=last.number + 1)


def _alert(row: Row, alerts: Alerts, last: Tally | None) -> str:
    """What about the size of a segment needs a look."""
    size, before = row.size or 0, None if last is None else last.size
    told = []
    if alerts.at_least is not None and size < alerts.at_least:
        told.append(f"fewer than {alerts.at_least:,} members")
    if alerts.at_most is not None and size > alerts.at_most:
        told.append(f"more than {alerts.at_most:,} members")
    if before and not size:
        told.append(f"empty, after {before:,} members")
    if before and alerts.moved is not None and (row.entries or 0) + (row.exits or 0) > alerts.moved * before:
        told.append(f"more than {alerts.moved:.0%} of {before:,} members came or went")
    return "; ".join(told)


# ---------------------------------------------------------------- once it is written


def heard(hook: Hook, row: Row, adds: list[Any], removes: list[Any]) -> Row:
    """Tells a hook of a segment, if it moved; where the hook fails, the row says so."""
    if not adds and not removes:
        return row
    try:
        hook(row.segment, adds, removes)
    except Exception as error:
        return replace(row, error=f"hook: {type(error).__name__}: {error!s:.200}")
    return row


def frame(rows: Sequence[Row], at: dt.datetime) -> pd.DataFrame:
    """Rows as a frame. `Workspace.refresh` says what its columns mean."""
    import pandas as pd

    kinds = {**dict.fromkeys(COLUMNS, "str"), **dict.fromkeys(("version", "size", "entries", "exits", "looked_at"), "Int64")}
    made = pd.DataFrame({name: pd.Series([getattr(row, name) for row in rows], dtype=kinds[name]) for name in COLUMNS})
    made.attrs["as_of"] = at.isoformat()
    return made
