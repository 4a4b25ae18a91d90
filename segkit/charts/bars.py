"""Bars, always from zero: how large segments are, and what they consist of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segkit.charts import drawing
from segkit.charts.chart import Chart
from segkit.display import number, percent, seen

if TYPE_CHECKING:
    import pandas as pd

_MOST_BARS = 100
_MOST_PANELS = 24
_STEP = 22
_WIDTH = 288
_USUAL_LABEL = 17
_CHARACTER = 7
_PANEL_COLUMNS = 3
_GAP = 0.25


def size(frame: pd.DataFrame) -> Chart:
    """How large segments are: a bar each, in the order of the frame, with its size and share of all contacts.

    Args:
        frame: what `Workspace.sizes` gives: segment, size, share; `attrs["as_of"]` is shown below the title, and so is
            that fields are read as they are today (`note`). At most 100 segments are shown.

    Raises:
        SegkitError: the frame has other columns.

    >>> from segkit import F, Segment, charts, connect
    >>> charts.size(connect().sizes([Segment("US", F.country == "USA")]))
    <Chart: Contacts in each segment, 1 rows>
    """
    drawing.expect(frame, ("segment", "size", "share"), "size", "ws.sizes([...])")
    title = "Contacts in each segment"
    about = [drawing.as_of(frame), drawing.left_out(min(len(frame), _MOST_BARS), len(frame), "segments"), *_notes(frame)]
    if frame.empty:
        return drawing.nothing(frame, title, about)
    return drawing.finished(_size_bars(frame.head(_MOST_BARS)), frame, title, about)


def _notes(frame: pd.DataFrame) -> list[str]:
    notes = dict.fromkeys(frame["note"]) if "note" in frame else {}
    return [seen(note, drawing.LONGEST_NOTE) for note in notes if note][:3]


def _size_bars(frame: pd.DataFrame) -> Any:
    import altair as alt

    values: list[dict[str, Any]] = [
        {"row": row, "segment": name, "size": int(size), "share": percent(share), "label": _label(size, share)}
        for row, (name, size, share) in enumerate(
            zip(drawing.names(frame["segment"]), frame["size"], frame["share"], strict=True)
        )
    ]
    largest = max(value["size"] for value in values)
    scale = alt.Scale(domain=[0, largest or 1], nice=False)
    ticks = alt.Axis(format=",d", tickMinStep=1, tickCount=5) if largest else alt.Axis(values=[0])
    base = alt.Chart({"values": values}).encode(
        x=alt.X("size:Q", title="contacts (share of all contacts)", scale=scale, axis=ticks),
        y=alt.Y(
            "segment:N",
            sort=drawing.in_order(),
            title=None,
            scale=alt.Scale(paddingInner=_GAP),
            axis=alt.Axis(labelLimit=drawing.NAME_WIDTH),
        ),
        tooltip=[
            alt.Tooltip("segment:N", title="segment"),
            alt.Tooltip("size:Q", title="contacts", format=","),
            alt.Tooltip("share:N", title="of all contacts"),
        ],
    )
    labels = base.mark_text(align="left", dx=4).encode(text="label:N")
    return alt.layer(base.mark_bar(color=drawing.BLUE), labels).properties(width=_room(values), height=alt.Step(_STEP))


def _room(values: list[dict[str, Any]]) -> int:
    """The width of the longest bar: what long numbers beside the bars leave of it."""
    return _WIDTH - _CHARACTER * max(0, max(len(value["label"]) for value in values) - _USUAL_LABEL)


def _label(size: int, share: float) -> str:
    return f"{number(int(size))} ({percent(share)})" if share == share else number(int(size))


def composition(frame: pd.DataFrame) -> Chart:
    """What segments consist of: for each, the share of its contacts with each value of a field, on one scale.

    Args:
        frame: what `Workspace.composition` gives: segment, value, size, share, part; `attrs["by"]` is the field. At most
            24 segments are shown.

    Raises:
        SegkitError: the frame has other columns.

    >>> from segkit import F, Segment, charts, connect
    >>> charts.composition(connect().composition(F.opens > 5, by="country", top=3))
    <Chart: Contacts by country, 5 rows>
    """
    drawing.expect(frame, ("segment", "value", "size", "share", "part"), "composition", "ws.composition(segment, by=...)")
    by = seen(str(frame.attrs.get("by") or "value"), 30)
    title = f"Contacts by {by}"
    segments = list(dict.fromkeys(frame["segment"]))
    alone = [f"in {seen(str(segments[0]), 80)}"] if len(segments) == 1 else []
    cut = drawing.left_out(min(len(segments), _MOST_PANELS), len(segments), "segments")
    about = [*alone, drawing.as_of(frame), cut]
    if frame.empty:
        return drawing.nothing(frame, title, about)
    kept = frame[frame["segment"].isin(segments[:_MOST_PANELS])]
    return drawing.finished(_panels(kept), frame, title, about)


def _panels(frame: pd.DataFrame) -> Any:
    import altair as alt

    segments = list(dict.fromkeys(frame["segment"]))
    headers = dict(zip(segments, drawing.names(segments), strict=True))
    parts = list(dict.fromkeys(zip(frame["value"], frame["part"], strict=True)))
    labels = dict(zip(parts, drawing.names(_quoted(value) for value, _ in parts), strict=True))
    rows = zip(frame["segment"], frame["value"], frame["part"], frame["size"], frame["share"], strict=True)
    values = [
        {
            "row": row,
            "segment": headers[segment],
            "value": labels[value, part],
            "part": part,
            "size": int(size),
            "share": drawing.finite(share),
            "end": 0.0 if share != share else float(share),
            "percent": percent(share),
        }
        for row, (segment, value, part, size, share) in enumerate(rows)
    ]
    columns = min(len(segments), _PANEL_COLUMNS)
    layers = _share_bars(max(value["share"] or 0.0 for value in values)).properties(
        width=(_WIDTH + 60 * (columns > 1)) // columns - 20 * (columns > 1), height=alt.Step(_STEP - 4)
    )
    if columns == 1:
        return layers.properties(data={"values": values})
    header = alt.Header(title=None, labelLimit=130, labelAnchor="start")
    facet = alt.Facet("segment:N", sort=drawing.in_order(), header=header)
    return layers.facet(facet=facet, columns=columns, data={"values": values}).properties(spacing=14)


def _quoted(value: str) -> str:
    """A value as it is told from others: in quotes where blanks at its ends, which nobody would see, are part of it.

    >>> _quoted("USA"), _quoted(" USA")
    ('USA', '" USA"')
    """
    return value if value == value.strip() and value else f'"{value}"'


def _share_bars(largest: float) -> Any:
    import altair as alt

    ticks = alt.Axis(format="%", tickCount=3, domain=False)
    scale = alt.Scale(domain=[0, largest * 1.35 or 1], nice=False)
    base = alt.Chart().encode(
        x=alt.X("share:Q", title="of its contacts", scale=scale, axis=ticks),
        y=alt.Y(
            "value:N",
            sort=drawing.in_order(),
            title=None,
            scale=alt.Scale(paddingInner=_GAP),
            axis=alt.Axis(labelLimit=drawing.NAME_WIDTH - 40),
        ),
        tooltip=[
            alt.Tooltip("segment:N", title="segment"),
            alt.Tooltip("value:N", title="value"),
            alt.Tooltip("size:Q", title="contacts", format=","),
            alt.Tooltip("percent:N", title="of its contacts"),
        ],
    )
    colour = alt.Color(
        "part:N", scale=alt.Scale(domain=["value", "other", "missing"], range=[drawing.BLUE, drawing.GREY, drawing.GREY])
    )
    bars = base.mark_bar().encode(color=colour.legend(None))
    return alt.layer(bars, base.mark_text(align="left", dx=3).encode(x="end:Q", text="percent:N"))
