"""The different values of a column, with how often each stands there."""

from __future__ import annotations

from sqlglot import exp

from segkit.catalog import Catalog, EventTable
from segkit.compile import sql
from segkit.compile.sql import Sql

_OWN = "own"


def of_contacts(catalog: Catalog, column: str, limit: int) -> exp.Select:
    """The values of a column of the contacts, the most frequent first."""
    return _counted(catalog.contacts.table, column, [], limit)


def of_events(table: EventTable, event: str | None, column: str, limit: int) -> exp.Select:
    """The values of a property of the events of a name (of all without one), the most frequent first."""
    named = event is not None and table.event is not None
    wanted: list[Sql] = [exp.EQ(this=sql.column(table.event, _OWN), expression=sql.string(event))] if named else []  # type: ignore[arg-type]
    return _counted(table.table, column, wanted, limit)


def _counted(table: str, column: str, wanted: list[Sql], limit: int) -> exp.Select:
    own = sql.column(column, _OWN)
    count = exp.Count(this=exp.Star())
    known: Sql = exp.Not(this=exp.Is(this=own.copy(), expression=exp.Null()))
    query = exp.Select(expressions=[sql.aliased(own.copy(), "value"), sql.aliased(count, "number")])
    query = query.from_(sql.table(table, _OWN), copy=False).where(sql.joined(exp.And, [known, *wanted]), copy=False)
    query = query.group_by(own.copy(), copy=False)
    order = [exp.Ordered(this=count.copy(), desc=True, nulls_first=False), exp.Ordered(this=own.copy(), nulls_first=False)]
    return query.order_by(*order, copy=False).limit(limit, copy=False)
