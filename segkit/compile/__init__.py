"""What a plan means, as a SQL tree that names no dialect.

    Plan(s)  ->  members | contacts | sizes | checks  ->  sqlglot tree with markers  ->  rendering

`conditions` writes conditions and terms, one arm per kind, like `evaluate`; `events` collects features of events and
lists; `joined` puts them beside the contacts; `columns` makes a table of what conditions read, to ask again; `sql`
makes the nodes. Where engines differ the tree holds a marker, a function called `SEGKIT_...`, that `rendering` writes in
the dialect's own way.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from sqlglot import exp

from segkit.catalog import Catalog, EventTable
from segkit.compile import conditions, sql
from segkit.compile.evergreen import with_clock
from segkit.compile.joined import base_of
from segkit.compile.sql import Sql
from segkit.plan import Plan
from segkit.plan.tree import Condition

Query: TypeAlias = exp.Select | exp.Union

__all__ = [
    "Query",
    "Sql",
    "constants",
    "contacts",
    "distinct_values",
    "extent",
    "flags",
    "is_any_repeated",
    "members",
    "memberships",
    "no_rows",
    "range_of_ids",
    "repeated_ids",
    "repeated_keys",
    "sizes",
    "truths",
    "with_clock",
]


def members(plan: Plan) -> exp.Select:
    """The contact keys of the members."""
    base = base_of([plan])
    return base.select([base.key()], plan.where, [plan.where])


def memberships(plans: Sequence[Plan], names: Sequence[str], called: str = "segment") -> Query:
    """One row for each member of each plan: the plan's name, in a column `called` so, and the contact's key."""
    base = base_of(plans)
    parts: list[Query] = [
        base.of_contacts([sql.aliased(sql.cast(sql.string(name), "text"), called), base.key()], [own.where], [own.where])
        for own, name in zip(plans, names, strict=True)
    ]
    query = parts[0]
    for part in parts[1:]:
        query = exp.Union(this=query, expression=part, distinct=False)
    return base.with_ctes(query)


def flags(plans: Sequence[Plan], names: Sequence[str]) -> exp.Select:
    """One row for each contact: its key, and in a column for each plan whether it is a member."""
    base = base_of(plans)
    columns = [base.key()]
    for own, name in zip(plans, names, strict=True):
        holds = conditions.condition(own.where, base.names)
        columns.append(sql.aliased(sql.case_when(holds, exp.Boolean(this=True), exp.Boolean(this=False)), name))
    return base.select(columns, None, [own.where for own in plans])


def contacts(plan: Plan, columns: Sequence[str], limit: int | None) -> exp.Select:
    """Some columns of the members (of the first `limit` of them), in the order of their keys."""
    base = base_of([plan])
    query = base.select([sql.column(name, base.names.table) for name in columns], plan.where, [plan.where])
    query.order_by(base.key_order(), copy=False)
    return query if limit is None else query.limit(limit, copy=False)


def sizes(plans: Sequence[Plan]) -> exp.Select:
    """One row: how many contacts there are, then how many members each plan has (`size_0`, `size_1`, ...)."""
    base = base_of(plans)
    counts: list[Sql] = [sql.aliased(exp.Count(this=exp.Star()), "everyone")]
    for i, plan in enumerate(plans):
        is_member = conditions.condition(plan.where, base.names)
        counts.append(sql.aliased(exp.Count(this=sql.case_when(is_member, sql.number(1))), f"size_{i}"))
    return base.select(counts, None, [plan.where for plan in plans])


def extent(query: Query) -> tuple[int, int]:
    """The most columns and the most joins of any SELECT of a query: engines have limits of both."""
    columns = joins = 0
    stack: list[exp.Expr | None] = [query]
    while stack:
        match stack.pop():
            case exp.Select() as own:
                columns, joins = max(columns, len(own.expressions)), max(joins, len(own.args.get("joins") or ()))
                stack += [*own.ctes, own.args.get("from_"), *(own.args.get("joins") or ())]
            case exp.SetOperation() as own:
                stack += [*own.ctes, own.this, own.expression]
            case (exp.CTE() | exp.Subquery() | exp.From() | exp.Join()) as own:
                stack.append(own.this)
    return columns, joins


def truths(plan: Plan, wanted: Sequence[Condition]) -> exp.Select:
    """Each contact's key, and whether some conditions of a plan hold (`is_0`, `is_1`, ...: 1 or 0)."""
    base = base_of([plan])
    columns: list[Sql] = [sql.aliased(base.key(), "contact_id"), *conditions.truths(wanted, base.names)]
    return base.select(columns, None, [plan.where, *wanted])


def repeated_keys(catalog: Catalog, limit: int) -> exp.Select:
    """Contact keys that stand on more than one row, or are missing, with how often."""
    return _repeated(catalog.contacts.table, catalog.contacts.key, limit, missing_too=True)


def repeated_ids(table: EventTable, limit: int) -> exp.Select:
    """Event ids that stand on more than one row, with how often."""
    assert table.id is not None
    return _repeated(table.table, table.id, limit, missing_too=False)


def range_of_ids(table: EventTable) -> exp.Select:
    """One row: the least and the greatest event id, how many there are, and their type as DuckDB names it."""
    assert table.id is not None
    least, greatest, ids = (of(this=sql.column(table.id)) for of in (exp.Min, exp.Max, exp.Count))
    kind = exp.Anonymous(this="TYPEOF", expressions=[least.copy()])
    named = (("low", least), ("high", greatest), ("ids", ids), ("kind", kind))
    return exp.Select(expressions=[sql.aliased(own, name) for name, own in named]).from_(sql.table(table.table), copy=False)


def is_any_repeated(table: EventTable, low: int, high: int) -> exp.Select:
    """One row: whether an event id from one whole number to another stands on several rows, told by a bit for each in DuckDB."""
    assert table.id is not None
    own = sql.column(table.id)
    bits = exp.Anonymous(this="BITSTRING_AGG", expressions=[own, sql.number(low), sql.number(high)])
    different = exp.Anonymous(this="BIT_COUNT", expressions=[bits])
    fewer = exp.LT(this=different, expression=exp.Count(this=own.copy()))
    between = exp.Between(this=own.copy(), low=sql.number(low), high=sql.number(high))
    query = exp.Select(expressions=[sql.aliased(fewer, "repeats")]).from_(sql.table(table.table), copy=False)
    return query.where(between, copy=False)


def distinct_values(table: str, column: str, limit: int) -> exp.Select:
    """The different values of a column, in their order."""
    value = sql.aliased(sql.as_text(sql.column(column, "own")), "value")
    query = exp.Select(expressions=[value], distinct=exp.Distinct()).from_(sql.table(table, "own"), copy=False)
    return query.order_by(sql.column("value"), copy=False).limit(limit, copy=False)


def constants(texts: Sequence[str]) -> exp.Select:
    """One row of some texts."""
    return exp.Select(expressions=[sql.aliased(sql.string(text), f"text_{i}") for i, text in enumerate(texts)])


def wall_clocks(instants: Sequence[datetime], zone: str) -> exp.Select:
    """One row of some instants, as the wall clock of a zone shows them."""
    shown = (sql.on_wall(sql.timestamp(own.astimezone(UTC)), "UTC", zone) for own in instants)
    return exp.Select(expressions=[sql.aliased(own, f"wall_{i}") for i, own in enumerate(shown)])


def no_rows(table: str) -> exp.Select:
    """All columns of a table, and none of its rows."""
    nothing = exp.EQ(this=sql.number(1), expression=sql.number(0))
    return exp.Select(expressions=[exp.Star()]).from_(sql.table(table), copy=False).where(nothing, copy=False)


def _repeated(table: str, column: str, limit: int, missing_too: bool) -> exp.Select:
    source = sql.fresh("own", {column.casefold()})  # to BigQuery a column that bears the name of its table means the whole row
    own = sql.column(column, source)
    several: Sql = exp.GT(this=exp.Count(this=exp.Star()), expression=sql.number(1))
    missing: Sql = exp.Is(this=own.copy(), expression=exp.Null())
    wanted = exp.Or(this=several, expression=missing) if missing_too else exp.And(this=several, expression=exp.Not(this=missing))
    query = exp.Select(expressions=[own, sql.aliased(exp.Count(this=exp.Star()), "copies")])
    query = query.from_(sql.table(table, source), copy=False).group_by(own.copy(), copy=False).having(wanted, copy=False)
    return query.order_by(own.copy(), copy=False).limit(limit, copy=False)
