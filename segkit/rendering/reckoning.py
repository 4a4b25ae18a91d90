"""Reckoning with dates and times: how far apart they are, and what is so much later."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from segkit.errors import DialectError
from segkit.rendering.forms import call, calls, cast, cut, joined, minus, number, string
from segkit.rendering.row import Row, Sql
from segkit.rendering.times import clickhouse_timestamp

_SQLITE_LARGEST = 5000


def _plus(moment: Sql, amount: Sql, unit: str) -> Sql:
    return _plus_number(moment, string(amount.sql()), unit)


def _plus_number(moment: Sql, amount: Sql, unit: str) -> Sql:
    return exp.Paren(this=exp.Add(this=moment, expression=exp.Interval(this=amount, unit=exp.Var(this=unit))))


def _added(unit: str) -> Callable[[Sql, Sql], Sql]:
    """DATEADD, which clips to the month's end."""
    return lambda moment, amount: call("DATEADD", exp.Var(this=unit), amount, moment)


def _oracle_minutes_later(moment: Sql, minutes: Sql) -> Sql:
    return exp.Paren(this=exp.Add(this=moment, expression=call("NUMTODSINTERVAL", minutes, string("MINUTE"))))


def _again(node: Sql) -> Sql:
    """A copy of what SQLite has to say twice. Nested without end it would double each time."""
    if sum(1 for _ in zip(node.walk(), range(_SQLITE_LARGEST + 1), strict=False)) > _SQLITE_LARGEST:
        raise DialectError(
            "sqlite: what is moved through time here is written twice, and is too long for that",
            fix="move it once, by the sum of the lengths",
        )
    return node.copy()


def _sqlite_weeks(days: Sql) -> Sql:
    """Weeks begin long before all dates, so that no number of days is negative."""
    positive = exp.Paren(this=exp.Add(this=days, expression=number(700_000)))
    return exp.Paren(this=exp.Div(this=positive, expression=number(7), typed=True))


def _sqlite_month_later(date: Sql, months: Sql) -> Sql:
    """DATE lets the 31st of a short month spill over into the next one: the month's last day, if that is earlier."""
    amount = int(months.sql())
    spilling = call("DATE", date, string(f"{amount} months"))
    last = call("DATE", _again(date), string("start of month"), string(f"{amount + 1} months"), string("-1 days"))
    return call("MIN", spilling, last)


def _sqlite_minutes_later(moment: Sql, minutes: Sql) -> Sql:
    seconds = call("STRFTIME", string("%Y-%m-%d %H:%M:%S"), cut(_again(moment), 1, 19), string(f"{minutes.sql()} minutes"))
    return joined(seconds, cut(moment, 20))


def _sqlite_months_later(moment: Sql, months: Sql) -> Sql:
    return joined(_sqlite_month_later(cut(_again(moment), 1, 10), months), cut(moment, 11))


ROWS = (
    Row("DAYS", "", "dates subtract", minus),
    Row("DAYS", "trino presto athena clickhouse", "DATE_DIFF takes the unit as text, the earlier date first", lambda a, b: call("DATE_DIFF", string("day"), b, a)),
    Row("DAYS", "sqlite", "dates are text", lambda a, b: cast(minus(call("JULIANDAY", a), call("JULIANDAY", b)), "int")),
    Row("DAYS", "bigquery", "DATE_DIFF takes the later date first", lambda a, b: call("DATE_DIFF", a, b, exp.Var(this="DAY"))),
    Row("DAYS", "snowflake redshift tsql", "DATEDIFF takes the earlier date first", lambda a, b: call("DATEDIFF", exp.Var(this="DAY"), b, a)),
    Row("DAYS", "spark databricks hive mysql singlestore doris starrocks", "DATEDIFF takes the later date first", calls("DATEDIFF")),
    Row("DAYS", "oracle", "a date there has a time of day, which a column of dates leaves at midnight", minus),
    Row("WEEKS", "", "rounded down, also before the first", lambda days: exp.Floor(this=exp.Div(this=cast(days, "double"), expression=number(7), typed=True))),
    Row("WEEKS", "sqlite", "FLOOR is not in every build: a whole division of what is positive", _sqlite_weeks),
    Row("DATE_PLUS_DAYS", "", "days are added to a date as a number", lambda d, n: exp.Paren(this=exp.Add(this=d, expression=n))),
    Row("DATE_PLUS_DAYS", "sqlite", "dates are text", lambda d, n: call("DATE", d, string(f"{n.sql()} days"))),
    Row("DATE_PLUS_DAYS", "mysql trino presto athena redshift", "a date and a number do not add up: an interval", lambda d, n: cast(_plus(d, n, "DAY"), "date")),
    Row("DATE_PLUS_DAYS", "tsql", "no intervals", _added("DAY")),
    Row("DATE_PLUS_MONTHS", "tsql", "no intervals", _added("MONTH")),
    Row("DATE_PLUS_MONTHS", "oracle", "an interval fails at a month's end, and ADD_MONTHS keeps to the last day of the month", None),
    Row("DATE_PLUS_DAYS", "clickhouse", "Date begins in 1970, Date32 in 1900", lambda d, n: call("addDays", call("toDate32", d), n)),
    Row("DATE_PLUS_MONTHS", "", "an interval clips to the month's end, but makes a timestamp", lambda d, n: cast(_plus(d, n, "MONTH"), "date")),
    Row("DATE_PLUS_MONTHS", "bigquery", "an interval takes a number there", lambda d, n: cast(_plus_number(d, n, "MONTH"), "date")),
    Row("DATE_PLUS_MONTHS", "sqlite", "DATE does not clip to the month's end", _sqlite_month_later),
    Row("DATE_PLUS_MONTHS", "clickhouse", "Date begins in 1970, Date32 in 1900", lambda d, n: call("addMonths", call("toDate32", d), n)),
    Row("TIME_PLUS_MINUTES", "", "an interval of minutes is exact", lambda t, n: _plus(t, n, "MINUTE")),
    Row("TIME_PLUS_MINUTES", "spark databricks", "an interval of a day or more is added on the session's clock", lambda t, n: call("TIMESTAMPADD", exp.Var(this="MINUTE"), n, t)),
    Row("TIME_PLUS_MINUTES", "bigquery", "an interval takes a number there", lambda t, n: _plus_number(t, n, "MINUTE")),
    Row("TIME_PLUS_MINUTES", "sqlite", "STRFTIME cuts off the fraction of the second: put it back", _sqlite_minutes_later),
    Row("TIME_PLUS_MINUTES", "tsql", "no intervals", _added("MINUTE")),
    Row("TIME_PLUS_MINUTES", "oracle", "an interval has two digits of minutes", _oracle_minutes_later),
    Row("TIME_PLUS_MONTHS", "tsql", "no intervals", _added("MONTH")),
    Row("TIME_PLUS_MONTHS", "oracle", "an interval fails at a month's end, and ADD_MONTHS keeps to the last day of the month", None),
    Row("TIME_PLUS_MINUTES", "clickhouse", "DateTime begins in 1970, DateTime64 in 1900", lambda t, n: call("addMinutes", clickhouse_timestamp(t), n)),
    Row("TIME_PLUS_MONTHS", "", "an interval clips to the month's end", lambda t, n: _plus(t, n, "MONTH")),
    Row("TIME_PLUS_MONTHS", "bigquery", "an interval takes a number there", lambda t, n: _plus_number(t, n, "MONTH")),
    Row("TIME_PLUS_MONTHS", "sqlite", "DATE does not clip to the month's end, nor keep the time", _sqlite_months_later),
    Row("TIME_PLUS_MONTHS", "clickhouse", "months are counted on the session's clock", lambda t, n: call("addMonths", clickhouse_timestamp(t), n)),
)  # fmt: skip
