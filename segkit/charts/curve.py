"""The size of a segment along the thresholds, or window lengths, of one of its conditions."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any

from segkit.charts import drawing
from segkit.charts.chart import Chart
from segkit.display import number, percent, seen

if TYPE_CHECKING:
    import pandas as pd

_WIDTH = 480
_HEIGHT = 240
_MOST_POINTS = 600
_MOST_DOTS = 40
_HEADROOM = 1.14
"""Above the curve, for what is said of the current threshold."""


def thresholds(frame: pd.DataFrame) -> Chart:
    """How large a segment is at each threshold of one of its conditions: a curve in steps, the definition's own marked.

    Args:
        frame: what `Workspace.thresholds` or `Workspace.windows` gives: threshold, size, share, is_current; of more than 600
            thresholds every so-manieth is drawn, with the ends and the current one.

    Raises:
        SegkitError: the frame has other columns.

    >>> from segkit import F, charts, connect
    >>> charts.thresholds(connect().thresholds(F.opens > 5)).title
    'Contacts at each threshold'
    """
    drawing.expect(frame, ("threshold", "size", "share", "is_current"), "thresholds", "ws.thresholds(...) or ws.windows(...)")
    unit = seen(str(frame.attrs.get("unit") or ""), 20)
    title = "Contacts at each length of the window" if unit else "Contacts at each threshold"
    condition = seen(str(frame.attrs.get("condition") or ""), 200)
    segment = seen(str(frame.attrs.get("segment") or ""), 120)
    within = f", in {segment}" if segment != condition else ""
    about = [f"of {condition}{within}" if condition else "", drawing.as_of(frame)]
    if frame.empty:
        return drawing.nothing(frame, title, about)
    shown = _thinned(frame[[abs(own) != math.inf if isinstance(own, float) else True for own in frame["threshold"]]])
    if shown.empty:
        return drawing.nothing(frame, title, about)
    if len(shown) < len(frame):
        about.append(f"{number(len(shown))} of {number(len(frame))} thresholds are drawn")
    return drawing.finished(_curve(shown, unit), frame, title, about)


def _thinned(frame: pd.DataFrame) -> pd.DataFrame:
    """At most so many rows, evenly spread, with both ends and the current one."""
    if len(frame) <= _MOST_POINTS:
        return frame
    step = -(-len(frame) // _MOST_POINTS)
    kept = {*range(0, len(frame), step), len(frame) - 1}
    kept |= {i for i, is_current in enumerate(frame["is_current"]) if is_current}
    return frame.iloc[sorted(kept)]


def _curve(frame: pd.DataFrame, unit: str) -> Any:
    import altair as alt

    values: list[dict[str, Any]] = [
        {"threshold": _number(at), "told": _told(at), "size": int(size), "share": percent(share), "is_current": bool(is_current)}
        for at, size, share, is_current in zip(
            frame["threshold"], frame["size"], frame["share"], frame["is_current"], strict=True
        )
    ]
    is_time = isinstance(values[0]["threshold"], str)
    kind = "threshold:T" if is_time else "threshold:Q"
    varies = seen(str(frame.attrs.get("varies") or "threshold"), 70)
    x = alt.X(
        kind,
        title=f"{varies} ({unit})" if unit else f"threshold x of {varies} x",
        scale=alt.Scale(type="utc") if is_time else alt.Scale(zero=False, nice=False),
        axis=alt.Axis(format="%Y-%m-%d", tickCount=5, labelOverlap="greedy", labelSeparation=12) if is_time else _ticks(values),
    )
    most = max(int(size) for size in frame["size"])
    y_scale = alt.Scale(domain=[0, math.ceil(most * _HEADROOM) or 1], nice=False)
    y_axis = alt.Axis(format=",d", tickMinStep=1, tickCount=5) if most else alt.Axis(values=[0], format="d")
    base = alt.Chart({"values": values}).encode(
        x=x,
        y=alt.Y("size:Q", title="contacts", scale=y_scale, axis=y_axis),
        tooltip=[
            alt.Tooltip("told:N", title=unit or "threshold"),
            alt.Tooltip("size:Q", title="contacts", format=","),
            alt.Tooltip("share:N", title="of all contacts"),
        ],
    )
    layers = [base.mark_line(color=drawing.BLUE, interpolate=_shape(str(frame.attrs.get("op") or "")), strokeWidth=2)]
    dots = 40 if len(values) <= _MOST_DOTS else 0
    layers.append(base.mark_point(color=drawing.BLUE, filled=True, size=dots or 60, opacity=1 if dots else 0))
    current = [i for i, value in enumerate(values) if value["is_current"]]
    if current:
        layers += _mark(values, current[0], x, unit)
    return alt.layer(*layers).properties(width=_WIDTH, height=_HEIGHT)


def _mark(values: list[dict[str, Any]], i: int, x: Any, unit: str) -> list[Any]:
    """The definition's own threshold: a line, a dot on the curve, and its size."""
    import altair as alt

    own = {
        **values[i],
        "label": f"now {values[i]['told']}{unit and ' ' + unit}: {number(values[i]['size'])} ({values[i]['share']})",
    }
    low, here, high = (_place(values[own]["threshold"]) for own in (0, i, -1))
    is_right = here - low > high - here
    at = alt.Chart({"values": [own]}).encode(x=x)
    side: dict[str, Any] = {"align": "right", "dx": -6} if is_right else {"align": "left", "dx": 6}
    return [
        at.mark_rule(color=drawing.GREY, strokeDash=[4, 3]),
        at.mark_point(color=drawing.ORANGE, filled=True, size=90, opacity=1).encode(y="size:Q"),
        at.mark_text(baseline="top", fontSize=12, y=2, **side).encode(text="label:N"),
    ]


def _ticks(values: list[dict[str, Any]]) -> Any:
    """Ticks at whole numbers only, where all thresholds are whole."""
    import altair as alt

    thresholds = [value["threshold"] for value in values]
    span = max(thresholds) - min(thresholds)
    is_whole = all(threshold.is_integer() for threshold in thresholds)
    return alt.Axis(tickCount=max(1, min(8, int(span)))) if is_whole else alt.Axis(tickCount=8)


def _shape(op: str) -> Any:
    """Where the curve steps: with > and <= at the threshold itself, with >= and < just beyond it; else that is not known."""
    match op:
        case ">" | "<=":
            return "step-after"
        case ">=" | "<":
            return "step-before"
        case _:
            return "linear"


def _place(at: float | str) -> float:
    return dt.datetime.fromisoformat(at).timestamp() if isinstance(at, str) else at


def _number(at: Any) -> float | str:
    return at.isoformat() if isinstance(at, dt.date) else float(at)


def _told(at: Any) -> str:
    if isinstance(at, dt.date):
        text = at.isoformat(" ") if isinstance(at, dt.datetime) else at.isoformat()
        return text.removesuffix(" 00:00:00")
    return f"{int(at):,}" if float(at).is_integer() else f"{at:,}"
