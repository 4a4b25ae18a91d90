"""Conditions and terms as SQL, one arm per kind.

The invariant: a condition is TRUE for members and FALSE or NULL for everyone else. Only NOT would break it, so a
complement is `CASE WHEN p THEN 0 ELSE 1 END = 1`. Compound operands stand in parentheses.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import assert_never
from zoneinfo import ZoneInfo

from sqlglot import exp

from segkit import patterns
from segkit.catalog import Catalog, ContactTable, Kind
from segkit.compile import raw, sql
from segkit.compile.sql import Sql
from segkit.plan.rules import rule_of
from segkit.plan.scope import apart
from segkit.plan.tree import (
    AllOf,
    Always,
    Among,
    AnyOf,
    Applied,
    Calculation,
    ColumnTerm,
    Comparison,
    Complement,
    Condition,
    Constant,
    DayCount,
    Drawn,
    ElementCount,
    ElementTerm,
    Feature,
    FeatureTerm,
    IsMissing,
    JsonTerm,
    LocalDate,
    LocalTime,
    Midnight,
    Moved,
    OnList,
    PartOf,
    PastColumn,
    Rank,
    Raw,
    Reference,
    Standing,
    Term,
    TextSearch,
)

_MANY = 500
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True)
class Names:
    """How one SELECT writes its row's columns and what is joined to them.

    `outcomes` of features; the joined query that holds each list, table of history (by its position), rank and segment;
    `inlined` are the segments whose conditions stand where they are named.
    """

    table: str
    outcomes: dict[Feature, Callable[[], Sql]] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)
    past: dict[int, str] = field(default_factory=dict)
    standings: dict[Rank, str] = field(default_factory=dict)
    segments: dict[str, str] = field(default_factory=dict)
    inlined: dict[str, Condition] = field(default_factory=dict)
    fields: Catalog | None = None


_ELEMENT = Names("")
"""Inside a condition on the elements of an array: no column is read there."""

# ---------------------------------------------------------------- conditions


def condition(node: Condition, names: Names) -> Sql:
    """A condition, TRUE for members, FALSE or NULL for others."""
    match node:
        case Always(truth):
            return exp.EQ(this=sql.number(1), expression=sql.number(1 if truth else 0))
        case AllOf(items):
            return sql.joined(exp.And, all_of(items, names))
        case AnyOf(items):
            return sql.joined(exp.Or, [sql.operand(condition(item, names)) for item in items])
        case Complement(IsMissing() | OnList() as item):
            return exp.Not(this=exp.Paren(this=condition(item, names)))
        case Complement(item):
            zero_or_one = sql.case_when(condition(item, names), sql.number(0), sql.number(1))
            return exp.EQ(this=zero_or_one, expression=sql.number(1))
        case Comparison(op, left, right):
            return _COMPARISONS[op](this=_like(left, right, names), expression=_like(right, left, names))
        case Among(own, options) if len(options) > _MANY and not _needs_nodes(own, names):
            return sql.among(sql.operand(term(own, names)), tuple(option.value for option in options))
        case Among(own, options):
            return exp.In(this=sql.operand(term(own, names)), expressions=[constant(option, own) for option in options])
        case TextSearch(test, own, text, ignore_case):
            if isinstance(text, str):
                return _text_search(test, term(own, names), text, ignore_case)
            return _search_of_each_row(test, term(own, names), term(text, names), ignore_case)
        case IsMissing(own):
            return exp.Is(this=sql.operand(term(own, names)), expression=exp.Null())
        case OnList(name):
            return _is_in(names.lists[name])
        case Reference(name):
            return _is_in(names.segments[name]) if name in names.segments else condition(names.inlined[name], names)
        case Drawn(seed, below):
            drawn = sql.digest(f"{seed}:", sql.column(_contacts(names).key, names.table))
            return exp.LT(this=drawn, expression=sql.string(f"{below:08x}"))
        case Raw(text, dialect):
            return raw.condition(text, dialect, _contacts(names), names.table, assumed=_catalog(names).assumed)
        case _:
            assert_never(node)


def _needs_nodes(own: Term, names: Names) -> bool:
    """Whether options must be written one by one: times have a form of their own, and no query may stand inside of elements."""
    return own.kind is Kind.DATE or own.kind.is_timestamp or names is _ELEMENT


def _is_in(name: str) -> Sql:
    """The contact is in a joined query."""
    return exp.Not(this=sql.is_null("contact_id", name))


def _catalog(names: Names) -> Catalog:
    assert names.fields is not None, "only a contact is drawn or read by raw SQL"
    return names.fields


def _contacts(names: Names) -> ContactTable:
    return _catalog(names).contacts


_COMPARISONS: dict[str, Callable[..., Sql]] = {"==": exp.EQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE}


def truth(own: Condition, names: Names) -> Sql:
    """Whether a condition holds: 1 or 0."""
    return sql.case_when(condition(own, names), sql.number(1), sql.number(0))


def truths(several: Iterable[Condition], names: Names) -> list[Sql]:
    """Whether each of some conditions holds, as `is_0`, `is_1`, ...: 1 or 0."""
    return [sql.aliased(truth(own, names), f"is_{i}") for i, own in enumerate(several)]


def all_of(items: Iterable[Condition], names: Names) -> list[Sql]:
    """Conditions that must all hold, groups of such conditions opened up."""
    parts: list[Sql] = []
    for item in items:
        parts += all_of(item.items, names) if isinstance(item, AllOf) else [sql.operand(condition(item, names))]
    return parts


def _text_search(test: str, own: Sql, text: str, ignore_case: bool) -> Sql:
    if test == "matches":
        return sql.matches(sql.folded(own) if ignore_case else own, patterns.folded(text) if ignore_case else text)
    if text == "":
        return _is_known(own)
    if ignore_case:
        own, text = sql.folded(own), text.translate(_LOWER)
    return _searched(test, own, sql.string(text))


def _search_of_each_row(test: str, own: Sql, text: Sql, ignore_case: bool) -> Sql:
    """Engines disagree about an empty text that is looked for: each known text holds it."""
    is_empty = exp.EQ(this=sql.length(text.copy()), expression=sql.number(0))
    both = (sql.folded(own), sql.folded(text)) if ignore_case else (own, text)
    holds_nothing = exp.And(this=is_empty, expression=_is_known(own.copy()))
    return exp.Or(this=sql.operand(holds_nothing), expression=_searched(test, *both))


def _is_known(own: Sql) -> Sql:
    return exp.Not(this=exp.Paren(this=exp.Is(this=own, expression=exp.Null())))


def _searched(test: str, own: Sql, text: Sql) -> Sql:
    match test:
        case "contains":
            return sql.contains(own, text)
        case "startswith":
            return sql.starts_with(own, text)
        case _:
            return sql.ends_with(own, text)


def _like(own: Term, other: Term, names: Names) -> Sql:
    """One side of a comparison, written so that it compares with the other side."""
    if isinstance(own, Constant):
        return constant(own, other)
    written = _as_float(own, names) if other.kind is Kind.FLOAT else term(own, names)
    if own.kind.is_timestamp and other.kind.is_timestamp and own.clock != other.clock and not isinstance(other, Constant):
        return sql.on_wall(written, own.clock, "UTC")
    return written


# ---------------------------------------------------------------- terms


def term(node: Term, names: Names) -> Sql:
    """The value of a term, NULL where it is missing."""
    match node:
        case Constant():
            return constant(node, node)
        case ColumnTerm(name, kind):
            return read(name, kind, names.table)
        case PastColumn(table, name, kind):
            return read(past_name(name), kind, names.past[table])
        case JsonTerm(own, path, kind):
            return _json(_document(own, names), path, kind)
        case ElementCount(own, path, where):
            return sql.elements(_document(own, names), path, None if where is None else condition(where, _ELEMENT))
        case FeatureTerm(feature):
            return names.outcomes[feature]()
        case Standing(rank, what):
            return sql.column(what, names.standings[rank])
        case Applied():
            return _applied(node, names)
        case Calculation("/", left, right):
            return exp.Div(this=sql.cast(term(left, names), "double"), expression=sql.divisor(term(right, names)), typed=True)
        case Calculation(op, left, right):
            return _ARITHMETIC[op](this=_whole(left, names), expression=_whole(right, names))
        case DayCount(later, earlier):
            return sql.days(term(later, names), term(earlier, names))
        case Moved(moment, amount, unit, kind):
            return sql.plus(term(moment, names), amount, unit, kind)
        case LocalTime(moment, zone):
            return sql.on_wall(term(moment, names), moment.clock, zone)
        case LocalDate(moment, zone):
            return sql.date_of(sql.on_wall(term(moment, names), moment.clock, zone))
        case Midnight(date):
            return sql.midnight(term(date, names))
        case PartOf(part, moment):
            return sql.part(part, term(moment, names))
        case _:
            assert_never(node)


def _document(own: ColumnTerm | PastColumn | ElementTerm, names: Names) -> Sql:
    match own:
        case ElementTerm():
            return sql.element()
        case PastColumn(table, name):
            return sql.column(past_name(name), names.past[table])
        case ColumnTerm(name):
            return sql.column(name, names.table)
        case _:
            assert_never(own)


def _json(document: Sql, path: tuple[str | int, ...], kind: Kind) -> Sql:
    if kind is Kind.UNKNOWN:
        return sql.json_any(document, path)
    if kind.is_number:
        return sql.json_number(document, path)
    text = sql.json_text(document, path)
    if kind is Kind.BOOLEAN:
        truths = [exp.If(this=sql.string(name), true=exp.Boolean(this=name == "true")) for name in ("true", "false")]
        return exp.Case(this=text, ifs=truths)
    return text


def _applied(node: Applied, names: Names) -> Sql:
    first = node.arguments[0]
    match node.function:
        case "abs":
            return sql.absolute(term(first, names))
        case "round":
            return _rounded(first, node, names)
        case "lower":
            return sql.folded(term(first, names))
        case "upper":
            return sql.raised(term(first, names))
        case "length":
            return sql.length(term(first, names))
        case "coalesce":
            own, *others = (_one_of(node, argument, names) for argument in node.arguments)
            return exp.Coalesce(this=own, expressions=others)
        case _:
            assert_never(node.function)


def _one_of(whole: Applied, own: Term, names: Names) -> Sql:
    """An argument of COALESCE, of the kind that the whole is of: to ClickHouse, whole numbers and floats have none in common."""
    match own:
        case Constant():
            return constant(own, whole)
        case _ if whole.kind is Kind.INTEGER:
            return sql.beside_whole_numbers(term(own, names))
        case _ if whole.kind is Kind.FLOAT and own.kind in (Kind.DECIMAL, Kind.INTEGER):
            return sql.cast(term(own, names), "double")
        case _:
            return term(own, names)


def _as_float(own: Term, names: Names) -> Sql:
    """A number beside a float: not every engine takes the decimal for a float there, some take the float for a decimal."""
    written = term(own, names)
    return sql.cast(written, "double") if own.kind is Kind.DECIMAL else written


def _rounded(own: Term, node: Applied, names: Names) -> Sql:
    """Halves away from zero. Engines round floats in ways of their own, so for them it is written out. (DataFusion refuses to
    sort by the negative of a quotient: it is taken from zero.)"""
    if node.kind is Kind.INTEGER:
        return term(own, names)
    if node.kind is Kind.DECIMAL:
        return sql.marker("ROUND", term(own, names), sql.number(node.digits))
    zero, scale = sql.number(0), sql.number(10**node.digits)
    scaled = exp.Mul(this=sql.absolute(sql.cast(term(own, names), "double")), expression=scale)
    size = exp.Div(
        this=exp.Floor(this=exp.Add(this=scaled, expression=sql.number(0.5))),
        expression=sql.cast(scale.copy(), "double"),
        typed=True,
    )
    negative = exp.Sub(this=zero.copy(), expression=exp.Paren(this=size))
    return sql.case_when(exp.LT(this=sql.operand(term(own, names)), expression=zero), negative, size.copy())


def past_name(name: str) -> str:
    """What a column of a table of history is called in the query that has its valid rows."""
    return apart(name, ("contact_id", "place"))


def read(name: str, kind: Kind, table: str) -> Sql:
    """A column's value, in the one form that values of its kind are compared in."""
    own = sql.column(name, table)
    match kind:
        case Kind.FLOAT:
            return sql.known(own)
        case Kind.TIMESTAMP:
            return sql.as_timestamp(own)
        case Kind.TIMESTAMPTZ:
            return sql.as_instant(own)
        case Kind.TEXT:
            return sql.as_text(own)
        case _:
            return own


_ARITHMETIC: dict[str, Callable[..., Sql]] = {"+": exp.Add, "-": exp.Sub, "*": exp.Mul}


def _whole(node: Term, names: Names) -> Sql:
    """An operand of arithmetic; a whole-number column is widened, so that 32 bits do not overflow."""
    written = term(node, names)
    return sql.wide(written) if isinstance(node, ColumnTerm) and node.kind is Kind.INTEGER else sql.operand(written)


def constant(node: Constant, beside: Term) -> Sql:
    """A constant as it is written beside another term: an instant on its clock, a number with a point as exact as it is."""
    match node.value:
        case bool() as truth:
            return exp.Boolean(this=truth)
        case str() as text:
            return sql.string(text)
        case Decimal() as exact if beside.kind is not Kind.FLOAT:
            return sql.decimal(exact)
        case int() | float() | Decimal() as number:
            return sql.number(number)
        case dt.datetime() as instant:
            return moment(instant, beside.clock)
        case dt.date() as day:
            return moment(day, None)
        case _:
            assert_never(node.value)


def moment(at: dt.date | dt.datetime, clock: str | None) -> Sql:
    """A date, or an instant on a clock (None: as an instant): a literal, or what the warehouse's clock makes of its rule."""
    if (rule := rule_of(at)) is not None:
        return sql.reckoned(rule, clock)
    if not isinstance(at, dt.datetime):
        return sql.date(at)
    return sql.instant(at) if clock is None else sql.timestamp(at.astimezone(ZoneInfo(clock)))
