"""Looking for, comparing and changing texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from sqlglot import exp

from segkit import patterns
from segkit.errors import DefinitionError, DialectError
from segkit.rendering.forms import (
    binary,
    call,
    calls,
    cast,
    characters,
    equal,
    identifier,
    in_bytes,
    in_charset,
    length,
    minus,
    number,
    positive,
    string,
)
from segkit.rendering.row import Row, Sql

_UPPER, _LOWER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"


def _tsql_units(text: Sql) -> Sql:
    """How many units of UTF-16 a text has, by which LEFT and RIGHT cut; LEN leaves out spaces at the end."""
    if isinstance(text, exp.Literal):
        return number(len(text.this.encode("utf-16-le")) // 2)
    return minus(call("LEN", exp.Add(this=text.copy(), expression=string("."))), number(1))


def _tsql_characters(text: Sql) -> Sql:
    """An emoji is two units of UTF-16, but one character where the collation says so."""
    own = text.this if isinstance(text, exp.Collate) else text
    return _tsql_units(exp.Collate(this=own, expression=exp.Var(this="Latin1_General_100_CI_AS_SC")))


def _edge_of_bytes(side: str) -> Callable[[Sql, Sql], Sql]:
    """The beginning (LEFT) or end (RIGHT) of a text, compared and counted in bytes."""

    def write(own: Sql, text: Sql) -> Sql:
        size = number(len(text.this.encode())) if isinstance(text, exp.Literal) else call("LENGTH", in_bytes(text.copy()))
        return equal(call(side, in_bytes(own), size), in_bytes(text))

    return write


_POSTGRES_OUTSIDE = {".": r"[^\n]", r"\s": r"[\t\n\f\r ]", r"\S": r"[^\t\n\f\r ]"}
_POSTGRES_MOST = 255


def _postgres_matches(own: Sql, pattern: Sql) -> Sql:
    text = str(pattern.this)
    if any(int(number) > _POSTGRES_MOST for number in re.findall(r"\{(?:\d*,)?(\d+)\}", text)):
        raise DialectError(f"postgres: {text!r:.80} repeats more than {_POSTGRES_MOST} times", fix="repeat less often")
    tokens = (
        (r"\t\n\f\r " if token == r"\s" else token) if inside else _POSTGRES_OUTSIDE.get(token, token)
        for token, inside in patterns.tokens(text)
    )
    return exp.RegexpLike(this=_in_c(own), expression=string("".join(tokens)))


def _in_c(text: Sql) -> Sql:
    return exp.Collate(this=text, expression=exp.Column(this=identifier("C")))


def _tsql_binary(text: Sql) -> Sql:
    return exp.Collate(this=text, expression=exp.Var(this="Latin1_General_100_BIN2"))


def tsql_text(text: Sql) -> Sql:
    """In UTF-16, compared by its bits: a collation alone would move it into its own code page, which lacks letters."""
    return _tsql_binary(cast(text, "nvarchar(max)"))


def unpadded(tree: exp.Expression) -> None:
    """Texts beside each other with a point at their ends: SQL Server leaves out spaces there where it looks for what is equal."""
    for node in list(tree.find_all(exp.EQ, exp.NEQ, exp.In, exp.Distinct)):
        sides = [side for side in (node.args.get("this"), node.args.get("expression"), *node.expressions) if side is not None]
        if not node.args.get("query") and any(map(_is_tsql_text, sides)):
            for side in sides:
                side.replace(pointed(side.copy()))


def pointed(text: Sql) -> Sql:
    """A text with a point at its end."""
    if isinstance(text, exp.Literal):
        return string(f"{text.this}.")
    return exp.Add(this=text, expression=string("."))


def _is_tsql_text(node: Sql) -> bool:
    match node:
        case exp.Literal():
            return bool(node.is_string)
        case exp.Coalesce():
            return _is_tsql_text(node.this)
        case exp.Anonymous():
            return node.this in ("TRANSLATE", "LEFT", "RIGHT")
    return isinstance(node, exp.Collate)


def national(tree: exp.Expression) -> None:
    """Texts beyond ASCII as `N'...'`: SQL Server writes question marks for what its code page has not."""
    for literal in list(tree.find_all(exp.Literal)):
        if literal.is_string and not literal.this.isascii():
            literal.replace(exp.National(this=literal.this))


def unsubstituted(sql: str, names: Iterable[str]) -> str:
    """SQL in which Spark finds no `${variable}` to put a setting or an environment variable in the place of.

    It looks for them before it reads any SQL, also inside of literals, where an octal escape stands for the dollar.

    Raises:
        DialectError: a name holds one, and knows no escapes.
    """
    if "${" not in sql:
        return sql
    for name in names:
        if "${" in name:
            raise DialectError(f"spark: it puts a setting in the place of {name!r:.80}", fix="rename it in a view")
    return sql.replace("${", "\\044{")


_ORACLE_LONGEST = 512


def _oracle_matches(own: Sql, pattern: Sql) -> Sql:
    written = _in_posix("oracle", pattern)
    if len(written.encode()) > _ORACLE_LONGEST:
        raise DialectError(f"oracle: {written!r:.80} is longer than {_ORACLE_LONGEST} bytes", fix="use a shorter pattern")
    return call("REGEXP_LIKE", own, string(written)) if written else _is_known(own)


def _snowflake_matches(own: Sql, pattern: Sql) -> Sql:
    written = _in_posix("snowflake", pattern)
    return _found(own, pattern, call("REGEXP_INSTR", own, string(written))) if written else _is_known(own)


def _redshift_matches(own: Sql, pattern: Sql) -> Sql:
    if not pattern.this:
        return _is_known(own)
    written = string(patterns.perl(str(pattern.this)))
    return _found(own, pattern, call("REGEXP_INSTR", own, written, number(1), number(1), number(0), string("p")))


def _in_posix(dialect: str, pattern: Sql) -> str:
    try:
        return patterns.posix(str(pattern.this))
    except DefinitionError as error:
        raise DialectError(f"{dialect}: {error.what}", fix=error.fix) from None


def _is_known(own: Sql) -> Sql:
    return exp.Not(this=exp.Paren(this=exp.Is(this=own, expression=exp.Null())))


def _found(own: Sql, pattern: Sql, position: Sql) -> Sql:
    """A position above 0; an empty text has none, even for what matches it."""
    if not patterns.python(str(pattern.this)).search(""):
        return positive(position)
    is_empty = equal(call("LENGTH", own.copy()), number(0))
    return exp.Paren(this=exp.Or(this=positive(position), expression=is_empty))


def _in_ascii(function: str) -> Callable[[Sql], Sql]:
    """LOWER or UPPER of bytes that are taken for Hebrew, which has no letters with case but those of ASCII."""

    def folded(text: Sql) -> Sql:
        is_converted = isinstance(text, exp.Literal) and not text.this.isascii()
        return binary(call(function, in_charset(binary(text) if is_converted else in_bytes(text), "hebrew")))

    return folded


def _mysql_matches(text: Sql, pattern: Sql) -> Sql:
    in_code_points = exp.Collate(this=characters(text), expression=exp.Var(this="utf8mb4_bin"))
    return positive(call("REGEXP_INSTR", in_code_points, string(patterns.spelled_out(pattern.this))))


def _sqlite_binary(text: Sql) -> Sql:
    return exp.Collate(this=text, expression=exp.Var(this="BINARY"))


ROWS = (
    Row("CONTAINS", "", "a position, never LIKE: no wildcard leaks, no case folds", lambda x, s: positive(call("STRPOS", x, s))),
    Row("CONTAINS", "sqlite spark spark2 databricks hive oracle teradata", "its position function is INSTR", lambda x, s: positive(call("INSTR", x, s))),
    Row("CONTAINS", "snowflake", "has CONTAINS, case-sensitive", calls("CONTAINS")),
    Row("CONTAINS", "mysql singlestore doris starrocks", "collations fold case: compare bytes", lambda x, s: positive(call("LOCATE", in_bytes(s), in_bytes(x)))),
    Row("CONTAINS", "clickhouse", "its position function takes the text first", lambda x, s: positive(call("position", x, s))),
    Row("CONTAINS", "tsql", "its position function is CHARINDEX", lambda x, s: positive(call("CHARINDEX", s, x))),
    Row("STARTS_WITH", "", "a function, never LIKE", calls("STARTS_WITH")),
    Row("STARTS_WITH", "snowflake spark databricks", "spelled without underscore", calls("STARTSWITH")),
    Row("STARTS_WITH", "sqlite oracle", "no such function: compare the beginning", lambda x, s: equal(call("SUBSTR", x, number(1), length(s)), s)),
    Row("STARTS_WITH", "redshift", "no such function: compare the beginning", lambda x, s: equal(call("LEFT", x, length(s)), s)),
    Row("STARTS_WITH", "tsql", "no such function: compare the beginning", lambda x, s: equal(call("LEFT", x, _tsql_units(s)), s)),
    Row("STARTS_WITH", "mysql singlestore doris starrocks", "no such function, and collations fold case", _edge_of_bytes("LEFT")),
    Row("STARTS_WITH", "clickhouse", "camel case", calls("startsWith")),
    Row("ENDS_WITH", "", "a function, never LIKE", calls("ENDS_WITH")),
    Row("ENDS_WITH", "snowflake spark databricks", "spelled without underscore", calls("ENDSWITH")),
    Row("ENDS_WITH", "postgres redshift", "no such function: compare the end", lambda x, s: equal(call("RIGHT", x, length(s)), s)),
    Row("ENDS_WITH", "tsql", "no such function: compare the end", lambda x, s: equal(call("RIGHT", x, _tsql_units(s)), s)),
    Row("ENDS_WITH", "sqlite oracle trino presto athena", "no such function: compare the end", lambda x, s: equal(call("SUBSTR", x, exp.Neg(this=length(s))), s)),
    Row("ENDS_WITH", "mysql singlestore doris starrocks", "no such function, and collations fold case", _edge_of_bytes("RIGHT")),
    Row("ENDS_WITH", "clickhouse", "camel case", calls("endsWith")),
    Row("MATCHES", "", "an unanchored search", calls("REGEXP_LIKE")),
    Row("MATCHES", "duckdb", "REGEXP_MATCHES searches, REGEXP_FULL_MATCH does not", calls("REGEXP_MATCHES")),
    Row("MATCHES", "postgres", "classes follow the collation, . and \\s hold other characters, and 255 repetitions are the most", _postgres_matches),
    Row("MATCHES", "redshift", "its operator is POSIX; p asks for Perl's kind, and an empty text has no position", _redshift_matches),
    Row("MATCHES", "trino presto athena", "Java's: $ also stands before a last line break", lambda x, p: call("REGEXP_LIKE", x, string(patterns.perl(str(p.this))))),
    Row("MATCHES", "oracle", "POSIX: no (?:groups), and classes hold no escapes; nobody says that \\d \\w \\s are ASCII", _oracle_matches),
    Row("MATCHES", "datafusion", "its classes hold the digits and letters of every script", lambda x, p: call("REGEXP_LIKE", x, string(patterns.spelled_out(p.this)))),
    Row("MATCHES", "bigquery", "REGEXP_CONTAINS searches", calls("REGEXP_CONTAINS")),
    Row("MATCHES", "snowflake", "REGEXP_LIKE matches the whole text: look for a position; POSIX, and an empty pattern matches nothing", _snowflake_matches),
    Row("MATCHES", "spark databricks hive", "Java's: $ also stands before a last line break, . stops at more of them", lambda x, p: exp.RegexpLike(this=x, expression=string(patterns.perl(str(p.this))))),
    Row("MATCHES", "clickhouse", "spelled match, and a dot would be a line break, too", lambda x, p: call("match", x, string(f"(?-s){p.this}"))),
    Row("MATCHES", "mysql", "collations fold case, \\d \\w \\s hold more than ASCII, $ matches before a line break; MariaDB has no REGEXP_LIKE", _mysql_matches),
    Row("MATCHES", "sqlite", "SQLite has no regular expressions in plain SQL", None),
    Row("MATCHES", "sqlite+", "a function of the engine's", calls("segkit_matches")),
    Row("MATCHES", "tsql", "SQL Server before 2025 has no regular expressions", None),
    Row("FOLDED", "", "LOWER folds other letters differently on each engine: only A to Z", lambda x: call("TRANSLATE", x, string(_UPPER), string(_LOWER))),
    Row("FOLDED", "sqlite", "LOWER folds A to Z alone", calls("LOWER")),
    Row("FOLDED", "clickhouse", "lower folds A to Z alone", calls("lower")),
    Row("FOLDED", "mysql", "no TRANSLATE, and LOWER folds other letters, too", _in_ascii("LOWER")),
    Row("FOLDED", "singlestore doris starrocks", "no TRANSLATE", calls("LOWER")),
    Row("RAISED", "", "UPPER raises other letters differently on each engine: only a to z", lambda x: call("TRANSLATE", x, string(_LOWER), string(_UPPER))),
    Row("RAISED", "sqlite", "UPPER raises a to z alone", calls("UPPER")),
    Row("RAISED", "clickhouse", "upper raises a to z alone", calls("upper")),
    Row("RAISED", "mysql", "no TRANSLATE, and UPPER raises other letters, too", _in_ascii("UPPER")),
    Row("RAISED", "singlestore doris starrocks", "no TRANSLATE", calls("UPPER")),
    Row("LENGTH", "", "in characters", calls("LENGTH")),
    Row("LENGTH", "mysql", "LENGTH counts bytes, CHAR_LENGTH those of bytes", lambda x: call("CHAR_LENGTH", characters(x))),
    Row("LENGTH", "singlestore doris starrocks", "LENGTH counts bytes", calls("CHAR_LENGTH")),
    Row("LENGTH", "clickhouse", "length counts bytes", calls("lengthUTF8")),
    Row("LENGTH", "tsql", "LEN leaves out spaces at the end, and counts an emoji twice", _tsql_characters),
    Row("AS_TEXT", "", "text is compared as it is", lambda x: x),
    Row("AS_TEXT", "postgres+", "citext folds case; enums and uuids are no text", lambda x: cast(x, "text")),
    Row("AS_TEXT", "tsql", "collations fold case, and each has a code page", tsql_text),
    Row("AS_TEXT", "oracle", "the session may compare otherwise", lambda x: exp.Collate(this=x, expression=exp.Var(this="BINARY"))),
    Row("AS_TEXT", "sqlite+", "a column may be declared with COLLATE NOCASE", _sqlite_binary),
    Row("AS_TEXT", "mysql", "collations fold case, accents, trailing spaces, even emoji: compare bytes", in_bytes),
    Row("BY_CODE_POINT", "", "text is compared by its bytes", lambda x: x),
    Row("BY_CODE_POINT", "postgres", "the database's collation sorts otherwise", _in_c),
    Row("BY_CODE_POINT", "postgres+", "enums and uuids have an order of their own", lambda x: _in_c(cast(x, "text"))),
    Row("BY_CODE_POINT", "tsql", "collations fold case", _tsql_binary),
    Row("BY_CODE_POINT", "oracle", "the session may sort otherwise", lambda x: exp.Collate(this=x, expression=exp.Var(this="BINARY"))),
    Row("BY_CODE_POINT", "sqlite+", "a column may be declared with COLLATE NOCASE", _sqlite_binary),
    Row("BY_CODE_POINT", "mysql singlestore doris starrocks", "collations fold case", in_bytes),
)  # fmt: skip
