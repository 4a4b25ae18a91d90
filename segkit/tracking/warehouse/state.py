"""What the tables of a history say, and whether what they say is consistent."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from segkit.compile import tracked
from segkit.errors import EngineError, SegkitError
from segkit.tracking import deciding, ledger
from segkit.tracking.ledger import Alerts, Tally, Tracked, Version
from segkit.tracking.warehouse.place import VERSION, Ask, Warehouse


@dataclass(frozen=True)
class State:
    """What is tracked, and what the last refresh of each segment saw; `firsts` are the instants of the first ones."""

    tracked: Mapping[str, Tracked]
    versions: Mapping[str, Version]
    lasts: Mapping[str, Tally]
    firsts: Mapping[str, int]

    @property
    def latest(self) -> int | None:
        """The instant of the last refresh."""
        return max((own.at for own in self.lasts.values()), default=None)

    def is_done(self, name: str, at: int) -> bool:
        """Whether a segment was refreshed at the last instant, and it is this one."""
        return name in self.lasts and self.lasts[name].at == at == self.latest

    def version(self, name: str) -> Version | None:
        """The last version of a segment, None if it was never refreshed."""
        return self.versions.get(name)

    def last(self, name: str) -> Tally | None:
        """What was last seen of a segment, None if it was never refreshed."""
        return self.lasts.get(name)


def read(place: Warehouse, ask: Ask) -> State:
    """What the tables say.

    Raises:
        EngineError: there are no such tables.
        DataError: they do not say what was written.
        SegkitError: a later segkit made them.
    """
    known = of_tracked(place, ask)
    for segment, at, began, ended in ask(tracked.unbalanced(place.tables)):
        told = [f"{int(own):+,} spells {verb}" for own, verb in ((-began, "begin"), (-ended, "end")) if own]
        when = deciding.told_at(instant(at))
        raise place.damaged(f"{' and '.join(told)} at {when} in {text(segment)!r:.80}, beyond what that refresh noted")
    versions, lasts, firsts = {}, {}, {}
    for segment, number, at, size, entries, exits, since, meant, first, inside in ask(tracked.lasts(place.tables)):
        name = text(segment)
        if int(inside) != size:
            raise place.damaged(f"refreshes of {name!r:.80} are missing: {int(inside):,} are inside, the last one saw {size:,}")
        versions[name] = Version(int(number), _stamp(since), text(meant))
        lasts[name] = Tally(_stamp(at), int(number), int(size), _count(entries), _count(exits))
        firsts[name] = _stamp(first)
    return State(known, versions, lasts, firsts)


def of_tracked(place: Warehouse, ask: Ask) -> dict[str, Tracked]:
    """What is tracked.

    Raises:
        EngineError: there are no such tables.
        SegkitError: a later segkit made them.
    """
    _check_format(place, ask)
    return {
        text(name): Tracked(ledger.definition(text(definition)), Alerts(*json.loads(text(alerts))))
        for name, definition, alerts, _ in ask(tracked.tracked(place.tables))
    }


def _check_format(place: Warehouse, ask: Ask) -> None:
    schema = place.tables.schema
    try:
        rows = ask(tracked.formats(place.tables))
    except EngineError as error:
        raise EngineError(
            f"the history in {schema} cannot be read: {error.what}", fix="make its tables: ws.history_tables(execute=True)"
        ) from None
    if len(rows) != 1:
        raise place.damaged("nothing says which format it has")
    if (version := int(rows[0][0])) > VERSION:
        raise SegkitError(
            f"the history in {schema} has version {version}, this segkit reads version {VERSION}", fix="use a later segkit"
        )


# ---------------------------------------------------------------- values, as drivers give them


def text(value: Any) -> str:
    """A text: MySQL keeps it as bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)


def instant(value: Any) -> dt.datetime:
    """An instant of the clock of UTC without its zone: SQLite keeps it as text."""
    wall = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    return wall.replace(tzinfo=dt.UTC)


def _stamp(value: Any) -> int:
    return ledger.stamp(instant(value))


def _count(value: Any) -> int | None:
    return None if value is None else int(value)
