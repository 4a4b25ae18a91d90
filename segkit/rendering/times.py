"""Dates, timestamps and instants: as they are stored, as literals, and on the wall clock of a zone."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from segkit.errors import DialectError
from segkit.rendering.forms import call, calls, cast, cut, equal, joined, number, string
from segkit.rendering.row import Row, Sql


def _at_time_zone(moment: Sql, clock: Sql, zone: Sql) -> Sql:
    instant = moment if isinstance(clock, exp.Null) else exp.AtTimeZone(this=moment, zone=clock)
    return exp.AtTimeZone(this=instant, zone=zone)


def _bigquery_wall(moment: Sql, clock: Sql, zone: Sql) -> Sql:
    instant = moment if isinstance(clock, exp.Null) else call("TIMESTAMP", moment, clock)
    return call("DATETIME", instant, zone)


def _snowflake_wall(moment: Sql, clock: Sql, zone: Sql) -> Sql:
    if isinstance(clock, exp.Null):
        return cast(call("CONVERT_TIMEZONE", zone, moment), "timestampntz")
    return call("CONVERT_TIMEZONE", clock, zone, moment)


def _datafusion_wall(moment: Sql, clock: Sql, zone: Sql) -> Sql:
    instant = moment if isinstance(clock, exp.Null) else call("ARROW_CAST", moment, _arrow_type(clock))
    return call("TO_LOCAL_TIME", call("ARROW_CAST", instant, _arrow_type(zone)))


def _arrow_type(zone: Sql) -> Sql:
    return string(f'Timestamp(Microsecond, Some("{zone.this}"))')


def _spark_wall(moment: Sql, clock: Sql, zone: Sql) -> Sql:
    own = call("CURRENT_TIMEZONE") if isinstance(clock, exp.Null) else clock
    return call("CONVERT_TIMEZONE", own, zone, cast(moment, "timestampntz"))


def _trino_wall(moment: Sql, clock: Sql, zone: Sql) -> Sql:
    """AT_TIMEZONE takes a time without zone for one in the session's."""
    instant = moment if isinstance(clock, exp.Null) else call("WITH_TIMEZONE", moment, clock)
    return cast(call("AT_TIMEZONE", instant, zone), "timestamp(6)")


def _oracle_wall(moment: Sql, clock: Sql, zone: Sql) -> Sql:
    """AT TIME ZONE takes a time without zone for one in the session's."""
    instant = moment if isinstance(clock, exp.Null) else call("FROM_TZ", cast(moment, "timestamp"), clock)
    return cast(exp.Paren(this=exp.AtTimeZone(this=instant, zone=zone)), "timestamp")


def _oracle_literal(function: str, form: str) -> Callable[[Sql], Sql]:
    """A literal in a form of its own: a cast follows the session's settings."""

    def write(text: Sql) -> Sql:
        plain = str(text.this)
        has_fraction = "." in plain
        return call(function, text, string(form.replace(".FF6", ".FF6" if has_fraction else "")))

    return write


def _sqlite_literal(text: Sql) -> Sql:
    """A literal in the one length of timestamps, 26 characters; an instant is in UTC already."""
    plain = str(text.this).removesuffix("+00:00")
    return string(plain if "." in plain else f"{plain}.000000")


def _sqlite_timestamp(own: Sql) -> Sql:
    rest = call("SUBSTR", string("0000-00-00 00:00:00.000000"), exp.Add(this=call("LENGTH", own.copy()), expression=number(1)))
    return cut(exp.DPipe(this=call("REPLACE", own, string("T"), string(" ")), expression=rest, safe=True), 1, 26)


def _sqlite_instant(own: Sql) -> Sql:
    has_offset = exp.Glob(this=own.copy(), expression=string("*[-+][0-9][0-9]:[0-9][0-9]"))
    offset = exp.Case(ifs=[exp.If(this=has_offset, true=call("SUBSTR", own.copy(), exp.Neg(this=number(6))))], default=string(""))
    seconds = call("STRFTIME", string("%Y-%m-%d %H:%M:%S"), exp.DPipe(this=cut(own.copy(), 1, 19), expression=offset, safe=True))
    fraction = cast(exp.DPipe(this=string("0"), expression=cut(own, 20, 7), safe=True), "double")
    return joined(seconds, cut(call("PRINTF", string("%.6f"), fraction), 2))


def _sqlite_utc(moment: Sql, clock: Sql, zone: Sql) -> Sql:
    if {str(clock.this or "UTC"), str(zone.this)} != {"UTC"}:
        raise DialectError("sqlite: SQLite knows no time zones, only UTC works", fix="use timezone='UTC', or run it on the data")
    return moment


def _sqlite_on_wall(moment: Sql, clock: Sql, zone: Sql) -> Sql:
    if {str(clock.this or "UTC"), str(zone.this)} == {"UTC"}:
        return moment
    return call("segkit_on_wall", moment, clock, zone)


def clickhouse_timestamp(moment: Sql) -> Sql:
    return call("toDateTime64", moment, number(6), string("UTC"))


def _clickhouse_wall(moment: Sql, clock: Sql, zone: Sql) -> Sql:
    """What the clock of a zone shows, read again as if it were that of UTC."""
    instant = moment
    if not isinstance(clock, exp.Null):
        shown = call("toString", call("toTimeZone", clickhouse_timestamp(moment), string("UTC")))
        instant = call("toDateTime64", shown, number(6), clock)
    if zone.this == "UTC":
        return instant
    return clickhouse_timestamp(call("toString", call("toTimeZone", instant, zone)))


def _mysql_instant(own: Sql) -> Sql:
    """A TIMESTAMP column is shown on the session's clock: seconds since 1970 are what it holds."""
    since = exp.Interval(this=call("UNIX_TIMESTAMP", own), unit=exp.Var(this="SECOND"))
    return exp.Paren(this=exp.Add(this=cast(string("1970-01-01"), "timestamp(6)"), expression=since))


def _mysql_wall(moment: Sql, clock: Sql, zone: Sql) -> Sql:
    """CONVERT_TZ gives back what it cannot convert, as no zone with the offset of -12:59 would: that fails, as a number that is
    too large, whose error quotes the text."""
    own = string("UTC") if isinstance(clock, exp.Null) else clock
    if own.this == zone.this:
        return moment
    is_left = equal(call("CONVERT_TZ", moment.copy(), own.copy(), string("-12:59")), moment.copy())
    told = call("LENGTH", call("CONCAT", string("no time zones before 1970 or after 2038: "), moment.copy()))
    failure = cast(exp.Add(this=told, expression=number(2**64 - 1)), "timestamp(6)")
    return exp.Case(ifs=[exp.If(this=is_left, true=failure)], default=call("CONVERT_TZ", moment, own, zone))


ROWS = (
    Row("AS_TIMESTAMP", "", "timestamps are no text", lambda x: x),
    Row("AS_TIMESTAMP", "sqlite", "timestamps are text of any precision: pad them to 26 characters", _sqlite_timestamp),
    Row("AS_INSTANT", "", "timestamps are no text", lambda x: x),
    Row("AS_INSTANT", "sqlite", "instants are text with any offset: in UTC, in 26 characters", _sqlite_instant),
    Row("AS_INSTANT", "mysql", "instants are read on the session's clock: in UTC", _mysql_instant),
    Row("DATE", "", "a literal", lambda s: cast(s, "date")),
    Row("DATE", "oracle", "a cast follows the session's settings", _oracle_literal("TO_DATE", "YYYY-MM-DD")),
    Row("DATE", "clickhouse", "Date begins in 1970, Date32 in 1900", calls("toDate32")),
    Row("TIMESTAMP", "", "a literal", lambda s: cast(s, "timestamp")),
    Row("TIMESTAMP", "sqlite", "timestamps are text of 26 characters", _sqlite_literal),
    Row("TIMESTAMP", "snowflake spark databricks", "TIMESTAMP may mean one with zone", lambda s: cast(s, "timestampntz")),
    Row("TIMESTAMP", "mysql trino", "without a precision fractions are cut off", lambda s: cast(s, "timestamp(6)")),
    Row("TIMESTAMP", "datafusion", "without a precision it counts nanoseconds, and ends in 2262", lambda s: cast(s, "timestamp(6)")),
    Row("TIMESTAMP", "tsql", "TIMESTAMP is a row version there", lambda s: cast(s, "datetime2")),
    Row("TIMESTAMP", "oracle", "a cast follows the session's settings", _oracle_literal("TO_TIMESTAMP", "YYYY-MM-DD HH24:MI:SS.FF6")),
    Row("TIMESTAMP", "clickhouse", "a cast has seconds only, in the session's zone", lambda s: call("toDateTime64", s, number(6), string("UTC"))),
    Row("INSTANT", "", "a literal in UTC", lambda s: cast(s, "timestamptz")),
    Row("INSTANT", "datafusion", "without a precision it counts nanoseconds, and ends in 2262", lambda s: cast(s, "timestamptz(6)")),
    Row("INSTANT", "trino", "without a precision fractions are cut off", lambda s: cast(s, "timestamptz(6)")),
    Row("INSTANT", "sqlite", "instants are text of 26 characters in UTC", _sqlite_literal),
    Row("INSTANT", "oracle", "a cast follows the session's settings", _oracle_literal("TO_TIMESTAMP_TZ", "YYYY-MM-DD HH24:MI:SS.FF6TZH:TZM")),
    Row("INSTANT", "clickhouse", "a cast has seconds only, in the session's zone", lambda s: call("toDateTime64", string(s.this.removesuffix("+00:00")), number(6), string("UTC"))),
    Row("INSTANT", "mysql", "no literal has an offset on each version: instants are read in UTC", lambda s: cast(string(s.this.removesuffix("+00:00")), "timestamp(6)")),
    Row("ON_WALL", "", "to an instant, then to the wall clock", _at_time_zone),
    Row("ON_WALL", "bigquery", "DATETIME takes a zone", _bigquery_wall),
    Row("ON_WALL", "snowflake", "CONVERT_TIMEZONE", _snowflake_wall),
    Row("ON_WALL", "spark databricks", "FROM_UTC_TIMESTAMP shifts twice outside of UTC", _spark_wall),
    Row("ON_WALL", "trino presto athena", "the zone of a wall clock is given first", _trino_wall),
    Row("ON_WALL", "oracle", "the zone of a wall clock is given first", _oracle_wall),
    Row("ON_WALL", "tsql", "it names time zones as Windows does", None),
    Row("ON_WALL", "datafusion", "AT TIME ZONE only tells another zone: take the wall clock out", _datafusion_wall),
    Row("ON_WALL", "sqlite", "SQLite knows no time zones: only UTC works", _sqlite_utc),
    Row("ON_WALL", "sqlite+", "a function of the engine's", _sqlite_on_wall),
    Row("ON_WALL", "clickhouse", "a DateTime is an instant: a wall clock is kept as if it were in UTC", _clickhouse_wall),
    Row("ON_WALL", "mysql", "CONVERT_TZ, which fails where it would give back what it cannot convert; instants are read in UTC", _mysql_wall),
    Row("DATE_OF", "", "a cast", lambda x: cast(x, "date")),
    Row("DATE_OF", "sqlite", "timestamps are text: their beginning (the DATE of SQLite 3.46 rounds up to the next day)", lambda x: cut(x, 1, 10)),
    Row("DATE_OF", "oracle", "a date there keeps the time of day", calls("TRUNC")),
    Row("DATE_OF", "clickhouse", "a cast reads the session's clock, and Date begins in 1970", lambda x: call("toDate32", x, string("UTC"))),
    Row("MIDNIGHT", "", "a cast", lambda x: cast(x, "timestamp")),
    Row("MIDNIGHT", "snowflake spark databricks", "TIMESTAMP may mean one with zone", lambda x: cast(x, "timestampntz")),
    Row("MIDNIGHT", "tsql", "TIMESTAMP is a row version there", lambda x: cast(x, "datetime2")),
    Row("MIDNIGHT", "datafusion", "without a precision it counts nanoseconds, and ends in 2262", lambda x: cast(x, "timestamp(6)")),
    Row("MIDNIGHT", "sqlite", "timestamps are text of 26 characters", lambda x: joined(x, string(" 00:00:00.000000"))),
    Row("MIDNIGHT", "clickhouse", "a cast is midnight of the session's zone", clickhouse_timestamp),
)  # fmt: skip
