"""When the events of a table happened: how many of each name there are, and from when to when."""

from __future__ import annotations

from sqlglot import exp

from segkit.catalog import EventTable, Kind, time_column
from segkit.compile import conditions, events, sql
from segkit.compile.sql import Sql
from segkit.plan import Moment


def freshness(table: EventTable, at: Moment) -> exp.Select:
    """One row a name of events: name (missing where the table is of one event), number, first, last (of those up to a moment,
    by UTC's clock), and ahead (how many lie after it)."""
    time = time_column(table.properties, table.time)
    kind = time.kind if time.kind in (Kind.DATE, Kind.TIMESTAMPTZ) else Kind.TIMESTAMP
    clock = time.zone if kind is Kind.TIMESTAMP else None
    past = events.not_after(time, "e", at)
    own = conditions.read(time.name, kind, "e")
    shown = own if kind is Kind.DATE else sql.on_wall(own, clock, "UTC")
    only = sql.case_when(past, shown)
    in_all, gone_by = exp.Count(this=own.copy()), exp.Count(this=sql.case_when(past.copy(), sql.number(1)))
    measures: dict[str, Sql] = {
        "number": gone_by,
        "first": exp.Min(this=only),
        "last": exp.Max(this=only.copy()),
        "ahead": exp.Sub(this=in_all, expression=gone_by.copy()),
    }
    columns = [sql.aliased(measure, name) for name, measure in measures.items()]
    query = exp.Select(expressions=columns).from_(sql.table(table.table, "e"), copy=False)
    if table.event is None:
        return query
    name = sql.column(table.event, "e")
    query.set("expressions", [sql.aliased(name, "name"), *columns])
    return query.group_by(name.copy(), copy=False)
