"""When contacts come into segments and leave them: on which day of the week, and after how long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from segkit.measures.spells import Spells
from segkit.measures.stays import days

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

COLUMNS = ("segment", "move", "by", "value", "moves", "share")
BANDS = (1, 7, 30, 90, 365)
"""The ends of the bands of time, in days: each holds its end."""
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LONGEST_STEP = timedelta(hours=25)


def patterns(spells: Spells, zone: str) -> pd.DataFrame:
    """Entries and exits by what they have in common. `Workspace.patterns` says what the columns mean."""
    import pandas as pd

    rows = [(name, *row) for i, name in enumerate(spells.names) for row in _rows(spells, i, zone)]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    kinds = (str, str, str, str, int, float)
    return frame.astype(dict(zip(COLUMNS, kinds, strict=True)))


def _rows(spells: Spells, segment: int, zone: str) -> Iterator[tuple[str, str, str, int, float]]:
    import numpy as np

    own = spells.of(segment)
    contact, entered, left = spells.contact[own], spells.entered[own], spells.left[own]
    at, last = days(spells.points, zone), len(spells.points)
    comes, goes = entered > 0, left < last
    if all(after - before <= _LONGEST_STEP for before, after in zip(spells.points, spells.points[1:], strict=False)):
        weekdays = [(point - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).weekday() for point in spells.points]
        for move, points in (("entry", entered[comes]), ("exit", left[goes])):
            found = np.bincount(np.array(weekdays, dtype=np.int64)[points], minlength=7)
            yield from _told(move, "weekday", _WEEKDAYS, found)
    is_again = np.zeros(len(contact), dtype=bool)
    is_again[1:] = contact[1:] == contact[:-1]
    away = np.zeros(len(contact))
    again = np.flatnonzero(is_again)
    away[again] = at[entered[again]] - at[left[again - 1]]
    found = np.concatenate([[int((comes & ~is_again).sum())], _banded(away[again])])
    yield from _told("entry", "absence", ("first seen", *_bands()), found)
    is_known = comes & goes
    stayed = at[left[is_known]] - at[entered[is_known]]
    found = np.concatenate([_banded(stayed), [int((goes & ~comes).sum())]])
    yield from _told("exit", "tenure", (*_bands(), "in since before the start"), found)


def _banded(lengths: np.ndarray) -> np.ndarray:
    import numpy as np

    return np.bincount(np.searchsorted(BANDS, np.round(lengths, 6)), minlength=len(BANDS) + 1)


def _bands() -> tuple[str, ...]:
    return (*(f"up to {end} day{'s' if end > 1 else ''}" for end in BANDS), f"over {BANDS[-1]} days")


def _told(move: str, by: str, values: tuple[str, ...], found: np.ndarray) -> Iterator[tuple[str, str, str, int, float]]:
    total = int(found.sum())
    for value, moves in zip(values, found.tolist(), strict=True):
        yield move, by, value, moves, moves / total if total else float("nan")
