"""Numbers as they are stored."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from segkit.rendering.forms import call, cast, number, string
from segkit.rendering.row import Row, Sql


def _without_nan(test: str) -> Callable[[Sql], Sql]:
    def write(own: Sql) -> Sql:
        return exp.Case(ifs=[exp.If(this=exp.Not(this=call(test, own.copy())), true=own)])

    return write


def _finite_or_infinite(own: Sql) -> Sql:
    is_number = exp.Or(this=call("ISFINITE", own.copy()), expression=call("ISINF", own.copy()))
    return exp.Case(ifs=[exp.If(this=is_number, true=own)])


def _unless_nan(own: Sql) -> Sql:
    is_nan = exp.Is(this=own.copy(), expression=exp.Var(this="NAN"))
    return exp.Case(ifs=[exp.If(this=exp.Not(this=exp.Paren(this=is_nan)), true=own)])


def _plus_zero(own: Sql) -> Sql:
    return exp.Add(this=own if isinstance(own, exp.Column | exp.Cast) else exp.Paren(this=own), expression=number(0))


def _distinct(own: Sql) -> Sql:
    return exp.Count(this=exp.Distinct(expressions=[own]))


def _distinct_with_filter(own: Sql) -> Sql:
    is_known = exp.Not(this=exp.Is(this=exp.Paren(this=own.copy()), expression=exp.Null()))
    return exp.Filter(this=_distinct(own), expression=exp.Where(this=is_known))


def _datafusion_decimal(exact: Sql) -> Sql:
    digits = exact.sql()
    return _exact(string(digits), len(digits.partition(".")[2]))


def _exact(own: Sql, scale: int) -> Sql:
    return exp.Cast(this=own, to=exp.DataType(this=exp.DataType.Type.DECIMAL, expressions=[number(38), number(scale)]))


def _bigquery_decimal(exact: Sql) -> Sql:
    digits = exact.sql()
    whole, _, fraction = digits.lstrip("-").partition(".")
    return cast(string(digits), "decimal" if len(whole) <= 29 and len(fraction) <= 9 else "bigdecimal")


ROWS = (
    Row("DIVISOR", "", "engines disagree on what is divided by zero: an error, infinity or NULL", lambda x: exp.Nullif(this=x, expression=number(0))),
    Row("DIVISOR", "datafusion", "NULLIF tells -0.0 from 0", lambda x: exp.Nullif(this=_plus_zero(x), expression=number(0))),
    Row("ROUND", "", "of a decimal: halves away from zero", lambda x, n: exp.Round(this=x, decimals=n)),
    Row("ROUND", "datafusion", "ROUND gives a decimal of another type than it was planned with: a cast rounds alike, if the planner cannot move it", lambda x, n: exp.Paren(this=_plus_zero(_exact(x, int(n.this))))),
    Row("ABS", "", "a function", lambda x: exp.Abs(this=x)),
    Row("ABS", "datafusion", "its planner refuses to sort by the ABS of a CASE, COALESCE or NULLIF", lambda x: exp.Abs(this=_plus_zero(x))),
    Row("DECIMAL", "", "a literal with a point is exact", lambda x: x),
    Row("DECIMAL", "datafusion", "a literal with a point is a float there", _datafusion_decimal),
    Row("DECIMAL", "bigquery", "a literal with a point is a float beside whole numbers", _bigquery_decimal),
    Row("KNOWN", "", "NaN equals itself there, and would be greater than anything", lambda x: exp.Nullif(this=x, expression=cast(string("NaN"), "double"))),
    Row("KNOWN", "duckdb", "it folds = 'NaN' and ISNAN to false over Parquet, whose statistics hide NaN: ask for what is a number", _finite_or_infinite),
    Row("KNOWN", "bigquery", "NaN equals nothing: test for it", _without_nan("IS_NAN")),
    Row("KNOWN", "trino presto athena", "NaN equals nothing: test for it", _without_nan("IS_NAN")),
    Row("KNOWN", "oracle", "a number cannot be NaN, and a binary double compared with one fails: a condition of its own", _unless_nan),
    Row("WIDE", "", "32 bits would overflow", lambda x: cast(x, "bigint")),
    Row("WIDE", "clickhouse", "64 bits wrap around", lambda x: cast(x, "decimal(38, 0)")),
    Row("WHOLE", "", "whole numbers of any width have a kind in common", lambda x: x),
    Row("WHOLE", "clickhouse", "those with a sign and those without have no kind in common", lambda x: cast(x, "decimal(38, 0)")),
    Row("SUMMED", "", "sums are wider than what they add", lambda x: x),
    Row("SUMMED", "tsql trino presto athena", "a sum is as wide as what it adds: 32 bits stay 32 bits", lambda x: cast(x, "bigint")),
    Row("SUMMED", "clickhouse", "64 bits wrap around", lambda x: cast(x, "decimal(38, 0)")),
    Row("COUNT_DISTINCT", "", "different values, without NULL", _distinct),
    Row("COUNT_DISTINCT", "datafusion", "without a filter, a sum of decimals beside it gets another type than it was planned with", _distinct_with_filter),
    Row("KNOWN", "clickhouse", "NaN equals nothing: test for it", _without_nan("isNaN")),
    Row("KNOWN", "sqlite mysql tsql singlestore doris starrocks", "cannot store NaN", lambda x: x),
)  # fmt: skip
