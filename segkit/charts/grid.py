"""The grid of recency by frequency: how many customers stand in each cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segkit.charts import drawing
from segkit.charts.chart import Chart
from segkit.display import number, percent, seen

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("r", "f", "m", "group", "size", "share", "revenue", "revenue_share")
_WIDTH = 480
_HEIGHT = 290
_NAMED = 5
_FAINT, _FULL = "#dce9f5", "#0b3c6f"
_DARK_FROM = 0.65


def rfm(frame: pd.DataFrame) -> Chart:
    """Customers by recency and frequency: a cell for each pair of parts, the darker the more customers, with their share.

    Monetary value is added up over its parts; a cell's revenue stands in its tooltip.

    Args:
        frame: what `Workspace.rfm` gives: r, f, m, group, size, share, orders, revenue, revenue_share.

    Raises:
        SegkitError: the frame has other columns.

    >>> from segkit import charts, connect
    >>> charts.rfm(connect().rfm())
    <Chart: Customers by recency and frequency, 125 rows>
    """
    drawing.expect(frame, _COLUMNS, "rfm", "ws.rfm(...)")
    title = "Customers by recency and frequency"
    customers = int(frame["size"].sum()) if len(frame) else 0
    about = [f"{number(customers)} customers; each cell: how many, and their share", drawing.as_of(frame)]
    if frame.empty:
        return drawing.nothing(frame, title, [drawing.as_of(frame)])
    return drawing.finished(_cells(frame), frame, title, about)


def _cells(frame: pd.DataFrame) -> Any:
    import altair as alt

    parts = int(frame["r"].max())
    values = _values(frame)
    step = alt.Scale(paddingInner=0.03, paddingOuter=0)
    ends = {"1": "1 (long ago)", str(parts): f"{parts} (just now)"}
    often = {"1": "1 (seldom)", str(parts): f"{parts} (often)"}
    for value in values:
        value["recency"] = ends.get(value["recency"], value["recency"])
        value["frequency"] = often.get(value["frequency"], value["frequency"])
    base = alt.Chart({"values": values}).encode(
        x=alt.X(
            "recency:O",
            title="recency",
            sort=drawing.in_order("r"),
            scale=step,
            axis=alt.Axis(labelAngle=0, domain=False, ticks=False),
        ),
        y=alt.Y(
            "frequency:O", title="frequency", sort=drawing.in_order("f", "descending"), scale=step, axis=alt.Axis(domain=False)
        ),
        tooltip=[
            alt.Tooltip("group:N", title="group"),
            alt.Tooltip("recency:O", title="recency"),
            alt.Tooltip("frequency:O", title="frequency"),
            alt.Tooltip("size:Q", title="customers", format=","),
            alt.Tooltip("share:N", title="of all customers"),
            alt.Tooltip("revenue:N", title="revenue"),
            alt.Tooltip("revenue_share:N", title="of all revenue"),
        ],
    )
    most = max(value["size"] for value in values)
    shade = alt.Scale(domain=[0, most or 1], range=[_FAINT, _FULL], interpolate="rgb")
    layers = [base.mark_rect().encode(fill=alt.Fill("size:Q", scale=shade, legend=None))]
    room = _HEIGHT / parts
    layers.append(_text(base, "size_text", dy=-2 if parts <= _NAMED else -5, size=13 if parts <= _NAMED else 10))
    layers.append(_text(base, "share", dy=13 if parts <= _NAMED else 6, size=10 if parts <= _NAMED else 8))
    if any(value["group"] for value in values):
        layers.append(_text(base, "group", dy=-int(room / 2) + 10, size=9))
    return alt.layer(*layers).properties(width=_WIDTH, height=_HEIGHT)


def _values(frame: pd.DataFrame) -> list[dict[str, Any]]:
    own = frame.groupby(["r", "f"], sort=True)
    sums = own[["size", "share", "revenue", "revenue_share"]].sum(min_count=1)
    groups = own["group"].first()
    most = int(sums["size"].max()) or 1
    return [
        {
            "r": int(r),
            "f": int(f),
            "recency": str(r),
            "frequency": str(f),
            "group": seen(str(groups[r, f]), 24),
            "size": int(size),
            "size_text": number(int(size)),
            "share": percent(share),
            "revenue": f"{revenue:,.2f}",
            "revenue_share": percent(revenue_share),
            "ink": "#ffffff" if size / most > _DARK_FROM else "#000000",
        }
        for (r, f), (size, share, revenue, revenue_share) in zip(sums.index, sums.itertuples(index=False), strict=True)
    ]


def _text(base: Any, name: str, dy: int, size: int) -> Any:
    """Text inside the cells: dark on faint ones, white on full ones, whatever the theme."""
    import altair as alt

    return base.mark_text(dy=dy, fontSize=size).encode(text=f"{name}:N", color=alt.Color("ink:N", scale=None))
