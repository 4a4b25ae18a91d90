"""One contact with all that belongs to it, as rows, and what they say at a moment: by the plain-Python evaluator."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Context, localcontext
from typing import Any

from segkit import metrics, nodes
from segkit.catalog import Catalog, Column, Kind, ListTable
from segkit.compile import rows
from segkit.compile.sql import Sql
from segkit.engines import Engine
from segkit.errors import DefinitionError
from segkit.evaluate.conditions import true
from segkit.evaluate.events import Event, Read, happened, outcome, read_events
from segkit.evaluate.gathering import created_later, lists_of, valid_row
from segkit.evaluate.reading import named_by_column, read
from segkit.evaluate.world import Row, World
from segkit.plan import Plan, plan
from segkit.plan.tree import Always, Among, Comparison, Condition, Constant, Feature, Named, Rank, Raw, Reference, Standing
from segkit.plan.walk import rebuilt
from segkit.rendering import render

PLACE = "\0place"
"""The name under which a row of an event says which table it is of, and its number there."""


@dataclass(frozen=True)
class Case:
    """A contact and its rows: events named by property, by the position of their table; lists of all tables.

    `standings` and `raw` are what the engine says of ranks and of SQL: they stay as they are when rows change.
    """

    key: Any
    contact: Row
    events: Mapping[int, tuple[Row, ...]]
    lists: tuple[Row, ...]
    history: Mapping[int, tuple[Row, ...]]
    standings: Mapping[Rank, Mapping[str, int]] = field(default_factory=dict)
    raw: Mapping[Raw, bool] = field(default_factory=dict)
    known: dict[tuple[int, ...], Read] = field(default_factory=dict, compare=False, repr=False)
    each: dict[tuple[tuple[int, ...], int], tuple[Row, Event]] = field(default_factory=dict, compare=False, repr=False)

    def with_events(self, table: int, own: Sequence[Row]) -> Case:
        return replace(self, events={**self.events, table: tuple(own)}, known={})

    def read_of(self, feature: Feature, catalog: Catalog) -> Read:
        """The events of the tables of a feature, read once."""
        if feature.tables not in self.known:
            self.known[feature.tables] = [
                (catalog.events[i], [self._read(row, i, feature, catalog) for row in self.events.get(i, ())])
                for i in feature.tables
            ]
        return self.known[feature.tables]

    def _read(self, row: Row, i: int, feature: Feature, catalog: Catalog) -> Event:
        """One event, read once: changed cases share it."""
        place = (feature.tables, id(row))
        if place not in self.each:
            one = replace(feature, tables=(i,)) if len(feature.tables) == 1 else feature
            found = [own for _, several in read_events({i: [row]}, self.key, one, catalog) for own in several]
            self.each[place] = (row, found[0])
        return self.each[place][1]


@dataclass(frozen=True)
class Sight:
    """A plan looked at for one contact: the world that conditions are decided in, whether the contact exists, its events."""

    plan: Plan
    where: Condition
    world: World
    exists: bool
    streams: Mapping[tuple[int, ...], list[Event]]
    events: Mapping[int, tuple[Row, ...]]

    @property
    def member(self) -> bool:
        return self.exists and self.holds(self.where)

    def holds(self, condition: Condition) -> bool:
        with localcontext(Context(prec=100)):
            return true(condition, self.world)


def sight(own: Plan, case: Case, before: Sight | None = None) -> Sight:
    """What the rows of a contact say at the moment of a plan, whose SQL is `answered`.

    `before` is an earlier sight of the plan: where no event changed since, features need not be reckoned again.
    """
    with localcontext(Context(prec=100)):
        catalog = own.catalog
        row = named_by_column(case.contact, catalog.contacts.fields)
        if before is not None and before.events is case.events:
            streams, outcomes = before.streams, before.world.outcomes
        else:
            streams = _streams(own, case)
            outcomes = {feature: outcome(feature, streams) for feature in own.features}
        on = frozenset(lists_of(own, case.lists, case.key)) if own.lists else frozenset()
        past = {i: valid_row(case.history.get(i, ()), table, own) for i, table in enumerate(catalog.history)}
        segments = {part.name: part.where for part in own.parts if isinstance(part, Named)}
        world = World(row, true, on, outcomes, case.key, past, segments, dict(case.standings))
        exists = catalog.contacts.created is None or not created_later(row, own)
    return Sight(own, own.where, world, exists, streams, case.events)


def _streams(own: Plan, case: Case) -> dict[tuple[int, ...], list[Event]]:
    streams: dict[tuple[int, ...], list[Event]] = {}
    for asked in (*own.features, *(feature.then.event for feature in own.features if feature.then is not None)):
        if asked.tables not in streams:
            streams[asked.tables] = happened(case.read_of(asked, own.catalog), case.key, own)
    return streams


def answered(own: Plan, case: Case) -> Plan:
    """The plan in which SQL is what the engine said of it, and all lists stand in one table."""
    catalog = replace(own.catalog, lists=own.catalog.lists or ListTable(columns={}), frozen=None)
    if not case.raw:
        return replace(own, catalog=catalog)
    parts = tuple(Named(part.name, _answered(part.where, case.raw)) if isinstance(part, Named) else part for part in own.parts)
    return replace(own, catalog=catalog, where=_answered(own.where, case.raw), parts=parts)


def _answered(node: Any, raw: Mapping[Raw, bool]) -> Any:
    return Always(raw[node]) if isinstance(node, Raw) else rebuilt(node, lambda part: _answered(part, raw))


# ---------------------------------------------------------------- fetching


def fetched(engine: Engine, own: Plan, contact: Any) -> Case:
    """The rows of a contact, one query for each table that the plan reads.

    Raises:
        DefinitionError: there is no such contact, or keys are of another kind.
    """
    key = _key(engine, own, contact)
    catalog = own.catalog
    found = _rows(engine, catalog.contacts.fields, rows.of_contact, catalog.contacts.table, catalog.contacts.key, key, key.kind)
    if not found:
        raise DefinitionError(f"there is no contact {contact!r:.80}", fix=_examples(engine, own))
    [row] = found
    own_key = read(row.get(catalog.contacts.key, key.value), key.kind, None)
    standings, raw = _among_others(engine, own, key)
    events = {i: _events(engine, catalog, i, key) for i in _tables(own)}
    history = {i: _history(engine, catalog, i, key) for i in range(len(catalog.history))}
    return Case(own_key, row, events, tuple(_lists(engine, own, key, own_key)), history, standings, raw)


def _key(engine: Engine, own: Plan, contact: Any) -> Constant:
    """The key as a constant of the kind that keys are of."""
    contacts = own.catalog.contacts
    try:
        wanted = nodes.Compare("==", nodes.Field(contacts.key), nodes.literal(contact))
        resolved = plan(nodes.Definition(None, wanted), own.catalog, own.at).where
    except DefinitionError:
        resolved = Always(False)
    match resolved:
        case Comparison("==", _, Constant() as key):
            kind = contacts.fields[contacts.key].kind if contacts.key in contacts.fields else key.kind
            return replace(key, kind=kind)
        case _:
            raise DefinitionError(f"{contact!r:.80} is no key of a contact", fix=_examples(engine, own))


def _examples(engine: Engine, own: Plan) -> str:
    """What keys look like, for those who gave none."""
    everyone = replace(own, where=Always(True), features=(), parts=(), lists=())
    keys = metrics.masked(metrics.preview(engine, everyone, 3)).iloc[:, 0].tolist()
    known = ", ".join(repr(getattr(key, "item", lambda key=key: key)()) for key in keys)
    return f"pass a value of {own.catalog.contacts.key}, such as {known}" if keys else "there are no contacts"


def _rows(engine: Engine, columns: Mapping[str, Column], query: Any, table: Any, *arguments: Any) -> list[dict[str, Any]]:
    """Rows by the names of columns: whole numbers are whole also where one is missing."""
    names = list(dict.fromkeys(column.name for column in columns.values()))
    if not names:
        return []
    frame = _answer(engine, query(table, names, *arguments))
    frame.columns = names
    found = frame.to_dict("list")
    count = len(frame)
    kinds = {column.name: column.kind for column in columns.values()}
    return [{name: _plain(found[column.name][i], kinds[column.name]) for name, column in columns.items()} for i in range(count)]


def _plain(value: Any, kind: Kind) -> Any:
    if isinstance(value, float) and value != value:
        return None
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if hasattr(value, "to_pydatetime"):
        return value.to_pydatetime()
    is_whole = kind is Kind.INTEGER and isinstance(value, float) and value.is_integer()
    return int(value) if is_whole else bool(value) if kind is Kind.BOOLEAN and value in (0, 1) else value


def _answer(engine: Engine, query: Sql) -> Any:
    return engine.frame(render(query, engine.renders_as))


def _tables(own: Plan) -> Iterator[int]:
    """The tables of events that features read."""
    several = (feature for each in own.features for feature in (each, *(() if each.then is None else (each.then.event,))))
    yield from dict.fromkeys(i for feature in several for i in feature.tables)


def _events(engine: Engine, catalog: Catalog, i: int, key: Constant) -> tuple[Row, ...]:
    table = catalog.events[i]
    own = [name for name in (table.contact, table.time, table.event, table.id) if name is not None]
    held = {column.name for column in table.properties.values()}
    columns = {**table.properties, **{name: Column(name) for name in own if name not in held}}
    found = _rows(engine, columns, rows.of_events, table, key, key.kind)
    return tuple({**row, PLACE: (i, n)} for n, row in enumerate(found))


def _history(engine: Engine, catalog: Catalog, i: int, key: Constant) -> tuple[Row, ...]:
    table = catalog.history[i]
    own = [table.contact, table.valid_from, table.valid_to, *(column.name for column in table.fields.values())]
    kinds = {column.name: column for column in (*table.columns.values(), *table.fields.values())}
    columns = {name: kinds.get(name, Column(name)) for name in own}
    return tuple(_rows(engine, columns, rows.of_contact, table.table, table.contact, key, key.kind))


def _lists(engine: Engine, own: Plan, key: Constant, own_key: Any) -> Iterator[Row]:
    """The contact's rows of the tables of lists, named as in the connection's own table."""
    shown = own.catalog.lists or ListTable(columns={})
    frozen = {name for name in own.lists if name in own.catalog.frozen_names()}
    for table, names in ((own.catalog.lists, set(own.lists) - frozen), (own.catalog.frozen, frozen)):
        if table is None or not names:
            continue
        columns = {name: Column(name) for name in (table.list, table.contact, table.joined, table.left) if name is not None}
        for row in _rows(engine, columns, rows.of_contact, table.table, table.contact, key, key.kind):
            if row[table.list] in names:
                renamed = {shown.list: row[table.list], shown.contact: own_key}
                times = ((shown.joined, table.joined), (shown.left, table.left))
                yield {**renamed, **{name: row[other] for name, other in times if name is not None and other is not None}}


def _among_others(engine: Engine, own: Plan, key: Constant) -> tuple[dict[Rank, dict[str, int]], dict[Raw, bool]]:
    """What the engine says of a contact where ranks and SQL stand in a plan."""
    standings = list(dict.fromkeys(part for part in parts_of(own) if isinstance(part, Standing)))
    raw = list(dict.fromkeys(part for part in parts_of(own) if isinstance(part, Raw)))
    if not standings and not raw:
        return {}, {}
    frame = _answer(engine, rows.among_others(own, key, standings, raw))
    if frame.empty:
        return {}, dict.fromkeys(raw, False)
    [values] = frame.itertuples(index=False, name=None)
    found: dict[Rank, dict[str, int]] = {}
    for standing, value in zip(standings, values, strict=False):
        own_value = read(value, Kind.INTEGER, None)
        if own_value is not None:
            found.setdefault(standing.rank, {})[standing.what] = int(own_value)
    return found, {each: bool(value) for each, value in zip(raw, values[len(standings) :], strict=True)}


def parts_of(own: Plan) -> Iterator[Any]:
    """The parts of a plan's condition and of the segments it refers to; what is behind ranks and features is not looked at."""
    named = {part.name: part.where for part in own.parts if isinstance(part, Named)}
    stack: list[object] = [own.where]
    seen: set[str] = set()
    while stack:
        node = stack.pop()
        if isinstance(node, Reference) and node.name not in seen:
            seen.add(node.name)
            stack.append(named[node.name])
        yield node
        stack += below(node)


def below(node: object) -> list[object]:
    """The conditions and terms directly below one."""
    if isinstance(node, Among):
        return [node.term]
    if isinstance(node, Standing):
        return []
    found: list[object] = []
    for slot in getattr(node, "__slots__", ()):
        value = getattr(node, slot)
        found += value if isinstance(value, tuple) else [value]
    return [part for part in found if hasattr(part, "__slots__") and not isinstance(part, Feature | Rank)]


def everything(node: object, but: type | tuple[type, ...] = ()) -> Iterator[object]:
    """All that conditions and terms are made of, constants too; without what is inside of some kinds."""
    stack: list[object] = [node]
    while stack:
        own = stack.pop()
        if isinstance(own, tuple):
            stack += own
            continue
        yield own
        if not isinstance(own, dt.date) and not isinstance(own, but):
            stack += [getattr(own, slot) for slot in getattr(own, "__slots__", ())]
