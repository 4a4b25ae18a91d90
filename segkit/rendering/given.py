"""Values that stand in a query in the place of a table's."""

from __future__ import annotations

from sqlglot import exp

from segkit.rendering.forms import call, cast, string
from segkit.rendering.row import Row, Sql


def _decimal(own: Sql) -> Sql:
    return exp.Cast(this=own, to=exp.DataType.build("decimal(38, 9)"))


ROWS = (
    Row("GIVEN_DECIMAL", "", "as wide as a decimal may be", _decimal),
    Row("GIVEN_NAN", "", "text that casts", lambda: cast(string("NaN"), "double")),
    Row("GIVEN_NAN", "sqlite mysql tsql singlestore doris starrocks", "cannot store NaN: it is missing", exp.Null),
    Row("GIVEN_JSON", "", "JSON is kept as text", lambda text: cast(text, "text")),
    Row("GIVEN_JSON", "postgres", "arrows take JSON alone", lambda text: exp.Cast(this=text, to=exp.DataType.build("jsonb"))),
    Row("GIVEN_JSON", "duckdb", "a kind of its own", lambda text: exp.Cast(this=text, to=exp.DataType.build("json"))),
    Row("GIVEN_JSON", "bigquery snowflake", "a kind of its own, read from text", lambda text: call("PARSE_JSON", text)),
)  # fmt: skip
