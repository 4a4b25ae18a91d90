"""Parts of dates and times: year, month, ISO week..."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from segkit.rendering.forms import call, calls, cast, cut, number, string
from segkit.rendering.row import Row, Sql


def _from_sunday(day: Sql, shift: int) -> Sql:
    """A weekday counted from another day as ISO's, 1 (Monday) to 7."""
    shifted = exp.Paren(this=exp.Add(this=day, expression=number(shift)))
    return exp.Paren(this=exp.Add(this=exp.Mod(this=shifted, expression=number(7)), expression=number(1)))


def _extract(part: str) -> Callable[[Sql], Sql]:
    return lambda at: exp.Extract(this=exp.Var(this=part), expression=at)


def _strftime(code: str) -> Callable[[Sql], Sql]:
    return lambda at: cast(call("STRFTIME", string(code), at), "int")


def _sqlite_part(begin: int, length: int) -> Callable[[Sql], Sql]:
    return lambda at: cast(cut(at, begin, length), "int")


def _sqlite_quarter(at: Sql) -> Sql:
    month = exp.Paren(this=exp.Add(this=_sqlite_part(6, 2)(at), expression=number(2)))
    return exp.Paren(this=exp.Div(this=month, expression=number(3), typed=True))


def _sqlite_week(at: Sql) -> Sql:
    """ISO's week is that of its Thursday."""
    thursday = call("DATE", cut(at, 1, 10), string("-3 days"), string("weekday 4"))
    day = exp.Paren(this=exp.Sub(this=_strftime("%j")(thursday), expression=number(1)))
    return exp.Paren(this=exp.Add(this=exp.Div(this=day, expression=number(7), typed=True), expression=number(1)))


def _tsql_weekday(at: Sql) -> Sql:
    """Days since a Monday: DATEPART follows a session's setting."""
    days = call("DATEDIFF", exp.Var(this="DAY"), cast(string("0001-01-01"), "date"), at)
    return exp.Paren(this=exp.Add(this=exp.Mod(this=days, expression=number(7)), expression=number(1)))


def _oracle_part(form: str) -> Callable[[Sql], Sql]:
    return lambda at: call("TO_NUMBER", call("TO_CHAR", at, string(form)))


def _oracle_weekday(at: Sql) -> Sql:
    """Days since the Monday of its ISO week: the day of TO_CHAR follows a session's setting."""
    since = exp.Sub(this=call("TRUNC", at), expression=call("TRUNC", at.copy(), string("IW")))
    return exp.Paren(this=exp.Add(this=since, expression=number(1)))


def _clickhouse_part(function: str) -> Callable[[Sql], Sql]:
    return lambda at: call(function, at, string("UTC"))


ROWS = (
    Row("PART_YEAR", "", "EXTRACT", _extract("YEAR")),
    Row("PART_YEAR", "sqlite", "dates are text: these characters", _sqlite_part(1, 4)),
    Row("PART_YEAR", "clickhouse", "EXTRACT reads the session's clock", _clickhouse_part("toYear")),
    Row("PART_QUARTER", "", "EXTRACT", _extract("QUARTER")),
    Row("PART_QUARTER", "sqlite", "dates are text", _sqlite_quarter),
    Row("PART_QUARTER", "oracle", "EXTRACT knows no quarter", _oracle_part("Q")),
    Row("PART_QUARTER", "clickhouse", "EXTRACT reads the session's clock", _clickhouse_part("toQuarter")),
    Row("PART_MONTH", "", "EXTRACT", _extract("MONTH")),
    Row("PART_MONTH", "sqlite", "dates are text: these characters", _sqlite_part(6, 2)),
    Row("PART_MONTH", "clickhouse", "EXTRACT reads the session's clock", _clickhouse_part("toMonth")),
    Row("PART_DAY", "", "EXTRACT", _extract("DAY")),
    Row("PART_DAY", "sqlite", "dates are text: these characters", _sqlite_part(9, 2)),
    Row("PART_DAY", "clickhouse", "EXTRACT reads the session's clock", _clickhouse_part("toDayOfMonth")),
    Row("PART_HOUR", "", "EXTRACT", _extract("HOUR")),
    Row("PART_HOUR", "sqlite", "dates are text: these characters", _sqlite_part(12, 2)),
    Row("PART_HOUR", "clickhouse", "EXTRACT reads the session's clock", _clickhouse_part("toHour")),
    Row("PART_WEEK", "", "EXTRACT gives the ISO week", _extract("WEEK")),
    Row("PART_WEEK", "bigquery", "WEEK begins on Sunday", _extract("ISOWEEK")),
    Row("PART_WEEK", "snowflake", "WEEK follows a session parameter", calls("WEEKISO")),
    Row("PART_WEEK", "mysql", "WEEK follows a session parameter", lambda at: call("WEEK", at, number(3))),
    Row("PART_WEEK", "sqlite", "SQLite before 3.46 has no ISO week: that of its Thursday", _sqlite_week),
    Row("PART_WEEK", "tsql", "WEEK follows a session parameter", _extract("ISO_WEEK")),
    Row("PART_WEEK", "oracle", "EXTRACT knows no week", _oracle_part("IW")),
    Row("PART_WEEK", "clickhouse", "EXTRACT reads the session's clock", _clickhouse_part("toISOWeek")),
    Row("PART_WEEKDAY", "", "EXTRACT, Monday is 1", _extract("ISODOW")),
    Row("PART_WEEKDAY", "bigquery", "Sunday is 1", lambda at: _from_sunday(_extract("DAYOFWEEK")(at), 5)),
    Row("PART_WEEKDAY", "redshift", "Sunday is 0", lambda at: _from_sunday(_extract("DOW")(at), 6)),
    Row("PART_WEEKDAY", "tsql", "DATEPART follows a session's setting", _tsql_weekday),
    Row("PART_WEEKDAY", "oracle", "TO_CHAR follows a session's setting", _oracle_weekday),
    Row("PART_WEEKDAY", "snowflake", "DAYOFWEEK follows a session parameter", calls("DAYOFWEEKISO")),
    Row("PART_WEEKDAY", "sqlite", "Sunday is 0", lambda at: _from_sunday(_strftime("%w")(cut(at, 1, 10)), 6)),
    Row("PART_WEEKDAY", "spark databricks mysql", "Monday is 0", lambda at: exp.Paren(this=exp.Add(this=call("WEEKDAY", at), expression=number(1)))),
    Row("PART_WEEKDAY", "trino presto athena", "a function", calls("DAY_OF_WEEK")),
    Row("PART_WEEKDAY", "clickhouse", "a function, on the session's clock", lambda at: call("toDayOfWeek", at, number(0), string("UTC"))),
)  # fmt: skip
