"""Rows of a driver as a frame."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    import pandas as pd

_LARGEST = 2**63


def frame(names: Sequence[str], columns: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """Columns of Python values as a frame.

    Whole numbers are `int64` (`Int64` where one is missing), decimals and floats `float64`, truth values `bool`
    (`boolean`), dates and timestamps `datetime64[us]`, timestamps with zone `datetime64[us, UTC]`, and objects and lists
    are JSON text. Bytes that are text in UTF-8 are that text: MySQL compares texts as bytes.

    >>> found = frame(["n", "at"], [[1, None], [date(2025, 1, 31), None]])
    >>> found.dtypes.astype(str).tolist()
    ['Int64', 'datetime64[us]']
    """
    import pandas as pd

    made = pd.DataFrame({i: _series(values) for i, values in enumerate(columns)})
    made.columns = pd.Index(list(names))
    return made


def _series(values: Sequence[Any]) -> pd.Series[Any]:
    import pandas as pd

    stored = {type(value) for value in values}
    known = stored - {type(None)}
    is_whole = len(known) == len(stored)
    if known == {bool}:
        return pd.Series(values, dtype="bool" if is_whole else "boolean")
    if known == {int}:
        if any(value is not None and not -_LARGEST <= value < _LARGEST for value in values):
            return pd.Series(values, dtype="float64")
        return pd.Series(values, dtype="int64" if is_whole else "Int64")
    if known and known <= {int, float, Decimal}:
        return pd.Series([None if value is None else float(value) for value in values], dtype="float64")
    if known and all(issubclass(own, date) for own in known):
        if any(isinstance(value, datetime) and value.tzinfo is not None for value in values):
            return pd.Series(pd.to_datetime(pd.Series(values, dtype=object), utc=True)).astype("datetime64[us, UTC]")
        return pd.Series(values, dtype="datetime64[us]")
    if known & {dict, list, UUID, bytes}:
        return pd.Series([_text(value) for value in values])
    return pd.Series(values, dtype=object if not known else None)


def _text(value: Any) -> Any:
    match value:
        case dict() | list():
            return json.dumps(value, ensure_ascii=False)
        case UUID():
            return str(value)
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError:
                return value
        case _:
            return value
