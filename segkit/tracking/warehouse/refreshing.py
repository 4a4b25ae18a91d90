"""A refresh in the warehouse: who is a member now, beside the spells that are open, without a contact leaving it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segkit import compile
from segkit.compile import tracked
from segkit.errors import EngineError, SegkitError
from segkit.measures.progress import shown
from segkit.plan import Plan
from segkit.rendering import render
from segkit.tracking import deciding, ledger
from segkit.tracking.deciding import REFRESHED, WRITTEN, Hook, Row, Source, Wanted
from segkit.tracking.members import AT_ONCE, halved, not_one_each
from segkit.tracking.warehouse import state, telling
from segkit.tracking.warehouse.place import Ask, Warehouse
from segkit.tracking.warehouse.state import State

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class _Asked:
    """What was asked: the segments of each temporary table of members, and why others could not be asked."""

    wanted: Wanted
    places: Mapping[str, Sequence[str]]
    failed: Mapping[str, str]


def refreshed(place: Warehouse, source: Source, at: dt.datetime, hook: Hook | None = None) -> pd.DataFrame:
    """Refreshes what is tracked, tells a hook of each segment that moved once all is written, and gives a frame."""
    before = place.transacting(lambda ask: state.read(place, ask))
    wanted = deciding.wanted(before, at, source)

    def work(ask: Ask) -> list[Row]:
        now = state.read(place, ask)
        rows = _compared(place, ask, asked, before, now, at)
        _write(place, ask, asked, now, rows, at)
        return rows

    with _members(place, wanted) as asked:
        rows = place.writing(work) if asked.places else place.transacting(work)
    if hook is not None:
        rows = _heard(place, hook, rows, at)
    return deciding.frame(rows, at)


def foreseen(place: Warehouse, source: Source, at: dt.datetime) -> pd.DataFrame:
    """What a refresh would tell. Nothing is written."""
    before = state.read(place, place.ask)
    with _members(place, deciding.wanted(before, at, source)) as asked:
        now = state.read(place, place.ask)
        return deciding.frame(_compared(place, place.ask, asked, before, now, at), at)


# ---------------------------------------------------------------- asking


@contextmanager
def _members(place: Warehouse, wanted: Wanted) -> Iterator[_Asked]:
    """Who is a member now, in temporary tables: they are seen by this connection alone, and gone in the end."""
    places: dict[str, Sequence[str]] = {}
    failed = dict(wanted.failed)
    names = list(wanted.plans)

    def keep(some: Sequence[str]) -> str | None:
        return _kept(place, f"segkit_members_{len(places)}", some, [wanted.plans[name] for name in some])

    try:
        parts = [names[start : start + AT_ONCE] for start in range(0, len(names), AT_ONCE)]
        for part in shown(parts, len(parts), "segments, a hundred at a time"):
            for some, answer in halved(part, keep):
                if isinstance(answer, SegkitError):
                    failed |= dict.fromkeys(some, str(answer))
                else:
                    places[answer] = some
        yield _Asked(wanted, places, failed)
    finally:
        for i in range(len(places)):
            with suppress(EngineError):
                place.engine.discard(f"segkit_members_{i}")


def _kept(place: Warehouse, name: str, segments: Sequence[str], plans: Sequence[Plan]) -> str | None:
    """The temporary table of the members of some plans, None where its query is too large.

    Raises:
        DataError: a member's key is missing or found twice.
    """
    query = tracked.members(plans, segments)
    if len(plans) > 1 and not place.engine.limits.allow(*compile.extent(query)):
        return None
    held = place.engine.materialize(name, render(query, place.engine.renders_as))
    with suppress(EngineError):  # MySQL has none of texts without a length
        place.engine.index(name, ["segment", "contact_id"])
    if place.ask(tracked.repeated(held)):
        raise not_one_each()
    return held


# ---------------------------------------------------------------- comparing and writing


def _compared(place: Warehouse, ask: Ask, asked: _Asked, before: State, now: State, at: dt.datetime) -> list[Row]:
    """What becomes of each segment, seen from the tables as they are now."""
    counts = {
        state.text(name): (int(size), int(stayed))
        for own in asked.places
        for name, size, stayed in ask(tracked.compared(place.tables, own))
    }
    rows = []
    for name in (own for own in before.tracked if own in now.tracked):
        row = deciding.settled(now, name, ledger.stamp(at), asked.failed)
        if row is None:
            size, stayed = counts.get(name, (0, 0))
            last = now.last(name)
            moved = {"size": size, "entries": size - stayed, "exits": (last.size if last is not None else 0) - stayed}
            row = deciding.decided(now, name, asked.wanted.texts[name], asked.wanted.note(name), **moved)
        rows.append(row)
    return rows


def _write(place: Warehouse, ask: Ask, asked: _Asked, now: State, rows: Sequence[Row], at: dt.datetime) -> None:
    """Writes the refresh: first what each segment's is, then the spells that end and begin."""
    own = {row.segment: row for row in rows if row.outcome in WRITTEN}
    begun = [name for name, row in own.items() if row.outcome != REFRESHED]
    for name in begun:
        ask(tracked.begin_versions(place.tables, at, [(name, own[name].version or 0, asked.wanted.texts[name])]))
    ran_at = dt.datetime.now(dt.UTC)
    for held, segments in asked.places.items():
        names = [name for name in segments if name in own]
        if names:
            ask(tracked.note(place.tables, at, ran_at, [_noted(own[name], now) for name in names]))
            ask(tracked.end_spells(place.tables, held, at, names, [name for name in names if name in begun]))
            ask(tracked.begin_spells(place.tables, held, at, names))


def _noted(row: Row, now: State) -> tuple[str | int | None, ...]:
    """The row of a refresh: what is told of it, and how many spells it begins and ends."""
    last = now.last(row.segment)
    of_version = (row.size, 0 if last is None else last.size)
    spells = (row.entries, row.exits) if row.outcome == REFRESHED else of_version
    return (row.segment, row.version, row.size, row.entries, row.exits, *spells)


# ---------------------------------------------------------------- telling


def _heard(place: Warehouse, hook: Hook, rows: Sequence[Row], at: dt.datetime) -> list[Row]:
    """Tells a hook of what moved: the one thing for which contacts are fetched."""
    adds, removes = telling.moved(place, [row.segment for row in rows if row.outcome in WRITTEN], at)
    return [deciding.heard(hook, row, adds.get(row.segment, []), removes.get(row.segment, [])) for row in rows]
