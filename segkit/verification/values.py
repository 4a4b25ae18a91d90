"""Values as columns hold them."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from segkit.catalog import Kind


def fitting(value: Any, kind: Kind, clock: str | None) -> Any:
    """A value as a column of a kind may hold it, None where it may not.

    >>> fitting(Decimal("2.5"), Kind.INTEGER, None)
    2
    """
    match kind, value:
        case ((Kind.TEXT | Kind.UNKNOWN), str()):
            return value
        case Kind.BOOLEAN, bool():
            return value
        case Kind.INTEGER, bool():
            return None
        case ((Kind.INTEGER | Kind.NUMBER | Kind.DECIMAL | Kind.FLOAT), (int() | float() | Decimal())):
            return _number(value, kind)
        case ((Kind.DATE | Kind.TIMESTAMP | Kind.TIMESTAMPTZ), dt.date()):
            return _time(value, kind, clock)
        case _:
            return None


def moved(at: Any, *steps: dt.timedelta) -> list[Any]:
    """A date or time, moved by each of some steps that do not lead out of the calendar.

    >>> moved(dt.date(9999, 12, 31), dt.timedelta(days=-1), dt.timedelta(days=1))
    [datetime.date(9999, 12, 30)]
    """
    found = []
    for step in steps:
        try:
            found.append(at + step)
        except OverflowError:
            continue
    return found


def _number(value: int | float | Decimal, kind: Kind) -> Any:
    if kind is Kind.FLOAT:
        return float(value)
    if kind is Kind.INTEGER:
        return math.floor(value) if abs(float(value)) < 2**62 else None
    try:
        number = Decimal(str(value)).quantize(Decimal("0.000001"))
    except InvalidOperation:
        return None
    return number if abs(float(number)) < 1e20 else None


def _time(value: dt.date, kind: Kind, clock: str | None) -> Any:
    own = ZoneInfo(clock or "UTC")
    if kind is Kind.DATE:
        return value.astimezone(own).date() if isinstance(value, dt.datetime) else value
    at = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time(), own)
    at = at if at.tzinfo else at.replace(tzinfo=own)
    try:
        return at.astimezone(own).replace(tzinfo=None, fold=0) if kind is Kind.TIMESTAMP else at.astimezone(dt.UTC)
    except OverflowError:
        return None
