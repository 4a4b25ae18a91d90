"""What a plan means, in plain Python: the reference that SQL is held against, and unit tests of segments without a database.

One arm per kind of condition and term, like `compile`, and nothing shared with it but the plan. `_true` decides a
condition on a row, `_value` reads a term; a row is a contact or, inside a filter, an event.
"""

from __future__ import annotations

import calendar
import datetime as dt
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation, localcontext
from typing import Any, assert_never
from zoneinfo import ZoneInfo

from segkit import patterns
from segkit.catalog import Column, EventTable, Kind, ListTable, time_column
from segkit.errors import DataError
from segkit.plan import Plan
from segkit.plan.tree import (
    AllOf,
    Always,
    Among,
    AnyOf,
    Bounds,
    Calculation,
    ColumnTerm,
    Comparison,
    Complement,
    Condition,
    Constant,
    DayCount,
    Feature,
    FeatureTerm,
    IsMissing,
    LocalDate,
    LocalTime,
    Midnight,
    Moved,
    OnList,
    PartOf,
    Term,
    TextSearch,
)

Row = Mapping[str, Any]
_NO_KEY = ""  # stands for the key of a contact that was given without one
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True)
class _World:
    """The row at hand and what is known around it: its lists and the outcomes of features."""

    row: Row
    lists: frozenset[str]
    outcomes: Mapping[Feature, Any]


def holds(plan: Plan, contact: Row, events: Iterable[Row] = (), lists: Iterable[str] = ()) -> bool:
    """Whether a contact is a member.

    Args:
        plan: the resolved definition.
        contact: the contact's values by field or column name; an absent one is missing.
        events: rows of events, by property name; those that name another contact, or none, are not the contact's.
        lists: the names of the static lists that the contact is on.
    """
    catalog = plan.catalog
    row = _named_by_column(contact, catalog.contacts.fields)
    with localcontext(Context(prec=100)):
        if catalog.contacts.created is not None and _created_later(row, plan):
            return False
        key = _NO_KEY if row.get(catalog.contacts.key) is None else row[catalog.contacts.key]
        streams: dict[tuple[int, ...], list[Row]] = {}
        given = list(events)
        for feature in plan.features:
            if feature.tables not in streams:
                streams[feature.tables] = _own_events(given, key, feature, plan)
        outcomes = {feature: _outcome(feature, streams[feature.tables]) for feature in plan.features}
        return _true(plan.where, _World(row, frozenset(lists), outcomes))


def lists_of(plan: Plan, rows: Iterable[Row], key: Any) -> set[str]:
    """The static lists that a contact is on at the moment, out of the rows of the table of lists."""
    lists = plan.catalog.lists
    if lists is None:
        return set()
    on = set()
    for row in rows:
        joined, left = (_list_time(row, column, lists, plan) for column in (lists.joined, lists.left))
        now = plan.at.as_of
        if row.get(lists.contact) == key and (joined is None or joined <= now) and (left is None or left > now):
            on.add(row[lists.list])
    return on


def _list_time(row: Row, name: str | None, lists: ListTable, plan: Plan) -> dt.datetime | None:
    if name is None:
        return None
    column = time_column(lists.columns, name)
    at = _read(row.get(name), column.kind, column.zone)
    return (
        dt.datetime.combine(at, dt.time(), ZoneInfo(plan.at.zone)) if at is not None and not isinstance(at, dt.datetime) else at
    )


def _created_later(row: Row, plan: Plan) -> bool:
    contacts = plan.catalog.contacts
    column = time_column(contacts.fields, contacts.created or "")
    created = _read(row.get(column.name), column.kind, column.zone)
    if isinstance(created, dt.datetime):
        return created > plan.at.as_of
    return created is not None and created > plan.at.as_of.astimezone(ZoneInfo(plan.at.zone)).date()


# ---------------------------------------------------------------- conditions


def _true(condition: Condition, world: _World) -> bool:
    match condition:
        case Always(truth):
            return truth
        case AllOf(items):
            return all(_true(item, world) for item in items)
        case AnyOf(items):
            return any(_true(item, world) for item in items)
        case Complement(item):
            return not _true(item, world)
        case Comparison(op, left, right):
            pair = _comparable(left, right, world)
            return pair is not None and _ORDER[op](*pair)
        case Among(term, options):
            return any(_true(Comparison("==", term, option), world) for option in options)
        case TextSearch(test, term, text, ignore_case):
            value = _value(term, world)
            return isinstance(value, str) and _found(test, value, text, ignore_case)
        case IsMissing(term):
            return _value(term, world) is None
        case OnList(name):
            return name in world.lists
        case _:
            assert_never(condition)


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _found(test: str, value: str, text: str, ignore_case: bool) -> bool:
    if test == "matches":
        pattern = patterns.folded(text) if ignore_case else text
        return patterns.python(pattern).search(value.translate(_LOWER) if ignore_case else value) is not None
    if ignore_case:
        value, text = value.translate(_LOWER), text.translate(_LOWER)
    match test:
        case "contains":
            return text in value
        case "startswith":
            return value.startswith(text)
        case _:
            return value.endswith(text)


def _comparable(left: Term, right: Term, world: _World) -> tuple[Any, Any] | None:
    """Both values, made alike; None if one is missing."""
    a, b = _value(left, world), _value(right, world)
    if a is None or b is None:
        return None
    if isinstance(a, dt.datetime) and isinstance(b, dt.datetime):
        return _on_wall_of(left, a, b) if isinstance(right, Constant) else _on_wall_of(right, b, a)[::-1]
    return _paired(a, b)


def _on_wall_of(term: Term, value: dt.datetime, other: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """A value written by a wall clock is compared on that wall clock, as Python does for one and the same tzinfo."""
    return (value, other) if term.clock is None else (value, other.astimezone(value.tzinfo))


def _paired(a: Any, b: Any) -> tuple[Any, Any]:
    """Two numbers made alike: floats if one is a float, else exact."""
    if isinstance(a, float) and isinstance(b, Decimal):
        return a, float(b)
    if isinstance(a, Decimal) and isinstance(b, float):
        return float(a), b
    return a, b


# ---------------------------------------------------------------- terms


def _value(term: Term, world: _World) -> Any:
    match term:
        case Constant(value):
            return value
        case ColumnTerm(name, kind, clock):
            return _read(world.row.get(name), kind, clock)
        case FeatureTerm(feature, kind, clock):
            return _read(world.outcomes[feature], kind, clock)
        case Calculation(op, left, right):
            a, b = _value(left, world), _value(right, world)
            return None if a is None or b is None else _calculated(op, *_paired(a, b))
        case DayCount(later, earlier):
            a, b = _value(later, world), _value(earlier, world)
            return None if a is None or b is None else (a - b).days
        case Moved(moment, amount, unit):
            at = _value(moment, world)
            return None if at is None else _moved(at, amount, unit)
        case LocalTime(moment, zone):
            at = _value(moment, world)
            return None if at is None else at.astimezone(ZoneInfo(zone))
        case LocalDate(moment, zone):
            at = _value(moment, world)
            return None if at is None else at.astimezone(ZoneInfo(zone)).date()
        case Midnight(date, zone):
            day = _value(date, world)
            return None if day is None else dt.datetime.combine(day, dt.time(), ZoneInfo(zone))
        case PartOf(part, moment):
            at = _value(moment, world)
            return None if at is None else _PARTS[part](at)
        case _:
            assert_never(term)


_PARTS: dict[str, Callable[[Any], int]] = {
    "year": lambda at: at.year,
    "quarter": lambda at: (at.month + 2) // 3,
    "month": lambda at: at.month,
    "week": lambda at: at.isocalendar().week,
    "day": lambda at: at.day,
    "weekday": lambda at: at.isoweekday(),
    "hour": lambda at: at.hour,
}


def _moved(at: Any, amount: int, unit: str) -> Any:
    try:
        if unit != "months":
            return at + dt.timedelta(**{unit: amount})
        year, month = divmod(at.year * 12 + at.month - 1 + amount, 12)
        last_day = calendar.monthrange(year, month + 1)[1]
        return at.replace(year=year, month=month + 1, day=min(at.day, last_day))
    except (OverflowError, ValueError):
        raise DataError(f"{amount} {unit} from {at} is out of range", fix="correct the value in the data") from None


def _calculated(op: str, a: Any, b: Any) -> Any:
    match op:
        case "+":
            result = a + b
        case "-":
            result = a - b
        case "*":
            result = a * b
        case _:
            result = None if b == 0 else float(a) / float(b)
    return None if isinstance(result, float) and math.isnan(result) else result


def _read(value: Any, kind: Kind, clock: str | None) -> Any:
    """A raw value of the data as Python's own, None where it is missing (NaN counts as missing)."""
    if hasattr(value, "item") and callable(value.item) and getattr(value, "ndim", None) == 0:
        value = value.item()
    if value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and math.isnan(value)):
        return None
    try:
        match kind:
            case Kind.DATE:
                return _date(value)
            case Kind.TIMESTAMP | Kind.TIMESTAMPTZ:
                return _instant(value, clock or "UTC")
            case Kind.DECIMAL if isinstance(value, float | int | str):
                return Decimal(str(value))
            case Kind.FLOAT if isinstance(value, int | Decimal):
                return float(value)
            case _:
                return value
    except (ValueError, TypeError, InvalidOperation):
        raise DataError(f"{value!r:.60} is no {kind}", fix="correct the value, or its kind in the catalog") from None


def _date(value: Any) -> dt.date:
    match value:
        case dt.datetime():
            return value.date()
        case dt.date():
            return value
        case _:
            return dt.datetime.fromisoformat(value).date()


def _instant(value: Any, zone: str) -> dt.datetime:
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value)
    if not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time())
    elif hasattr(value, "to_pydatetime"):
        value = value.to_pydatetime(warn=False)
    own = ZoneInfo(zone)
    at: dt.datetime = value
    return at.replace(tzinfo=own, fold=0) if at.tzinfo is None else at.astimezone(own)


# ---------------------------------------------------------------- events


def _own_events(events: Sequence[Row], key: Any, feature: Feature, plan: Plan) -> list[Row]:
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
    own = _named_by_column(row, table.properties)
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
        "_at": _read(at, feature.time.kind, feature.time.clock),
    }


def _named_by_column(row: Row, columns: Mapping[str, Column]) -> dict[str, Any]:
    """A row whose values are named by field, as one named by column."""
    by_case = {name.casefold(): name for name in row}
    named = {str(name): value for name, value in row.items()}
    for name, column in columns.items():
        spellings = (name, column.name, by_case.get(name.casefold(), name), by_case.get(column.name.casefold(), name))
        found = next((spelling for spelling in spellings if spelling in row), None)
        if found is not None:
            named[column.name] = row[found]
    return named


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
    values = [row["_at"], row["_contact"], row["_event"], *(_read(row.get(c.name), c.kind, c.zone) for c in columns)]
    return [(value is not None, value) for value in values]


def _outcome(feature: Feature, stream: list[Row]) -> Any:
    rows = [row for row in stream if _counts(row, feature)]
    at = [row["_at"] for row in rows]
    of = feature.of
    known = [] if of is None else [v for row in rows if (v := _read(row.get(of.name), of.kind, of.clock)) is not None]
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
        value = _read(row.get(of.name), of.kind, of.clock)
        return [(known is not None, known) for known in (row["_at"], row["_id"], value)]

    return max(rows, key=place).get(of.name)


def _counts(row: Row, feature: Feature) -> bool:
    """Whether an event has the feature's name, lies in its bounds, and passes its filter."""
    if feature.event is not None and row["_event"] != feature.event:
        return False
    if not _inside(row["_at"], feature.bounds, feature.time.clock):
        return False
    return feature.where is None or _true(feature.where, _World(row, frozenset(), {}))


def _inside(at: Any, bounds: Bounds, clock: str | None) -> bool:
    low, high = bounds.low, bounds.high
    if clock is not None:
        low, high = (end.astimezone(at.tzinfo) if isinstance(end, dt.datetime) else end for end in (low, high))
    after = low is None or at > low or (bounds.low_in and at == low)
    before = high is None or at < high or (bounds.high_in and at == high)
    return after and before
