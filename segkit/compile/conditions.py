"""Conditions and terms as SQL, one arm per kind.

The invariant: a condition is TRUE for members and FALSE or NULL for everyone else. Only NOT would break it, so a
complement is `CASE WHEN p THEN 0 ELSE 1 END = 1`. Compound operands stand in parentheses.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import assert_never
from zoneinfo import ZoneInfo

from sqlglot import exp

from segkit import patterns
from segkit.catalog import Kind
from segkit.compile import sql
from segkit.compile.sql import Sql
from segkit.plan.tree import (
    AllOf,
    Always,
    Among,
    AnyOf,
    Calculation,
    ColumnTerm,
    Comparison,
    Complement,
    Condition,
    Constant,
    DayCount,
    Feature,
    FeatureTerm,
    IsMissing,
    LocalDate,
    LocalTime,
    Midnight,
    Moved,
    OnList,
    PartOf,
    Term,
    TextSearch,
)

_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True)
class Names:
    """How one SELECT writes its row's columns, the outcomes of features and membership of lists."""

    table: str
    outcomes: Mapping[Feature, Callable[[], Sql]] = field(default_factory=dict)
    lists: Mapping[str, Callable[[], Sql]] = field(default_factory=dict)


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
        case Among(own, options):
            return exp.In(this=sql.operand(term(own, names)), expressions=[constant(option, own.clock) for option in options])
        case TextSearch(test, own, text, ignore_case):
            return _text_search(test, term(own, names), text, ignore_case)
        case IsMissing(own):
            return exp.Is(this=sql.operand(term(own, names)), expression=exp.Null())
        case OnList(name):
            return names.lists[name]()
        case _:
            assert_never(node)


_COMPARISONS: dict[str, Callable[..., Sql]] = {"==": exp.EQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE}


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
        return exp.Not(this=exp.Paren(this=exp.Is(this=own, expression=exp.Null())))
    if ignore_case:
        own, text = sql.folded(own), text.translate(_LOWER)
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
        return constant(own, other.clock)
    written = term(own, names)
    if own.kind.is_timestamp and other.kind.is_timestamp and own.clock != other.clock and not isinstance(other, Constant):
        return sql.on_wall(written, own.clock, "UTC")
    return written


# ---------------------------------------------------------------- terms


def term(node: Term, names: Names) -> Sql:
    """The value of a term, NULL where it is missing."""
    match node:
        case Constant():
            return constant(node, None)
        case ColumnTerm(name, kind):
            column = sql.column(name, names.table)
            return sql.known(column) if kind is Kind.FLOAT else column
        case FeatureTerm(feature):
            return names.outcomes[feature]()
        case Calculation("/", left, right):
            divisor = exp.Nullif(this=term(right, names), expression=sql.number(0))
            return exp.Div(this=sql.cast(term(left, names), "double"), expression=divisor, typed=True)
        case Calculation(op, left, right):
            return _ARITHMETIC[op](this=_whole(left, names), expression=_whole(right, names))
        case DayCount(later, earlier):
            return sql.days(term(later, names), term(earlier, names))
        case Moved(moment, amount, unit, kind):
            what = "DATE" if kind is Kind.DATE else "TIME"
            return sql.marker(f"{what}_PLUS_{unit.upper()}", term(moment, names), sql.number(amount))
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


_ARITHMETIC: dict[str, Callable[..., Sql]] = {"+": exp.Add, "-": exp.Sub, "*": exp.Mul}


def _whole(node: Term, names: Names) -> Sql:
    """An operand of arithmetic; a small whole-number column is widened, so that 32 bits do not overflow."""
    written = term(node, names)
    return sql.cast(written, "bigint") if isinstance(node, ColumnTerm) and node.kind is Kind.INTEGER else sql.operand(written)


def constant(node: Constant, clock: str | None) -> Sql:
    """A constant; an instant is written on the clock of the column that it is compared with."""
    match node.value:
        case bool() as truth:
            return exp.Boolean(this=truth)
        case str() as text:
            return sql.string(text)
        case int() | float() | Decimal() as number:
            return sql.number(number)
        case dt.datetime() as instant:
            return sql.instant(instant) if clock is None else sql.timestamp(instant.astimezone(ZoneInfo(clock)))
        case dt.date() as day:
            return sql.date(day)
        case _:
            assert_never(node.value)
