"""What tells two definitions apart: bars from zero, to the right who came, to the left who went, for each reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segkit.charts import drawing
from segkit.charts.chart import Chart
from segkit.display import number, seen

if TYPE_CHECKING:
    import pandas as pd

_MOST_BARS = 30
_STEP = 22
_WIDTH = 190
_REASON = 280
_ROOM = 0.3


def diff(frame: pd.DataFrame) -> Chart:
    """How many contacts came and went, for each reason, the commonest first.

    Args:
        frame: what `Workspace.diff` gives: moved, because; `attrs` has both definitions and their sizes. At most 30 reasons are
            shown.

    Raises:
        SegkitError: the frame has other columns.

    >>> from segkit import F, charts, connect
    >>> charts.diff(connect().diff(F.opens > 20, (F.opens > 20) & (F.country == "USA")))
    <Chart: Contacts gained and lost, 467 rows>
    """
    drawing.expect(frame, ("moved", "because"), "diff", "ws.diff(old, new)")
    title = "Contacts gained and lost"
    counts = frame.groupby(["because", "moved"], sort=True).size().unstack(fill_value=0)
    counts = counts.reindex(columns=["gained", "lost"], fill_value=0)
    counts = counts.loc[counts.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    about = [*_told(frame), _when(frame), drawing.left_out(min(len(counts), _MOST_BARS), len(counts), "reasons")]
    if counts.empty:
        return drawing.nothing(frame, title, about)
    return drawing.finished(_bars(counts.head(_MOST_BARS)), frame, title, about)


def _told(frame: pd.DataFrame) -> list[str]:
    told = frame.attrs
    old, new = (seen(str(told.get(name) or ""), 80) for name in ("old", "new"))
    both = old if old == new else f"from {old} to {new}"
    return [own for own in (both if old else "", str(told.get("says") or "")) if own]


def _when(frame: pd.DataFrame) -> str:
    then = str(frame.attrs.get("old_as_of") or "")
    now = drawing.as_of(frame)
    return f"{now}; before: {then[:16].replace('T', ' ')} UTC" if then and now and then != frame.attrs.get("as_of") else now


def _bars(counts: pd.DataFrame) -> Any:
    import altair as alt

    names = drawing.names(counts.index)
    values: list[dict[str, Any]] = [
        {
            "row": row,
            "because": name,
            "moved": moved,
            "contacts": int(count) * sign,
            "label": number(int(count)),
        }
        for row, (name, (gained, lost)) in enumerate(zip(names, counts.itertuples(index=False), strict=True))
        for moved, count, sign in (("gained", gained, 1), ("lost", lost, -1))
        if count
    ]
    most, least = (max(0, *(sign * value["contacts"] for value in values)) for sign in (1, -1))
    room = _ROOM * (most + least)
    scale = alt.Scale(domain=[-least - room * (least > 0), most + room * (most > 0)], nice=False)
    axis = alt.Axis(labelExpr="format(abs(datum.value), ',d')", tickMinStep=1, tickCount=4)
    colour = alt.Color(
        "moved:N",
        scale=alt.Scale(domain=["gained", "lost"], range=[drawing.BLUE, drawing.ORANGE]),
        legend=alt.Legend(title=None, orient="top", offset=4),
    )
    base = alt.Chart().encode(
        x=alt.X("contacts:Q", title="contacts", scale=scale, axis=axis, stack=None),
        y=alt.Y(
            "because:N",
            sort=drawing.in_order(),
            title=None,
            scale=alt.Scale(paddingInner=0.25),
            axis=alt.Axis(labelLimit=_REASON, domain=False),
        ),
        tooltip=[
            alt.Tooltip("because:N", title="because"),
            alt.Tooltip("moved:N", title="contacts"),
            alt.Tooltip("label:N", title="how many"),
        ],
    )
    right = base.transform_filter("datum.moved === 'gained'").mark_text(align="left", dx=4).encode(text="label:N")
    left = base.transform_filter("datum.moved === 'lost'").mark_text(align="right", dx=-4).encode(text="label:N")
    zero = alt.Chart().mark_rule(color=drawing.GREY).encode(x=alt.datum(0))
    layers = alt.layer(base.mark_bar().encode(color=colour), zero, right, left, data={"values": values})
    return layers.properties(width=_WIDTH, height=alt.Step(_STEP))
