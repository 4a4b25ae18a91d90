"""The contacts, with everything that the conditions of some plans need joined to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from segkit.catalog import Catalog, time_column
from segkit.compile import conditions, events, sql
from segkit.compile.conditions import Names
from segkit.compile.sql import Sql
from segkit.plan import Moment, Plan
from segkit.plan.tree import Condition, Feature


@dataclass(frozen=True)
class Base:
    """The contacts, with everything the conditions of some plans need joined to them."""

    catalog: Catalog
    at: Moment
    names: Names
    ctes: tuple[tuple[str, exp.Select], ...]
    joins: tuple[str, ...]

    def key(self) -> Sql:
        return sql.column(self.catalog.contacts.key, self.names.table)

    def select(self, columns: list[Sql], where: Condition | None) -> exp.Select:
        contacts = self.catalog.contacts
        query = exp.Select(expressions=columns).from_(sql.table(contacts.table, self.names.table), copy=False)
        for name in self.joins:
            on = exp.EQ(this=sql.column("contact_id", name), expression=self.key())
            query.join(sql.table(name), on=on, join_type="left", copy=False)
        parts = [*self._exists(), *([] if where is None else conditions.all_of([where], self.names))]
        if parts:
            query.set("where", exp.Where(this=sql.joined(exp.And, parts)))
        if self.ctes:
            query.set("with_", exp.With(expressions=[sql.cte(name, select) for name, select in self.ctes]))
        return query

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


def base_of(plans: Sequence[Plan]) -> Base:
    catalog, at = plans[0].catalog, plans[0].at
    features = list(dict.fromkeys(feature for plan in plans for feature in plan.features))
    lists = list(dict.fromkeys(name for plan in plans for name in plan.lists))
    taken = {catalog.contacts.table, *(t.table for t in catalog.events), *([catalog.lists.table] if catalog.lists else [])}
    contacts = sql.fresh(catalog.contacts.table.rsplit(".", 1)[-1], set())
    taken |= {contacts}
    ctes: list[tuple[str, exp.Select]] = []
    outcomes: dict[Feature, Callable[[], Sql]] = {}
    unique = events.unique_events(features, catalog, at, taken)
    ctes += [(name, query) for name, query in unique.values()]
    rows = {i: name for i, (name, _) in unique.items()}
    joins: list[str] = []
    for group in events.grouped(features):
        latest = group[0].measure == "latest"
        name = sql.fresh(f"{'latest_' if latest else ''}{group[0].event or 'all'}_events", taken)
        measures = {feature: f"{feature.measure}" + (f"_{feature.of.name}" if feature.of else "") for feature in group}
        columns = dict(zip(group, sql.distinct_names(measures.values()), strict=True))
        query = events.latest(group[0], columns[group[0]], catalog, rows) if latest else events.measured(columns, catalog, rows)
        ctes.append((name, query))
        joins.append(name)
        outcomes |= {feature: events.reader(feature, column, name) for feature, column in columns.items()}
    memberships: dict[str, Callable[[], Sql]] = {}
    for list_name in lists:
        assert catalog.lists is not None
        name = sql.fresh(f"on_{list_name}", taken)
        ctes.append((name, events.on_list(list_name, catalog.lists, at)))
        joins.append(name)
        memberships[list_name] = lambda name=name: exp.Not(this=sql.is_null("contact_id", name))  # type: ignore[misc]
    return Base(catalog, at, Names(contacts, outcomes, memberships), tuple(ctes), tuple(joins))
