"""The dialect table: the only place that knows how one engine differs.

`compile` leaves markers (`SEGKIT_CONTAINS(x, 'y')`) where engines disagree. A row of the table says how one marker is
written by some dialects, and why; a dialect without a row of its own takes the default row. A row may refuse. Adding
an engine is adding rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlglot import ErrorLevel, exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import UnsupportedError

from segkit.errors import DialectError, unknown

Sql = exp.Expression

LEVELS = {
    "duckdb": "executed: the conformance suite runs on it",
    "postgres": "rendered by reviewed rules, not executed",
    "sqlite": "executed: the conformance suite runs on it",
    "bigquery": "rendered by reviewed rules, not executed",
    "snowflake": "rendered by reviewed rules, not executed",
}
UNVERIFIED = "unverified: sqlglot's dialect, reviewed by nobody"

# what an engine renders for itself, with functions that it registers: its rows come before those of the dialect
_INNER = {"sqlite+": "sqlite"}
_LONGEST_NAME = {"postgres": 63, "redshift": 127, "mysql": 64, "bigquery": 300, "snowflake": 255, "oracle": 128, "tsql": 128}
# sqlglot's pretty form breaks a text that holds this
_LINE_BREAK_SENTINEL = "__SQLGLOT__LB__"
_UPPER, _LOWER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Row:
    """How some dialects write a marker (`write` takes its arguments; None refuses), and why. No dialects: the default."""

    marker: str
    dialects: str
    reason: str
    write: Callable[..., Sql] | None


def dialects() -> dict[str, str]:
    """The dialects that SQL can be rendered for, each with how far it is verified.

    >>> dialects()["duckdb"]
    'executed: the conformance suite runs on it'
    """
    names = sorted(name for name in Dialect.classes if name)
    return {name: LEVELS.get(name, UNVERIFIED) for name in names}


def render(tree: exp.Expression, dialect: str, *, pretty: bool = False) -> str:
    """A tree of `compile` as SQL text. The tree is used up.

    Args:
        tree: a query with markers.
        dialect: a dialect by sqlglot's name, or an engine's inner form of one.
        pretty: one clause a line, to be read; execute only the other form.

    Raises:
        DialectError: the dialect does not exist, or has no faithful form of a condition.
    """
    inner, dialect = dialect, checked_dialect(_INNER.get(dialect, dialect))
    for node in reversed(_markers(tree)):
        node.replace(_written(node, inner))
    if dialect == "sqlite":
        _grouped(tree)
    _check_names(tree, dialect)
    try:
        plain = tree.sql(dialect=dialect, unsupported_level=ErrorLevel.RAISE, copy=False)
    except UnsupportedError as error:
        raise DialectError(
            f"{dialect} has no form of this: {error}", fix="leave the condition out, or use another dialect"
        ) from None
    return tree.sql(dialect=dialect, pretty=True, copy=False) if pretty and _LINE_BREAK_SENTINEL not in plain else plain


def _markers(tree: exp.Expression) -> list[exp.Anonymous]:
    """The markers of a tree, those further up first. (A walk of our own: it passes over leaves, and is twice as fast.)"""
    found: list[exp.Anonymous] = []
    stack: list[Any] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, exp.Anonymous) and node.this.startswith("SEGKIT_"):
            found.append(node)
        for value in node.args.values():
            below = value if isinstance(value, list) else (value,)
            stack += [child for child in below if isinstance(child, exp.Expr) and type(child) not in _LEAVES]
    return found


def level(dialect: str) -> str:
    """How far a dialect is verified."""
    return LEVELS.get(checked_dialect(dialect), UNVERIFIED)


def checked_dialect(name: Any) -> str:
    """`name` if it is a dialect."""
    if not isinstance(name, str) or not name or name not in Dialect.classes:
        error = unknown("dialect", str(name), dialects())
        raise DialectError(error.what, fix=error.fix)
    return name


def _written(node: exp.Anonymous, dialect: str) -> Sql:
    name = str(node.this).removeprefix("SEGKIT_")
    if name == "AMONG":
        return _among(node.expressions[0], node.args["options"], dialect)
    if name == "JSON_NUMBER" and (f"SEGKIT_{name}", _INNER.get(dialect, dialect)) not in _TABLE:
        return _json_as_number(*node.expressions, dialect=dialect)
    return _row(name, dialect)(*node.expressions)


def _among(own: Sql, options: Sequence[Any], dialect: str) -> Sql:
    """One of many constants. DuckDB reads a JSON array thirty times faster than a list of literals."""
    if dialect == "duckdb" and all(isinstance(option, str) for option in options):
        return _in_json(own, options, "VARCHAR")
    if dialect == "duckdb" and all(type(option) is int for option in options):
        return _in_json(own, options, "BIGINT")
    return exp.In(this=own, expressions=[_many(options, dialect)])


def _in_json(own: Sql, options: Sequence[Any], kind: str) -> Sql:
    array = _call("FROM_JSON", _text(json.dumps(options, ensure_ascii=False)), _text(f'["{kind}"]'))
    return exp.In(this=own, query=exp.Subquery(this=exp.Select(expressions=[_call("UNNEST", array)])))


def _many(options: Sequence[Any], dialect: str) -> exp.Var:
    """Constants as the text of a list, in one piece: a million nodes would take a minute."""
    generator = Dialect.get_or_raise(_INNER.get(dialect, dialect)).generator()
    literal = exp.Literal(this="", is_string=True)

    def written(option: Any) -> str:
        literal.set("this", option)
        return generator.sql(literal) if isinstance(option, str) else _number_text(option)

    return exp.Var(this=", ".join(map(written, options)))


def _number_text(number: Any) -> str:
    match number:
        case bool():
            return "TRUE" if number else "FALSE"
        case Decimal():
            return f"{number:f}"
        case _:
            return repr(number)


def _check_names(tree: exp.Expression, dialect: str) -> None:
    longest = _LONGEST_NAME.get(dialect)
    if longest is None:
        return
    for node in tree.find_all(exp.Identifier):
        if len(node.this.encode()) > longest:
            raise DialectError(
                f"the name {node.this[:40]!r}... is longer than {dialect} allows", fix=f"use at most {longest} bytes"
            )


# ---------------------------------------------------------------- small forms


def _call(name: str, *arguments: Sql) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _cast(node: Sql, kind: str) -> exp.Cast:
    return exp.Cast(this=node, to=_TYPES[kind].copy())


_LEAVES = frozenset((exp.Identifier, exp.Literal, exp.Column, exp.DataType))
_TYPES = {
    "timestamp(6)": exp.DataType.build("timestamp(6)"),
    **{
        kind: exp.DataType(this=exp.DataType.Type(kind.upper()))
        for kind in (
            "binary",
            "date",
            "double",
            "int",
            "text",
            "timestamp",
            "timestampntz",
            "timestamptz",
            "datetime2",
            "varchar",
        )
    },
}


def _number(number: int) -> exp.Literal:
    return exp.Literal(this=str(number), is_string=False)


def _identifier(name: str) -> exp.Identifier:
    return exp.Identifier(this=name, quoted=True)


def _text(text: str) -> exp.Literal:
    return exp.Literal(this=text, is_string=True)


def _length(text: Sql, function: str = "LENGTH") -> Sql:
    """How long a text is, which is known of a constant."""
    return _number(len(text.this)) if isinstance(text, exp.Literal) else _call(function, text.copy())


def _tsql_length(text: Sql) -> Sql:
    """LEN leaves out spaces at the end."""
    if isinstance(text, exp.Literal):
        return _length(text)
    return _minus(_call("LEN", exp.Add(this=text.copy(), expression=_text("."))), _number(1))


def _mysql_edge(side: str) -> Callable[[Sql, Sql], Sql]:
    """The beginning (LEFT) or end (RIGHT) of a text compared as bytes; of another column's text, counted in bytes, too."""

    def write(own: Sql, text: Sql) -> Sql:
        if isinstance(text, exp.Literal):
            return _equal(_binary(_call(side, own, _length(text))), text)
        return _equal(_call(side, _binary(own), _length(text)), _binary(text))

    return write


def _positive(node: Sql) -> Sql:
    return exp.GT(this=node, expression=_number(0))


def _equal(a: Sql, b: Sql) -> Sql:
    return exp.EQ(this=a, expression=b)


def _binary(node: Sql) -> Sql:
    return _cast(node, "binary")


def _minus(a: Sql, b: Sql) -> Sql:
    return exp.Paren(this=exp.Sub(this=a, expression=b))


def _plus(moment: Sql, amount: Sql, unit: str) -> Sql:
    return _plus_number(moment, _text(amount.sql()), unit)


def _plus_number(moment: Sql, amount: Sql, unit: str) -> Sql:
    return exp.Paren(this=exp.Add(this=moment, expression=exp.Interval(this=amount, unit=exp.Var(this=unit))))


def _from_sunday(day: Sql, shift: int) -> Sql:
    """A weekday counted from another day as ISO's, 1 (Monday) to 7."""
    shifted = exp.Paren(this=exp.Add(this=day, expression=_number(shift)))
    return exp.Paren(this=exp.Add(this=exp.Mod(this=shifted, expression=_number(7)), expression=_number(1)))


def _extract(part: str) -> Callable[[Sql], Sql]:
    return lambda at: exp.Extract(this=exp.Var(this=part), expression=at)


def _strftime(code: str) -> Callable[[Sql], Sql]:
    return lambda at: _cast(_call("STRFTIME", _text(code), at), "int")


def _at_time_zone(moment: Sql, clock: Sql, zone: Sql) -> Sql:
    instant = moment if isinstance(clock, exp.Null) else exp.AtTimeZone(this=moment, zone=clock)
    return exp.AtTimeZone(this=instant, zone=zone)


def _bigquery_wall(moment: Sql, clock: Sql, zone: Sql) -> Sql:
    instant = moment if isinstance(clock, exp.Null) else _call("TIMESTAMP", moment, clock)
    return _call("DATETIME", instant, zone)


def _snowflake_wall(moment: Sql, clock: Sql, zone: Sql) -> Sql:
    if isinstance(clock, exp.Null):
        return _cast(_call("CONVERT_TIMEZONE", zone, moment), "timestampntz")
    return _call("CONVERT_TIMEZONE", clock, zone, moment)


def _spark_wall(moment: Sql, clock: Sql, zone: Sql) -> Sql:
    own = _call("CURRENT_TIMEZONE") if isinstance(clock, exp.Null) else clock
    return _call("CONVERT_TIMEZONE", own, zone, _cast(moment, "timestampntz"))


def _without_nan(test: str) -> Callable[[Sql], Sql]:
    def write(own: Sql) -> Sql:
        return exp.Case(ifs=[exp.If(this=exp.Not(this=_call(test, own.copy())), true=own)])

    return write


def _finite_or_infinite(own: Sql) -> Sql:
    number = exp.Or(this=_call("ISFINITE", own.copy()), expression=_call("ISINF", own.copy()))
    return exp.Case(ifs=[exp.If(this=number, true=own)])


def _calls(name: str) -> Callable[..., Sql]:
    return lambda *arguments: _call(name, *arguments)


def _md5(digest: Callable[[Sql], Sql], kind: str = "text") -> Callable[[Sql, Sql], Sql]:
    """The first 8 digits of a digest of seed and key."""

    def write(seed: Sql, key: Sql) -> Sql:
        return _call("SUBSTR", digest(exp.DPipe(this=seed, expression=_cast(key, kind))), _number(1), _number(8))

    return write


def _quoted_path(steps: tuple[Sql, ...]) -> exp.Literal:
    """`$."key"[0]`: keys in double quotes, so that dots and spaces in them are theirs."""
    return _text("$" + "".join(f'."{step.this}"' if step.is_string else f"[{step.this}]" for step in steps))


def _bracketed_path(steps: tuple[Sql, ...], root: str, quote: str) -> exp.Literal:
    parts = (f"[{quote}{step.this}{quote}]" if step.is_string else f"[{step.this}]" for step in steps)
    return _text(root + "".join(parts))


def _json_value(function: str) -> Callable[..., Sql]:
    return lambda own, *steps: _call(function, own, _quoted_path(steps))


def _scalar(any_form: Callable[..., Sql], kind_of: Callable[..., Sql], *containers: str) -> Callable[..., Sql]:
    """The text of what a path leads to, where its kind is not that of an object or array."""

    def write(own: Sql, *steps: Sql) -> Sql:
        kind = kind_of(own.copy(), *(step.copy() for step in steps))
        is_container = exp.In(this=kind, expressions=[_text(name) for name in containers])
        return exp.Case(ifs=[exp.If(this=exp.Not(this=exp.Paren(this=is_container)), true=any_form(own, *steps))])

    return write


def _postgres_json(own: Sql, *steps: Sql) -> Sql:
    """A chain of arrows, which works on json and jsonb; the last one gives text."""
    return exp.Paren(
        this=exp.JSONExtractScalar(this=_postgres_chain(own, *steps[:-1]), expression=steps[-1], only_json_types=True)
    )


def _postgres_chain(own: Sql, *steps: Sql) -> Sql:
    for step in steps:
        own = exp.JSONExtract(this=own, expression=step, only_json_types=True)
    return own


def _postgres_json_kind(own: Sql, *steps: Sql) -> Sql:
    """The first character of the JSON: jsonb_typeof does not take json."""
    return _call("LEFT", _cast(exp.Paren(this=_postgres_chain(own, *steps)), "text"), _number(1))


def _clickhouse_json(own: Sql, *steps: Sql) -> Sql:
    return _call("JSONExtract", own, *_from_one(steps), _text("Nullable(String)"))


def _from_one(steps: tuple[Sql, ...]) -> list[Sql]:
    return [step if step.is_string else _number(int(step.this) + 1) for step in steps]


def _snowflake_json(own: Sql, *steps: Sql) -> Sql:
    return _call("GET_PATH", own, _bracketed_path(steps, "", '"'))


def _mysql_json(own: Sql, *steps: Sql) -> Sql:
    found = _call("JSON_EXTRACT", own, _quoted_path(steps))
    is_known = exp.NEQ(this=_call("JSON_TYPE", found), expression=_text("NULL"))
    return exp.Case(ifs=[exp.If(this=is_known, true=_binary(_call("JSON_UNQUOTE", found.copy())))])


def _sqlite_json(own: Sql, *steps: Sql) -> Sql:
    """Booleans come back as 0 and 1 there: their type says which."""
    path = _quoted_path(steps)
    truths = [exp.If(this=_text(name), true=_text(name)) for name in ("true", "false")]
    nothing = [exp.If(this=_text(name), true=exp.Null()) for name in ("object", "array")]
    found = _cast(_call("JSON_EXTRACT", own.copy(), path.copy()), "text")
    return exp.Case(this=_call("JSON_TYPE", own, path), ifs=[*truths, *nothing], default=found)


_PLAIN_NUMBER = r"^-?[0-9]+([.][0-9]+)?$"


def _json_as_number(own: Sql, *steps: Sql, dialect: str) -> Sql:
    """The text of a property as a number, where it is one."""
    text = _row("JSON_TEXT", dialect)(own, *steps)
    is_number = _row("MATCHES", dialect)(text, _text(_PLAIN_NUMBER))
    return exp.Case(ifs=[exp.If(this=is_number, true=exp.TryCast(this=text.copy(), to=_TYPES["double"].copy()))])


def _duckdb_number(own: Sql, *steps: Sql) -> Sql:
    path = _quoted_path(steps)
    text = _call("JSON_EXTRACT_STRING", own, path)
    kinds = [_text(kind) for kind in ("UBIGINT", "BIGINT", "DOUBLE", "HUGEINT", "UHUGEINT")]
    is_number = exp.In(this=_call("JSON_TYPE", own.copy(), path.copy()), expressions=kinds)
    looks_so = _call("REGEXP_MATCHES", text.copy(), _text(_PLAIN_NUMBER))
    return exp.Case(ifs=[exp.If(this=exp.Or(this=is_number, expression=looks_so), true=_cast(text, "double"))])


def _duckdb_elements(own: Sql, where: Sql, *steps: Sql) -> Sql:
    """A list of the elements, filtered in place: several times faster than a query for each contact."""
    path = _quoted_path(steps)
    found: Sql = _call("JSON_EXTRACT", own.copy(), _text(f"{path.this}[*]"))
    if not isinstance(where, exp.Null):
        holds = exp.Lambda(this=where, expressions=[_identifier("element")])
        found = _call("LIST_FILTER", found, holds)
    is_array = _equal(_call("JSON_TYPE", own, path), _text("ARRAY"))
    return exp.Case(ifs=[exp.If(this=is_array, true=_call("LEN", found))])


def _sqlite_elements(own: Sql, where: Sql, *steps: Sql) -> Sql:
    path = _quoted_path(steps)
    each = exp.Table(this=_call("JSON_EACH", own.copy(), path.copy()), alias=exp.TableAlias(this=_identifier("each")))
    query = exp.Select(expressions=[exp.Count(this=exp.Star())]).from_(each, copy=False)
    if not isinstance(where, exp.Null):
        query.set("where", exp.Where(this=where))
    is_array = _equal(_call("JSON_TYPE", own, path), _text("array"))
    return exp.Case(ifs=[exp.If(this=is_array, true=exp.Subquery(this=query))])


def _sqlite_element() -> Sql:
    """The element out of its array: on its own a text would be no JSON, and a boolean a number."""
    array, place = (exp.Column(this=_identifier(name), table=_identifier("each")) for name in ("json", "fullkey"))
    return exp.Paren(this=exp.JSONExtract(this=array, expression=place, only_json_types=True))


def _sqlite_number(own: Sql, *steps: Sql) -> Sql:
    """A number, or a text that is nothing but one: SQLite's own cast takes any beginning of a text."""
    path = _quoted_path(steps)
    found = _call("JSON_EXTRACT", own.copy(), path)
    number = _cast(found, "double")
    digits = _call("LTRIM", found.copy(), _text("-"))
    tests: list[Sql] = [
        exp.Glob(this=digits, expression=_text("[0-9]*")),
        exp.Glob(this=digits.copy(), expression=_text("*[0-9]")),
        exp.Not(this=exp.Paren(this=exp.Glob(this=digits.copy(), expression=_text("*[^0-9.]*")))),
        exp.LTE(
            this=exp.Sub(this=_call("LENGTH", found.copy()), expression=_call("LENGTH", digits.copy())), expression=_number(1)
        ),
        exp.LTE(
            this=exp.Sub(
                this=_call("LENGTH", digits.copy()),
                expression=_call("LENGTH", _call("REPLACE", digits.copy(), _text("."), _text(""))),
            ),
            expression=_number(1),
        ),
    ]
    is_plain = tests[0]
    for test in tests[1:]:
        is_plain = exp.And(this=is_plain, expression=test)
    text = exp.Case(ifs=[exp.If(this=is_plain, true=number.copy())])
    kinds = [exp.If(this=_text(kind), true=number.copy()) for kind in ("integer", "real")]
    return exp.Case(this=_call("JSON_TYPE", own, path.copy()), ifs=[*kinds, exp.If(this=_text("text"), true=text)])


def _row(name: str, dialect: str) -> Callable[..., Sql]:
    outer = _INNER.get(dialect, dialect)
    row = next(_TABLE[key] for own in (dialect, outer, "") if (key := (f"SEGKIT_{name}", own)) in _TABLE)
    if row.write is None:
        raise DialectError(f"{outer}: {row.reason}", fix="leave the condition out, or run it on another engine")
    return row.write


# ---------------------------------------------------------------- SQLite

_SQLITE_DEEPEST = 5  # 2**5 conditions in a row
_SQLITE_LARGEST = 5000


def _grouped(tree: exp.Expression) -> None:
    """Long rows of AND and OR in groups: SQLite takes a row for as deep as it is long, and allows a depth of 1000."""
    stack: list[Any] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, exp.Connector) and type(node.parent) is not type(node):
            _group(node)
        for value in node.args.values():
            below = value if isinstance(value, list) else (value,)
            stack += [child for child in below if isinstance(child, exp.Expr) and type(child) not in _LEAVES]


def _group(node: exp.Connector) -> int:
    """How deep a row is, its deep parts put in parentheses."""
    deepest = 0
    for side in (node.this, node.expression):
        if type(side) is type(node):
            depth = _group(side)
            if depth == _SQLITE_DEEPEST:
                group = exp.Paren()
                side.replace(group)
                group.set("this", side)
            deepest = max(deepest, depth % _SQLITE_DEEPEST)
    return deepest + 1


def _again(node: Sql) -> Sql:
    """A copy of what SQLite has to say twice. Nested without end it would double each time."""
    if sum(1 for _ in zip(node.walk(), range(_SQLITE_LARGEST + 1), strict=False)) > _SQLITE_LARGEST:
        raise DialectError(
            "sqlite: what is moved through time here is written twice, and is too long for that",
            fix="move it once, by the sum of the lengths",
        )
    return node.copy()


def _joined_texts(*parts: Sql) -> Sql:
    whole = parts[0]
    for part in parts[1:]:
        whole = exp.DPipe(this=whole, expression=part, safe=True)
    return exp.Paren(this=whole)


def _cut(text: Sql, begin: int, length: int | None = None) -> Sql:
    return _call("SUBSTR", text, _number(begin), *([] if length is None else [_number(length)]))


def _sqlite_binary(text: Sql) -> Sql:
    return exp.Collate(this=text, expression=exp.Var(this="BINARY"))


def _sqlite_literal(text: Sql) -> Sql:
    """A literal in the one length of timestamps, 26 characters; an instant is in UTC already."""
    plain = str(text.this).removesuffix("+00:00")
    return _text(plain if "." in plain else f"{plain}.000000")


def _sqlite_timestamp(own: Sql) -> Sql:
    rest = _call("SUBSTR", _text("0000-00-00 00:00:00.000000"), exp.Add(this=_call("LENGTH", own.copy()), expression=_number(1)))
    return _cut(exp.DPipe(this=_call("REPLACE", own, _text("T"), _text(" ")), expression=rest, safe=True), 1, 26)


def _sqlite_instant(own: Sql) -> Sql:
    has_offset = exp.Glob(this=own.copy(), expression=_text("*[-+][0-9][0-9]:[0-9][0-9]"))
    offset = exp.Case(ifs=[exp.If(this=has_offset, true=_call("SUBSTR", own.copy(), _number_below(6)))], default=_text(""))
    seconds = _call("STRFTIME", _text("%Y-%m-%d %H:%M:%S"), exp.DPipe(this=_cut(own.copy(), 1, 19), expression=offset, safe=True))
    fraction = _cast(exp.DPipe(this=_text("0"), expression=_cut(own, 20, 7), safe=True), "double")
    return _joined_texts(seconds, _cut(_call("PRINTF", _text("%.6f"), fraction), 2))


def _number_below(number: int) -> Sql:
    return exp.Neg(this=_number(number))


def _sqlite_utc(moment: Sql, clock: Sql, zone: Sql) -> Sql:
    if {str(clock.this or "UTC"), str(zone.this)} != {"UTC"}:
        raise DialectError("sqlite: SQLite knows no time zones, only UTC works", fix="use timezone='UTC', or run it on the data")
    return moment


def _sqlite_on_wall(moment: Sql, clock: Sql, zone: Sql) -> Sql:
    if {str(clock.this or "UTC"), str(zone.this)} == {"UTC"}:
        return moment
    return _call("segkit_on_wall", moment, clock, zone)


def _sqlite_part(begin: int, length: int) -> Callable[[Sql], Sql]:
    return lambda at: _cast(_cut(at, begin, length), "int")


def _sqlite_quarter(at: Sql) -> Sql:
    month = exp.Paren(this=exp.Add(this=_sqlite_part(6, 2)(at), expression=_number(2)))
    return exp.Paren(this=exp.Div(this=month, expression=_number(3), typed=True))


def _sqlite_week(at: Sql) -> Sql:
    """ISO's week is that of its Thursday."""
    thursday = _call("DATE", _cut(at, 1, 10), _text("-3 days"), _text("weekday 4"))
    day = exp.Paren(this=exp.Sub(this=_strftime("%j")(thursday), expression=_number(1)))
    return exp.Paren(this=exp.Add(this=exp.Div(this=day, expression=_number(7), typed=True), expression=_number(1)))


def _sqlite_weeks(days: Sql) -> Sql:
    """Weeks begin long before all dates, so that no number of days is negative."""
    positive = exp.Paren(this=exp.Add(this=days, expression=_number(700_000)))
    return exp.Paren(this=exp.Div(this=positive, expression=_number(7), typed=True))


def _sqlite_month_later(date: Sql, months: Sql) -> Sql:
    """DATE lets the 31st of a short month spill over into the next one: the month's last day, if that is earlier."""
    number = int(months.sql())
    spilling = _call("DATE", date, _text(f"{number} months"))
    last = _call("DATE", _again(date), _text("start of month"), _text(f"{number + 1} months"), _text("-1 days"))
    return _call("MIN", spilling, last)


def _sqlite_minutes_later(moment: Sql, minutes: Sql) -> Sql:
    seconds = _call("STRFTIME", _text("%Y-%m-%d %H:%M:%S"), _cut(_again(moment), 1, 19), _text(f"{minutes.sql()} minutes"))
    return _joined_texts(seconds, _cut(moment, 20))


def _sqlite_months_later(moment: Sql, months: Sql) -> Sql:
    return _joined_texts(_sqlite_month_later(_cut(_again(moment), 1, 10), months), _cut(moment, 11))


# ---------------------------------------------------------------- the table

ROWS: tuple[Row, ...] = (
    Row("CONTAINS", "", "a position, never LIKE: no wildcard leaks, no case folds", lambda x, s: _positive(_call("STRPOS", x, s))),
    Row("CONTAINS", "sqlite spark spark2 databricks hive oracle teradata", "its position function is INSTR", lambda x, s: _positive(_call("INSTR", x, s))),
    Row("CONTAINS", "snowflake", "has CONTAINS, case-sensitive", _calls("CONTAINS")),
    Row("CONTAINS", "mysql singlestore doris starrocks", "collations fold case: compare bytes", lambda x, s: _positive(_call("LOCATE", _binary(s), _binary(x)))),
    Row("CONTAINS", "clickhouse", "its position function takes the text first", lambda x, s: _positive(_call("position", x, s))),
    Row("CONTAINS", "tsql", "its position function is CHARINDEX", lambda x, s: _positive(_call("CHARINDEX", s, x))),
    Row("STARTS_WITH", "", "a function, never LIKE", _calls("STARTS_WITH")),
    Row("STARTS_WITH", "snowflake spark databricks", "spelled without underscore", _calls("STARTSWITH")),
    Row("STARTS_WITH", "sqlite oracle", "no such function: compare the beginning", lambda x, s: _equal(_call("SUBSTR", x, _number(1), _length(s)), s)),
    Row("STARTS_WITH", "redshift", "no such function: compare the beginning", lambda x, s: _equal(_call("LEFT", x, _length(s)), s)),
    Row("STARTS_WITH", "tsql", "no such function: compare the beginning", lambda x, s: _equal(_call("LEFT", x, _tsql_length(s)), s)),
    Row("STARTS_WITH", "mysql singlestore doris starrocks", "no such function, and collations fold case", _mysql_edge("LEFT")),
    Row("STARTS_WITH", "clickhouse", "camel case", _calls("startsWith")),
    Row("ENDS_WITH", "", "a function, never LIKE", _calls("ENDS_WITH")),
    Row("ENDS_WITH", "snowflake spark databricks", "spelled without underscore", _calls("ENDSWITH")),
    Row("ENDS_WITH", "postgres redshift", "no such function: compare the end", lambda x, s: _equal(_call("RIGHT", x, _length(s)), s)),
    Row("ENDS_WITH", "tsql", "no such function: compare the end", lambda x, s: _equal(_call("RIGHT", x, _tsql_length(s)), s)),
    Row("ENDS_WITH", "sqlite oracle trino presto athena", "no such function: compare the end", lambda x, s: _equal(_call("SUBSTR", x, exp.Neg(this=_length(s))), s)),
    Row("ENDS_WITH", "mysql singlestore doris starrocks", "no such function, and collations fold case", _mysql_edge("RIGHT")),
    Row("ENDS_WITH", "clickhouse", "camel case", _calls("endsWith")),
    Row("MATCHES", "", "an unanchored search", _calls("REGEXP_LIKE")),
    Row("MATCHES", "duckdb", "REGEXP_MATCHES searches, REGEXP_FULL_MATCH does not", _calls("REGEXP_MATCHES")),
    Row("MATCHES", "postgres redshift", "an operator", lambda x, p: exp.RegexpLike(this=x, expression=p)),
    Row("MATCHES", "bigquery", "REGEXP_CONTAINS searches", _calls("REGEXP_CONTAINS")),
    Row("MATCHES", "snowflake", "REGEXP_LIKE matches the whole text: look for a position", lambda x, p: _positive(_call("REGEXP_INSTR", x, p))),
    Row("MATCHES", "spark databricks hive", "an operator", lambda x, p: exp.RegexpLike(this=x, expression=p)),
    Row("MATCHES", "clickhouse", "spelled match", _calls("match")),
    Row("MATCHES", "mysql", "collations fold case: match bytes", lambda x, p: exp.RegexpLike(this=_binary(x), expression=p)),
    Row("MATCHES", "sqlite", "SQLite has no regular expressions in plain SQL", None),
    Row("MATCHES", "sqlite+", "a function of the engine's", _calls("segkit_matches")),
    Row("MATCHES", "tsql", "SQL Server before 2025 has no regular expressions", None),
    Row("FOLDED", "", "LOWER folds other letters differently on each engine: only A to Z", lambda x: _call("TRANSLATE", x, _text(_UPPER), _text(_LOWER))),
    Row("FOLDED", "sqlite", "LOWER folds A to Z alone", _calls("LOWER")),
    Row("FOLDED", "clickhouse", "lower folds A to Z alone", _calls("lower")),
    Row("FOLDED", "mysql singlestore doris starrocks", "no TRANSLATE", _calls("LOWER")),
    Row("RAISED", "", "UPPER raises other letters differently on each engine: only a to z", lambda x: _call("TRANSLATE", x, _text(_LOWER), _text(_UPPER))),
    Row("RAISED", "sqlite", "UPPER raises a to z alone", _calls("UPPER")),
    Row("RAISED", "clickhouse", "upper raises a to z alone", _calls("upper")),
    Row("RAISED", "mysql singlestore doris starrocks", "no TRANSLATE", _calls("UPPER")),
    Row("LENGTH", "", "in characters", _calls("LENGTH")),
    Row("LENGTH", "mysql singlestore doris starrocks", "LENGTH counts bytes", _calls("CHAR_LENGTH")),
    Row("LENGTH", "clickhouse", "length counts bytes", _calls("lengthUTF8")),
    Row("LENGTH", "tsql", "LEN leaves out spaces at the end", _tsql_length),
    Row("DIGEST", "", "MD5 gives lower-case hex", _md5(_calls("MD5"))),
    Row("DIGEST", "bigquery", "MD5 gives bytes", _md5(lambda x: _call("TO_HEX", _call("MD5", x)))),
    Row("DIGEST", "clickhouse", "MD5 gives bytes, hex writes capitals", _md5(lambda x: _call("lower", _call("hex", _call("MD5", x))))),
    Row("DIGEST", "trino presto athena", "md5 takes and gives bytes", _md5(lambda x: _call("LOWER", _call("TO_HEX", _call("MD5", _call("TO_UTF8", x)))), "varchar")),
    Row("DIGEST", "mysql singlestore doris starrocks", "|| is a logical or, and numbers are cast to CHAR", lambda s, k: _call("SUBSTR", _call("MD5", _call("CONCAT", s, k)), _number(1), _number(8))),
    Row("DIGEST", "snowflake redshift spark databricks", "MD5 gives lower-case hex", _md5(_calls("MD5"), "varchar")),
    Row("DIGEST", "sqlite", "SQLite has no MD5 in plain SQL", None),
    Row("DIGEST", "sqlite+", "a function of the engine's", _md5(_calls("segkit_md5"))),
    Row("DIGEST", "tsql oracle teradata", "no row yet for its digest functions", None),
    Row("BY_CODE_POINT", "", "text is compared by its bytes", lambda x: x),
    Row("BY_CODE_POINT", "postgres redshift", "the database's collation sorts otherwise", lambda x: exp.Collate(this=x, expression=exp.Column(this=exp.Identifier(this="C", quoted=True)))),
    Row("BY_CODE_POINT", "sqlite+", "a column may be declared with COLLATE NOCASE", _sqlite_binary),
    Row("BY_CODE_POINT", "mysql singlestore doris starrocks", "collations fold case", _binary),
    Row("JSON_ANY", "", "standard SQL", _json_value("JSON_QUERY")),
    Row("JSON_ANY", "duckdb", "text, so that a JSON null is NULL", _json_value("JSON_EXTRACT_STRING")),
    Row("JSON_ANY", "postgres", "arrows work on json and jsonb; text, so that a JSON null is NULL", _postgres_json),
    Row("JSON_ANY", "redshift", "a function of keys", _calls("JSON_EXTRACT_PATH_TEXT")),
    Row("JSON_ANY", "snowflake", "cast, so that a JSON null is NULL", lambda own, *steps: _cast(_snowflake_json(own, *steps), "varchar")),
    Row("JSON_ANY", "spark databricks hive", "keys in single quotes", lambda own, *steps: _call("GET_JSON_OBJECT", own, _bracketed_path(steps, "$", "'"))),
    Row("JSON_ANY", "trino presto athena", "keys in double quotes", lambda own, *steps: _call("NULLIF", _call("JSON_FORMAT", _call("JSON_EXTRACT", own, _bracketed_path(steps, "$", '"'))), _text("null"))),
    Row("JSON_ANY", "clickhouse", "JSONExtractString gives '' for what is missing; positions begin at 1", _clickhouse_json),
    Row("JSON_ANY", "mysql", "a JSON null would be the text 'null'", _mysql_json),
    Row("JSON_ANY", "sqlite", "a JSON null is NULL", _json_value("JSON_EXTRACT")),
    Row("JSON_TEXT", "", "standard SQL: NULL for objects and arrays", _json_value("JSON_VALUE")),
    Row("JSON_TEXT", "duckdb", "objects and arrays have a text, too", _scalar(_json_value("JSON_EXTRACT_STRING"), _json_value("JSON_TYPE"), "OBJECT", "ARRAY")),
    Row("JSON_TEXT", "postgres", "objects and arrays have a text, too", _scalar(_postgres_json, _postgres_json_kind, "{", "[")),
    Row("JSON_TEXT", "redshift", "a function of keys", _calls("JSON_EXTRACT_PATH_TEXT")),
    Row("JSON_TEXT", "snowflake", "objects and arrays have a text, too", _scalar(lambda own, *steps: _cast(_snowflake_json(own, *steps), "varchar"), lambda own, *steps: _call("TYPEOF", _snowflake_json(own, *steps)), "OBJECT", "ARRAY")),
    Row("JSON_TEXT", "spark databricks hive", "keys in single quotes", lambda own, *steps: _call("GET_JSON_OBJECT", own, _bracketed_path(steps, "$", "'"))),
    Row("JSON_TEXT", "trino presto athena", "keys in double quotes", lambda own, *steps: _call("JSON_EXTRACT_SCALAR", own, _bracketed_path(steps, "$", '"'))),
    Row("JSON_TEXT", "clickhouse", "objects and arrays have a text, too", _scalar(_clickhouse_json, lambda own, *steps: _call("JSONType", own, *_from_one(steps)), "Object", "Array")),
    Row("JSON_TEXT", "mysql", "objects and arrays have a text, too", _scalar(_mysql_json, lambda own, *steps: _call("JSON_TYPE", _call("JSON_EXTRACT", own, _quoted_path(steps))), "OBJECT", "ARRAY")),
    Row("JSON_TEXT", "sqlite", "booleans come back as 0 and 1", _sqlite_json),
    Row("JSON_NUMBER", "duckdb", "a number, or a text that is nothing but one", _duckdb_number),
    Row("JSON_NUMBER", "sqlite", "no regular expressions: GLOB", _sqlite_number),
    Row("ELEMENT", "", "no row yet for the elements of JSON arrays", None),
    Row("ELEMENT", "duckdb", "what the lambda is about", lambda: exp.Column(this=_identifier("element"))),
    Row("ELEMENT", "sqlite", "JSON_EACH gives texts, not JSON", _sqlite_element),
    Row("ELEMENTS", "", "no row yet for the elements of JSON arrays", None),
    Row("ELEMENTS", "duckdb", "a lambda over the list of elements", _duckdb_elements),
    Row("ELEMENTS", "sqlite", "a query over JSON_EACH", _sqlite_elements),
    Row("KNOWN", "", "NaN equals itself there, and would be greater than anything", lambda x: exp.Nullif(this=x, expression=_cast(_text("NaN"), "double"))),
    Row("KNOWN", "duckdb", "it folds = 'NaN' and ISNAN to false over Parquet, whose statistics hide NaN: ask for what is a number", _finite_or_infinite),
    Row("KNOWN", "bigquery", "NaN equals nothing: test for it", _without_nan("IS_NAN")),
    Row("KNOWN", "trino presto athena", "NaN equals nothing: test for it", _without_nan("IS_NAN")),
    Row("KNOWN", "clickhouse", "NaN equals nothing: test for it", _without_nan("isNaN")),
    Row("KNOWN", "sqlite mysql tsql singlestore doris starrocks", "cannot store NaN", lambda x: x),
    Row("AS_TEXT", "", "text is compared as it is", lambda x: x),
    Row("AS_TEXT", "sqlite+", "a column may be declared with COLLATE NOCASE", _sqlite_binary),
    Row("AS_TIMESTAMP", "", "timestamps are no text", lambda x: x),
    Row("AS_TIMESTAMP", "sqlite", "timestamps are text of any precision: pad them to 26 characters", _sqlite_timestamp),
    Row("AS_INSTANT", "", "timestamps are no text", lambda x: x),
    Row("AS_INSTANT", "sqlite", "instants are text with any offset: in UTC, in 26 characters", _sqlite_instant),
    Row("DATE", "", "a literal", lambda s: _cast(s, "date")),
    Row("DATE", "sqlite", "dates are text", lambda s: s),
    Row("DATE", "clickhouse", "Date begins in 1970, Date32 in 1900", _calls("toDate32")),
    Row("TIMESTAMP", "", "a literal", lambda s: _cast(s, "timestamp")),
    Row("TIMESTAMP", "sqlite", "timestamps are text of 26 characters", _sqlite_literal),
    Row("TIMESTAMP", "snowflake spark databricks", "TIMESTAMP may mean one with zone", lambda s: _cast(s, "timestampntz")),
    Row("TIMESTAMP", "mysql trino", "without a precision fractions are cut off", lambda s: _cast(s, "timestamp(6)")),
    Row("TIMESTAMP", "tsql", "TIMESTAMP is a row version there", lambda s: _cast(s, "datetime2")),
    Row("TIMESTAMP", "clickhouse", "a cast has seconds only, in the session's zone", lambda s: _call("toDateTime64", s, _number(6), _text("UTC"))),
    Row("INSTANT", "", "a literal in UTC", lambda s: _cast(s, "timestamptz")),
    Row("INSTANT", "sqlite", "instants are text of 26 characters in UTC", _sqlite_literal),
    Row("INSTANT", "clickhouse", "a cast has seconds only, in the session's zone", lambda s: _call("toDateTime64", _text(s.this.removesuffix("+00:00")), _number(6), _text("UTC"))),
    Row("ON_WALL", "", "to an instant, then to the wall clock", _at_time_zone),
    Row("ON_WALL", "bigquery", "DATETIME takes a zone", _bigquery_wall),
    Row("ON_WALL", "snowflake", "CONVERT_TIMEZONE", _snowflake_wall),
    Row("ON_WALL", "spark databricks", "FROM_UTC_TIMESTAMP shifts twice outside of UTC", _spark_wall),
    Row("ON_WALL", "sqlite", "SQLite knows no time zones: only UTC works", _sqlite_utc),
    Row("ON_WALL", "sqlite+", "a function of the engine's", _sqlite_on_wall),
    Row("DATE_OF", "", "a cast", lambda x: _cast(x, "date")),
    Row("DATE_OF", "sqlite", "timestamps are text: their beginning (DATE may round up to the next day)", lambda x: _cut(x, 1, 10)),
    Row("DATE_OF", "clickhouse", "Date begins in 1970, Date32 in 1900", _calls("toDate32")),
    Row("MIDNIGHT", "", "a cast", lambda x: _cast(x, "timestamp")),
    Row("MIDNIGHT", "snowflake spark databricks", "TIMESTAMP may mean one with zone", lambda x: _cast(x, "timestampntz")),
    Row("MIDNIGHT", "sqlite", "timestamps are text of 26 characters", lambda x: _joined_texts(x, _text(" 00:00:00.000000"))),
    Row("DAYS", "", "dates subtract", _minus),
    Row("DAYS", "duckdb trino presto athena clickhouse", "DATE_DIFF takes the unit as text, the earlier date first", lambda a, b: _call("DATE_DIFF", _text("day"), b, a)),
    Row("DAYS", "sqlite", "dates are text", lambda a, b: _cast(_minus(_call("JULIANDAY", a), _call("JULIANDAY", b)), "int")),
    Row("DAYS", "bigquery", "DATE_DIFF takes the later date first", lambda a, b: _call("DATE_DIFF", a, b, exp.Var(this="DAY"))),
    Row("DAYS", "snowflake redshift tsql", "DATEDIFF takes the earlier date first", lambda a, b: _call("DATEDIFF", exp.Var(this="DAY"), b, a)),
    Row("DAYS", "spark databricks hive mysql singlestore doris starrocks", "DATEDIFF takes the later date first", _calls("DATEDIFF")),
    Row("WEEKS", "", "rounded down, also before the first", lambda days: exp.Floor(this=exp.Div(this=_cast(days, "double"), expression=_number(7), typed=True))),
    Row("WEEKS", "sqlite", "FLOOR is not in every build: a whole division of what is positive", _sqlite_weeks),
    Row("DATE_PLUS_DAYS", "", "days are added to a date as a number", lambda d, n: exp.Paren(this=exp.Add(this=d, expression=n))),
    Row("DATE_PLUS_DAYS", "sqlite", "dates are text", lambda d, n: _call("DATE", d, _text(f"{n.sql()} days"))),
    Row("DATE_PLUS_DAYS", "mysql spark databricks trino presto athena clickhouse tsql redshift", "a date and a number do not add up: an interval", lambda d, n: _cast(_plus(d, n, "DAY"), "date")),
    Row("DATE_PLUS_MONTHS", "", "an interval clips to the month's end, but makes a timestamp", lambda d, n: _cast(_plus(d, n, "MONTH"), "date")),
    Row("DATE_PLUS_MONTHS", "bigquery", "an interval takes a number there", lambda d, n: _cast(_plus_number(d, n, "MONTH"), "date")),
    Row("DATE_PLUS_MONTHS", "sqlite", "DATE does not clip to the month's end", _sqlite_month_later),
    Row("TIME_PLUS_MINUTES", "", "an interval of minutes is exact", lambda t, n: _plus(t, n, "MINUTE")),
    Row("TIME_PLUS_MINUTES", "bigquery", "an interval takes a number there", lambda t, n: _plus_number(t, n, "MINUTE")),
    Row("TIME_PLUS_MINUTES", "sqlite", "STRFTIME cuts off the fraction of the second: put it back", _sqlite_minutes_later),
    Row("TIME_PLUS_MONTHS", "", "an interval clips to the month's end", lambda t, n: _plus(t, n, "MONTH")),
    Row("TIME_PLUS_MONTHS", "bigquery", "an interval takes a number there", lambda t, n: _plus_number(t, n, "MONTH")),
    Row("TIME_PLUS_MONTHS", "sqlite", "DATE does not clip to the month's end, nor keep the time", _sqlite_months_later),
    Row("PART_YEAR", "", "EXTRACT", _extract("YEAR")),
    Row("PART_YEAR", "sqlite", "dates are text: these characters", _sqlite_part(1, 4)),
    Row("PART_QUARTER", "", "EXTRACT", _extract("QUARTER")),
    Row("PART_QUARTER", "sqlite", "dates are text", _sqlite_quarter),
    Row("PART_MONTH", "", "EXTRACT", _extract("MONTH")),
    Row("PART_MONTH", "sqlite", "dates are text: these characters", _sqlite_part(6, 2)),
    Row("PART_DAY", "", "EXTRACT", _extract("DAY")),
    Row("PART_DAY", "sqlite", "dates are text: these characters", _sqlite_part(9, 2)),
    Row("PART_HOUR", "", "EXTRACT", _extract("HOUR")),
    Row("PART_HOUR", "sqlite", "dates are text: these characters", _sqlite_part(12, 2)),
    Row("PART_WEEK", "", "EXTRACT gives the ISO week", _extract("WEEK")),
    Row("PART_WEEK", "bigquery", "WEEK begins on Sunday", _extract("ISOWEEK")),
    Row("PART_WEEK", "snowflake", "WEEK follows a session parameter", _calls("WEEKISO")),
    Row("PART_WEEK", "mysql", "WEEK follows a session parameter", lambda at: _call("WEEK", at, _number(3))),
    Row("PART_WEEK", "sqlite", "SQLite before 3.46 has no ISO week: that of its Thursday", _sqlite_week),
    Row("PART_WEEK", "tsql", "WEEK follows a session parameter", _extract("ISO_WEEK")),
    Row("PART_WEEKDAY", "", "EXTRACT, Monday is 1", _extract("ISODOW")),
    Row("PART_WEEKDAY", "bigquery", "Sunday is 1", lambda at: _from_sunday(_extract("DAYOFWEEK")(at), 5)),
    Row("PART_WEEKDAY", "snowflake", "DAYOFWEEK follows a session parameter", _calls("DAYOFWEEKISO")),
    Row("PART_WEEKDAY", "sqlite", "Sunday is 0", lambda at: _from_sunday(_strftime("%w")(_cut(at, 1, 10)), 6)),
    Row("PART_WEEKDAY", "spark databricks mysql", "Monday is 0", lambda at: exp.Paren(this=exp.Add(this=_call("WEEKDAY", at), expression=_number(1)))),
    Row("PART_WEEKDAY", "trino presto athena", "a function", _calls("DAY_OF_WEEK")),
    Row("PART_WEEKDAY", "clickhouse", "a function", _calls("toDayOfWeek")),
)  # fmt: skip

_TABLE: dict[tuple[str, str], Row] = {
    (f"SEGKIT_{row.marker}", dialect): row for row in ROWS for dialect in row.dialects.split() or [""]
}
