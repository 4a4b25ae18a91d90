"""How long contacts stay: the share of stays that last longer than so many days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segkit.charts import drawing
from segkit.charts.chart import Chart
from segkit.charts.over_time import MOST_PANELS, NARROW, WIDE, dots, faceted, notes
from segkit.display import percent, seen

if TYPE_CHECKING:
    import pandas as pd

_HEIGHT, _LOW = 240, 120


def survival(frame: pd.DataFrame) -> Chart:
    """The share of stays that last longer than so many days, in steps, with its interval: a panel a segment.

    Args:
        frame: what `Workspace.survival` gives. At most 24 segments are shown.

    Raises:
        SegkitError: the frame has other columns.

    >>> from segkit import E, Segment, charts, connect
    >>> own = Segment("Readers", E.opened.within(days=30).count() >= 5)
    >>> charts.survival(connect().survival([own], start="2025-09-01")).title
    'How long contacts stay'
    """
    drawing.expect(frame, ("segment", "days", "at_risk", "survival", "low", "high"), "survival", "ws.survival([...], start=...)")
    title = "How long contacts stay"
    known = frame[frame["survival"].notna()]
    segments = list(dict.fromkeys(known["segment"]))
    shown = segments[:MOST_PANELS]
    about = [
        "share of stays that last longer (Kaplan-Meier), 95% interval; of those that began after the start",
        drawing.left_out(len(shown), len(segments), "segments"),
        *notes(frame),
    ]
    if not segments:
        return drawing.nothing(frame, title, about)
    if len(segments) == 1:
        about.insert(0, f"of {seen(str(segments[0]), 80)}")
    headers = dict(zip(shown, drawing.names(shown), strict=True))
    rows: list[Any] = list(known[known["segment"].isin(shown)].itertuples())
    values = [
        {
            "segment": headers[own.segment],
            "order": shown.index(own.segment),
            "days": float(own.days),
            "survival": round(float(own.survival), drawing.DIGITS),
            "low": round(float(own.low if own.low == own.low else own.survival), drawing.DIGITS),
            "high": round(float(own.high if own.high == own.high else own.survival), drawing.DIGITS),
            "told": percent(own.survival),
            "interval": f"{percent(own.low)} to {percent(own.high)}" if own.low == own.low else "–",
            "at_risk": int(own.at_risk),
        }
        for own in rows
    ]
    return drawing.finished(_curves(values, len(shown)), frame, title, about)


def _curves(values: list[dict[str, Any]], panels: int) -> Any:
    import altair as alt

    scale = alt.Scale(domain=[0, 1])
    x = alt.X("days:Q", title="days", axis=alt.Axis(tickCount=6 if panels == 1 else 4), scale=alt.Scale(zero=True, nice=False))
    y = alt.Y("survival:Q", title=None, scale=scale, axis=alt.Axis(format="~%", tickCount=4))
    tooltip = [
        alt.Tooltip("segment:N", title="segment"),
        alt.Tooltip("days:Q", title="longer than (days)"),
        alt.Tooltip("told:N", title="stays"),
        alt.Tooltip("interval:N", title="interval"),
        alt.Tooltip("at_risk:Q", title="at risk", format=","),
    ]
    base = alt.Chart().encode(x=x, tooltip=tooltip)
    band = base.mark_area(color=drawing.BLUE, opacity=0.2, interpolate="step-after").encode(
        y=alt.Y("low:Q", title=None, scale=scale), y2="high:Q"
    )
    line = base.mark_line(color=drawing.BLUE, interpolate="step-after", strokeWidth=2).encode(y=y)
    half = alt.Chart().mark_rule(color=drawing.GREY, strokeDash=[4, 3]).encode(y=alt.datum(0.5))
    points = dots(base.encode(y=y), values)
    layers = alt.layer(band, half, line, points)
    if panels == 1:
        return layers.properties(width=WIDE, height=_HEIGHT, data={"values": values})
    return faceted(layers.properties(width=NARROW, height=_LOW), values, shares_scale=True)
