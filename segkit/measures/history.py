"""How large segments were at each point of a grid, and how many contacts came and went between two points."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from segkit.measures.spells import Course, Flows
from segkit.plan import Plan
from segkit.plan.course import without_history

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

COLUMNS = ("segment", "at", "size", "entries", "exits", "growth", "churn", "method", "today_values")
SWEPT, ASKED = "swept", "asked"


def history(flows: Flows, courses: Sequence[Course], today: datetime) -> pd.DataFrame:
    """The frame of how many came and went: a row for each segment and point. `Workspace.history` says what the columns mean."""
    import numpy as np
    import pandas as pd

    names, entered, left, swept = flows.names, flows.entered, flows.left, flows.swept
    points = [plan.at.as_of for plan in courses[0]] if courses else []
    sizes = np.cumsum(entered - left, axis=1) if len(names) else entered
    before = sizes[:, :-1]
    growth, churn = np.full(sizes.shape, np.nan), np.full(sizes.shape, np.nan)
    np.divide(sizes[:, 1:], before, out=growth[:, 1:], where=before > 0)
    np.divide(left[:, 1:], before, out=churn[:, 1:], where=before > 0)
    at = pd.DatetimeIndex(points, dtype="datetime64[us, UTC]")
    zone = courses[0][0].at.zone if courses else "UTC"
    return pd.DataFrame(
        {
            "segment": pd.Series(np.repeat(np.array(names, dtype=object), len(points)), dtype=str),
            "at": at.tz_convert(zone)[np.tile(np.arange(len(points)), len(names))],
            "size": sizes.ravel(),
            "entries": _unknown_at_first(entered),
            "exits": _unknown_at_first(left),
            "growth": (growth - 1).ravel(),
            "churn": churn.ravel(),
            "method": pd.Series(np.repeat([SWEPT if own else ASKED for own in swept], len(points)), dtype=str),
            "today_values": pd.Series([_todays(own, today) for course in courses for own in course], dtype=str),
        }
    )


def _unknown_at_first(counts: np.ndarray) -> pd.Series[int]:
    """Counts, missing at the first point: nobody looked before it."""
    import numpy as np
    import pandas as pd

    is_first = np.zeros(counts.shape, dtype=bool)
    is_first[:, :1] = True
    return pd.Series(pd.arrays.IntegerArray(counts.ravel(), is_first.ravel()))


def _todays(own: Plan, today: datetime) -> str:
    is_past = (today - own.at.as_of).total_seconds() > 60
    return ", ".join(without_history(own)) if is_past else ""
