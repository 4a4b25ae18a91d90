"""Journeys: how large their stages are, at one instant or over time, and who moves from which to which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segkit.charts import drawing
from segkit.charts.bars import size
from segkit.charts.chart import Chart
from segkit.charts.over_time import history, notes
from segkit.display import number, percent
from segkit.journey import NO_STAGE

if TYPE_CHECKING:
    import pandas as pd

_CELL = 64
_MOST = 20


def journey(frame: pd.DataFrame) -> Chart:
    """How large the stages of a journey are: bars at one instant, or a panel a stage over time.

    Args:
        frame: what `Workspace.journey` or `Workspace.stages` gives.

    Raises:
        SegkitError: the frame has other columns.

    >>> from segkit import E, Journey, Segment, charts, connect
    >>> life = Journey([Segment("Reader", E.opened.any()), Segment("Buyer", E.purchased.any())])
    >>> charts.journey(connect().journey(life))
    <Chart: Contacts in each stage, 3 rows>
    """
    drawing.expect(frame, ("stage", "size", "share"), "journey", "ws.journey(journey) or ws.stages(journey, start=...)")
    title = "Contacts in each stage over time" if "at" in frame else "Contacts in each stage"
    drawn = (history if "at" in frame else size)(frame.rename(columns={"stage": "segment"}))
    return Chart({**drawn.spec, "title": {**drawn.spec["title"], "text": title}}, frame)


def transitions(frame: pd.DataFrame) -> Chart:
    """How many moves led from each stage (a row) to each other (a column); the darker, the larger a share of those out of it.

    Args:
        frame: what `Workspace.transitions` gives. At most 20 stages are shown.

    Raises:
        SegkitError: the frame has other columns.

    >>> from segkit import E, Journey, Segment, charts, connect
    >>> life = Journey([Segment("Reader", E.opened.any()), Segment("Buyer", E.purchased.any())])
    >>> charts.transitions(connect().transitions(life, start="2025-11-01")).title
    'Moves between stages'
    """
    columns = ("from_stage", "to_stage", "kind", "moves", "contacts", "share", "median_days")
    drawing.expect(frame, columns, "transitions", "ws.transitions(journey, start=...)")
    title = "Moves between stages"
    about = ["from the stage at the side to the one above", *notes(frame)]
    if frame.empty:
        return drawing.nothing(frame, title, about)
    found = dict.fromkeys([*frame["from_stage"], *frame["to_stage"]])
    stages = [str(name) for name in frame.attrs.get("stages") or (name for name in found if name != NO_STAGE)]
    shown = [*stages[:_MOST], NO_STAGE]
    about.insert(1, drawing.left_out(len(shown) - 1, len(stages), "stages"))
    return drawing.finished(_cells(frame, shown), frame, title, about)


def _cells(frame: pd.DataFrame, stages: list[str]) -> Any:
    import altair as alt

    names = drawing.names(stages)
    place = {stage: i for i, stage in enumerate(stages)}
    rows: list[Any] = list(frame.itertuples())
    told = {(own.from_stage, own.to_stage): own for own in rows}
    values: list[dict[str, Any]] = []
    for source in stages:
        for target in stages:
            own: Any = told.get((source, target))
            moves = 0 if own is None else int(own.moves)
            values.append(
                {
                    "source": names[place[source]],
                    "target": names[place[target]],
                    "row": place[source],
                    "column": place[target],
                    "moves": moves,
                    "share": 0.0 if own is None else round(float(own.share), drawing.DIGITS),
                    "told": "" if source == target else number(moves),
                    "of": "–" if own is None else percent(own.share),
                    "days": "–" if own is None or own.median_days != own.median_days else f"{own.median_days:,.1f}",
                    "kind": "" if own is None else str(own.kind),
                }
            )
    tooltip = [
        alt.Tooltip("source:N", title="from"),
        alt.Tooltip("target:N", title="to"),
        alt.Tooltip("kind:N", title="kind"),
        alt.Tooltip("moves:Q", title="moves", format=","),
        alt.Tooltip("of:N", title="of all out of it"),
        alt.Tooltip("days:N", title="median days before"),
    ]
    side = alt.Axis(labelLimit=drawing.NAME_WIDTH, title="from")
    above = alt.Axis(orient="top", labelLimit=drawing.NAME_WIDTH, title="to", labelAngle=-40, ticks=False)
    base = alt.Chart({"values": values}).encode(
        x=alt.X("target:N", sort=_by("column"), axis=above), y=alt.Y("source:N", sort=_by("row"), axis=side), tooltip=tooltip
    )
    boxes = base.mark_rect(color=drawing.BLUE).encode(
        opacity=alt.Opacity("share:Q", scale=alt.Scale(domain=[0, 1], range=[0.05, 0.65]), legend=None)
    )
    width = max(34, min(_CELL, 480 // len(stages)))
    return alt.layer(boxes, base.mark_text(fontSize=11).encode(text="told:N")).properties(
        width=alt.Step(width), height=alt.Step(30)
    )


def _by(field: str) -> Any:
    """The order of the stages; a list of names would put them into an expression."""
    import altair as alt

    return alt.EncodingSortField(field=field, op="min", order="ascending")
