"""A contact's events, and what features say of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, assert_never
from zoneinfo import ZoneInfo

from segkit.catalog import Column, EventTable, Kind
from segkit.evaluate.conditions import true
from segkit.evaluate.reading import named_by_column, read
from segkit.evaluate.world import Row, World
from segkit.plan import Plan
from segkit.plan.tree import Bounds, Feature


def own_events(events: Sequence[Row], key: Any, feature: Feature, plan: Plan) -> list[Row]:
    """The events of one contact that exist at the moment, each id once, with the time read under the name `_at`."""
    tables = [plan.catalog.events[i] for i in feature.tables]
    kept: list[Row] = []
    for table in tables:
        rows = [_event_row(row, table, key, feature) for row in events if _belongs(row, table, plan.catalog.events)]
        existing = [r for r in rows if r["_contact"] is not None and r["_at"] is not None and r["_at"] <= _until(r["_at"], plan)]
        kept += [r for r in _once_per_id(existing, table) if r["_contact"] == key]
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


def _event_row(row: Row, table: EventTable, key: Any, feature: Feature) -> Row:
    own = named_by_column(row, table.properties)
    for name in (table.contact, table.event, table.time, table.id):
        if name is not None and name not in own and name in row:
            own[name] = row[name]
    at = own.get(table.time, row.get("occurred_at"))
    return {
        **own,
        feature.time.name: at,
        "_contact": own.get(table.contact, key) if table.contact in own else row.get("contact_id", key),
        "_event": table.name or own.get(table.event or "", row.get("event")),
        "_id": own.get(table.id) if table.id else None,
        "_at": read(at, feature.time.kind, feature.time.clock),
    }


def _once_per_id(rows: list[Row], table: EventTable) -> list[Row]:
    """Each event id once: the earliest row, then the smallest."""
    first: dict[Any, Row] = {}
    free: list[Row] = []
    columns = [c for _, c in sorted(table.properties.items()) if c.kind is not Kind.JSON]
    for row in rows:
        if row["_id"] is None:
            free.append(row)
        elif row["_id"] not in first or _rank(row, columns) < _rank(first[row["_id"]], columns):
            first[row["_id"]] = row
    return free + list(first.values())


def _rank(row: Row, columns: list[Column]) -> list[tuple[bool, Any]]:
    """The row's place among rows with its event id: by time, contact, event, then its properties by name."""
    values = [row["_at"], row["_contact"], row["_event"], *(read(row.get(c.name), c.kind, c.zone) for c in columns)]
    return [(value is not None, value) for value in values]


def outcome(feature: Feature, streams: Mapping[tuple[int, ...], list[Row]]) -> Any:
    rows = [row for row in streams[feature.tables] if _counts(row, feature)]
    if feature.then is not None:
        later = [_on_one_clock(row["_at"]) for row in streams[feature.then.event.tables] if _counts(row, feature.then.event)]
        rows = [row for row in rows if _followed(_on_one_clock(row["_at"]), later, feature.then.length)]
    at = [row["_at"] for row in rows]
    of = feature.of
    known = [] if of is None else [v for row in rows if (v := read(row.get(of.name), of.kind, of.clock)) is not None]
    days = [a.astimezone(ZoneInfo(feature.zone)).date() if isinstance(a, dt.datetime) else a for a in at]
    match feature.measure:
        case "count":
            return len(rows)
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
            return max(at, default=None)
        case "latest":
            return _latest(feature, rows)
        case "days":
            return len(set(days))
        case "weeks":
            return len({day.isocalendar()[:2] for day in days})
        case "months":
            return len({(day.year, day.month) for day in days})
        case _:
            assert_never(feature.measure)


def _latest(feature: Feature, rows: list[Row]) -> Any:
    if not rows:
        return None
    of = feature.of
    assert of is not None

    def place(row: Row) -> list[tuple[bool, Any]]:
        value = read(row.get(of.name), of.kind, of.clock)
        return [(known is not None, known) for known in (row["_at"], row["_id"], value)]

    return max(rows, key=place).get(of.name)


def _on_one_clock(at: Any) -> Any:
    return at.astimezone(dt.UTC) if isinstance(at, dt.datetime) else at


def _followed(at: Any, later: list[Any], length: int | None) -> bool:
    """One of the later times comes after `at`, not later than so many minutes (of a date: days)."""
    unit = dt.timedelta(minutes=1) if isinstance(at, dt.datetime) else dt.timedelta(days=1)
    return any(at < other and (length is None or other - at <= length * unit) for other in later)


def _counts(row: Row, feature: Feature) -> bool:
    """Whether an event has the feature's name, lies in its bounds, and passes its filter."""
    if feature.event is not None and row["_event"] != feature.event:
        return False
    if not _inside(row["_at"], feature.bounds, feature.time.clock):
        return False
    return feature.where is None or true(feature.where, World(row, true))


def _inside(at: Any, bounds: Bounds, clock: str | None) -> bool:
    low, high = bounds.low, bounds.high
    if clock is not None:
        low, high = (end.astimezone(at.tzinfo) if isinstance(end, dt.datetime) else end for end in (low, high))
    after = low is None or at > low or (bounds.low_in and at == low)
    before = high is None or at < high or (bounds.high_in and at == high)
    return after and before
