"""What segments have in common: each pair as a heat map, and the exact regions as an UpSet plot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from segkit.charts import drawing
from segkit.charts.chart import Chart
from segkit.display import distinct, number, percent, seen
from segkit.errors import SegkitError

if TYPE_CHECKING:
    import pandas as pd

Measure = Literal["share", "jaccard"]

_PAIRS = ("a", "b", "size_a", "size_b", "both", "share_of_a", "share_of_b", "jaccard")
_MOST = 50
_MAP = 370
_LARGEST_CELL = 44
_WRITTEN = 26
"""The smallest cell, in points, that has room for its number."""
_FAINT, _FULL = 0.04, 0.85
_TITLES = {
    "share": "Share of the row's segment that is also in the column's",
    "jaccard": "Share of those in either segment that are in both (Jaccard)",
}
_MOST_REGIONS = 30
_MOST_ROWS = 40
_REGIONS = 315
_WIDEST_REGION = 26
_BARS = 150
_DOTS = 18
_SIZED = drawing.NAME_WIDTH + 30
_SHORT = 20
"""The characters of a name that leave room for its size beside it."""


def overlap(frame: pd.DataFrame, measure: Measure = "share") -> Chart:
    """How segments overlap: a cell for each two of them, the darker the more they have in common.

    By default a cell says which share of the row's segment is also in the column's: nearly all of a small segment may be in
    a large one that hardly knows it, so that the halves above and below the diagonal differ.

    Args:
        frame: what `Workspace.overlap` gives: a, b, size_a, size_b, both, share_of_a, share_of_b, jaccard. The first 50
            segments are shown, in the order of the frame.
        measure: `share` (of the row's segment), or `jaccard` (the same both ways).

    Raises:
        SegkitError: the frame has other columns, or the measure is another.

    >>> from segkit import F, Segment, charts, connect
    >>> charts.overlap(connect().overlap([Segment("US", F.country == "USA"), Segment("Readers", F.opens > 5)]))
    <Chart: Share of the row's segment that is also in the column's, 1 rows>
    """
    drawing.expect(frame, _PAIRS, "overlap", "ws.overlap([...])")
    if measure not in _TITLES:
        raise SegkitError(f"there is no measure {measure!r:.40}", fix="use 'share' or 'jaccard'")
    segments = list(dict.fromkeys([*frame["a"], *frame["b"]]))
    about = [drawing.as_of(frame), drawing.left_out(min(len(segments), _MOST), len(segments), "segments")]
    if frame.empty:
        return drawing.nothing(frame, _TITLES[measure], about)
    about[0] += f"{'; ' if about[0] else ''}in percent"
    shown = segments[:_MOST]
    labels = dict(zip(shown, drawing.names(shown), strict=True))
    kept = frame[frame["a"].isin(shown) & frame["b"].isin(shown)]
    return drawing.finished(_heat_map(_cells(kept, labels, measure), len(shown)), frame, _TITLES[measure], about)


def _cells(frame: pd.DataFrame, labels: dict[Any, str], measure: Measure) -> list[dict[str, Any]]:
    """A cell for each two segments in either order, and one for each segment with itself."""
    place = {segment: i for i, segment in enumerate(labels)}
    sizes = {**dict(zip(frame["b"], frame["size_b"], strict=True)), **dict(zip(frame["a"], frame["size_a"], strict=True))}
    cells = [_cell(place[own], place[own], labels[own], labels[own], sizes[own], sizes[own], None) for own in labels]
    of_a, of_b = ("share_of_a", "share_of_b") if measure == "share" else ("jaccard", "jaccard")
    columns = (frame[name] for name in ("a", "b", "size_a", "size_b", "both", of_a, of_b))
    for a, b, size_a, size_b, both, above, below in zip(*columns, strict=True):
        cells.append(_cell(place[a], place[b], labels[a], labels[b], size_a, both, above))
        cells.append(_cell(place[b], place[a], labels[b], labels[a], size_b, both, below))
    return cells


def _cell(row: int, column: int, own: str, other: str, size: int, both: int, share: float | None) -> dict[str, Any]:
    return {
        "row": row,
        "column": column,
        "segment": own,
        "other": other,
        "size": int(size),
        "both": int(both),
        "value": drawing.finite(share) if share is not None else None,
        "told": percent(share) if share is not None else number(int(size)),
        "short": _short(share) if share is not None else "",
        "kind": "pair" if share is not None else "itself",
    }


def _short(share: float) -> str:
    """A share in a small cell: whole percents, without the sign."""
    if share != share:
        return "–"
    return "<1" if 0 < share < 0.005 else f"{100 * share:.0f}"


def _heat_map(cells: list[dict[str, Any]], count: int) -> Any:
    import altair as alt

    step = min(_LARGEST_CELL, _MAP // count)
    size = min(11, max(6, step))
    base = alt.Chart({"values": cells}).encode(
        x=alt.X(
            "other:N",
            sort=drawing.in_order("column"),
            title=None,
            axis=alt.Axis(orient="top", labelAngle=-90, labelFontSize=size, labelLimit=110, labelPadding=4, domain=False),
        ),
        y=alt.Y(
            "segment:N",
            sort=drawing.in_order(),
            title=None,
            axis=alt.Axis(labelFontSize=size, labelLimit=drawing.NAME_WIDTH - 30, domain=False),
        ),
        tooltip=[
            alt.Tooltip("segment:N", title="of segment"),
            alt.Tooltip("other:N", title="also in"),
            alt.Tooltip("told:N", title="share"),
            alt.Tooltip("both:Q", title="contacts in both", format=","),
            alt.Tooltip("size:Q", title="contacts in the first", format=","),
        ],
    )
    shade = alt.Opacity(
        "value:Q",
        scale=alt.Scale(domain=[0, 1], range=[_FAINT, _FULL]),
        legend=alt.Legend(title=None, format="%", values=[0, 0.25, 0.5, 0.75, 1], symbolType="square", symbolSize=140),
    )
    pairs = base.transform_filter("datum.kind === 'pair' && isValid(datum.value)")
    layers = [
        base.mark_rect(filled=False, stroke=drawing.GREY, strokeOpacity=0.35, strokeWidth=0.5),
        pairs.mark_rect(color=drawing.BLUE).encode(opacity=shade),
        base.transform_filter("datum.kind === 'itself'").mark_rect(color=drawing.GREY, opacity=0.35, tooltip=True),
    ]
    if step >= _WRITTEN:
        layers.append(base.mark_text(fontSize=10).encode(text="short:N"))
    return alt.layer(*layers).properties(width=alt.Step(step), height=alt.Step(step))


# ---------------------------------------------------------------- regions


def intersections(frame: pd.DataFrame) -> Chart:
    """Exact regions of segments as an UpSet plot: a bar for each, and below it a dot for each segment that it lies in.

    Args:
        frame: what `Workspace.intersections` gives: a boolean column for each segment, then size, share. The 30 largest
            regions and the first 40 segments are shown; contacts in none of the segments are told below the title.

    Raises:
        SegkitError: the frame has other columns.

    >>> from segkit import F, Segment, charts, connect
    >>> charts.intersections(connect().intersections([Segment("US", F.country == "USA"), Segment("Readers", F.opens > 5)]))
    <Chart: Contacts in exactly these segments, 4 rows>
    """
    import numpy as np

    title = "Contacts in exactly these segments"
    drawing.expect(frame, ("size",), "intersections", "ws.intersections([...])")
    segments = list(frame.columns[: list(frame.columns).index("size")])
    holds = frame[segments].to_numpy(dtype=bool) if segments else np.zeros((len(frame), 0), dtype=bool)
    sizes = frame["size"].to_numpy()
    is_in = holds.any(axis=1)
    order = [int(i) for i in np.flatnonzero(is_in)]
    shown = order[:_MOST_REGIONS]
    outside, everyone = int(sizes[~is_in].sum()), int(sizes.sum())
    about = [
        drawing.as_of(frame),
        f"{number(outside)} contacts ({percent(outside / everyone)}) are in none of them" if segments and everyone else "",
        drawing.left_out(len(shown), len(order), "regions, by size") if order else "",
        drawing.left_out(min(len(segments), _MOST_ROWS), len(segments), "segments"),
    ]
    if not shown:
        return drawing.nothing(frame, title, about)
    totals = [int(sizes[holds[:, i]].sum()) for i in range(len(segments))][:_MOST_ROWS]
    labels = drawing.names(segments[:_MOST_ROWS])
    return drawing.finished(_upset(holds[shown][:, :_MOST_ROWS], sizes[shown], everyone, labels, totals), frame, title, about)


def _upset(holds: Any, sizes: Any, everyone: int, labels: list[str], totals: list[int]) -> Any:
    import altair as alt

    regions = [
        {
            "region": i,
            "size": int(size),
            "share": percent(size / everyone),
            "segments": ", ".join(label for label, own in zip(labels, holds[i], strict=True) if own)[: drawing.LONGEST_NOTE],
            "label": _compact(int(size)),
        }
        for i, size in enumerate(sizes)
    ]
    step = min(_WIDEST_REGION, _REGIONS // len(regions))
    x = alt.X("region:O", title=None, axis=None, scale=alt.Scale(paddingInner=0.25, paddingOuter=0.2))
    tooltip = [
        alt.Tooltip("segments:N", title="exactly in"),
        alt.Tooltip("size:Q", title="contacts", format=","),
        alt.Tooltip("share:N", title="of all contacts"),
    ]
    scale = alt.Scale(domain=[0, max(int(size) for size in sizes) * 1.12], nice=False)
    ticks = alt.Axis(format=",d", tickMinStep=1, tickCount=4, domain=False)
    base = alt.Chart({"values": regions}).encode(
        x=x, y=alt.Y("size:Q", title="contacts", scale=scale, axis=ticks), tooltip=tooltip
    )
    numbers = base.mark_text(dy=-6, fontSize=9 if step >= 22 else 7).encode(text="label:N")
    layers = [base.mark_bar(color=drawing.BLUE), *([numbers] if step >= 18 else [])]
    bars = alt.layer(*layers).properties(width=alt.Step(step), height=_BARS)
    return alt.vconcat(bars, _dots(holds, labels, totals, x, step), spacing=6)


def _dots(holds: Any, labels: list[str], totals: list[int], x: Any, step: int) -> Any:
    """A row for each segment: full dots in the regions that it holds, joined by a line from the first to the last of a region."""
    import altair as alt

    short = distinct(seen(label, _SHORT) for label in labels)
    sized = [f"{label} ({number(total)})" for label, total in zip(short, totals, strict=True)]
    dots = [
        {"region": i, "row": row, "segment": label, "in": "in" if own[row] else "out"}
        for i, own in enumerate(holds)
        for row, label in enumerate(sized)
    ]
    inside = [[dot for dot in dots if dot["region"] == i and dot["in"] == "in"] for i in range(len(holds))]
    lines = [{"region": i, "from": own[0]["segment"], "to": own[-1]["segment"]} for i, own in enumerate(inside) if len(own) > 1]
    y = alt.Y("segment:N", sort=drawing.in_order(), title=None, axis=alt.Axis(labelLimit=_SIZED, domain=False))
    colour = alt.Color("in:N", scale=alt.Scale(domain=["in", "out"], range=[drawing.BLUE, drawing.GREY]), legend=None)
    faint = alt.Opacity("in:N", scale=alt.Scale(domain=["in", "out"], range=[1.0, 0.25]), legend=None)
    points = alt.Chart({"values": dots}).mark_circle(size=min(70, 4 * step)).encode(x=x, y=y, color=colour, opacity=faint)
    layers = [points]
    if lines:
        joins = alt.Chart({"values": lines}).mark_rule(color=drawing.BLUE, strokeWidth=2)
        layers.append(joins.encode(x=x, y=alt.Y("from:N", sort=drawing.in_order(), title=None), y2="to:N"))
    return alt.layer(*layers).properties(width=alt.Step(step), height=alt.Step(_DOTS))


def _compact(count: int) -> str:
    """A count above a narrow bar.

    >>> _compact(987), _compact(12345), _compact(1_234_567)
    ('987', '12k', '1.2M')
    """
    if count < 10_000:
        return str(count)
    scaled, unit = (count / 1e3, "k") if count < 999_500 else (count / 1e6, "M")
    return f"{scaled:.1f}{unit}" if scaled < 10 else f"{scaled:,.0f}{unit}"
