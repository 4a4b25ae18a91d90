"""The warehouse's own clock, and what follows from it: only an evergreen query asks for it."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from segkit.rendering.forms import call, cast, joined, number, string
from segkit.rendering.row import Row, Sql

_UNITS = ("week", "month", "quarter", "year")


def _utc() -> Sql:
    return string("UTC")


def _snowflake_instant(wall: Sql) -> Sql:
    text = call("TO_VARCHAR", wall, string("YYYY-MM-DD HH24:MI:SS.FF6"))
    with_zone = exp.DPipe(this=text, expression=string(" +00:00"), safe=True)
    return call("TO_TIMESTAMP_TZ", with_zone, string("YYYY-MM-DD HH24:MI:SS.FF6 TZH:TZM"))


def _spark_instant(wall: Sql) -> Sql:
    return cast(exp.DPipe(this=cast(wall, "varchar"), expression=string("Z"), safe=True), "timestamptz")


def _truncated(unit: str) -> Callable[[Sql], Sql]:
    return lambda day: cast(call("DATE_TRUNC", string(unit.upper()), day), "date")


def _trunc(form: str) -> Callable[[Sql], Sql]:
    return lambda day: call("TRUNC", day, string(form))


def _bigquery_first(unit: str) -> Callable[[Sql], Sql]:
    part = "ISOWEEK" if unit == "week" else unit.upper()
    return lambda day: call("DATE_TRUNC", day, exp.Var(this=part))


def _snowflake_monday(day: Sql) -> Sql:
    since = exp.Paren(this=exp.Sub(this=call("DAYOFWEEKISO", day.copy()), expression=number(1)))
    return exp.Paren(this=exp.Sub(this=day, expression=since))


def _sqlite_quarter(day: Sql) -> Sql:
    since = exp.Sub(this=cast(call("STRFTIME", string("%m"), day.copy()), "int"), expression=number(1))
    months = call("PRINTF", string("-%d months"), exp.Mod(this=exp.Paren(this=since), expression=number(3)))
    return call("DATE", day, string("start of month"), months)


def _mysql_back(amount: Callable[[Sql], Sql]) -> Callable[[Sql], Sql]:
    """A date that many days earlier."""
    return lambda day: exp.Paren(
        this=exp.Sub(this=day, expression=exp.Interval(this=exp.Paren(this=amount(day.copy())), unit=exp.Var(this="DAY")))
    )


def _mysql_quarter(day: Sql) -> Sql:
    quarters = exp.Paren(this=exp.Sub(this=call("QUARTER", day.copy()), expression=number(1)))
    begin = call("MAKEDATE", call("YEAR", day), number(1))
    return exp.Paren(this=exp.Add(this=begin, expression=exp.Interval(this=quarters, unit=exp.Var(this="QUARTER"))))


_MYSQL = {
    "week": _mysql_back(lambda day: call("WEEKDAY", day)),
    "month": _mysql_back(lambda day: exp.Sub(this=call("DAYOFMONTH", day), expression=number(1))),
    "quarter": _mysql_quarter,
    "year": lambda day: call("MAKEDATE", call("YEAR", day), number(1)),
}
_SQLITE = {
    "week": lambda day: call("DATE", day, string("-6 days"), string("weekday 1")),
    "month": lambda day: call("DATE", day, string("start of month")),
    "quarter": _sqlite_quarter,
    "year": lambda day: call("DATE", day, string("start of year")),
}
_TRUNC = {"week": "IW", "month": "MM", "quarter": "Q", "year": "YYYY"}

ROWS = (
    Row("NOW", "", "an instant", exp.CurrentTimestamp),
    Row("NOW", "sqlite", "instants are text of 26 characters in UTC", lambda: joined(call("STRFTIME", string("%Y-%m-%d %H:%M:%f"), string("now")), string("000"))),
    Row("NOW", "mysql", "instants are read in UTC", lambda: call("UTC_TIMESTAMP", number(6))),
    Row("NOW", "clickhouse", "now() has seconds only, in the session's zone", lambda: call("now64", number(6), _utc())),
    Row("NOW", "datafusion", "NOW counts nanoseconds", lambda: cast(call("NOW"), "timestamptz(6)")),
    Row("NOW", "redshift", "SYSDATE is on the session's clock, as a cast reads it", lambda: cast(exp.Var(this="SYSDATE"), "timestamptz")),
    Row("NOW", "oracle", "an instant", lambda: exp.Var(this="SYSTIMESTAMP")),
    Row("NOW", "tsql", "CURRENT_TIMESTAMP has no zone there", lambda: call("SYSDATETIMEOFFSET")),
    Row("INSTANT_OF", "", "AT TIME ZONE", lambda wall: exp.AtTimeZone(this=wall, zone=_utc())),
    Row("INSTANT_OF", "sqlite mysql", "instants are kept on the clock of UTC", lambda wall: wall),
    Row("INSTANT_OF", "bigquery", "TIMESTAMP takes a zone", lambda wall: call("TIMESTAMP", wall, _utc())),
    Row("INSTANT_OF", "snowflake", "a cast takes the session's zone", _snowflake_instant),
    Row("INSTANT_OF", "spark databricks", "a cast takes the session's zone, unless the text names one", _spark_instant),
    Row("INSTANT_OF", "trino presto athena", "the zone of a wall clock is given first", lambda wall: call("WITH_TIMEZONE", wall, _utc())),
    Row("INSTANT_OF", "oracle", "the zone of a wall clock is given first", lambda wall: call("FROM_TZ", cast(wall, "timestamp"), _utc())),
    Row("FIRST_IN_UTC", "", "nobody looked at what it makes of times that a clock skips or shows twice", None),
    Row("FIRST_IN_UTC", "sqlite+", "a function of the engine's", lambda own: own),
    Row("FIRST_IN_UTC", "duckdb postgres bigquery spark databricks", "a skipped time is read by the clock before, as tests show", lambda own: own),
    *(Row(f"FIRST_OF_{unit.upper()}", "", "DATE_TRUNC", _truncated(unit)) for unit in _UNITS),
    *(Row(f"FIRST_OF_{unit.upper()}", "bigquery", "DATE_TRUNC takes the date first", _bigquery_first(unit)) for unit in _UNITS),
    *(Row(f"FIRST_OF_{unit.upper()}", "oracle", "TRUNC", _trunc(form)) for unit, form in _TRUNC.items()),
    *(Row(f"FIRST_OF_{unit.upper()}", "mysql", "it truncates no dates", write) for unit, write in _MYSQL.items()),
    *(Row(f"FIRST_OF_{unit.upper()}", "sqlite", "dates are text", write) for unit, write in _SQLITE.items()),
    *(Row(f"FIRST_OF_{unit.upper()}", "tsql", "its zones have names of their own, so that it knows no local date", None) for unit in _UNITS),
    Row("FIRST_OF_WEEK", "snowflake", "weeks follow a session parameter", _snowflake_monday),
)  # fmt: skip
