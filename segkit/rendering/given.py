"""Values that stand in a query in the place of a table's."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from segkit.rendering.forms import call, cast, identifier, number, string
from segkit.rendering.row import Row, Sql

_IN_VALUES = frozenset(["duckdb", "postgres", "spark", "databricks", "datafusion", "bigquery", "clickhouse"])


def in_values(tree: exp.Expression, dialect: str) -> None:
    """Rows that were united, as VALUES where the dialect has them: hundreds of queries take long to plan, or exhaust a stack."""
    if dialect not in _IN_VALUES or not isinstance(tree, exp.Query):
        return
    for own in tree.ctes:
        rows = _rows(own.this)
        if len(rows) > 1 and not any(row.args.get("from_") for row in rows):
            own.set("this", _values(rows, dialect))


def _rows(query: Sql) -> list[Sql]:
    """The queries that a query unites."""
    rows = []
    while isinstance(query, exp.Union):
        rows.append(query.expression)
        query = query.this
    return [query, *reversed(rows)]


def _values(rows: Sequence[Sql], dialect: str) -> Sql:
    first, *rest = (row.expressions for row in rows)
    if dialect == "bigquery":
        structs = [exp.Struct(expressions=list(row)) for row in (first, *rest)]
        return _all_of(exp.Unnest(expressions=[exp.Array(expressions=structs)]))
    names = [identifier(column.alias) for column in first]
    tuples = [exp.Tuple(expressions=row) for row in ([column.this for column in first], *rest)]
    if dialect == "clickhouse":
        array = exp.Array(expressions=[call("tuple", *own.expressions) for own in tuples])
        row = exp.Alias(this=call("arrayJoin", array), alias=identifier("given"))
        each = exp.Subquery(this=exp.Select(expressions=[row]))
        parts = [call("tupleElement", exp.Column(this=identifier("given")), number(place)) for place, _ in enumerate(names, 1)]
        named = [exp.Alias(this=part, alias=name) for part, name in zip(parts, names, strict=True)]
        return exp.Select(expressions=named).from_(each, copy=False)
    return _all_of(exp.Values(expressions=tuples, alias=exp.TableAlias(this=identifier("given"), columns=names)))


def _all_of(rows: Sql) -> Sql:
    return exp.Select(expressions=[exp.Star()]).from_(rows, copy=False)


def _decimal(own: Sql) -> Sql:
    return exp.Cast(this=own, to=exp.DataType.build("decimal(38, 9)"))


def _on_sessions_clock(own: Sql) -> Sql:
    zone = exp.SessionParameter(this=exp.Var(this="time_zone"), kind="session")
    return call("CONVERT_TZ", own, string("+00:00"), zone)


ROWS = (
    Row("GIVEN_DECIMAL", "", "as wide as a decimal may be", _decimal),
    Row("GIVEN_INSTANT", "", "a literal", lambda own: own),
    Row("GIVEN_INSTANT", "mysql", "instants are read on the session's clock", _on_sessions_clock),
    Row("GIVEN_NAN", "", "text that casts", lambda: cast(string("NaN"), "double")),
    Row("GIVEN_NAN", "sqlite mysql tsql singlestore doris starrocks", "cannot store NaN: it is missing", exp.Null),
    Row("GIVEN_JSON", "", "JSON is kept as text", lambda text: cast(text, "text")),
    Row("GIVEN_JSON", "postgres", "arrows take JSON alone", lambda text: exp.Cast(this=text, to=exp.DataType.build("jsonb"))),
    Row("GIVEN_JSON", "snowflake", "a kind of its own, read from text", lambda text: call("PARSE_JSON", text)),
)  # fmt: skip
