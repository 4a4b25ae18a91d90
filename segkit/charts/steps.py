"""What each condition of a segment does to its size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segkit.charts import drawing
from segkit.charts.chart import Chart
from segkit.display import number

if TYPE_CHECKING:
    import pandas as pd

_MOST = 60
_STEP = 22
_BARS = 210
_GAINS = 90
_LIGHT = 0.35
_INDENT = "· "
_DEEPEST = 6
_ROOM = drawing.NAME_WIDTH + 60
_CHARACTER = 7
_GAP = 4


def waterfall(frame: pd.DataFrame) -> Chart:
    """What each condition of a segment does to its size: its tree, with two bars for each node and what dropping it gives.

    The light bar is the node by itself, the dark one the node and its siblings before it, joined as their group joins them:
    "87 of 310" are 310 contacts by themselves, of whom 87 are left. On the right stands by how much the segment would grow
    (or shrink) without the node.

    Args:
        frame: what `Workspace.waterfall` gives: path, condition, alone, running, without. The first 60 nodes are shown.

    Raises:
        SegkitError: the frame has other columns.

    >>> from segkit import F, charts, connect
    >>> charts.waterfall(connect().waterfall((F.country == "USA") & (F.opens > 5)))
    <Chart: Contacts at each condition, 3 rows>
    """
    drawing.expect(frame, ("path", "condition", "alone", "running", "without"), "waterfall", "ws.waterfall(segment)")
    title = "Contacts at each condition"
    about = [
        drawing.as_of(frame),
        "light: by itself; dark: with those before it" + ("; right: the change without it" if len(frame) > 1 else ""),
        drawing.left_out(min(len(frame), _MOST), len(frame), "conditions"),
    ]
    if frame.empty:
        return drawing.nothing(frame, title, [about[0]])
    return drawing.finished(_tree(frame), frame, title, about)


def _tree(frame: pd.DataFrame) -> Any:
    import altair as alt

    size = int(frame["alone"].iloc[0])
    shown = frame.head(_MOST)
    depths = [min(_DEEPEST, str(path).count(".items[")) for path in shown["path"]]
    told = drawing.names(shown["condition"])
    columns = (shown[name] for name in ("alone", "running", "without"))
    values: list[dict[str, Any]] = [
        {
            "row": row,
            "condition": _INDENT * depth + text,
            "alone": int(alone),
            "running": int(running),
            "without": int(without),
            "gain": int(without) - size if row else 0,
            "zero": 0,
            "label": _label(int(running), int(alone)),
            "end": max(int(alone), int(running)),
            "change": _signed(int(without) - size) if row else "",
        }
        for row, (depth, text, alone, running, without) in enumerate(zip(depths, told, *columns, strict=True))
    ]
    room = min(_ROOM, 10 + _CHARACTER * max(len(value["condition"]) for value in values))
    axis = alt.Axis(labelAlign="left", labelPadding=room, labelLimit=room - 6, domain=False)
    y = alt.Y("condition:N", sort=drawing.in_order(), title=None, scale=alt.Scale(paddingInner=0.2), axis=axis)
    tooltip = [
        alt.Tooltip("condition:N", title="condition"),
        alt.Tooltip("alone:Q", title="by itself", format=","),
        alt.Tooltip("running:Q", title="with those before it", format=","),
        alt.Tooltip("without:Q", title="segment without it", format=","),
    ]
    base = alt.Chart({"values": values}).encode(y=y, tooltip=tooltip)
    return alt.hconcat(_bars(base, values), *([_changes(base, values)] if len(values) > 1 else []), spacing=14)


def _bars(base: Any, values: list[dict[str, Any]]) -> Any:
    import altair as alt

    largest = max(value["end"] for value in values)
    room = min(_BARS / 2, _GAP + _CHARACTER * max(len(value["label"]) for value in values))
    scale = alt.Scale(domain=[0, largest * _BARS / (_BARS - room) or 1], nice=False)
    ticks = alt.Axis(format=",d", tickMinStep=1, tickCount=3) if largest else alt.Axis(values=[0], format=",d")
    x = alt.X("alone:Q", title="contacts", scale=scale, axis=ticks)
    alone = base.mark_bar(color=drawing.BLUE, opacity=_LIGHT).encode(x=x)
    running = base.mark_bar(color=drawing.BLUE, size=8).encode(x=alt.X("running:Q", scale=scale, title="contacts"))
    labels = base.mark_text(align="left", dx=_GAP, fontSize=10).encode(x=alt.X("end:Q", title="contacts"), text="label:N")
    return alt.layer(alone, running, labels).properties(width=_BARS, height=alt.Step(_STEP))


def _changes(base: Any, values: list[dict[str, Any]]) -> Any:
    """What dropping each node gives back, or takes away."""
    import altair as alt

    least, most = min(0, *(value["gain"] for value in values)), max(0, *(value["gain"] for value in values))
    room = (most - least) * 0.6 or 1
    scale = alt.Scale(domain=[least, most + room], nice=False)
    x = alt.X("zero:Q", scale=scale, title="more without it", axis=alt.Axis(values=[0], labels=False, ticks=False))
    own = base.encode(y=alt.Y("condition:N", sort=drawing.in_order(), axis=None))
    bars = own.mark_bar(color=drawing.GREY, size=8).encode(x=x, x2="gain:Q")
    labels = own.transform_calculate(right="max(0, datum.gain)").mark_text(align="left", dx=4, fontSize=10)
    return alt.layer(bars, labels.encode(x=alt.X("right:Q", scale=scale), text="change:N")).properties(
        width=_GAINS, height=alt.Step(_STEP)
    )


def _label(running: int, alone: int) -> str:
    """What stands at the longer of two bars.

    >>> _label(87, 310), _label(310, 310), _label(400, 310)
    ('87 of 310', '310', '400')
    """
    return f"{number(running)} of {number(alone)}" if alone > running else number(running)


def _signed(change: int) -> str:
    """A change with its sign.

    >>> _signed(1234), _signed(-5), _signed(0)
    ('+1,234', '−5', '0')
    """
    return f"+{number(change)}" if change > 0 else f"−{number(-change)}" if change < 0 else "0"
