"""Numbers as they are stored."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from segkit.rendering.forms import call, cast, string
from segkit.rendering.row import Row, Sql


def _without_nan(test: str) -> Callable[[Sql], Sql]:
    def write(own: Sql) -> Sql:
        return exp.Case(ifs=[exp.If(this=exp.Not(this=call(test, own.copy())), true=own)])

    return write


def _finite_or_infinite(own: Sql) -> Sql:
    is_number = exp.Or(this=call("ISFINITE", own.copy()), expression=call("ISINF", own.copy()))
    return exp.Case(ifs=[exp.If(this=is_number, true=own)])


ROWS = (
    Row("KNOWN", "", "NaN equals itself there, and would be greater than anything", lambda x: exp.Nullif(this=x, expression=cast(string("NaN"), "double"))),
    Row("KNOWN", "duckdb", "it folds = 'NaN' and ISNAN to false over Parquet, whose statistics hide NaN: ask for what is a number", _finite_or_infinite),
    Row("KNOWN", "bigquery", "NaN equals nothing: test for it", _without_nan("IS_NAN")),
    Row("KNOWN", "trino presto athena", "NaN equals nothing: test for it", _without_nan("IS_NAN")),
    Row("KNOWN", "oracle", "a number cannot be NaN, and a binary double compared with one fails", lambda x: call("NANVL", x, exp.Null())),
    Row("KNOWN", "clickhouse", "NaN equals nothing: test for it", _without_nan("isNaN")),
    Row("KNOWN", "sqlite mysql tsql singlestore doris starrocks", "cannot store NaN", lambda x: x),
)  # fmt: skip
