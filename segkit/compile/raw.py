"""A condition written in SQL: parsed in its dialect, checked, its columns looked up."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlglot import exp, parse
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError

from segkit.catalog import ContactTable, Kind, find
from segkit.compile import sql
from segkit.compile.sql import Sql
from segkit.errors import DefinitionError, unknown

_LONGEST = 20_000
_DEEPEST = 30
_ASKS_THE_CLOCK = (
    exp.CurrentDate, exp.CurrentDatetime, exp.CurrentTime, exp.CurrentTimestamp, exp.CurrentTimestampLTZ, exp.Localtime,
    exp.Localtimestamp, exp.Systimestamp, exp.UtcDate, exp.UtcTime, exp.UtcTimestamp,
)  # fmt: skip
_CLOCKS = frozenset((
    "CLOCK_TIMESTAMP", "CURDATE", "CURRENT_LOCALTIME", "CURRENT_LOCALTIMESTAMP", "CURTIME", "GET_CURRENT_TIME",
    "GET_CURRENT_TIMESTAMP", "GETDATE", "GETUTCDATE", "NOW", "NOW64", "NOWINBLOCK", "NOWINBLOCK64", "STATEMENT_TIMESTAMP",
    "SYSDATE", "SYSDATETIME", "SYSDATETIMEOFFSET", "SYSUTCDATETIME", "TIMEOFDAY", "TODAY", "TRANSACTION_TIMESTAMP",
    "UNIX_TIMESTAMP", "UTC_DATE", "UTC_TIME", "UTC_TIMESTAMP", "YESTERDAY",
))  # fmt: skip
_AT_RANDOM = frozenset((
    "GEN_RANDOM_UUID", "GENERATE_UUID", "GENERATESNOWFLAKEID", "GENERATEULID", "GENERATEUUIDV4", "GENERATEUUIDV7", "NEWID",
    "NEWSEQUENTIALID", "RAND", "RAND32", "RAND64", "RANDCANONICAL", "RANDOM", "RANDOM_BYTES", "RANDOM_NORMAL", "RANDOMBLOB",
    "RANDN", "SYS_GUID", "UUID", "UUID_SHORT", "UUID_STRING", "UUIDV4", "UUIDV7",
))  # fmt: skip
_READS_A_TIME = (
    exp.Cast, exp.Anonymous, exp.AtTimeZone, exp.Date, exp.DateAdd, exp.DateDiff, exp.DateSub, exp.Datetime, exp.DateTrunc,
    exp.Extract, exp.Time, exp.Timestamp, exp.TimestampDiff, exp.TimestampTrunc, exp.TimeToStr, exp.TsOrDsToDate,
    exp.TsOrDsToTimestamp,
)  # fmt: skip
_TIMES_OF_TEXT = ("DATE", "DATETIME", "JULIANDAY", "TIME", "UNIXEPOCH")
_TIMES = (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ)
_WORD = re.compile(r"[^a-z]*(now|today|tomorrow|yesterday)[^a-z]*", re.IGNORECASE)
"""A text that means a time by the clock: PostgreSQL reads it so, also beside blanks, signs and a time of day."""
_STABLE, _DATED = "use sample(percent=10, seed='...'), which is stable", "write the date, or a condition such as .within(days=30)"
_REFUSED: tuple[tuple[tuple[type[exp.Expr], ...], str, str], ...] = (
    ((exp.Rand, exp.Uuid), "draws at random", _STABLE),
    (_ASKS_THE_CLOCK, "asks the clock", _DATED),
    ((exp.Query, exp.Table, exp.Star), "reads a table", "use columns of the contact only"),
    ((exp.AggFunc, exp.Window), "counts over rows", "use conditions on events, or ranks"),
    ((exp.Columns, exp.PositionalColumn), "names no column", "write the columns' names"),
    ((exp.Placeholder, exp.Parameter, exp.SessionParameter), "holds a placeholder", "write the value itself"),
    ((exp.DDL, exp.DML, exp.Command, exp.Drop), "is no condition", "write one condition, as after WHERE"),
)


def condition(text: str, dialect: str, contacts: ContactTable, alias: str, *, assumed: bool) -> Sql:
    """The condition as a tree over the contact's columns.

    Raises:
        DefinitionError: it is no single condition, reads more than the contact, or names an unknown column.
    """
    try:
        tree = _parsed(text, dialect)
        for kinds, what, fix in _REFUSED:
            if (found := tree.find(*kinds)) is not None:
                raise DefinitionError(f"raw SQL {what}: {found.sql(dialect=dialect)[:60]}", fix=fix)
        if not isinstance(tree, exp.Condition):
            raise DefinitionError(f"raw SQL is no condition: {text:.60}", fix="write one condition, as after WHERE")
        for node in tree.walk():
            if isinstance(node, exp.Anonymous) and node.name.upper().startswith("SEGKIT_"):
                raise DefinitionError(f"raw SQL may not call {node.name}", fix="leave it out")
            if isinstance(node, exp.Anonymous) and node.name.upper() in _AT_RANDOM:
                raise DefinitionError(f"raw SQL draws at random: {node.sql(dialect=dialect)[:60]}", fix=_STABLE)
            if _is_a_clock(node, contacts):
                raise DefinitionError(f"raw SQL asks the clock: {node.sql(dialect=dialect)[:60]}", fix=_DATED)
        for column in list(tree.find_all(exp.Column)):
            own = _column(column, contacts, alias, assumed)
            tree = own if column is tree else tree
            column.replace(own)
    except DefinitionError as error:
        error.under(f"$ in raw_sql({text!r:.80})")
        raise
    return sql.in_its_dialect(exp.Paren(this=tree), dialect)


def _is_a_clock(node: exp.Expr, contacts: ContactTable) -> bool:
    """Whether a call means now: by its name, by a word such as 'now', or because it is told no other time."""
    match node:
        case exp.Anonymous(name=name) if name.upper() in _CLOCKS:
            return True
        case exp.Anonymous(name=name, expressions=given) if name.upper() in ("AGE", "STRFTIME"):
            return len(given) == 1 or _says_now(given)
        case exp.Anonymous(name=name, expressions=[]) if name.upper() in _TIMES_OF_TEXT:
            return True
        case exp.Date() if not node.args.get("this") and not node.expressions:
            return True
        case exp.Predicate():
            return _says_now(node.iter_expressions()) and any(_is_a_time(own, contacts) for own in node.iter_expressions())
    return isinstance(node, _READS_A_TIME) and _says_now(node.iter_expressions())


def _says_now(given: Iterable[exp.Expr]) -> bool:
    return any(isinstance(own, exp.Literal) and own.is_string and _WORD.fullmatch(own.name) for own in given)


def _is_a_time(node: exp.Expr, contacts: ContactTable) -> bool:
    """Whether a side of a comparison is a column of times, or a cast to a time."""
    if isinstance(node, exp.Cast):
        return node.to.is_type(*exp.DataType.TEMPORAL_TYPES)
    named = node.name.casefold() if isinstance(node, exp.Column) else None
    return any(own.name.casefold() == named and own.kind in _TIMES for own in contacts.fields.values())


def _parsed(text: str, dialect: str) -> exp.Expr:
    if dialect not in Dialect.classes or not dialect:
        raise unknown("dialect", dialect, (name for name in Dialect.classes if name))
    depth = deepest = 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        deepest = max(deepest, depth)
    if len(text) > _LONGEST or deepest > _DEEPEST:
        raise DefinitionError(f"SQL of {len(text):,} characters, {deepest} levels deep", fix="split it into several conditions")
    try:
        found = [tree for tree in parse(text, read=dialect) if tree is not None]
    except (SqlglotError, RecursionError) as error:
        raise DefinitionError(f"not {dialect} SQL: {str(error).splitlines()[0]:.160}", fix="correct the text") from None
    if len(found) != 1:
        raise DefinitionError(f"{len(found)} statements", fix="write one condition, as after WHERE")
    if isinstance(found[0], exp.Alias):
        raise DefinitionError("an alias is no condition", fix="write one condition, as after WHERE")
    return found[0]


def _column(node: exp.Column, contacts: ContactTable, alias: str, assumed: bool) -> Sql:
    if node.args.get("db") or node.table not in ("", alias, contacts.table):
        raise DefinitionError(f"raw SQL reads {node.sql()}", fix="use columns of the contact only, without a table's name")
    names = [column.name for column in contacts.fields.values()]
    known = assumed and not any(name.casefold() == node.name.casefold() for name in names)
    return sql.column(node.name if known else find("column", node.name, names), alias)
