"""Rows that stand in the query itself, in the place of the tables of a connection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlglot import exp

from segkit.catalog import Column, Kind
from segkit.compile import sql
from segkit.compile.sql import Sql

_MOST_ROWS = 400
"""SQLite unites at most 500 queries."""


@dataclass(frozen=True)
class Given:
    """A table: its name in the query, its columns, and its rows, in which an absent value is missing."""

    name: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Any]]


def over(query: exp.Select, tables: Iterable[Given]) -> exp.Select:
    """The query over given rows: each table is a CTE before those that it has."""
    own = query.args.get("with_")
    first = [cte for table in tables for cte in ctes(table)]
    query.set("with_", exp.With(expressions=[*first, *(own.expressions if own is not None else ())]))
    return query


def ctes(table: Given) -> list[exp.CTE]:
    """The rows of a table as a query of its name, after those that it takes."""
    parts = [table.rows[i : i + _MOST_ROWS] for i in range(0, len(table.rows), _MOST_ROWS)]
    if not parts:
        return [_cte(table.name, _nobody(table.columns))]
    if len(parts) == 1:
        return [_cte(table.name, _united(_selects(table.columns, table.rows)))]
    names = [f"{table.name}_{i}" for i, _ in enumerate(parts)]
    ctes = [_cte(name, _united(_selects(table.columns, part))) for name, part in zip(names, parts, strict=True)]
    every = [exp.Select(expressions=[exp.Star()]).from_(sql.table(name), copy=False) for name in names]
    return [*ctes, _cte(table.name, _united(every))]


def _cte(name: str, query: exp.Query) -> exp.CTE:
    return exp.CTE(this=query, alias=exp.TableAlias(this=sql.identifier(name)))


def _united(queries: Sequence[exp.Query]) -> exp.Query:
    own, *rest = queries
    for query in rest:
        own = exp.Union(this=own, expression=query, distinct=False)
    return own


def _selects(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> list[exp.Select]:
    """A query for each row. The first names the columns and gives them their kinds."""
    first, *rest = rows
    named = [sql.aliased(_typed(first.get(c.name), c.kind), c.name) for c in columns]
    return [
        exp.Select(expressions=named),
        *(exp.Select(expressions=[_value(row.get(c.name), c.kind) for c in columns]) for row in rest),
    ]


def _nobody(columns: Sequence[Column]) -> exp.Select:
    none = exp.EQ(this=sql.number(1), expression=sql.number(0))
    return exp.Select(expressions=[sql.aliased(_typed(None, c.kind), c.name) for c in columns], where=exp.Where(this=none))


def _typed(value: Any, kind: Kind) -> Sql:
    """A literal that has its kind by itself; a missing value too."""
    match _value(value, kind):
        case exp.Null():
            return sql.case_when(exp.EQ(this=sql.number(1), expression=sql.number(0)), _typed(_SOME[kind], kind))
        case exp.Literal(is_string=True) as text:
            return sql.cast(text, "text")
        case exp.Literal() | exp.Neg() as number:
            return sql.cast(number, "bigint")
        case other:
            return other


def _value(value: Any, kind: Kind) -> Sql:
    match kind, value:
        case _, None:
            return exp.Null()
        case Kind.JSON, str():
            return sql.marker("GIVEN_JSON", sql.string(value))
        case _, str():
            return sql.string(value)
        case _, bool():
            return exp.Boolean(this=value)
        case _, float() if value != value:
            return sql.marker("GIVEN_NAN")
        case ((Kind.FLOAT | Kind.NUMBER), (int() | float())):
            return sql.cast(sql.number(float(value)), "double")
        case _, int():
            return sql.number(value)
        case _, Decimal():
            return sql.marker("GIVEN_DECIMAL", sql.number(value))
        case _, float():
            return sql.cast(sql.number(value), "double")
        case _, dt.datetime():
            return sql.timestamp(value) if value.tzinfo is None else sql.marker("GIVEN_INSTANT", sql.instant(value))
        case _, dt.date():
            return sql.date(value)
    raise TypeError(f"no literal of {value!r:.60}")


_SOME: Mapping[Kind, Any] = {
    Kind.TEXT: "",
    Kind.UNKNOWN: "",
    Kind.JSON: "{}",
    Kind.NUMBER: 0.0,
    Kind.INTEGER: 0,
    Kind.DURATION: 0,
    Kind.FLOAT: 0.0,
    Kind.DECIMAL: Decimal(0),
    Kind.BOOLEAN: True,
    Kind.DATE: dt.date(2000, 1, 1),
    Kind.TIMESTAMP: dt.datetime(2000, 1, 1),
    Kind.TIMESTAMPTZ: dt.datetime(2000, 1, 1, tzinfo=dt.UTC),
}
