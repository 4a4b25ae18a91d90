"""What sets a segment apart: a point with its interval for each difference, the largest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segkit.charts import drawing
from segkit.charts.chart import Chart
from segkit.display import percent, seen

if TYPE_CHECKING:
    import pandas as pd

_MOST_POINTS = 20
_MOST_SPARSE = 6
_STEP = 22
_WIDTH = 180
_LABEL = 200
_PAD = 0.04
_FINDING = 0.05
_SHOWN = ("apart", "defining", "no finding")
_COLUMNS = (
    "field", "kind", "what", "value", "inside", "everyone", "index", "difference", "low", "high", "p_adjusted", "rank", "sparse",
    "defining",
)  # fmt: skip


def profile(frame: pd.DataFrame) -> Chart:
    """What sets a segment apart, in the order of the frame's `rank`: how much oftener members have a value, know a field, or
    are higher than lower (later than earlier) beside the others, with the interval; and members beside everyone in figures.

    A grey point is of a field that the segment's own definition reads; a hollow one is no finding.

    Args:
        frame: what `Workspace.profile` gives. The first 20 ranks are shown.

    Raises:
        SegkitError: the frame has other columns.

    >>> from segkit import F, charts, connect
    >>> charts.profile(connect().profile(F.country == "USA", ["timezone", "opens"]))
    <Chart: What sets the segment apart, 16 rows>
    """
    drawing.expect(frame, _COLUMNS, "profile", "ws.profile(segment)")
    title = "What sets the segment apart"
    ranked = frame[frame["rank"].notna()].sort_values("rank")
    kept = ranked.head(_MOST_POINTS)
    about = [*_told(frame), drawing.as_of(frame), drawing.left_out(len(kept), len(ranked), "comparisons"), _sparse(frame)]
    if kept.empty:
        return drawing.nothing(frame, title, about)
    values = _values(kept, frame)
    return drawing.finished(_drawn(values), frame, title, [*about, _legend(values)])


def _told(frame: pd.DataFrame) -> list[str]:
    told = frame.attrs
    if "segment" not in told:
        return []
    sizes = f": {told['members']:,} of {told['everyone']:,} contacts" if {"members", "everyone"} <= told.keys() else ""
    return [f"{seen(str(told['segment']), 80)}{sizes}"]


def _sparse(frame: pd.DataFrame) -> str:
    names = list(dict.fromkeys(frame[frame["sparse"]]["field"]))
    more = f" and {len(names) - _MOST_SPARSE} more" if len(names) > _MOST_SPARSE else ""
    return f"too empty to segment on: {', '.join(seen(str(own), 40) for own in names[:_MOST_SPARSE])}{more}" if names else ""


def _legend(values: list[dict[str, Any]]) -> str:
    shown = {value["shown"] for value in values}
    words = {
        "defining": "grey: the definition reads the field",
        "no finding": "hollow: no finding, corrected for all comparisons",
    }
    return "; ".join(["with 95% intervals", *(words[own] for own in _SHOWN if own in shown and own in words)])


def _values(kept: pd.DataFrame, frame: pd.DataFrame) -> list[dict[str, Any]]:
    medians = {own["field"]: own for _, own in frame[frame["what"] == "50%"].iterrows()}
    names = drawing.names(_named(own) for _, own in kept.iterrows())
    found: list[dict[str, Any]] = []
    for row, (name, (_, own)) in enumerate(zip(names, kept.iterrows(), strict=True)):
        known = own["low"] == own["low"]
        found.append(
            {
                "row": row,
                "name": name,
                "difference": drawing.finite(own["difference"]),
                "low": drawing.finite(own["low"]),
                "high": drawing.finite(own["high"]),
                "shown": _shown(own),
                "label": _label(own, medians.get(own["field"])),
                "interval": f"{_signed(own['low'])} to {_signed(own['high'])}" if known else "–",
            }
        )
    return found


def _shown(own: pd.Series[Any]) -> str:
    return "no finding" if not own["p_adjusted"] < _FINDING else "defining" if own["defining"] else "apart"


def _named(own: pd.Series[Any]) -> str:
    name = str(own["field"])
    match own["what"]:
        case "value":
            value = str(own["value"])
            return f"{name}: {value}" if value == value.strip() and value else f'{name}: "{value}"'
        case "known":
            return f"{name} known"
        case _:
            return name


def _label(own: pd.Series[Any], median: pd.Series[Any] | None) -> str:
    """Members beside everyone."""
    if own["what"] == "higher" and median is not None:
        sides = (median["inside_at"][:10], median["everyone_at"][:10]) if median["everyone_at"] else None
        inside, everyone = sides or (_number(median["inside"]), _number(median["everyone"]))
        return f"median {inside}, all {everyone}"
    index = f", index {own['index']:,.0f}" if own["index"] == own["index"] else ""
    return f"{percent(own['inside'])}, all {percent(own['everyone'])}{index}"


def _number(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}" if abs(value) < 10**9 else f"{value:.3g}"


def _signed(share: float) -> str:
    return f"−{percent(-share)}" if share < 0 else f"+{percent(share)}" if share > 0 else percent(share)


def _drawn(values: list[dict[str, Any]]) -> Any:
    import altair as alt

    ends = [value[end] for value in values for end in ("low", "high", "difference") if value[end] is not None]
    low, high = min(0.0, *ends), max(0.0, *ends)
    pad = _PAD * ((high - low) or 1.0)
    scale = alt.Scale(domain=[low - pad, high + pad], nice=False, zero=False)
    axis = alt.Axis(labelExpr="datum.value === 0 ? '0' : format(datum.value, '+~%')", tickCount=5, labelOverlap=True)
    place = alt.Y("name:N", sort=drawing.in_order(), title=None, axis=alt.Axis(labelLimit=drawing.NAME_WIDTH))
    tooltip = [
        alt.Tooltip("name:N", title="what"),
        alt.Tooltip("label:N", title="members"),
        alt.Tooltip("difference:Q", title="members less others", format="+.1%"),
        alt.Tooltip("interval:N", title="interval"),
        alt.Tooltip("shown:N", title="finding"),
    ]
    base = alt.Chart().encode(y=place, tooltip=tooltip)
    of_shown = alt.Scale(domain=list(_SHOWN), range=[drawing.BLUE, drawing.GREY, drawing.GREY])
    filled = alt.Scale(domain=list(_SHOWN), range=[drawing.BLUE, drawing.GREY, "transparent"])
    stroke = alt.Stroke("shown:N", scale=of_shown, legend=None)
    x = alt.X("low:Q", title="oftener, or higher, than the others", scale=scale, axis=axis)
    intervals = base.mark_rule(strokeWidth=2).encode(x=x, x2="high:Q", stroke=stroke)
    points = base.mark_point(strokeWidth=2, size=40, opacity=1).encode(
        x=alt.X("difference:Q", scale=scale), stroke=stroke, fill=alt.Fill("shown:N", scale=filled, legend=None)
    )
    labels = base.mark_text(align="left", limit=_LABEL, fontSize=10).encode(x=alt.value(_WIDTH + 8), text="label:N")
    zero = alt.Chart().mark_rule(color=drawing.GREY, strokeDash=[4, 3]).encode(x=alt.datum(0))
    layers = alt.layer(zero, intervals, points, labels, data={"values": values})
    return layers.resolve_scale(stroke="independent", fill="independent").properties(width=_WIDTH, height=alt.Step(_STEP))
