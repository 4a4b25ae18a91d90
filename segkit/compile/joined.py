"""The contacts, with everything that the conditions of some plans need joined to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlglot import exp

from segkit.catalog import Catalog, time_column
from segkit.compile import conditions, events, sql
from segkit.compile.conditions import Names
from segkit.compile.sql import Sql
from segkit.errors import DefinitionError
from segkit.plan import Moment, Plan
from segkit.plan.tree import Among, Condition, Feature, FeatureTerm, Named, OnList, Part, PastColumn, Rank, Reference, Standing

_Query = TypeVar("_Query", bound=exp.Query)


@dataclass
class Base:
    """The contacts, and one CTE for each thing that their conditions need: `joins` says which one holds what."""

    catalog: Catalog
    at: Moment
    names: Names
    taken: set[str]
    ctes: list[tuple[str, exp.Select | exp.Union]] = field(default_factory=list)
    joins: dict[Hashable, str] = field(default_factory=dict)

    def key(self) -> Sql:
        return sql.column(self.catalog.contacts.key, self.names.table)

    def key_order(self) -> Sql:
        """The key as it is sorted: text by code point."""
        contacts = self.catalog.contacts
        column = contacts.fields.get(contacts.key)
        is_number = column is not None and column.kind.is_number
        return self.key() if is_number else sql.by_code_point(self.key())

    def select(self, columns: list[Sql], where: Condition | None, uses: Iterable[Condition]) -> exp.Select:
        """The whole query; `uses` are the conditions that its columns and WHERE hold."""
        return self.with_ctes(self.of_contacts(columns, [] if where is None else [where], uses))

    def with_ctes(self, query: _Query) -> _Query:
        """A query that can read the CTEs."""
        if self.ctes:
            query.set("with_", exp.With(expressions=[sql.cte(name, select) for name, select in self.ctes]))
        return query

    def of_contacts(self, columns: list[Sql], where: Sequence[Condition], uses: Iterable[object]) -> exp.Select:
        """The contacts that exist and meet some conditions, with what these need joined to them."""
        contacts = self.catalog.contacts
        query = exp.Select(expressions=columns).from_(sql.table(contacts.table, self.names.table), copy=False)
        needed = set(_needs(uses, self.names.inlined)) if self.joins else set()
        for name in dict.fromkeys(name for what, name in self.joins.items() if what in needed):
            on = exp.EQ(this=sql.column("contact_id", name), expression=self.key())
            query.join(sql.table(name), on=on, join_type="left", copy=False)
        parts = [*self._exists(), *conditions.all_of(where, self.names)]
        if parts:
            query.set("where", exp.Where(this=sql.joined(exp.And, parts)))
        return query

    def add(self, what: Hashable, name: str, query: exp.Select) -> str:
        """A CTE that holds something, under a name like the wished one."""
        own = sql.fresh(name, self.taken)
        self.ctes.append((own, query))
        self.joins[what] = own
        return own

    def _exists(self) -> list[Sql]:
        """Contacts that were created later do not exist yet."""
        contacts = self.catalog.contacts
        if contacts.created is None:
            return []
        column = time_column(contacts.fields, contacts.created)
        return [
            exp.Paren(
                this=exp.Or(
                    this=events.not_after(column, self.names.table, self.at),
                    expression=sql.is_null(column.name, self.names.table),
                )
            )
        ]


def name_of_contacts(catalog: Catalog) -> str:
    """What the contacts' table is called in a query: as none of its columns, which to BigQuery would be whole rows."""
    fields = {column.name.casefold() for column in catalog.contacts.fields.values()}
    return sql.fresh(catalog.contacts.table.rsplit(".", 1)[-1], fields)


def base_of(plans: Sequence[Plan], until: Moment | None = None) -> Base:
    """The base for the conditions of some plans of one catalog and moment; `until` when events are read, if later."""
    catalog, at = plans[0].catalog, plans[0].at
    tables = [*(t.table for t in catalog.events), *(t.table for t in catalog.history)]
    lists = [own.table for own in (catalog.lists, catalog.frozen) if own is not None]
    taken = {name.casefold() for name in (catalog.contacts.table, *tables, *lists)}
    contacts = name_of_contacts(catalog)
    base = Base(catalog, at, Names(contacts, fields=catalog), taken | {contacts})
    _add_events(base, list(dict.fromkeys(feature for plan in plans for feature in plan.features)), until or at)
    for name in dict.fromkeys(name for plan in plans for name in plan.lists):
        table = catalog.list_table(name)
        assert table is not None
        base.names.lists[name] = base.add(("list", name), f"on_{name}", events.on_list(name, table, at))
    parts = list(dict.fromkeys(part for plan in plans for part in plan.parts))
    wheres = [plan.where for plan in plans]
    leaves = list(_leaves([*wheres, *parts])) if parts or catalog.history else []
    for i in sorted({own.table for own in leaves if isinstance(own, PastColumn)}):
        query = events.as_it_was(catalog.history[i], at)
        base.names.past[i] = base.add(("past", i), f"{catalog.history[i].table.rsplit('.', 1)[-1]}_then", query)
    _add_parts(base, parts, leaves)
    return base


def _add_events(base: Base, features: list[Feature], until: Moment) -> None:
    rows, unique = events.unique_events(features, base.catalog, until, base.taken)
    base.ctes += unique
    for group in events.grouped(features):
        first = group[0]
        what = (
            "latest_" if first.measure == "latest" else "followed_" if first.then is not None else "nth_" if first.nth > 1 else ""
        )
        measures = {feature: f"{feature.measure}" + (f"_{feature.of.name}" if feature.of else "") for feature in group}
        columns = dict(zip(group, sql.distinct_names(measures.values()), strict=True))
        if first.then is not None:
            query = events.followed(first, columns[first], base.catalog, rows)
        elif first.measure == "latest":
            query = events.latest(first, columns[first], base.catalog, rows)
        elif first.nth > 1:
            query = events.nth_last(first, columns[first], base.catalog, rows)
        else:
            query = events.measured(columns, base.catalog, rows)
        name = base.add(first, f"{what}{first.event or 'all'}_events", query)
        for feature, column in columns.items():
            base.joins[feature] = name
            base.names.outcomes[feature] = events.reader(feature, column, name)


def _add_parts(base: Base, parts: list[Part], leaves: list[object]) -> None:
    """Ranks, and segments that are referred to more than once: each is computed once. The others stand where they are named."""
    times = Counter(own.name for own in leaves if isinstance(own, Reference))
    asked = {own.rank: {"place"} for own in leaves if isinstance(own, Standing)}
    for own in leaves:
        if isinstance(own, Standing):
            asked[own.rank].add(own.what)
    for part in parts:
        match part:
            case Rank():
                query = _ranked(part, asked.get(part, {"place"}), base)
                base.names.standings[part] = base.add(part, "ranked", query)
            case Named(name, where) if times[name] > 1:
                query = base.of_contacts([sql.aliased(base.key(), "contact_id")], [where], [where])
                base.names.segments[name] = base.add(("segment", name), f"in_{name}", query)
            case Named(name, where):
                if base.names.inlined.setdefault(name, where) != where:
                    raise DefinitionError(f"two different segments are called {name!r:.80}", fix="give one another name")


def _ranked(rank: Rank, asked: set[str], base: Base) -> exp.Select:
    """The contacts of a population with their standing in the order of a value."""
    names = base.names
    order = [
        exp.Ordered(this=conditions.term(rank.value, names), desc=rank.highest_first, nulls_first=False),
        exp.Ordered(this=base.key_order(), desc=False, nulls_first=False),
    ]
    columns: list[Sql] = [sql.aliased(base.key(), "contact_id")]
    if rank.tiles is not None:
        tile = exp.Anonymous(this="NTILE", expressions=[sql.number(rank.tiles)])
        columns.append(sql.aliased(exp.Window(this=tile, order=exp.Order(expressions=order)), "tile"))
    else:
        columns.append(sql.aliased(sql.row_number([], order), "place"))
        if "total" in asked:
            columns.append(sql.aliased(exp.Window(this=exp.Count(this=exp.Star(), big_int=True)), "total"))
    population = [] if rank.of is None else [rank.of]
    query = base.of_contacts(columns, population, [rank])
    known = exp.Not(this=exp.Paren(this=exp.Is(this=sql.operand(conditions.term(rank.value, names)), expression=exp.Null())))
    return query.where(known, copy=False)


# ---------------------------------------------------------------- what a condition needs


def _needs(nodes: Iterable[object], inlined: dict[str, Condition]) -> Iterable[Hashable]:
    """What must be joined for conditions, those of inlined segments included."""
    for own in _leaves(nodes):
        match own:
            case FeatureTerm(feature):
                yield feature
            case OnList(name):
                yield ("list", name)
            case PastColumn(table):
                yield ("past", table)
            case Standing(rank):
                yield rank
            case Reference(name) if name in inlined:
                yield from _needs([inlined[name]], inlined)
            case Reference(name):
                yield ("segment", name)


def _leaves(nodes: Iterable[object]) -> Iterable[object]:
    """The parts of conditions and terms that come from elsewhere, without what stands behind them."""
    stack: list[object] = list(nodes)
    while stack:
        node = stack.pop()
        match node:
            case FeatureTerm() | OnList() | PastColumn() | Standing() | Reference():
                yield node
            case Among(term):
                stack.append(term)
            case tuple():
                stack.extend(node)
            case _:
                stack.extend(getattr(node, slot) for slot in getattr(node, "__slots__", ()))
