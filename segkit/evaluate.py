"""What a plan means, in plain Python: the reference that SQL is held against, and unit tests of segments without a database.

One arm per kind of condition and term, like `compile`, and nothing shared with it but the plan. `_true` decides a
condition on a row, `_value` reads a term; a row is a contact or, inside a filter, an event.
"""

from __future__ import annotations

import calendar
import datetime as dt
import hashlib
import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation, localcontext
from typing import Any, assert_never
from zoneinfo import ZoneInfo

from segkit import patterns
from segkit.catalog import Catalog, Column, EventTable, HistoryTable, Kind, ListTable, time_column
from segkit.errors import DataError, DefinitionError
from segkit.plan import Plan
from segkit.plan.tree import (
    AllOf,
    Always,
    Among,
    AnyOf,
    Applied,
    Bounds,
    Calculation,
    ColumnTerm,
    Comparison,
    Complement,
    Condition,
    Constant,
    DayCount,
    Drawn,
    Feature,
    FeatureTerm,
    IsMissing,
    JsonTerm,
    LocalDate,
    LocalTime,
    Midnight,
    Moved,
    Named,
    OnList,
    PartOf,
    PastColumn,
    Rank,
    Raw,
    Reference,
    Standing,
    Term,
    TextSearch,
)

Row = Mapping[str, Any]
_NO_KEY = ""  # stands for the key of a contact that was given without one
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_UPPER = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


@dataclass(frozen=True)
class _World:
    """The row at hand and what is known around it.

    `past` are the valid rows of the tables of history, None where the row itself says what was; `standings` the place,
    total and group in each rank; `known` which segments were found to hold.
    """

    row: Row
    lists: frozenset[str] = frozenset()
    outcomes: Mapping[Feature, Any] = field(default_factory=dict)
    key: Any = None
    past: Mapping[int, Row] | None = None
    segments: Mapping[str, Condition] = field(default_factory=dict)
    standings: dict[Rank, Mapping[str, int]] = field(default_factory=dict)
    known: dict[str, bool] = field(default_factory=dict)


def holds(plan: Plan, contact: Row, events: Iterable[Row] = (), lists: Iterable[str] = ()) -> bool:
    """Whether a contact is a member, by itself.

    Args:
        plan: the resolved definition.
        contact: the contact's values by field or column name, as they are at the moment; an absent one is missing.
        events: rows of events, by property name; those that name another contact, or none, are not the contact's.
        lists: the names of the static lists that the contact is on.

    Raises:
        DefinitionError: the definition ranks contacts, which takes all of them, or holds SQL.
    """
    if any(isinstance(part, Rank) for part in plan.parts):
        raise DefinitionError("a rank needs all contacts, not one", fix="run it on data: ws.members(segment)")
    with localcontext(Context(prec=100)):
        world = _world(plan, contact, list(events), frozenset(lists), None)
        return world is not None and _true(plan.where, world)


def members(
    plan: Plan,
    contacts: Iterable[Row],
    events: Iterable[Row] = (),
    list_members: Iterable[Row] = (),
    history: Mapping[str, Iterable[Row]] | None = None,
) -> list[Any]:
    """The keys of the members among all contacts, sorted; the tables of history by their names."""
    catalog = plan.catalog
    given, stays = _events_by_contact(events, catalog), list(list_members)
    past = [list((history or {}).get(table.table, ())) for table in catalog.history]
    worlds = []
    with localcontext(Context(prec=100)):
        for contact in contacts:
            key = _named_by_column(contact, catalog.contacts.fields).get(catalog.contacts.key)
            on = frozenset(lists_of(plan, stays, key)) if plan.lists else frozenset()
            valid = {i: _valid(rows, key, table, plan) for i, (table, rows) in enumerate(zip(catalog.history, past, strict=True))}
            world = _world(plan, contact, given(key), on, valid)
            if world is not None:
                worlds.append(world)
        for part in plan.parts:
            if isinstance(part, Rank):
                _stand(part, worlds)
        return sorted(world.key for world in worlds if _true(plan.where, world))


def _world(plan: Plan, contact: Row, events: list[Row], lists: frozenset[str], past: Mapping[int, Row] | None) -> _World | None:
    """What is known of a contact, None if it does not exist yet at the moment."""
    catalog = plan.catalog
    row = _named_by_column(contact, catalog.contacts.fields)
    if past is None:
        row |= {column.name: row.get(name, row.get(column.name)) for t in catalog.history for name, column in t.fields.items()}
    if catalog.contacts.created is not None and _created_later(row, plan):
        return None
    key = _NO_KEY if row.get(catalog.contacts.key) is None else row[catalog.contacts.key]
    streams: dict[tuple[int, ...], list[Row]] = {}
    for asked in (*plan.features, *(feature.then.event for feature in plan.features if feature.then is not None)):
        if asked.tables not in streams:
            streams[asked.tables] = _own_events(events, key, asked, plan)
    outcomes = {feature: _outcome(feature, streams) for feature in plan.features}
    segments = {part.name: part.where for part in plan.parts if isinstance(part, Named)}
    return _World(row, lists, outcomes, key, past, segments)


def _stand(rank: Rank, worlds: Sequence[_World]) -> None:
    """Notes each contact's standing in a rank: by value, equal values by key."""
    known = [(w, value) for w in worlds if (value := _value(rank.value, w)) is not None]
    inside = [(w, value) for w, value in known if rank.of is None or _true(rank.of, w)]
    inside.sort(key=lambda pair: pair[0].key)
    inside.sort(key=lambda pair: pair[1], reverse=rank.highest_first)
    total = len(inside)
    for place, (world, _) in enumerate(inside, start=1):
        tile = 0 if rank.tiles is None else _tile(place, total, rank.tiles)
        world.standings[rank] = {"place": place, "total": total, "tile": tile}


def _tile(place: int, total: int, tiles: int) -> int:
    """The group of a place where the first groups take one more if they do not divide evenly."""
    size, larger = divmod(total, tiles)
    in_larger = larger * (size + 1)
    return (place - 1) // (size + 1) + 1 if place <= in_larger else (place - 1 - in_larger) // size + larger + 1


def _events_by_contact(events: Iterable[Row], catalog: Catalog) -> Callable[[Any], list[Row]]:
    """Each contact's events, and those of others that share an id with one of them."""
    own: dict[Any, list[Row]] = defaultdict(list)
    by_id: dict[tuple[int, Any], list[Row]] = defaultdict(list)
    ids = [table.id for table in catalog.events]
    names = {*(table.contact for table in catalog.events), "contact_id"}
    for row in events:
        for key in {row[name] for name in names if row.get(name) is not None}:
            own[key].append(row)
        for i, name in enumerate(ids):
            if name is not None and row.get(name) is not None:
                by_id[i, row[name]].append(row)

    def given(key: Any) -> list[Row]:
        rows = {id(row): row for row in own.get(key, ())}
        shared = [
            by_id[i, row[name]] for row in rows.values() for i, name in enumerate(ids) if name and row.get(name) is not None
        ]
        return list({**rows, **{id(row): row for copies in shared for row in copies}}.values())

    return given


def _valid(rows: Iterable[Row], key: Any, table: HistoryTable, plan: Plan) -> Row:
    """The row of a contact's history that is valid at the moment, the one that began last; empty without one."""
    now = plan.at.as_of
    valid = []
    for row in rows:
        begin, end = (_history_time(row, name, table, plan) for name in (table.valid_from, table.valid_to))
        if row.get(table.contact) == key and (begin is None or begin <= now) and (end is None or end > now):
            values = (_read(row.get(c.name), c.kind, c.zone) for _, c in sorted(table.fields.items()))
            valid.append(([(known is not None, known) for known in (begin, *values)], row))
    return max(valid, key=lambda pair: pair[0])[1] if valid else {}


def _history_time(row: Row, name: str, table: HistoryTable, plan: Plan) -> dt.datetime | None:
    return _instant_of(row.get(name), time_column(table.columns, name), plan)


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
    return None if name is None else _instant_of(row.get(name), time_column(lists.columns, name), plan)


def _instant_of(value: Any, column: Column, plan: Plan) -> dt.datetime | None:
    """A time of a table as an instant; a date begins at its local midnight."""
    at = _read(value, column.kind, column.zone)
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
        case Reference(name):
            if name not in world.known:
                world.known[name] = _true(world.segments[name], world)
            return world.known[name]
        case Drawn(seed, below):
            digest = hashlib.md5(f"{seed}:{world.key}".encode(), usedforsecurity=False).hexdigest()
            return int(digest[:8], 16) < below
        case Raw():
            raise DefinitionError("raw SQL means nothing without a database", fix="run it on data: ws.members(segment)")
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
        case PastColumn(table, name, kind, clock):
            row = world.row if world.past is None else world.past[table]
            return _read(row.get(name), kind, clock)
        case JsonTerm(column, path, kind):
            return _json(_value(column, world), path, kind)
        case FeatureTerm(feature, kind, clock):
            return _read(world.outcomes[feature], kind, clock)
        case Standing(rank, what):
            return world.standings.get(rank, {}).get(what)
        case Applied():
            return _applied(term, world)
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


def _applied(term: Applied, world: _World) -> Any:
    values = [_value(argument, world) for argument in term.arguments]
    if term.function == "coalesce":
        first = next((value for value in values if value is not None), None)
        return float(first) if term.kind is Kind.FLOAT and first is not None else first
    (value,) = values
    if value is None:
        return None
    match term.function:
        case "abs":
            return abs(value)
        case "round":
            return _rounded(value, term.digits)
        case "lower":
            return value.translate(_LOWER)
        case "upper":
            return value.translate(_UPPER)
        case "length":
            return len(value)
        case _:
            assert_never(term.function)


def _rounded(value: Any, digits: int) -> Any:
    """Halves away from zero; a float as floor(|x| * 10^digits + 1/2) / 10^digits, which every engine reckons alike."""
    if isinstance(value, int):
        return value
    if isinstance(value, Decimal):
        return value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    if math.isinf(value):
        return value
    scale = 10.0**digits
    return math.copysign(math.floor(abs(value) * scale + 0.5) / scale, value)


_PLAIN_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def _json(document: Any, path: tuple[str | int, ...], kind: Kind) -> Any:
    """What a path leads to in a JSON document, as text, a number or a boolean; None where there is nothing of the sort.

    Objects and arrays are there (which is all that an unknown kind asks), but are none of these.
    """
    found = _parsed(document)
    for step in path:
        if isinstance(step, str) and isinstance(found, Mapping):
            found = found.get(step)
        elif isinstance(step, int) and isinstance(found, list | tuple) and step < len(found):
            found = found[step]
        else:
            return None
    if found is None:
        return None
    if isinstance(found, Mapping | list | tuple):
        return found if kind is Kind.UNKNOWN else None
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    text = found if isinstance(found, str) else json.dumps(found)
    if kind.is_number:
        readable = is_number or (isinstance(found, str) and _PLAIN_NUMBER.fullmatch(text))
        return float(text) if readable else None
    if kind is Kind.BOOLEAN:
        return {"true": True, "false": False}.get(text)
    return text


def _parsed(document: Any) -> Any:
    if not isinstance(document, str | bytes):
        return document
    try:
        return json.loads(document)
    except ValueError:
        raise DataError(f"{document!r:.60} is no JSON", fix="correct the value, or the kind of the field") from None


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


def _outcome(feature: Feature, streams: Mapping[tuple[int, ...], list[Row]]) -> Any:
    rows = [row for row in streams[feature.tables] if _counts(row, feature)]
    if feature.then is not None:
        later = [_on_one_clock(row["_at"]) for row in streams[feature.then.event.tables] if _counts(row, feature.then.event)]
        rows = [row for row in rows if _followed(_on_one_clock(row["_at"]), later, feature.then.length)]
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
    return feature.where is None or _true(feature.where, _World(row))


def _inside(at: Any, bounds: Bounds, clock: str | None) -> bool:
    low, high = bounds.low, bounds.high
    if clock is not None:
        low, high = (end.astimezone(at.tzinfo) if isinstance(end, dt.datetime) else end for end in (low, high))
    after = low is None or at > low or (bounds.low_in and at == low)
    before = high is None or at < high or (bounds.high_in and at == high)
    return after and before
