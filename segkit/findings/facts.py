"""What a single condition says: that the value of something is one of a set of values.

    condition  ->  what it is about (a value, two values side by side, or itself), and the values for which it holds

A condition about the days since a date is one about the date; two conditions about one thing can then be compared.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias, get_args
from zoneinfo import ZoneInfo

from segkit.catalog import Kind
from segkit.findings.value_sets import ALL, ANY, MISSING, Cut, Point, Values, among, between, ordered, whole
from segkit.nodes import Scalar
from segkit.plan.agree import FLIPPED
from segkit.plan.tree import (
    Among,
    Applied,
    Bounds,
    Calculation,
    Comparison,
    Condition,
    Constant,
    DayCount,
    Drawn,
    ElementCount,
    FeatureTerm,
    IsMissing,
    JsonTerm,
    LocalDate,
    LocalTime,
    Midnight,
    Moved,
    PartOf,
    Standing,
    Term,
    TextSearch,
)

_TERMS = get_args(Term)
MOST_OPTIONS = 5_000
"""Of longer lists of options it is only known that each is the same as itself."""
COUNTS = frozenset({"count", "distinct", "days", "weeks", "months"})
_MICROSECONDS_A_DAY = 86_400_000_000
_EPOCH = dt.datetime(1970, 1, 1)
_PARTS = {"quarter": (1, 4), "month": (1, 12), "week": (1, 53), "day": (1, 31), "weekday": (1, 7), "hour": (0, 23)}


@dataclass(frozen=True, slots=True)
class Side:
    """Two values side by side: -1, 0 or 1 as the left one is less, the same or more, missing if one of them is."""

    left: Term
    right: Term


@dataclass(frozen=True, slots=True)
class Draw:
    """The number that a contact draws with a seed."""

    seed: str


Key: TypeAlias = "Term | Condition | Side | Draw"
TRUE, FALSE = between(1, 1), between(0, 0)


def fact(condition: Condition) -> tuple[Key, Values]:
    """What a condition that is no group is about, and the values for which it holds."""
    match condition:
        case Comparison(op, left, right):
            return _compared(condition, op, left, right)
        case Among(term, options):
            points = [_point(term, option.value) for option in options[: MOST_OPTIONS + 1]]
            known = [point for point in points if point is not None]
            if isinstance(term, Constant) or len(known) < len(options):
                return condition, TRUE
            return _unwrapped(term, _on_line(term, among(known)))
        case TextSearch(test, term, str() as text, ignore_case) if not isinstance(term, Constant) and test != "matches":
            if not text:
                return term, ALL
            if test == "startswith" and not ignore_case and text[-1] < "\U0010ffff":
                return term, Values(False, ((text, 0), (text[:-1] + chr(ord(text[-1]) + 1), 0)))
            return condition, TRUE
        case IsMissing(term) if not isinstance(term, Constant):
            return _unwrapped(term, MISSING)
        case Drawn(seed, below):
            return Draw(seed), between(None, below - 1)
        case _:
            return condition, TRUE


def domain(key: Key) -> Values:
    """All values that something may have."""
    match key:
        case Side():
            return between(-1, 1) | MISSING
        case Draw():
            return between(0, 2**32 - 1)
        case FeatureTerm(feature, _, clock) if feature.measure in ("first", "last"):
            return bounded(feature.bounds, clock) | MISSING
        case FeatureTerm(feature) if feature.measure in COUNTS:
            return between(0, None)
        case FeatureTerm(feature) if feature.measure == "sum":
            return ALL
        case PartOf(part) if part in _PARTS:
            return between(*_PARTS[part]) | MISSING
        case ElementCount() | Applied("length"):
            return between(0, None) | MISSING
        case Applied("abs", kind=kind):
            least = ordered(">=", 0)
            return (whole(least) if kind is Kind.INTEGER else least) | MISSING
        case Standing(rank, what):
            return between(1, rank.tiles if what == "tile" else None) | MISSING
        case _ if isinstance(key, _TERMS):
            return (between(0, 1) | MISSING) if key.kind is Kind.BOOLEAN else ANY
        case _:
            return between(0, 1)


def operands(key: Key) -> Iterator[Term]:
    """What must be known for a value to be known."""
    match key:
        case Calculation(_, left, right) | Side(left, right) | DayCount(left, right):
            yield from (left, right)
        case Applied(function, arguments) if function != "coalesce":
            yield from arguments
        case Moved(own) | LocalTime(own) | LocalDate(own) | Midnight(own) | PartOf(_, own):
            yield own
        case JsonTerm(column) | ElementCount(column) if isinstance(column, _TERMS):
            yield column
        case Standing(rank):
            yield rank.value
        case TextSearch(_, term, text):
            yield term
            if not isinstance(text, str):
                yield text
        case _:
            return


def bounded(bounds: Bounds, clock: str | None) -> Values:
    """The times within bounds, on the line of times that `clock` writes (None: instants, or dates)."""
    own = ALL
    for op, end in ((">=" if bounds.low_in else ">", bounds.low), ("<=" if bounds.high_in else "<", bounds.high)):
        if end is not None:
            own = own & ordered(op, _instant(end, clock) if isinstance(end, dt.datetime) else end.toordinal())
    return own if isinstance(bounds.low or bounds.high, dt.datetime) else whole(own)


# ---------------------------------------------------------------- reading


def _compared(condition: Condition, op: str, left: Term, right: Term) -> tuple[Key, Values]:
    if isinstance(left, Constant) and isinstance(right, Constant):
        return condition, TRUE
    if isinstance(left, Constant):
        return _compared(condition, FLIPPED[op], right, left)  # type: ignore[index]
    if isinstance(right, Constant):
        point = _point(left, right.value)
        return (condition, TRUE) if point is None else _unwrapped(left, _on_line(left, ordered(op, point)))
    if left == right:
        return left, ALL if op in ("==", "<=", ">=") else Values(False)
    if not left.kind.is_timestamp and not right.kind.is_timestamp and hash(left) > hash(right):
        left, right, op = right, left, FLIPPED[op]  # type: ignore[index]
    return Side(left, right), whole(ordered(op, 0)) & between(-1, 1)


def _point(term: Term, value: Scalar) -> Point | None:
    """Where a constant lies on the line of a term's values; None where engines and Python may not place it alike."""
    match term.kind, value:
        case Kind.TEXT, str():
            return value
        case Kind.BOOLEAN, bool():
            return int(value)
        case Kind.DATE, dt.date() if not isinstance(value, dt.datetime):
            return value.toordinal()
        case ((Kind.TIMESTAMP | Kind.TIMESTAMPTZ), dt.datetime()):
            return _instant(value, term.clock)
        case _ if term.kind.is_number and isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            return _number(term.kind, value)
        case _:
            return None


def _number(kind: Kind, value: int | float | Decimal) -> Point | None:
    """A constant among floats is one; among numbers of undeclared make it must be the same as a float and exactly."""
    if kind is Kind.FLOAT:
        return Fraction(float(value)) if not isinstance(value, int) or abs(value) <= 2**53 else None
    if isinstance(value, float):
        return None
    if kind is Kind.NUMBER and len(Decimal(value).normalize().as_tuple().digits) > 15:
        return None
    return Fraction(value)


def _instant(at: dt.datetime, clock: str | None) -> int:
    """Microseconds on the wall clock by which the values of a term are written."""
    wall = at.astimezone(ZoneInfo(clock or "UTC")).replace(tzinfo=None, fold=0)
    since = dt.datetime.combine(wall.date(), wall.time()) - _EPOCH
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds


def _on_line(term: Term, own: Values) -> Values:
    return whole(own) if term.kind in (Kind.INTEGER, Kind.DATE, Kind.BOOLEAN) else own


def _unwrapped(term: Term, own: Values) -> tuple[Term, Values]:
    """The same about the date in a count of days, the moment in a date, and what was moved."""
    match term:
        case DayCount(Constant(dt.date() as later), earlier):
            at = later.toordinal()
            return _unwrapped(earlier, own.mirrored(lambda cut: (at - _int(cut) + 1, 0)))
        case DayCount(later_term, Constant(dt.date() as earlier_day)):
            at = earlier_day.toordinal()
            return _unwrapped(later_term, own.moved(lambda cut: (at + _int(cut), 0)))
        case LocalDate(moment, zone) if (moment.clock or "UTC") == zone:
            return _unwrapped(moment, own.moved(_midnight))
        case LocalTime(moment, zone) if (moment.clock or "UTC") == zone:
            return _unwrapped(moment, own)
        case Moved(moment, amount, "days") if term.kind is Kind.DATE:
            return _unwrapped(moment, own.moved(lambda cut: (_int(cut) - amount, 0)))
        case Moved(moment, amount, "minutes") if (moment.clock or "UTC") == "UTC":
            return _unwrapped(moment, own.moved(lambda cut: (_int(cut) - amount * 60_000_000, cut[1])))
        case _:
            return term, own


def _int(cut: Cut) -> int:
    assert isinstance(cut[0], int)
    return cut[0]


def _midnight(cut: Cut) -> Cut:
    days = _int(cut) - _EPOCH.toordinal()
    return days * _MICROSECONDS_A_DAY, 0
