"""Points with intervals: how segments perform, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segkit.charts import drawing
from segkit.charts.chart import Chart
from segkit.display import percent, seen
from segkit.errors import unknown

if TYPE_CHECKING:
    import pandas as pd

_MOST_POINTS = 60
_MOST_PANELS = 12
_STEP = 22
_WIDTH = 300
_COLUMN_GAP = 34
"""Between panels, so that the last label of an axis and the first of the next stay apart."""
_PAD = 0.06
_LABEL = 0.24
"""The share of the width that is left for the labels beside the intervals."""


def performance(frame: pd.DataFrame, *, metric: str = "open_rate") -> Chart:
    """How segments perform: a point each with its interval, in the order of the frame; with periods, a panel a segment.

    A dashed line is the rate of the baseline. A hollow point is circular: the segment is defined by what is measured.

    Args:
        frame: what `Workspace.performance` gives. At most 60 segments are shown, or 12 with periods.
        metric: `open_rate`, `click_rate`, `click_to_open_rate`, `conversion_rate`, `average_order_value`,
            `revenue_per_contact`, or a ratio that the catalog defines; differences too, such as `open_rate_vs_rest`, with a
            line at zero.

    Raises:
        SegkitError: the frame has other columns, or no such metric.

    >>> from segkit import E, Segment, charts, connect
    >>> frame = connect().performance([Segment("Carted", E.carted.any())], start="2025-09-01", end="2025-10-01")
    >>> charts.performance(frame, metric="conversion_rate")
    <Chart: Conversion rate, 1 rows>
    """
    drawing.expect(frame, ("segment", "contacts", "circular"), "performance", "ws.performance([...], start=...)")
    known = [name for name in frame.columns if {f"{name}_low", f"{name}_high"} <= {*frame.columns}]
    if metric not in known:
        raise unknown("metric", str(metric), known)
    title = metric.replace("_", " ").replace(" vs ", ", less that of the ")
    segments = list(dict.fromkeys(frame["segment"]))
    most = _MOST_PANELS if "period" in frame else _MOST_POINTS
    kept = frame[frame["segment"].isin(segments[:most])]
    about = [*_told(frame, metric), drawing.left_out(min(len(segments), most), len(segments), "segments")]
    title = title[0].upper() + title[1:]
    if frame.empty:
        return drawing.nothing(frame, title, about)
    values = _values(kept, metric)
    if any(value["circular"] == "yes" for value in values):
        about.append("hollow: circular, the segment is defined by what is measured")
    if "period" in frame and len(segments) == 1:
        about.insert(0, f"of {seen(str(segments[0]), 80)}")
    return drawing.finished(_drawn(values, kept, metric), frame, title, about)


def _told(frame: pd.DataFrame, metric: str) -> list[str]:
    told = frame.attrs
    base = metric.partition("_vs_")[0]
    denominators = told.get("denominators")
    parts = [seen(str(denominators[base]), 80)] if isinstance(denominators, dict) and base in denominators else []
    if "confidence" in told:
        parts.append(f"{float(told['confidence']):.0%} intervals")
    if "_vs_" in metric and not _is_amount(metric, frame):
        parts.append("differences in percentage points")
    if told.get("baseline") is not None and _line(frame, metric) is not None:
        parts.append(f"dashed: {seen(str(told['baseline']), 60)}" if "_vs_" not in metric else "")
    when = [f"{str(told[end])[:10]}" for end in ("start", "end") if end in told]
    span = f"{' to '.join(when)}, members at the {seen(str(told.get('membership')), 10)}" if len(when) == 2 else ""
    return ["; ".join(part for part in parts if part), span]


def _line(frame: pd.DataFrame, metric: str) -> float | None:
    """Where the baseline lies: where there are periods it has no one place."""
    if "_vs_" in metric:
        return 0.0
    own = frame[frame["segment"] == frame.attrs.get("baseline")][metric].dropna()
    return drawing.finite(own.iloc[0]) if len(own) == 1 and "period" not in frame else None


def _values(frame: pd.DataFrame, metric: str) -> list[dict[str, Any]]:
    segments = list(dict.fromkeys(frame["segment"]))
    headers = dict(zip(segments, drawing.names(segments), strict=True))
    base, _, against = metric.partition("_vs_")
    told = {"is_share": not _is_amount(metric, frame), "is_difference": bool(against)}
    found: list[dict[str, Any]] = []
    for row, (_, own) in enumerate(frame.iterrows()):
        value, low, high = (drawing.finite(own[f"{metric}{part}"]) for part in ("", "_low", "_high"))
        name = headers[own["segment"]]
        found.append(
            {
                "row": row,
                "segment": name,
                "place": f"{own['period']:%Y-%m-%d}" if "period" in frame else name,
                "value": value,
                "low": low,
                "high": high,
                "end": next((end for end in (high, value) if end is not None), None),
                "contacts": int(own["contacts"]),
                "circular": "yes" if base in str(own["circular"]).split(", ") else "no",
                "label": _worded(value, **told),
                "interval": f"{_worded(low, **told)} to {_worded(high, **told)}" if low is not None else "–",
            }
        )
    return found


def _is_amount(metric: str, frame: pd.DataFrame) -> bool:
    """Whether a metric is no share: it can be above 1."""
    base = metric.partition("_vs_")[0]
    return base == "average_order_value" or base.endswith("_per_contact") or bool((frame[base].abs() > 1).any())


def _worded(value: float | None, is_share: bool, is_difference: bool) -> str:
    """A value as it is read; a difference with its sign.

    >>> _worded(0.0789, True, True), _worded(-0.94, False, True), _worded(64.5, False, False), _worded(None, True, False)
    ('+7.9%', '−0.94', '64.50', '–')
    """
    if value is None:
        return "–"
    told = percent(abs(value)) if is_share else f"{abs(value):,.2f}"
    return f"−{told}" if value < 0 else f"+{told}" if is_difference and value > 0 else told


def _drawn(values: list[dict[str, Any]], frame: pd.DataFrame, metric: str) -> Any:
    import altair as alt

    line = _line(frame, metric)
    low, high = _ends(values, line)
    for value in values:
        value["end"] = low if value["end"] is None else value["end"]
    panels = len({value["segment"] for value in values}) if "period" in frame else 1
    width = _WIDTH if panels == 1 else (_WIDTH + 60) // min(panels, 2) + 10
    layers = _layers(alt.Scale(domain=[low, high], nice=False, zero=False), _is_amount(metric, frame), line)
    layers = layers.properties(width=width, height=alt.Step(_STEP))
    if panels == 1:
        return layers.properties(data={"values": values})
    header = alt.Header(title=None, labelLimit=width, labelAnchor="start")
    facet = alt.Facet("segment:N", sort=drawing.in_order(), header=header)
    return layers.facet(facet=facet, columns=2, data={"values": values}).properties(spacing={"row": 14, "column": _COLUMN_GAP})


def _ends(values: list[dict[str, Any]], line: float | None) -> tuple[float, float]:
    """The ends of the scale: a point needs no zero, but the room for its label."""
    found = [value[end] for value in values for end in ("low", "high", "value") if value[end] is not None]
    found += [line] if line is not None else []
    low, high = (min(found), max(found)) if found else (0.0, 1.0)
    room = (high - low) or abs(high) or 1.0
    below = low - _PAD * room
    return (max(below, 0.0) if low >= 0 else below), high + (_PAD + _LABEL) * room


def _layers(scale: Any, is_amount: bool, line: float | None) -> Any:
    import altair as alt

    to_all = {"values": [0, 0.2, 0.4, 0.6, 0.8, 1]} if not is_amount and line != 0 and scale.domain[1] > 1 else {"tickCount": 4}
    axis = alt.Axis(format="~s" if is_amount else "~%", **to_all)
    place = alt.Y("place:N", sort=drawing.in_order(), title=None, axis=alt.Axis(labelLimit=drawing.NAME_WIDTH))
    tooltip = [
        alt.Tooltip("segment:N", title="segment"),
        alt.Tooltip("place:N", title="at"),
        alt.Tooltip("label:N", title="value"),
        alt.Tooltip("interval:N", title="interval"),
        alt.Tooltip("contacts:Q", title="contacts", format=","),
        alt.Tooltip("circular:N", title="circular"),
    ]
    base = alt.Chart().encode(y=place, tooltip=tooltip)
    x = alt.X("low:Q", title=None, scale=scale, axis=axis)
    intervals = base.mark_rule(color=drawing.BLUE, strokeWidth=2).encode(x=x, x2="high:Q")
    fill = alt.Fill("circular:N", scale=alt.Scale(domain=["no", "yes"], range=[drawing.BLUE, "transparent"]), legend=None)
    points = base.mark_point(stroke=drawing.BLUE, strokeWidth=2, size=70, opacity=1).encode(
        x=alt.X("value:Q", scale=scale), fill=fill
    )
    labels = base.mark_text(align="left", dx=8).encode(x=alt.X("end:Q", scale=scale), text="label:N")
    rule = [alt.Chart().mark_rule(color=drawing.GREY, strokeDash=[4, 3]).encode(x=alt.datum(line))] if line is not None else []
    return alt.layer(*rule, intervals, points, labels)
