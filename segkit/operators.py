"""The operators a user can name: one row each, with how it reads and what it means.

A row feeds the JSON reader, the drop-down of the panel and the docs, and `describe` says what its label says. About
twenty-five spellings come down to a handful of meanings in `nodes`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias
from typing import Literal as OneOfThese

from segkit.catalog import Kind
from segkit.errors import DefinitionError, unknown
from segkit.nodes import (
    And,
    Anniversary,
    Before,
    Compare,
    Duration,
    During,
    Last,
    Literal,
    Missing,
    Next,
    Not,
    OnDay,
    OneOf,
    Predicate,
    TextTest,
    Unit,
    Value,
    literal,
)

Arguments: TypeAlias = OneOfThese["none", "value", "values", "pair", "text", "amount", "optional amount"]

NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.NUMBER)
TIMES = (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ)
ANY = (Kind.TEXT, *NUMBERS, Kind.BOOLEAN, *TIMES)


@dataclass(frozen=True)
class Operator:
    """One row: its key in JSON, other spellings of the key, its label, the kinds of field it fits, what it takes
    (`value`, `values` is a list, `pair` two values, `text`, `amount` a whole number), its meaning."""

    key: str
    aliases: tuple[str, ...]
    label: str
    kinds: tuple[Kind, ...]
    arguments: Arguments
    build: Callable[..., Predicate]


def equals(value: Value, other: Value | None) -> Predicate:
    """Equal, or missing where there is nothing to be equal to."""
    return Missing(value) if other is None else Compare("==", value, other)


def not_equals(value: Value, other: Value | None) -> Predicate:
    """The complement of `equals`: it includes missing values."""
    return Not(equals(value, other))


def between(value: Value, low: Value, high: Value) -> Predicate:
    """From `low` to `high`, both included."""
    return And((Compare(">=", value, low), Compare("<=", value, high)))


def is_in(value: Value, options: tuple[Literal, ...]) -> Predicate:
    return OneOf(value, options)


def _complement(build: Callable[..., Predicate]) -> Callable[..., Predicate]:
    return lambda *arguments: Not(build(*arguments))


def _compare(op: OneOfThese["<", "<=", ">", ">="]) -> Callable[..., Predicate]:
    return lambda value, other: Compare(op, value, other)


def _text(test: OneOfThese["contains", "startswith", "endswith", "matches"]) -> Callable[..., Predicate]:
    return lambda value, text: TextTest(test, value, text)


def _within(unit: Unit) -> Callable[..., Predicate]:
    return lambda value, amount: During(value, Last(Duration(amount, unit)))


def _older(unit: Unit) -> Callable[..., Predicate]:
    return lambda value, amount: During(value, Before(Duration(amount, unit)))


def _next(unit: Unit) -> Callable[..., Predicate]:
    return lambda value, amount: During(value, Next(Duration(amount, unit)))


OPERATORS: tuple[Operator, ...] = (
    Operator("equals", ("eq", "=", "=="), "is", ANY, "value", equals),
    Operator("not_equals", ("ne", "!=", "<>"), "is not", ANY, "value", not_equals),
    Operator("greater_than", ("gt", ">"), "is greater than", (*NUMBERS, *TIMES), "value", _compare(">")),
    Operator("greater_than_or_equal", ("gte", ">=", "greater_than_or_equals"), "is at least", (*NUMBERS, *TIMES), "value", _compare(">=")),
    Operator("less_than", ("lt", "<"), "is less than", (*NUMBERS, *TIMES), "value", _compare("<")),
    Operator("less_than_or_equal", ("lte", "<=", "less_than_or_equals"), "is at most", (*NUMBERS, *TIMES), "value", _compare("<=")),
    Operator("between", (), "is between", (*NUMBERS, *TIMES), "pair", between),
    Operator("not_between", (), "is not between", (*NUMBERS, *TIMES), "pair", _complement(between)),
    Operator("in", ("is_in",), "is one of", ANY, "values", is_in),
    Operator("not_in", (), "is none of", ANY, "values", _complement(is_in)),
    Operator("contains", (), "contains", (Kind.TEXT,), "text", _text("contains")),
    Operator("not_contains", ("does_not_contain",), "does not contain", (Kind.TEXT,), "text", _complement(_text("contains"))),
    Operator("starts_with", ("begins_with",), "starts with", (Kind.TEXT,), "text", _text("startswith")),
    Operator("not_starts_with", (), "does not start with", (Kind.TEXT,), "text", _complement(_text("startswith"))),
    Operator("ends_with", (), "ends with", (Kind.TEXT,), "text", _text("endswith")),
    Operator("not_ends_with", (), "does not end with", (Kind.TEXT,), "text", _complement(_text("endswith"))),
    Operator("matches", (), "matches the pattern", (Kind.TEXT,), "text", _text("matches")),
    Operator("not_matches", (), "does not match the pattern", (Kind.TEXT,), "text", _complement(_text("matches"))),
    Operator("is_null", ("is_missing", "is_empty"), "is missing", ANY, "none", Missing),
    Operator("is_not_null", ("is_known", "exists"), "is known", ANY, "none", _complement(Missing)),
    Operator("is_true", (), "is true", (Kind.BOOLEAN,), "none", lambda value: Compare("==", value, literal(True))),
    Operator("is_false", (), "is false", (Kind.BOOLEAN,), "none", lambda value: Compare("==", value, literal(False))),
    Operator("within_minutes", (), "is in the last ... minutes", TIMES[1:], "amount", _within("minutes")),
    Operator("within_hours", (), "is in the last ... hours", TIMES[1:], "amount", _within("hours")),
    Operator("within_days", (), "is in the last ... days", TIMES, "amount", _within("days")),
    Operator("within_weeks", (), "is in the last ... weeks", TIMES, "amount", _within("weeks")),
    Operator("within_months", (), "is in the last ... months", TIMES, "amount", _within("months")),
    Operator("older_than_minutes", (), "is more than ... minutes ago", TIMES[1:], "amount", _older("minutes")),
    Operator("older_than_hours", (), "is more than ... hours ago", TIMES[1:], "amount", _older("hours")),
    Operator("older_than_days", (), "is more than ... days ago", TIMES, "amount", _older("days")),
    Operator("older_than_weeks", (), "is more than ... weeks ago", TIMES, "amount", _older("weeks")),
    Operator("older_than_months", (), "is more than ... months ago", TIMES, "amount", _older("months")),
    Operator("in_next_hours", (), "is in the next ... hours", TIMES[1:], "amount", _next("hours")),
    Operator("in_next_days", (), "is in the next ... days", TIMES, "amount", _next("days")),
    Operator("in_next_months", (), "is in the next ... months", TIMES, "amount", _next("months")),
    Operator("on", (), "is on", TIMES, "value", lambda value, day: During(value, OnDay(day))),
    Operator("before", (), "is before", TIMES, "value", _compare("<")),
    Operator("after", (), "is after", TIMES, "value", _compare(">")),
    Operator("anniversary", (), "has its anniversary", TIMES, "optional amount", lambda value, within=0: During(value, Anniversary(within))),
)  # fmt: skip

_BY_SPELLING = {spelling: row for row in OPERATORS for spelling in (row.key, *row.aliases)}


def operator(spelling: Any) -> Operator:
    """The row of an operator by its key or another spelling of it, in any case."""
    if not isinstance(spelling, str):
        raise DefinitionError(f"an operator must be text, not {spelling!r:.60}", fix="for example 'equals'")
    try:
        return _BY_SPELLING[spelling.strip().lower()]
    except KeyError:
        raise unknown("operator", spelling, (row.key for row in OPERATORS)) from None
