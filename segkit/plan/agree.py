"""Kinds, reconciled: two operands of a condition made comparable, or refused with the way out."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Literal as OneOfThese
from typing import TypeAlias
from zoneinfo import ZoneInfo

from segkit import nodes
from segkit.catalog import Column, Kind
from segkit.errors import DefinitionError
from segkit.plan.clock import iso_time, midnight, to_utc
from segkit.plan.rules import rule_of
from segkit.plan.scope import Scope, guessed
from segkit.plan.tree import (
    AllOf,
    Bounds,
    ColumnTerm,
    Comparison,
    Condition,
    Constant,
    DayCount,
    FeatureTerm,
    JsonTerm,
    LocalTime,
    Midnight,
    PastColumn,
    Term,
)
from segkit.spelling import spell

Operand: TypeAlias = Term | nodes.Duration | nodes.Rate
Sides: TypeAlias = tuple[nodes.Value, nodes.Value]
Order: TypeAlias = OneOfThese["==", "<", "<=", ">", ">="]

FLIPPED: dict[Order, Order] = {"==": "==", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_UNIT_SECONDS = {"minutes": 60, "hours": 3600, "days": 86400, "weeks": 604800}
_UNIT_MONTHS = {"months": 1, "years": 12}


def constant(node: nodes.Literal, scope: Scope) -> Constant:
    """A literal as a constant; a datetime without zone is on the workspace's clock."""
    match node.value:
        case dt.datetime() as moment:
            return Constant(to_utc(moment, scope.at.zone), Kind.TIMESTAMPTZ)
        case dt.date() as day:
            return Constant(day, Kind.DATE)
        case bool() as truth:
            return Constant(truth, Kind.BOOLEAN)
        case int() as number:
            return Constant(number, Kind.INTEGER)
        case Decimal() as number:
            return Constant(number, Kind.DECIMAL)
        case float() as number:
            return _float_constant(number)
        case text:
            return Constant(text, Kind.TEXT)


def _float_constant(number: float) -> Constant:
    """A float as the decimal that its author wrote, `0.1` as one tenth; kept a float where no decimal is that long."""
    exact = Decimal(repr(number))
    digits = len(f"{exact:f}".replace(".", "").lstrip("-"))
    return Constant(exact, Kind.DECIMAL) if digits <= 38 else Constant(number, Kind.FLOAT)


def typed(term: Term, kind: Kind, scope: Scope) -> Term:
    """A term of unknown kind, used as `kind`."""
    if term.kind is not Kind.UNKNOWN:
        return term
    clock = "UTC" if kind.is_timestamp else None
    kind = Kind.TIMESTAMP if kind.is_timestamp else Kind.NUMBER if kind.is_number else kind
    match term:
        case ColumnTerm(name):
            guessed(name, kind, scope)
            return ColumnTerm(name, kind, clock)
        case FeatureTerm(feature):
            return FeatureTerm(feature, kind, clock)
        case PastColumn(table, name):
            guessed(name, kind, scope)
            return PastColumn(table, name, kind, clock)
        case JsonTerm():
            return _json_as(term, kind)
        case _:
            return term


def _json_as(term: JsonTerm, kind: Kind) -> JsonTerm:
    """A JSON property, read as text, a number or a boolean."""
    if kind in (Kind.DATE, Kind.DURATION, Kind.JSON) or kind.is_timestamp:
        raise DefinitionError(
            f"a JSON property is text, a number or a boolean, not {kind}",
            fix="put the time into a column of its own, in a view of the table",
        )
    return replace(term, kind=Kind.FLOAT if kind.is_number else kind)


def as_time(term: Term, scope: Scope, side: nodes.Value) -> Term:
    """A term that must be a date or a timestamp; ISO text is read as one, an unknown column is taken for one."""
    if isinstance(term, Constant) and isinstance(term.value, str):
        term = _time_constant(term.value, scope, side)
    if term.kind is Kind.UNKNOWN:
        if isinstance(term, JsonTerm):
            return _json_as(term, Kind.TIMESTAMP)
        if isinstance(term, ColumnTerm | FeatureTerm | PastColumn):
            return replace(term, kind=Kind.TIMESTAMP, clock="UTC")
        return term
    if term.kind is not Kind.DATE and not term.kind.is_timestamp:
        made = "make one of the column (a cast in a view, pandas.to_datetime); on SQLite, declare its kind in the catalog"
        raise DefinitionError(f"{spell(side)} is {term.kind}, not a date or timestamp", fix=f"use a date field, or {made}")
    return term


def _time_constant(text: str, scope: Scope, side: nodes.Value) -> Constant:
    parsed = iso_time(text)
    if parsed is None:
        raise DefinitionError(
            f"{text!r:.60} is no date, but {spell(side)} is", fix="write it like 2025-03-31 or 2025-03-31T18:00"
        )
    return constant(nodes.literal(parsed), scope)


def compared(op: Order, left: Operand, right: Operand, scope: Scope, sides: Sides) -> Condition:
    """The comparison of two operands; `sides` is how the definition writes them."""
    if isinstance(left, nodes.Duration | nodes.Rate):
        if isinstance(right, nodes.Duration | nodes.Rate):
            raise DefinitionError(
                f"{spell(sides[0])} {op} {spell(sides[1])} compares two lengths", fix="compare a field with a length"
            )
        return compared(FLIPPED[op], right, left, scope, sides[::-1])
    if isinstance(right, nodes.Duration | nodes.Rate):
        raise DefinitionError(
            f"{spell(sides[0])} is {left.kind}, but {spell(sides[1])} is a length of time",
            fix="compare a number with it, or use .within(...) / .older_than(...) on a date",
        )
    left, right = _adopted(op, left, right, scope, sides), _adopted(op, right, left, scope, sides[::-1])
    left, right = (typed(own, Kind.TEXT, scope) if isinstance(own, JsonTerm) else own for own in (left, right))
    if (left.kind is Kind.DATE and right.kind.is_timestamp) or (left.kind.is_timestamp and right.kind is Kind.DATE):
        return _date_against_timestamp(op, left, right, scope, sides)
    if not _alike(left.kind, right.kind):
        raise _mismatch(left, right, sides)
    if op != "==" and left.kind in (Kind.TEXT, Kind.BOOLEAN, Kind.JSON, Kind.DURATION):
        raise DefinitionError(
            f"{spell(sides[0])} {op} {spell(sides[1])}: {left.kind} has no order that all engines share",
            fix="use ==, .is_in([...]), .startswith(...), or a number",
        )
    if left.kind in (Kind.JSON, Kind.DURATION):
        raise DefinitionError(f"{spell(sides[0])} is {left.kind} and cannot be compared", fix="only .is_missing() works on it")
    return Comparison(op, left, right)


def options(term: Term, values: tuple[nodes.Literal, ...], scope: Scope, side: nodes.Value) -> tuple[Term, tuple[Constant, ...]]:
    """A term and the constants it may be one of, all of one kind."""
    samples = {value.sort: value for value in values}
    for node in samples.values():
        term = _adopted("==", term, constant(node, scope), scope, (side, node))
    if term.kind in (Kind.JSON, Kind.DURATION):
        raise DefinitionError(f"{spell(side)} is {term.kind} and cannot be compared", fix="only .is_missing() works on it")
    if term.kind is Kind.DATE or term.kind.is_timestamp:
        return term, tuple(_option(term, node, scope, side) for node in values)
    for node in samples.values():
        _option(term, node, scope, side)
    return term, tuple(constant(node, scope) for node in values)


def _option(term: Term, node: nodes.Literal, scope: Scope, side: nodes.Value) -> Constant:
    """A literal as a constant of the term's kind."""
    adopted = _adopted("==", constant(node, scope), term, scope, (node, side))
    if not _alike(term.kind, adopted.kind):
        times = {term.kind, adopted.kind} <= {Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ}
        raise _date_equals_timestamp((side, node)) if times else _mismatch(term, adopted, (side, node))
    assert isinstance(adopted, Constant)
    return adopted


def inside(term: Term, bounds: Bounds) -> Condition:
    """The term lies within the bounds."""
    parts: list[Condition] = []
    if bounds.low is not None:
        parts.append(Comparison(">=" if bounds.low_in else ">", term, _bound(bounds.low)))
    if bounds.high is not None:
        parts.append(Comparison("<=" if bounds.high_in else "<", term, _bound(bounds.high)))
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _bound(at: dt.datetime | dt.date) -> Constant:
    return Constant(at, Kind.TIMESTAMPTZ if isinstance(at, dt.datetime) else Kind.DATE)


def length_as_number(length: nodes.Duration, term: Term, declared: Column | None, side: nodes.Value) -> Constant:
    """A length of time as the number that a number field counts: its declared unit, or days."""
    unit = "days" if isinstance(term, DayCount) else (declared.unit if declared else None)
    if unit is None:
        if length.unit != "days":
            raise DefinitionError(
                f"{spell(side)} has no declared unit to compare with {length.amount} {length.unit}",
                fix=f"declare it in the catalog: {{unit: {length.unit}}}, or use days",
            )
        unit = "days"
    for family in (_UNIT_SECONDS, _UNIT_MONTHS):
        if length.unit in family and unit in family:
            exact = Fraction(length.amount * family[length.unit], family[unit])
            return Constant(int(exact), Kind.INTEGER) if exact.denominator == 1 else _float_constant(float(exact))
    raise DefinitionError(f"{spell(side)} counts {unit}, not {length.unit}", fix=f"write the length in {unit}")


def rate_as_number(rate: nodes.Rate, declared: Column | None, scope: Scope, side: nodes.Value) -> Constant:
    """A rate as the number of a field that is per the same unit (per year if none is declared)."""
    own = declared.rate if declared and declared.rate else "year"
    if rate.per != own:
        raise DefinitionError(
            f"{spell(side)} is per {own}, not per {rate.per}", fix=f"write it per {own}, or declare the field's rate"
        )
    return constant(nodes.literal(rate.amount), scope)


def _adopted(op: Order, term: Term, other: Term, scope: Scope, sides: Sides) -> Term:
    """A term read by the other side's kind: ISO text as a time, an unknown column as what it is compared with."""
    if isinstance(term, Constant) and isinstance(term.value, str) and (other.kind is Kind.DATE or other.kind.is_timestamp):
        return _time_constant(term.value, scope, sides[1])
    if isinstance(term, Constant) and isinstance(term.value, str) and other.kind is Kind.UNKNOWN and op != "==":
        parsed = iso_time(term.value)
        return term if parsed is None else constant(nodes.literal(parsed), scope)
    if term.kind is Kind.UNKNOWN and other.kind is not Kind.UNKNOWN:
        if isinstance(other, Constant) and isinstance(other.value, str) and op != "==" and iso_time(other.value):
            return typed(term, Kind.TIMESTAMP, scope)
        ordered_date = other.kind is Kind.DATE and op != "=="
        return typed(term, Kind.TIMESTAMP if ordered_date else other.kind, scope)
    return term


def _alike(left: Kind, right: Kind) -> bool:
    if Kind.UNKNOWN in (left, right):
        return True
    return left is right or (left.is_number and right.is_number) or (left.is_timestamp and right.is_timestamp)


def _date_against_timestamp(op: Order, left: Term, right: Term, scope: Scope, sides: Sides) -> Condition:
    """A date compared with a timestamp means its midnight; folded where one of them is a constant."""
    if op == "==":
        raise _date_equals_timestamp(sides)
    if left.kind.is_timestamp:
        if isinstance(right, Constant):
            assert isinstance(right.value, dt.date)
            return Comparison(op, left, _bound(midnight(right.value, scope.at.zone)))
        return _date_against_timestamp(FLIPPED[op], right, left, scope, sides)
    if isinstance(left, Constant):
        assert isinstance(left.value, dt.date)
        return Comparison(op, _bound(midnight(left.value, scope.at.zone)), right)
    if isinstance(right, Constant) and rule_of(right.value) is None:
        assert isinstance(right.value, dt.datetime)
        wall = right.value.astimezone(ZoneInfo(scope.at.zone))
        at_midnight = wall.time() == dt.time()
        rounded: dict[Order, Order] = {"<": "<" if at_midnight else "<=", ">=": ">=" if at_midnight else ">"}
        return Comparison(rounded.get(op, op), left, _bound(wall.date()))
    return Comparison(op, Midnight(left, scope.at.zone), LocalTime(right, scope.at.zone))


def _date_equals_timestamp(sides: Sides) -> DefinitionError:
    return DefinitionError(
        f"{spell(sides[0])} and {spell(sides[1])}: a timestamp is never equal to a date", fix="use .on(date) for the whole day"
    )


def _mismatch(left: Term, right: Term, sides: Sides) -> DefinitionError:
    field, value = (1, 0) if isinstance(left, Constant) else (0, 1)
    kinds = (left.kind, right.kind)
    literal = (left, right)[value]
    fix = f"compare {kinds[field]} with {kinds[field]}"
    if isinstance(literal, Constant):
        match kinds[field], literal.value:
            case Kind.TEXT, bool() | int() | float() | Decimal():
                cast = "if the column holds numbers, make numbers of it (a cast in a view, pandas.to_numeric)"
                fix = f"write {str(literal.value)!r} in quotes; {cast}"
            case Kind.BOOLEAN, _:
                fix = "write True or False"
            case kind, str() as text if kind.is_number and _is_number(text):
                fix = f"write {text.strip()} without quotes"
            case Kind.DATE | Kind.TIMESTAMP | Kind.TIMESTAMPTZ, _:
                fix = "write a date such as '2025-03-31', or use .within(days=...)"
    return DefinitionError(f"{spell(sides[field])} is {kinds[field]}, but {spell(sides[value])} is {kinds[value]}", fix=fix)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
