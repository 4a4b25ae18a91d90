"""A contact's events, and what features say of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, assert_never
from zoneinfo import ZoneInfo

from segkit.catalog import Catalog, Column, EventTable, Kind
from segkit.evaluate.conditions import true
from segkit.evaluate.reading import named_by_column, read
from segkit.evaluate.world import Row, World
from segkit.plan import Plan
from segkit.plan.scope import shared_properties
from segkit.plan.tree import Bounds, Feature


@dataclass(frozen=True, slots=True)
class Event:
    """One event: whose it is, when it was (read), what it is called, its id, and its row by the names that terms read."""

    contact: Any
    at: Any
    name: Any
    id: Any
    row: Row


Read = Sequence[tuple[EventTable, Sequence[Event]]]
"""Events of some tables, read, whether or not they exist at a moment."""


def own_events(events: Sequence[Row], key: Any, feature: Feature, plan: Plan) -> list[Event]:
    """The events of one contact that exist at the moment, each id once."""
    tables = plan.catalog.events
    given = {i: [row for row in events if _belongs(row, tables[i], tables)] for i in feature.tables}
    return happened(read_events(given, key, feature, plan.catalog), key, plan)


def read_events(given: Mapping[int, Sequence[Row]], key: Any, feature: Feature, catalog: Catalog) -> Read:
    """The rows of the tables of a feature as events; `given` holds them by the table's position."""
    return [(catalog.events[i], [_event(row, i, key, feature, catalog) for row in given.get(i, ())]) for i in feature.tables]


def happened(read: Read, key: Any, plan: Plan) -> list[Event]:
    """The events of one contact, out of those that exist at the moment, each id once."""
    kept: list[Event] = []
    for table, given in read:
        existing = [e for e in given if e.contact is not None and e.at is not None and e.at <= _until(e.at, plan)]
        kept += [e for e in _once_per_id(existing, table) if e.contact == key]
    return kept


def _until(at: dt.date, plan: Plan) -> Any:
    return plan.at.as_of if isinstance(at, dt.datetime) else plan.at.as_of.astimezone(ZoneInfo(plan.at.zone)).date()


def _belongs(row: Row, table: EventTable, tables: tuple[EventTable, ...]) -> bool:
    """Whether a row is of this table, where there are several: by the name of its event."""
    if len(tables) == 1:
        return True
    name = row.get("event", row.get(table.event or "event"))
    others = {n for t in tables if t is not table for n in _event_names(t)}
    return name in _event_names(table) or (table.name is None and table.names is None and name not in others)


def _event_names(table: EventTable) -> tuple[str, ...]:
    return (table.name,) if table.name else table.names or table.observed or ()


def _event(row: Row, i: int, key: Any, feature: Feature, catalog: Catalog) -> Event:
    table = catalog.events[i]
    own = named_by_column(row, table.properties)
    for name in (table.contact, table.event, table.time, table.id):
        if name is not None and name not in own and name in row:
            own[name] = row[name]
    at = own.get(table.time, row.get("occurred_at"))
    contact = own.get(table.contact, key) if table.contact in own else row.get("contact_id", key)
    name = table.name or own.get(table.event or "", row.get("event"))
    read_by_terms = {**own, **_shared(own, i, feature, catalog), feature.time.name: at}
    event_id = own.get(table.id) if table.id else None
    return Event(contact, read(at, feature.time.kind, feature.time.clock), name, event_id, read_by_terms)


def _shared(own: Row, i: int, feature: Feature, catalog: Catalog) -> Row:
    """The properties of an event out of several tables, under the names that these share."""
    if len(feature.tables) == 1:
        return {}
    shared = shared_properties(catalog, feature.tables).values()
    return {name: own.get(columns[i].name) if i in columns else None for name, columns in shared}


def _once_per_id(events: list[Event], table: EventTable) -> list[Event]:
    """Each event id once: the earliest row, then the smallest."""
    first: dict[Any, Event] = {}
    free: list[Event] = []
    columns = [c for _, c in sorted(table.properties.items()) if c.kind is not Kind.JSON]
    for event in events:
        if event.id is None:
            free.append(event)
        elif event.id not in first or _rank(event, columns) < _rank(first[event.id], columns):
            first[event.id] = event
    return free + list(first.values())


def _rank(event: Event, columns: list[Column]) -> list[tuple[bool, Any]]:
    """The event's place among those with its id: by time, contact, name, then its properties by name."""
    values = [event.at, event.contact, event.name, *(read(event.row.get(c.name), c.kind, c.zone) for c in columns)]
    return [(value is not None, value) for value in values]


def counted(feature: Feature, streams: Mapping[tuple[int, ...], list[Event]]) -> list[Event]:
    """The events that a feature reads, of those that exist."""
    events = [event for event in streams[feature.tables] if counts(event, feature)]
    if feature.then is None:
        return events
    later = [_on_one_clock(event.at) for event in streams[feature.then.event.tables] if counts(event, feature.then.event)]
    return [event for event in events if _followed(_on_one_clock(event.at), later, feature.then.length)]


def outcome(feature: Feature, streams: Mapping[tuple[int, ...], list[Event]]) -> Any:
    events = counted(feature, streams)
    at = [event.at for event in events]
    of = feature.of
    known = [] if of is None else [v for e in events if (v := read(e.row.get(of.name), of.kind, of.clock)) is not None]
    days = [a.astimezone(ZoneInfo(feature.zone)).date() if isinstance(a, dt.datetime) else a for a in at]
    match feature.measure:
        case "count":
            return len(events)
        case "sum":
            return sum(known)
        case "avg":
            return float(sum(known)) / len(known) if known else None
        case "min":
            return min(known, default=None)
        case "max":
            return max(known, default=None)
        case "distinct":
            return len(set(known))
        case "first":
            return min(at, default=None)
        case "last":
            return sorted(at, reverse=True)[feature.nth - 1] if len(at) >= feature.nth else None
        case "latest":
            return _latest(feature, events)
        case "days":
            return len(set(days))
        case "weeks":
            return len({day.isocalendar()[:2] for day in days})
        case "months":
            return len({(day.year, day.month) for day in days})
        case _:
            assert_never(feature.measure)


def _latest(feature: Feature, events: list[Event]) -> Any:
    if not events:
        return None
    of = feature.of
    assert of is not None

    def place(event: Event) -> list[tuple[bool, Any]]:
        value = read(event.row.get(of.name), of.kind, of.clock)
        return [(known is not None, known) for known in (event.at, event.id, value)]

    return max(events, key=place).row.get(of.name)


def _on_one_clock(at: Any) -> Any:
    return at.astimezone(dt.UTC) if isinstance(at, dt.datetime) else at


def _followed(at: Any, later: list[Any], length: int | None) -> bool:
    """One of the later times comes after `at`, not later than so many minutes (of a date: days)."""
    unit = dt.timedelta(minutes=1) if isinstance(at, dt.datetime) else dt.timedelta(days=1)
    return any(at < other and (length is None or other - at <= length * unit) for other in later)


def counts(event: Event, feature: Feature) -> bool:
    """Whether an event has the feature's name, lies in its bounds, and passes its filter."""
    if feature.event is not None and event.name != feature.event:
        return False
    if not _inside(event.at, feature.bounds, feature.time.clock):
        return False
    return feature.where is None or true(feature.where, World(event.row, true))


def _inside(at: Any, bounds: Bounds, clock: str | None) -> bool:
    low, high = bounds.low, bounds.high
    if clock is not None:
        low, high = (end.astimezone(at.tzinfo) if isinstance(end, dt.datetime) else end for end in (low, high))
    after = low is None or at > low or (bounds.low_in and at == low)
    before = high is None or at < high or (bounds.high_in and at == high)
    return after and before
