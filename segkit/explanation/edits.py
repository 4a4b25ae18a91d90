"""Changes to what belongs to a contact, as data: fields that are set, events that are added or removed, lists."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, TypeAlias, assert_never

from segkit.catalog import Catalog, Column, HistoryTable, Kind
from segkit.display import seen
from segkit.evaluate.gathering import valid_row
from segkit.evaluate.reading import read
from segkit.evaluate.world import Row
from segkit.explanation.case import PLACE, Case
from segkit.plan import Plan
from segkit.verification.values import fitting

_LONGEST = 80


@dataclass(frozen=True)
class SetField:
    """A field of the contact gets another value; `bound` says where more would do as well (`at least`, `at most`).

    Inside a JSON field `path` says where. A field with history is set in the row that is valid at the moment, or in a new one.
    """

    field: str
    was: Any
    value: Any
    bound: str = ""
    path: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        name = ".".join([self.field, *map(str, self.path)])
        if self.bound == "other than":
            return f"{name} other than {told(self.was)}"
        value = "missing" if self.value is None else f"{self.bound} {told(self.value)}".strip()
        return f"{name} {value} instead of {told(self.was)}"


@dataclass(frozen=True)
class AddEvent:
    """One more event of the contact at an instant or on a day; `within` says when else it would do."""

    event: str
    at: dt.date
    properties: Mapping[str, Any] = field(default_factory=dict)
    within: str = ""
    table: int = 0

    def __str__(self) -> str:
        own = ", ".join(f"{name} {told(value)}" for name, value in self.properties.items())
        return f"one more {self.event} event{f' with {own}' if own else ''}, {self.within or f'at {told(self.at)}'}"


@dataclass(frozen=True)
class RemoveEvent:
    """One event less; all rows of its id, where it has one."""

    event: str
    at: Any
    id: Any = None
    place: tuple[int, int] = field(default=(0, 0), repr=False, compare=False)

    def __str__(self) -> str:
        return f"the {self.event} event of {told(self.at)} taken away"


@dataclass(frozen=True)
class JoinList:
    """On a static list from the moment on."""

    name: str

    def __str__(self) -> str:
        return f"on the list {self.name!r:.60}"


@dataclass(frozen=True)
class LeaveList:
    """On a static list no longer."""

    name: str

    def __str__(self) -> str:
        return f"not on the list {self.name!r:.60}"


Edit: TypeAlias = SetField | AddEvent | RemoveEvent | JoinList | LeaveList


def told(value: Any) -> str:
    """A value as people read it.

    >>> told(None), told("USA"), told(dt.datetime(2025, 7, 12, 9, 30, tzinfo=dt.UTC))
    ('missing', "'USA'", '2025-07-12 09:30 UTC')
    >>> told(Decimal("500.010000"))
    '500.01'
    """
    match value:
        case None:
            return "missing"
        case dt.datetime():
            seconds = "microseconds" if value.microsecond else "seconds" if value.second else "minutes"
            zone = "" if value.tzinfo is None else f" {value.tzname()}"
            return value.replace(tzinfo=None).isoformat(" ", seconds) + zone
        case str():
            return repr(seen(value, _LONGEST))
        case float():
            return f"{value:.12g}"
        case Decimal():
            text = f"{value:f}"
            return seen(text.rstrip("0").rstrip(".") if "." in text else text, _LONGEST)
        case _:
            return seen(str(value), _LONGEST)


# ---------------------------------------------------------------- carrying out


def changed(case: Case, edit: Edit, own: Plan) -> Case:
    """The rows of a contact after a change at the moment of a plan."""
    catalog = own.catalog
    match edit:
        case SetField():
            return _set(case, edit, own)
        case AddEvent(event, at, properties, _, i):
            return case.with_events(i, (*case.events.get(i, ()), _event_row(catalog, i, case, event, at, properties)))
        case RemoveEvent(place=place):
            return _without(case, place, catalog)
        case JoinList(name):
            lists = catalog.lists
            assert lists is not None, "the plan is `answered`"
            return replace(case, lists=(*case.lists, {lists.list: name, lists.contact: case.key}))
        case LeaveList(name):
            lists = catalog.lists
            assert lists is not None, "the plan is `answered`"
            return replace(case, lists=tuple(row for row in case.lists if row[lists.list] != name))
        case _:
            assert_never(edit)


def column_of(catalog: Catalog, name: str) -> tuple[HistoryTable | None, int, Column]:
    """The column that holds a field: of the contact, or of a table of history at its position."""
    for i, table in enumerate(catalog.history):
        if name in table.fields:
            return table, i, table.fields[name]
    return None, 0, catalog.contacts.fields[name]


def _set(case: Case, edit: SetField, own: Plan) -> Case:
    catalog = own.catalog
    table, i, column = column_of(catalog, edit.field)
    if table is None:
        names = [name for name, other in catalog.contacts.fields.items() if other.name == column.name]
        value = placed(case.contact.get(edit.field), edit.path, edit.value)
        is_document = edit.path or (column.kind is Kind.JSON and value is not None)
        stored = json.dumps(value, default=str) if is_document else _stored(value, column)
        return replace(case, contact={**case.contact, **dict.fromkeys(names, stored)})
    valid = valid_row(case.history.get(i, ()), table, own)
    rows = case.history.get(i, ())
    fresh: Row = {table.contact: case.key, table.valid_from: own.at.as_of, table.valid_to: None}
    before = valid or fresh
    row = {**before, column.name: _stored(edit.value, column)}
    if edit.path:
        row[column.name] = json.dumps(placed(before.get(column.name), edit.path, edit.value), default=str)
    others = tuple(other for other in rows if other is not valid)
    return replace(case, history={**case.history, i: (*others, row)})


def held_by(value: Any, column: Column) -> Any:
    """A value as a column would give it back."""
    return read(fitting(value, column.kind, column.zone), column.kind, column.zone)


def _stored(value: Any, column: Column) -> Any:
    return None if value is None else fitting(value, column.kind, column.zone)


def placed(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """A document with a value at the end of a path, which is made where it is not there.

    >>> placed('{"plan": "pro"}', ("tags", 1), "new")
    {'plan': 'pro', 'tags': [None, 'new']}
    """
    if isinstance(document, str | bytes):
        try:
            document = json.loads(document)
        except ValueError:
            document = None
    return _placed(document, path, value)


def _placed(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
    if not path:
        return value
    first, *rest = path
    if isinstance(first, int):
        items = list(document) if isinstance(document, list | tuple) else []
        items += [None] * (first + 1 - len(items))
        items[first] = _placed(items[first], tuple(rest), value)
        return items
    own = dict(document) if isinstance(document, Mapping) else {}
    return {**own, first: _placed(own.get(first), tuple(rest), value)}


def _event_row(catalog: Catalog, i: int, case: Case, event: str, at: Any, properties: Mapping[str, Any]) -> Row:
    table = catalog.events[i]
    columns = {column.name: column for column in table.properties.values()}
    time = columns.get(table.time)
    row = {name: _stored(properties.get(name), column) for name, column in table.properties.items()}
    row[table.time] = at if time is None else fitting(at, time.kind, time.zone)
    row[table.contact] = case.key
    if table.event is not None:
        row[table.event] = event
    if table.id is not None:
        row[table.id] = None
    for name, column in table.properties.items():
        if column.name in (table.time, table.contact, table.event, table.id):
            row[name] = row[column.name]
    return {**row, PLACE: (i, 1 + max((own[PLACE][1] for own in case.events.get(i, ())), default=-1))}


def _without(case: Case, place: tuple[int, int], catalog: Catalog) -> Case:
    """Without an event: without any row of the contact's that bears its id."""
    i = place[0]
    table, rows = catalog.events[i], case.events[i]
    gone = next(row for row in rows if row[PLACE] == place)
    own = None if table.id is None else gone.get(table.id)

    def is_copy(row: Row) -> bool:
        return own is not None and table.id is not None and row.get(table.id) == own and row.get(table.contact) == case.key

    return case.with_events(i, [row for row in rows if row is not gone and not is_copy(row)])
