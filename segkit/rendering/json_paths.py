"""What a path inside JSON leads to."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import reduce

from sqlglot import exp

from segkit import patterns
from segkit.errors import DialectError
from segkit.rendering.forms import PLAIN_NUMBER, TYPES, call, cast, equal, in_bytes, number, positive, quoted_path, string
from segkit.rendering.row import Row, Sql


def _bracketed_path(steps: tuple[Sql, ...], root: str, quote: str) -> exp.Literal:
    parts = (f"[{quote}{step.this}{quote}]" if step.is_string else f"[{step.this}]" for step in steps)
    return string(root + "".join(parts))


def _json_value(function: str) -> Callable[..., Sql]:
    return lambda own, *steps: call(function, own, quoted_path(steps))


def _scalar(any_form: Callable[..., Sql], kind_of: Callable[..., Sql], *containers: str) -> Callable[..., Sql]:
    """The text of what a path leads to, where its kind is not that of an object or array."""

    def write(own: Sql, *steps: Sql) -> Sql:
        kind = kind_of(own.copy(), *(step.copy() for step in steps))
        is_container = exp.In(this=kind, expressions=[string(name) for name in containers])
        return exp.Case(ifs=[exp.If(this=exp.Not(this=exp.Paren(this=is_container)), true=any_form(own, *steps))])

    return write


def _postgres_json(own: Sql, *steps: Sql) -> Sql:
    """The text of what a path leads to: a chain of arrows, which works on json and jsonb."""
    if steps and all(step.is_string for step in steps):
        *above, last = steps
        return exp.Paren(this=exp.JSONExtractScalar(this=_arrows(own, above), expression=last, only_json_types=True))
    return exp.Paren(this=exp.JSONBExtractScalar(this=postgres_part(own, *steps), expression=string("{}")))


def postgres_part(own: Sql, *steps: Sql) -> Sql:
    """What a path leads to. An arrow with a number takes a text for a list of one: positions are those of a strict path."""
    if all(step.is_string for step in steps):
        return _arrows(own, steps)
    path = "".join(f".{json.dumps(step.this, ensure_ascii=False)}" if step.is_string else f"[{step.this}]" for step in steps)
    document = cast(own, "jsonb")
    return call("JSONB_PATH_QUERY_FIRST", document, string(f"strict ${path}"), string("{}"), exp.Boolean(this=True))


def _arrows(own: Sql, steps: Sequence[Sql]) -> Sql:
    for step in steps:
        own = exp.JSONExtract(this=own, expression=step, only_json_types=True)
    return own


def postgres_kind(own: Sql, *steps: Sql) -> Sql:
    """The first character of the JSON: jsonb_typeof does not take json."""
    return call("LEFT", cast(exp.Paren(this=postgres_part(own, *steps)), "text"), number(1))


def _postgres_number(own: Sql, *steps: Sql) -> Sql:
    """A number, or a text that is nothing but one."""
    text = _postgres_json(own, *steps)
    begins = postgres_kind(own.copy(), *(step.copy() for step in steps))
    is_number = exp.In(this=begins, expressions=[string(character) for character in "-0123456789"])
    looks_so = exp.RegexpLike(this=text, expression=string(PLAIN_NUMBER))
    return exp.Case(ifs=[exp.If(this=exp.Or(this=is_number, expression=looks_so), true=cast(text.copy(), "double"))])


def _clickhouse_json(own: Sql, *steps: Sql) -> Sql:
    return in_arrays(clickhouse_kind, "Array", own, steps, call("JSONExtract", own, *from_one(steps), string("Nullable(String)")))


def clickhouse_kind(own: Sql, *steps: Sql) -> Sql:
    return call("JSONType", own, *from_one(steps))


def in_arrays(kind_of: Callable[..., Sql], array: str, own: Sql, steps: Sequence[Sql], found: Sql) -> Sql:
    """What is found on a path, where each position is one in an array: of an object, or a single value, some engines count, too."""
    before = [steps[:i] for i, step in enumerate(steps) if not step.is_string]
    for path in reversed(before):
        is_array = equal(kind_of(own.copy(), *(step.copy() for step in path)), string(array))
        found = exp.Case(ifs=[exp.If(this=is_array, true=found)])
    return found


def from_one(steps: Sequence[Sql]) -> list[Sql]:
    return [step if step.is_string else number(int(step.this) + 1) for step in steps]


def _snowflake_json(own: Sql, *steps: Sql) -> Sql:
    return call("GET_PATH", own, _bracketed_path(steps, "", '"'))


def _snowflake_text(own: Sql, *steps: Sql) -> Sql:
    return _scalar(_snowflake_any, _snowflake_kind, "OBJECT", "ARRAY")(own, *steps)


def _snowflake_any(own: Sql, *steps: Sql) -> Sql:
    return cast(_snowflake_json(own, *steps), "varchar")


def _snowflake_kind(own: Sql, *steps: Sql) -> Sql:
    return call("TYPEOF", _snowflake_json(own, *steps))


def _snowflake_number(own: Sql, *steps: Sql) -> Sql:
    """A number, or a text that is nothing but one. TRY_CAST takes texts alone."""
    text = _snowflake_text(own, *steps)
    kind = _snowflake_kind(own.copy(), *(step.copy() for step in steps))
    is_number = exp.In(this=kind, expressions=[string(name) for name in ("INTEGER", "DECIMAL", "DOUBLE")])
    looks_so = positive(call("REGEXP_INSTR", text, string(PLAIN_NUMBER)))
    value = exp.TryCast(this=text.copy(), to=TYPES["double"].copy())
    return exp.Case(ifs=[exp.If(this=exp.Or(this=is_number, expression=looks_so), true=value)])


def _trino_any(own: Sql, *steps: Sql) -> Sql:
    return _trino_positions(call("NULLIF", _trino_json(own, *steps), string("null")), own, steps)


def _trino_json(own: Sql, *steps: Sql) -> Sql:
    """What a path leads to, as JSON: a text in its quotes."""
    return call("JSON_FORMAT", call("JSON_EXTRACT", own, _bracketed_path(steps, "$", '"')))


def _trino_scalar(own: Sql, *steps: Sql) -> Sql:
    return call("JSON_EXTRACT_SCALAR", own, _bracketed_path(steps, "$", '"'))


def _trino_text(own: Sql, *steps: Sql) -> Sql:
    return _trino_positions(_trino_scalar(own, *steps), own, steps)


def _trino_number(own: Sql, *steps: Sql) -> Sql:
    """A number, whose JSON is without quotes, or a text that is nothing but one."""
    text = _trino_scalar(own, *steps)
    is_number = call("REGEXP_LIKE", _trino_json(own.copy(), *(step.copy() for step in steps)), string("^[-0-9]"))
    looks_so = call("REGEXP_LIKE", text, string(patterns.perl(PLAIN_NUMBER)))
    value = exp.TryCast(this=text.copy(), to=TYPES["double"].copy())
    found = exp.Case(ifs=[exp.If(this=exp.Or(this=is_number, expression=looks_so), true=value)])
    return _trino_positions(found, own, steps)


def _trino_positions(found: Sql, own: Sql, steps: Sequence[Sql]) -> Sql:
    """Positions in arrays and keys in objects alone: Trino takes a position for a key of digits, and the other way round."""
    tests: list[Sql] = []
    for i, step in enumerate(steps):
        if not step.is_string or step.this.isdigit():
            begins = call("SUBSTR", _trino_json(own.copy(), *(above.copy() for above in steps[:i])), number(1), number(1))
            tests.append(equal(begins, string("{" if step.is_string else "[")))
    return reduce(_when, reversed(tests), found)


def _oracle_any(own: Sql, *steps: Sql) -> Sql:
    return _oracle_strict(call("NULLIF", _oracle_kind(own, steps), string("null")), own, steps)


def _oracle_kind(own: Sql, steps: Sequence[Sql]) -> Sql:
    return call("JSON_VALUE", own, string(f"{quoted_path(tuple(steps)).this}.type()"))


def _oracle_text(own: Sql, *steps: Sql) -> Sql:
    return _oracle_strict(_json_value("JSON_VALUE")(own, *steps), own, steps)


def _oracle_strict(found: Sql, own: Sql, steps: Sequence[Sql]) -> Sql:
    """Positions in arrays and keys in objects alone: Oracle takes a value for an array of one, and looks for keys in all objects
    of an array."""
    tests = []
    for i, step in enumerate(steps):
        tests.append(equal(_oracle_kind(own.copy(), steps[:i]), string("object" if step.is_string else "array")))
    return reduce(_when, reversed(tests), found)


def spark_text(own: Sql, *steps: Sql) -> Sql:
    """What a path leads to as text: a text without its quotes, everything else as JSON."""
    return call("GET_JSON_OBJECT", own, string("$" + "".join(map(_spark_step, steps))))


def _spark_step(step: Sql) -> str:
    """A step of a path. No quote or question mark stands in brackets, no dot or bracket without them."""
    key = str(step.this)
    if not step.is_string:
        return f"[{key}]"
    if not set(key) & set("'?"):
        return f"['{key}']"
    if set(key) & set(".["):
        raise DialectError(f"spark: no path leads to the key {key!r:.80}", fix="name the value by a column of its own")
    return f".{key}"


def spark_kind(own: Sql, *steps: Sql) -> Sql:
    """The kind of what a path leads to, as `STRING`, `VOID`, `OBJECT<...>`, `ARRAY<...>`: its first five letters."""
    part = call("TRY_VARIANT_GET", call("TRY_PARSE_JSON", own), spark_text(own, *steps).expressions[1], string("variant"))
    return call("LEFT", call("SCHEMA_OF_VARIANT", part), number(5))


def _spark_number(own: Sql, *steps: Sql) -> Sql:
    """A number, or a text that is nothing but one."""
    text = spark_text(own, *steps)
    kind = spark_kind(own.copy(), *(step.copy() for step in steps))
    is_number = exp.In(this=kind, expressions=[string(name) for name in ("BIGIN", "DECIM", "DOUBL")])
    looks_so = exp.RegexpLike(this=text, expression=string(patterns.perl(PLAIN_NUMBER)))
    return exp.Case(ifs=[exp.If(this=exp.Or(this=is_number, expression=looks_so), true=cast(text.copy(), "double"))])


def _spark_any(own: Sql, *steps: Sql) -> Sql:
    return call("TRY_VARIANT_GET", call("TRY_PARSE_JSON", own), spark_text(own, *steps).expressions[1], string("string"))


def _mysql_json(own: Sql, *steps: Sql) -> Sql:
    found = mysql_found(own, *steps)
    is_known = exp.NEQ(this=call("JSON_TYPE", found), expression=string("NULL"))
    text = exp.Case(ifs=[exp.If(this=is_known, true=in_bytes(call("JSON_UNQUOTE", found.copy())))])
    return in_arrays(mysql_kind, "ARRAY", own, steps, text)


def mysql_found(own: Sql, *steps: Sql) -> Sql:
    return call("JSON_EXTRACT", own, quoted_path(steps))


def mysql_kind(own: Sql, *steps: Sql) -> Sql:
    return call("JSON_TYPE", mysql_found(own, *steps))


def _mysql_number(own: Sql, *steps: Sql) -> Sql:
    text = call("JSON_UNQUOTE", mysql_found(own.copy(), *steps))
    kinds = [string(kind) for kind in ("INTEGER", "UNSIGNED INTEGER", "DECIMAL", "DOUBLE")]
    is_number = exp.In(this=mysql_kind(own.copy(), *(step.copy() for step in steps)), expressions=kinds)
    looks_so = positive(call("REGEXP_INSTR", text.copy(), string(patterns.spelled_out(PLAIN_NUMBER))))
    value = exp.Case(ifs=[exp.If(this=exp.Or(this=is_number, expression=looks_so), true=cast(text, "double"))])
    return in_arrays(mysql_kind, "ARRAY", own, steps, value)


def _sqlite_json(own: Sql, *steps: Sql) -> Sql:
    """Booleans come back as 0 and 1 there: their type says which."""
    path = quoted_path(steps)
    truths = [exp.If(this=string(name), true=string(name)) for name in ("true", "false")]
    nothing = [exp.If(this=string(name), true=exp.Null()) for name in ("object", "array")]
    found = cast(call("JSON_EXTRACT", own.copy(), path.copy()), "text")
    return exp.Case(this=call("JSON_TYPE", own, path), ifs=[*truths, *nothing], default=found)


def _duckdb_number(own: Sql, *steps: Sql) -> Sql:
    path = quoted_path(steps)
    text = call("JSON_EXTRACT_STRING", own, path)
    kinds = [string(kind) for kind in ("UBIGINT", "BIGINT", "DOUBLE", "HUGEINT", "UHUGEINT")]
    is_number = exp.In(this=call("JSON_TYPE", own.copy(), path.copy()), expressions=kinds)
    looks_so = call("REGEXP_MATCHES", text.copy(), string(PLAIN_NUMBER))
    return exp.Case(ifs=[exp.If(this=exp.Or(this=is_number, expression=looks_so), true=cast(text, "double"))])


def _sqlite_number(own: Sql, *steps: Sql) -> Sql:
    """A number, or a text that is nothing but one: SQLite's own cast takes any beginning of a text."""
    path = quoted_path(steps)
    found = call("JSON_EXTRACT", own.copy(), path)
    converted = cast(found, "double")
    digits = call("LTRIM", found.copy(), string("-"))
    tests: list[Sql] = [
        exp.Glob(this=digits, expression=string("[0-9]*")),
        exp.Glob(this=digits.copy(), expression=string("*[0-9]")),
        exp.Not(this=exp.Paren(this=exp.Glob(this=digits.copy(), expression=string("*[^0-9.]*")))),
        exp.LTE(this=exp.Sub(this=call("LENGTH", found.copy()), expression=call("LENGTH", digits.copy())), expression=number(1)),
        exp.LTE(
            this=exp.Sub(
                this=call("LENGTH", digits.copy()),
                expression=call("LENGTH", call("REPLACE", digits.copy(), string("."), string(""))),
            ),
            expression=number(1),
        ),
    ]
    is_plain = tests[0]
    for test in tests[1:]:
        is_plain = exp.And(this=is_plain, expression=test)
    text = exp.Case(ifs=[exp.If(this=is_plain, true=converted.copy())])
    kinds = [exp.If(this=string(kind), true=converted.copy()) for kind in ("integer", "real")]
    return exp.Case(this=call("JSON_TYPE", own, path.copy()), ifs=[*kinds, exp.If(this=string("text"), true=text)])


def positions_checked(found: Sql, own: Sql, steps: tuple[Sql, ...]) -> Sql:
    """What BigQuery finds, but only by positions in arrays and keys in objects: it takes a position for a key of digits."""
    tests: list[Sql] = []
    for i, step in enumerate(steps):
        if step.is_string and not step.this.isdigit():
            continue
        nothing: Sql = exp.Is(this=call("JSON_QUERY_ARRAY", own.copy(), quoted_path(steps[:i])), expression=exp.Null())
        tests.append(nothing if step.is_string else exp.Not(this=exp.Paren(this=nothing)))
    return reduce(_when, reversed(tests), found)


def _when(found: Sql, test: Sql) -> Sql:
    return exp.Case(ifs=[exp.If(this=test, true=found)])


def _bigquery_text(own: Sql, *steps: Sql) -> Sql:
    return positions_checked(_json_value("JSON_VALUE")(own, *steps), own, steps)


def _bigquery_any(own: Sql, *steps: Sql) -> Sql:
    as_text = call("TO_JSON_STRING", _json_value("JSON_QUERY")(own, *steps))
    return positions_checked(call("NULLIF", as_text, string("null")), own, steps)


ROWS = (
    Row("JSON_ANY", "", "standard SQL", _json_value("JSON_QUERY")),
    Row("JSON_ANY", "bigquery", "a JSON null is a value there", _bigquery_any),
    Row("JSON_ANY", "datafusion", "DataFusion has no JSON functions", None),
    Row("JSON_ANY", "duckdb", "text, so that a JSON null is NULL", _json_value("JSON_EXTRACT_STRING")),
    Row("JSON_ANY", "postgres", "arrows work on json and jsonb; text, so that a JSON null is NULL", _postgres_json),
    Row("JSON_ANY", "redshift", "JSON_EXTRACT_PATH_TEXT gives no other answer for what is missing, null or empty", None),
    Row("JSON_ANY", "tsql", "JSON_QUERY gives objects and arrays, JSON_VALUE all else", lambda own, *steps: exp.Coalesce(this=_json_value("JSON_QUERY")(own, *steps), expressions=[_json_value("JSON_VALUE")(own.copy(), *(step.copy() for step in steps))])),
    Row("JSON_ANY", "oracle", "JSON_QUERY gives JSON or at most 4000 bytes: the kind of what is there; paths are lax", _oracle_any),
    Row("JSON_ANY", "snowflake", "cast, so that a JSON null is NULL", _snowflake_any),
    Row("JSON_ANY", "spark databricks", "a JSON null in an array would be the text 'null'", _spark_any),
    Row("JSON_ANY", "hive spark2", "keys in single quotes", lambda own, *steps: call("GET_JSON_OBJECT", own, _bracketed_path(steps, "$", "'"))),
    Row("JSON_ANY", "trino presto athena", "keys in double quotes; a position is also taken for a key of digits", _trino_any),
    Row("JSON_ANY", "clickhouse", "JSONExtractString gives '' for what is missing; positions begin at 1", _clickhouse_json),
    Row("JSON_ANY", "mysql", "a JSON null would be the text 'null'", _mysql_json),
    Row("JSON_ANY", "sqlite", "a JSON null is NULL", _json_value("JSON_EXTRACT")),
    Row("JSON_TEXT", "", "standard SQL: NULL for objects and arrays", _json_value("JSON_VALUE")),
    Row("JSON_TEXT", "bigquery", "a position is also taken for a key of digits", _bigquery_text),
    Row("JSON_TEXT", "datafusion", "DataFusion has no JSON functions", None),
    Row("JSON_TEXT", "duckdb", "objects and arrays have a text, too", _scalar(_json_value("JSON_EXTRACT_STRING"), _json_value("JSON_TYPE"), "OBJECT", "ARRAY")),
    Row("JSON_TEXT", "postgres", "objects and arrays have a text, too", _scalar(_postgres_json, postgres_kind, "{", "[")),
    Row("JSON_TEXT", "redshift", "JSON_EXTRACT_PATH_TEXT gives no other answer for what is missing, null or empty", None),
    Row("JSON_TEXT", "snowflake", "objects and arrays have a text, too", _snowflake_text),
    Row("JSON_TEXT", "spark databricks", "objects, arrays and a null in an array have a text, too", _scalar(spark_text, spark_kind, "OBJEC", "ARRAY", "VOID")),
    Row("JSON_TEXT", "hive spark2", "keys in single quotes", lambda own, *steps: call("GET_JSON_OBJECT", own, _bracketed_path(steps, "$", "'"))),
    Row("JSON_TEXT", "trino presto athena", "keys in double quotes; a position is also taken for a key of digits", _trino_text),
    Row("JSON_TEXT", "oracle", "paths are lax", _oracle_text),
    Row("JSON_TEXT", "tsql", "collations fold case", lambda own, *steps: exp.Collate(this=_json_value("JSON_VALUE")(own, *steps), expression=exp.Var(this="Latin1_General_100_BIN2"))),
    Row("JSON_TEXT", "sqlite", "booleans come back as 0 and 1", _sqlite_json),
    Row("JSON_NUMBER", "duckdb", "a number, or a text that is nothing but one", _duckdb_number),
    Row("JSON_NUMBER", "postgres", "json keeps 1e3 as it was written: a number by its first character", _postgres_number),
    Row("JSON_NUMBER", "spark databricks", "1e300 comes back as 1.0E300: a number by its kind", _spark_number),
    Row("JSON_NUMBER", "snowflake", "a number with an exponent may come back with one: a number by its kind", _snowflake_number),
    Row("JSON_NUMBER", "trino presto athena", "a number with an exponent may come back with one: a number by its JSON", _trino_number),
    Row("JSON_NUMBER", "oracle", "TO_NUMBER follows the session's decimal sign", None),
    Row("JSON_TEXT", "clickhouse", "objects and arrays have a text, too", _scalar(_clickhouse_json, clickhouse_kind, "Object", "Array")),
    Row("JSON_TEXT", "mysql", "objects and arrays have a text, too", _scalar(_mysql_json, mysql_kind, "OBJECT", "ARRAY")),
    Row("JSON_NUMBER", "mysql", "a cast takes any beginning of a text for a number", _mysql_number),
    Row("JSON_NUMBER", "sqlite", "no regular expressions: GLOB", _sqlite_number),
)  # fmt: skip
