"""Raw values of the data as Python's own."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from segkit.catalog import Column, Kind
from segkit.errors import DataError
from segkit.evaluate.world import Row


def read(value: Any, kind: Kind, clock: str | None) -> Any:
    """A raw value of the data as Python's own, None where it is missing (NaN counts as missing)."""
    if hasattr(value, "item") and callable(value.item) and getattr(value, "ndim", None) == 0:
        value = value.item()
    if value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and math.isnan(value)):
        return None
    try:
        match kind:
            case Kind.DATE:
                return _date(value)
            case Kind.TIMESTAMP | Kind.TIMESTAMPTZ:
                return _instant(value, clock or "UTC")
            case Kind.DECIMAL if isinstance(value, float | int | str):
                return Decimal(str(value))
            case Kind.FLOAT if isinstance(value, int | Decimal):
                return float(value)
            case _:
                return value
    except (ValueError, TypeError, InvalidOperation):
        raise DataError(f"{value!r:.60} is no {kind}", fix="correct the value, or its kind in the catalog") from None


def _date(value: Any) -> dt.date:
    match value:
        case dt.datetime():
            return value.date()
        case dt.date():
            return value
        case _:
            return dt.datetime.fromisoformat(value).date()


def _instant(value: Any, zone: str) -> dt.datetime:
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value)
    if not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time())
    elif hasattr(value, "to_pydatetime"):
        value = value.to_pydatetime(warn=False)
    own = ZoneInfo(zone)
    at: dt.datetime = value
    return at.replace(tzinfo=own, fold=0) if at.tzinfo is None else at.astimezone(own)


def named_by_column(row: Row, columns: Mapping[str, Column]) -> dict[str, Any]:
    """A row whose values are named by field, as one named by column."""
    by_case = {name.casefold(): name for name in row}
    named = {str(name): value for name, value in row.items()}
    for name, column in columns.items():
        spellings = (name, column.name, by_case.get(name.casefold(), name), by_case.get(column.name.casefold(), name))
        found = next((spelling for spelling in spellings if spelling in row), None)
        if found is not None:
            named[column.name] = row[found]
    return named
