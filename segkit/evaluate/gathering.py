"""What is known of each contact: its events, lists, history, and its standing among the others."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from segkit.catalog import Catalog, Column, HistoryTable, ListTable, time_column
from segkit.evaluate.conditions import true
from segkit.evaluate.events import Event, outcome, own_events
from segkit.evaluate.reading import named_by_column, read
from segkit.evaluate.terms import value_of
from segkit.evaluate.world import Options, Row, World
from segkit.plan import Plan
from segkit.plan.tree import Named, Rank

_NO_KEY = ""  # stands for the key of a contact that was given without one


def world_of(
    plan: Plan,
    contact: Row,
    events: list[Row],
    lists: frozenset[str],
    past: Mapping[int, Row] | None,
    options: dict[int, Options],
) -> World | None:
    """What is known of a contact, None if it does not exist yet at the moment; all share the sets of `options`."""
    catalog = plan.catalog
    row = named_by_column(contact, catalog.contacts.fields)
    if past is None:
        past = {i: _as_given(contact, table, catalog) for i, table in enumerate(catalog.history)}
    if catalog.contacts.created is not None and created_later(row, plan):
        return None
    key = _NO_KEY if row.get(catalog.contacts.key) is None else row[catalog.contacts.key]
    streams: dict[tuple[int, ...], list[Event]] = {}
    for asked in (*plan.features, *(feature.then.event for feature in plan.features if feature.then is not None)):
        if asked.tables not in streams:
            streams[asked.tables] = own_events(events, key, asked, plan)
    outcomes = {feature: outcome(feature, streams) for feature in plan.features}
    segments = {part.name: part.where for part in plan.parts if isinstance(part, Named)}
    return World(row, true, lists, outcomes, key, past, segments, options=options)


def _as_given(contact: Row, table: HistoryTable, catalog: Catalog) -> Row:
    """What a contact itself says of the fields with history."""
    others = {name for name in catalog.contacts.fields if name not in table.fields}
    return named_by_column({name: value for name, value in contact.items() if name not in others}, table.fields)


def created_later(row: Row, plan: Plan) -> bool:
    """Whether a contact does not exist yet at the moment, where the catalog says since when it does."""
    contacts = plan.catalog.contacts
    column = time_column(contacts.fields, contacts.created or "")
    created = read(row.get(column.name), column.kind, column.zone)
    if isinstance(created, dt.datetime):
        return created > plan.at.as_of
    return created is not None and created > plan.at.as_of.astimezone(ZoneInfo(plan.at.zone)).date()


def stand(rank: Rank, worlds: Sequence[World]) -> None:
    """Notes each contact's standing in a rank: by value, equal values by key."""
    known = [(w, value) for w in worlds if (value := value_of(rank.value, w)) is not None]
    inside = [(w, value) for w, value in known if rank.of is None or true(rank.of, w)]
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


def events_by_contact(events: Iterable[Row], catalog: Catalog) -> Callable[[Any], list[Row]]:
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


def history_by_contact(catalog: Catalog, history: Mapping[str, Iterable[Row]]) -> Callable[[int, Any], list[Row]]:
    """The rows of a contact in each table of history, by the table's position in the catalog."""
    own: dict[tuple[int, Any], list[Row]] = defaultdict(list)
    for i, table in enumerate(catalog.history):
        for row in history.get(table.table, ()):
            own[i, row.get(table.contact)].append(row)
    return lambda i, key: own.get((i, key), [])


def valid_row(rows: Iterable[Row], table: HistoryTable, plan: Plan) -> Row:
    """The row of a contact's history that is valid at the moment, the one that began last; empty without one."""
    now = plan.at.as_of
    valid = []
    for row in rows:
        begin, end = (_history_time(row, name, table, plan) for name in (table.valid_from, table.valid_to))
        if (begin is None or begin <= now) and (end is None or end > now):
            values = (read(row.get(c.name), c.kind, c.zone) for _, c in sorted(table.fields.items()))
            valid.append(([(known is not None, known) for known in (begin, *values)], row))
    return max(valid, key=lambda pair: pair[0])[1] if valid else {}


def _history_time(row: Row, name: str, table: HistoryTable, plan: Plan) -> dt.datetime | None:
    return instant_of(row.get(name), time_column(table.columns, name), plan)


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
    return None if name is None else instant_of(row.get(name), time_column(lists.columns, name), plan)


def instant_of(value: Any, column: Column, plan: Plan) -> dt.datetime | None:
    """A time of a table as an instant; a date begins at its local midnight."""
    at = read(value, column.kind, column.zone)
    return (
        dt.datetime.combine(at, dt.time(), ZoneInfo(plan.at.zone)) if at is not None and not isinstance(at, dt.datetime) else at
    )
