"""The value of a term for the row at hand, None where it is missing."""

from __future__ import annotations

import calendar
import datetime as dt
import json
import math
import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, assert_never
from zoneinfo import ZoneInfo

from segkit.catalog import Kind
from segkit.errors import DataError
from segkit.evaluate.reading import read
from segkit.evaluate.world import World
from segkit.plan.tree import (
    Applied,
    Calculation,
    ColumnTerm,
    Constant,
    DayCount,
    ElementCount,
    ElementTerm,
    FeatureTerm,
    JsonTerm,
    LocalDate,
    LocalTime,
    Midnight,
    Moved,
    PartOf,
    PastColumn,
    Standing,
    Term,
)

LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_UPPER = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def value_of(term: Term, world: World) -> Any:
    match term:
        case Constant(value):
            return value
        case ColumnTerm(name, kind, clock):
            return read(world.row.get(name), kind, clock)
        case PastColumn(table, name, kind, clock):
            return read(world.past[table].get(name), kind, clock)
        case JsonTerm(column, path, kind):
            return _json(_document(column, world), path, kind)
        case ElementCount(column, path, where):
            array = _found(_document(column, world), path)
            if not isinstance(array, list | tuple):
                return None
            return sum(where is None or world.decide(where, World({_ELEMENT: own}, world.decide)) for own in array)
        case FeatureTerm(feature, kind, clock):
            return read(world.outcomes[feature], kind, clock)
        case Standing(rank, what):
            return world.standings.get(rank, {}).get(what)
        case Applied():
            return _applied(term, world)
        case Calculation(op, left, right):
            a, b = value_of(left, world), value_of(right, world)
            return None if a is None or b is None else _calculated(op, *paired(a, b))
        case DayCount(later, earlier):
            a, b = value_of(later, world), value_of(earlier, world)
            return None if a is None or b is None else (a - b).days
        case Moved(moment, amount, unit):
            at = value_of(moment, world)
            return None if at is None else _moved(at, amount, unit)
        case LocalTime(moment, zone):
            at = value_of(moment, world)
            return None if at is None else at.astimezone(ZoneInfo(zone))
        case LocalDate(moment, zone):
            at = value_of(moment, world)
            return None if at is None else at.astimezone(ZoneInfo(zone)).date()
        case Midnight(date, zone):
            day = value_of(date, world)
            return None if day is None else dt.datetime.combine(day, dt.time(), ZoneInfo(zone))
        case PartOf(part, moment):
            at = value_of(moment, world)
            return None if at is None else _PARTS[part](at)
        case _:
            assert_never(term)


_PARTS: dict[str, Callable[[Any], int]] = {
    "year": lambda at: at.year,
    "quarter": lambda at: (at.month + 2) // 3,
    "month": lambda at: at.month,
    "week": lambda at: at.isocalendar().week,
    "day": lambda at: at.day,
    "weekday": lambda at: at.isoweekday(),
    "hour": lambda at: at.hour,
}


def _moved(at: Any, amount: int, unit: str) -> Any:
    try:
        if unit != "months":
            return at + dt.timedelta(**{unit: amount})
        year, month = divmod(at.year * 12 + at.month - 1 + amount, 12)
        last_day = calendar.monthrange(year, month + 1)[1]
        return at.replace(year=year, month=month + 1, day=min(at.day, last_day))
    except (OverflowError, ValueError):
        raise DataError(f"{amount} {unit} from {at} is out of range", fix="correct the value in the data") from None


def _calculated(op: str, a: Any, b: Any) -> Any:
    match op:
        case "+":
            result = a + b
        case "-":
            result = a - b
        case "*":
            result = a * b
        case _:
            result = None if b == 0 else float(a) / float(b)
    return None if isinstance(result, float) and math.isnan(result) else result


def _applied(term: Applied, world: World) -> Any:
    values = [value_of(argument, world) for argument in term.arguments]
    if term.function == "coalesce":
        first = next((value for value in values if value is not None), None)
        return float(first) if term.kind is Kind.FLOAT and first is not None else first
    (value,) = values
    if value is None:
        return None
    match term.function:
        case "abs":
            return abs(value)
        case "round":
            return _rounded(value, term.digits)
        case "lower":
            return value.translate(LOWER)
        case "upper":
            return value.translate(_UPPER)
        case "length":
            return len(value)
        case _:
            assert_never(term.function)


def _rounded(value: Any, digits: int) -> Any:
    """Halves away from zero; a float as floor(|x| * 10^digits + 1/2) / 10^digits, which every engine reckons alike."""
    if isinstance(value, int):
        return value
    if isinstance(value, Decimal):
        return value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    if math.isinf(value):
        return value
    scale = 10.0**digits
    return math.copysign(math.floor(abs(value) * scale + 0.5) / scale, value)


_PLAIN_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


_ELEMENT = ""


def _document(column: ColumnTerm | PastColumn | ElementTerm, world: World) -> Any:
    """A JSON column or an element as Python's own lists and mappings."""
    return world.row[_ELEMENT] if isinstance(column, ElementTerm) else _parsed(value_of(column, world))


def _found(document: Any, path: tuple[str | int, ...]) -> Any:
    """What a path leads to in a JSON document, None where there is nothing."""
    for step in path:
        if isinstance(step, str) and isinstance(document, Mapping):
            document = document.get(step)
        elif isinstance(step, int) and isinstance(document, list | tuple) and step < len(document):
            document = document[step]
        else:
            return None
    return document


def _json(document: Any, path: tuple[str | int, ...], kind: Kind) -> Any:
    """What a path leads to in a JSON document, as text, a number or a boolean; None where there is nothing of the sort.

    Objects and arrays are there (which is all that an unknown kind asks), but are none of these.
    """
    found = _found(document, path)
    if found is None:
        return None
    if isinstance(found, Mapping | list | tuple):
        return found if kind is Kind.UNKNOWN else None
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    text = found if isinstance(found, str) else json.dumps(found)
    if kind.is_number:
        readable = is_number or (isinstance(found, str) and _PLAIN_NUMBER.fullmatch(text))
        return float(text) if readable else None
    if kind is Kind.BOOLEAN:
        return {"true": True, "false": False}.get(text)
    return text


def _parsed(document: Any) -> Any:
    if not isinstance(document, str | bytes):
        return document
    try:
        return json.loads(document)
    except ValueError:
        raise DataError(f"{document!r:.60} is no JSON", fix="correct the value, or the kind of the field") from None


def paired(a: Any, b: Any) -> tuple[Any, Any]:
    """Two numbers made alike: floats if one is a float, else exact."""
    if isinstance(a, float) and isinstance(b, Decimal):
        return a, float(b)
    if isinstance(a, Decimal) and isinstance(b, float):
        return float(a), b
    return a, b
