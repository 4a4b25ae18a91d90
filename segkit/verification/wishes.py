"""Which values of the data put a condition just on one side or the other of what it asks for.

A condition is followed down to the columns, features and lists that it reads: `F.a / F.b > 2` wishes that `a` be 2 times
some `b`, and a little more and less. A wish is no promise: whoever collects them tries them in many combinations.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, TypeAlias, assert_never, cast
from zoneinfo import ZoneInfo

from segkit.catalog import Kind
from segkit.evaluate import constant_value
from segkit.nodes import DatePart
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
    Raw,
    Reference,
    Standing,
    Term,
    TextSearch,
)
from segkit.verification.values import moved

Place: TypeAlias = ColumnTerm | PastColumn | JsonTerm | ElementCount | FeatureTerm
"""Where a value can be put."""
Wish: TypeAlias = tuple[Place, Any]

_MOST_OPTIONS = 12
_TINY = dt.timedelta(microseconds=1)
_DAY = dt.timedelta(days=1)
_STRANGE = "% _\\'\"é😀"
"""Characters that searches for text often get wrong."""


def wishes(conditions: Iterable[Condition], today: dt.date) -> Iterator[Wish]:
    """What values would decide some conditions, those of references and ranks not included.

    >>> own = ColumnTerm("opens", Kind.INTEGER)
    >>> [value for _, value in wishes([Comparison(">", own, Constant(5, Kind.INTEGER))], dt.date(2025, 11, 30))]
    [4, 5, 6]
    """
    for condition in conditions:
        match condition:
            case AllOf(items) | AnyOf(items):
                yield from wishes(items, today)
            case Complement(item):
                yield from wishes([item], today)
            case Comparison(_, left, right):
                yield from _of_comparison(left, right, today)
            case Among(
                Calculation("+", Calculation("*", PartOf("month", date), Constant(100)), PartOf("day", same)), options
            ) if date == same:
                for month_and_day in (int(str(option.value)) for option in options[:_MOST_OPTIONS]):
                    yield from _of_neighbours(date, dt.date(1996, month_and_day // 100, month_and_day % 100), today)
            case Among(term, options):
                for option in options[:_MOST_OPTIONS]:
                    yield from _of_neighbours(term, option.value, today)
            case TextSearch(_, term, str() as text, _):
                for value in _texts_around(text):
                    yield from wished(term, value, today)
            case TextSearch(_, term, text, _):
                for value in ("a", "ab", f"b{_STRANGE}a", "A", ""):
                    yield from wished(term, value, today)
                for value in ("a", "_", "%", "a_", "A", ""):
                    yield from wished(cast(Term, text), value, today)
            case IsMissing(term):
                yield from wished(term, None, today)
                yield from wished(term, some(term.kind, today), today)
            case Always() | OnList() | Reference() | Drawn() | Raw():
                continue
            case _:
                assert_never(condition)


def _of_comparison(left: Term, right: Term, today: dt.date) -> Iterator[Wish]:
    match constant_value(left), constant_value(right):
        case None, value if value is not None:
            yield from _of_neighbours(left, value, today)
        case value, None if value is not None:
            yield from _of_neighbours(right, value, today)
        case _:
            for value in neighbours(some(left.kind, today)):
                yield from wished(left, value, today)
                yield from wished(right, value, today)


def _of_neighbours(term: Term, value: Any, today: dt.date) -> Iterator[Wish]:
    for near in neighbours(value):
        yield from wished(term, near, today)


def neighbours(value: Any) -> list[Any]:
    """A value, and those beside it.

    >>> neighbours("USA")
    ['USA', 'usa', 'USA ', ' USA', 'USAUSA', 'US', '']
    """
    match value:
        case None:
            return [None]
        case bool():
            return [False, True]
        case int():
            return [value - 1, value, value + 1]
        case Decimal():
            step = Decimal(1).scaleb(min(-2, int(value.as_tuple().exponent)))
            return [value - step, value, value + step]
        case float():
            return [math.nextafter(value, -math.inf), value, math.nextafter(value, math.inf)]
        case dt.datetime():
            return moved(value, -_TINY, dt.timedelta(), _TINY)
        case dt.date():
            return moved(value, -_DAY, dt.timedelta(), _DAY)
        case str():
            return list(dict.fromkeys([value, value.swapcase(), f"{value} ", f" {value}", value * 2, value[:-1], ""]))
        case _:
            return [value]


def _texts_around(text: str) -> list[str]:
    """A text as it is, in the middle, at either end, in the other case, with a character that patterns take for any."""
    around = [text, f"x{text}", f"{text}x", f"x{text}x", text.swapcase(), f"{text[:1]}{_STRANGE}{text[1:]}", "x", ""]
    beyond_ascii = text.translate(str.maketrans("kKsSiI", "\u212a\u212a\u017f\u017f\u0130\u0130"))
    return [*around, text.replace("%", "x").replace("_", "x").replace("\\", ""), beyond_ascii]


def ordinary(kind: Kind, today: dt.date) -> list[Any]:
    """Values of a kind that are always worth a try."""
    if kind is Kind.FLOAT:
        return [some(kind, today), math.nan]
    if kind is Kind.DATE or kind.is_timestamp:
        years = [dt.date(year, 2, 29) for year in (1996, 2024)] + [dt.date(1900, 1, 1)]
        return [*neighbours(some(kind, today)), *years, dt.date(today.year - 1, 12, 31), dt.date(today.year, 1, 1)]
    return [some(kind, today)]


def some(kind: Kind, today: dt.date) -> Any:
    """A value of a kind."""
    match kind:
        case Kind.TEXT | Kind.UNKNOWN:
            return "a"
        case Kind.NUMBER | Kind.INTEGER | Kind.DURATION:
            return 2
        case Kind.DECIMAL:
            return Decimal("2.50")
        case Kind.FLOAT:
            return 2.5
        case Kind.BOOLEAN:
            return True
        case Kind.DATE:
            return today
        case Kind.TIMESTAMP | Kind.TIMESTAMPTZ:
            return dt.datetime.combine(today, dt.time(), dt.UTC)
        case Kind.JSON:
            return {}
        case _:
            assert_never(kind)


# ---------------------------------------------------------------- from the value of a term to those of what it reads


def wished(term: Term, value: Any, today: dt.date) -> Iterator[Wish]:
    """What would give a term a value, as far as that can be told."""
    match term:
        case ColumnTerm() | PastColumn() | JsonTerm() | ElementCount() | FeatureTerm():
            yield term, value
        case Constant() | Standing():
            return
        case Calculation(op, left, right):
            yield from _of_calculation(op, left, right, value, today)
        case Applied():
            yield from _of_function(term, value, today)
        case DayCount(later, earlier):
            yield from _of_days(later, earlier, value, today)
        case Moved(moment, amount, unit):
            yield from wished(moment, _back(value, amount, unit), today)
        case LocalTime(moment):
            yield from wished(moment, value, today)
        case LocalDate(moment, zone):
            for at in _around_midnight(value, zone):
                yield from wished(moment, at, today)
        case Midnight(date, zone):
            day = value.astimezone(ZoneInfo(zone)).date() if isinstance(value, dt.datetime) else value
            for near in neighbours(day):
                yield from wished(date, near, today)
        case PartOf(part, moment):
            for own in _with_part(part, value, today):
                yield from wished(moment, own, today)
        case _:
            assert_never(term)


def _of_calculation(op: str, left: Term, right: Term, value: Any, today: dt.date) -> Iterator[Wish]:
    """One side is a constant, or is taken to be some number; missing and zero are always worth a try."""
    yield from wished(left, None, today)
    yield from wished(right, None, today)
    if not isinstance(value, int | float | Decimal):
        return
    a = left.value if isinstance(left, Constant) else 2
    b = right.value if isinstance(right, Constant) else 2
    if not (_is_number(a) and _is_number(b)):
        return
    number, a, b = Decimal(str(value)), Decimal(str(a)), Decimal(str(b))
    if not isinstance(right, Constant):
        for own in (b, Decimal(0)):
            yield from wished(right, own, today)
    match op:
        case "+":
            yield from wished(left, number - b, today)
            yield from wished(right, number - a, today)
        case "-":
            yield from wished(left, number + b, today)
            yield from wished(right, a - number, today)
        case "*":
            yield from wished(left, number / b if b else Decimal(0), today)
            yield from wished(right, number / a if a else Decimal(0), today)
        case _:
            yield from wished(left, number * b, today)
            yield from wished(right, a / number if number else Decimal(0), today)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _of_function(term: Applied, value: Any, today: dt.date) -> Iterator[Wish]:
    first = term.arguments[0]
    match term.function:
        case "abs" | "round" if isinstance(value, int | float | Decimal):
            half = Decimal(5).scaleb(-term.digits - 1)
            own = Decimal(str(value))
            for number in (own, -own, own + half, own - half, -own - half):
                yield from wished(first, number, today)
        case "lower" | "upper" if isinstance(value, str):
            for text in (value, value.swapcase(), value.title()):
                yield from wished(first, text, today)
        case "length" if isinstance(value, int):
            for text in ("é" * max(0, value), "😀" * max(0, value), "a" * max(0, value - 1) + " "):
                yield from wished(first, text, today)
        case _:
            for argument in term.arguments:
                yield from wished(argument, value, today)
                yield from wished(argument, None, today)


def _of_days(later: Term, earlier: Term, value: Any, today: dt.date) -> Iterator[Wish]:
    if not _is_number(value):
        yield from wished(later, None, today)
        yield from wished(earlier, None, today)
        return
    days = dt.timedelta(days=math.floor(value))
    last = later.value if isinstance(later, Constant) and isinstance(later.value, dt.date) else today
    first = earlier.value if isinstance(earlier, Constant) and isinstance(earlier.value, dt.date) else last - days
    if not isinstance(earlier, Constant):
        yield from wished(later, last, today)
        yield from wished(earlier, last - days, today)
    else:
        yield from wished(later, first + days, today)


def _back(value: Any, amount: int, unit: str) -> Any:
    """About the moment that a move leads from."""
    if not isinstance(value, dt.date):
        return value
    step = {"minutes": dt.timedelta(minutes=1), "days": _DAY}.get(unit, dt.timedelta(days=30))
    return next(iter(moved(value, -amount * step)), value)


def _around_midnight(day: Any, zone: str) -> list[Any]:
    """The ends of a local day."""
    if not isinstance(day, dt.date):
        return [day]
    own = day.date() if isinstance(day, dt.datetime) else day
    try:
        ends = [dt.datetime.combine(d, dt.time(), ZoneInfo(zone)).astimezone(dt.UTC) for d in (own, own + _DAY)]
    except OverflowError:
        return []
    return [near for end in ends for near in moved(end, -_TINY, dt.timedelta())]


def _with_part(part: DatePart, value: Any, today: dt.date) -> list[dt.date | dt.datetime]:
    """Dates, or times for hours, that have a number as their part, around a year of today."""
    if not _is_number(value) or value != int(value):
        return []
    value = int(value)
    noon = dt.datetime.combine(today, dt.time(12), dt.UTC)
    if part == "hour":
        return [noon.replace(hour=value)] if 0 <= value < 24 else []
    if part == "year":
        return [dt.date(value, 1, 1), dt.date(value, 12, 31)] if 1 <= value <= 9999 else []
    year = [dt.date(today.year - 1, 1, 1) + n * _DAY for n in range(731)]
    leap = [dt.date(1996, 2, 29), dt.date(1900, 1, 1)]
    having = [day for day in (*leap, *year) if _part(part, day) == value]
    return [having[0], having[-1]] if having else []


def _part(part: DatePart, day: dt.date) -> int:
    match part:
        case "quarter":
            return (day.month + 2) // 3
        case "month":
            return day.month
        case "week":
            return day.isocalendar().week
        case "day":
            return day.day
        case "weekday":
            return day.isoweekday()
        case _:
            return day.year


def elements(own: ElementCount, today: dt.date) -> list[Any]:
    """Elements of an array that meet the condition on them, and others."""
    found: list[Any] = ["a", None, 1]
    for place, value in wishes([] if own.where is None else [own.where], today):
        if isinstance(place, JsonTerm) and isinstance(place.column, ElementTerm):
            found.append(nested(place.path, value))
    return found


def nested(path: tuple[str | int, ...], value: Any) -> Any:
    """JSON in which a path leads to a value.

    >>> nested(("a", 1), True)
    {'a': [None, True]}
    """
    for step in reversed(path):
        value = [*[None] * step, value] if isinstance(step, int) else {step: value}
    return value
