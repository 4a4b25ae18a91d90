"""The pickers above a report: stock widgets, each of which asks the report to show something else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

import ipywidgets
from comm import DummyComm

from segkit.errors import SegkitError
from segkit.plan import Moment, moment
from segkit.plan.clock import days_away
from segkit.report.parts import Asked, names
from segkit.segment import Segment

_LENGTHS = (7, 30, 90, 365)
_STEPS = ("day", "week", "month")
_AS_GIVEN = 0
_MOST_ROWS = 6
_WIDE = "min(100%, 46em)"


def pickers(given: Asked, offered: Sequence[Segment], body: str, show: Callable[..., str]) -> Any:
    """The pickers with the report's `body` below them; None where no kernel would hear them.

    `show` is told what was picked (`Report.update` takes the same) and gives the body to show then.
    """
    as_given = given.at.as_of - given.start
    period = {f"{days} days": days for days in _LENGTHS}
    length = next((days for days in _LENGTHS if days_away(given.at, -days) == given.start), _AS_GIVEN)
    if length == _AS_GIVEN:
        period = {f"since {_told(Moment(given.start, given.at.zone))}": _AS_GIVEN, **period}
    chosen = ipywidgets.SelectMultiple(
        options=[(name, i) for i, name in enumerate(names(offered))],
        value=[i for i, own in enumerate(offered) if own in given.segments],
        rows=min(_MOST_ROWS, max(2, len(offered))),
        description="Segments",
        layout={"width": _WIDE},
    )
    as_of = ipywidgets.Text(_told(given.at), description="As of", continuous_update=False)
    back = ipywidgets.Dropdown(options=list(period.items()), value=length, description="Period")
    every = ipywidgets.Dropdown(options=list(dict.fromkeys((given.every, *_STEPS))), value=given.every, description="Flow every")
    problem, shown = ipywidgets.HTML(), ipywidgets.HTML(body)
    if isinstance(shown.comm, DummyComm):
        return None

    def update(_: Any) -> None:
        problem.value = '<span role="status">measuring …</span>'
        try:
            at = given.at if as_of.value == _told(given.at) else moment(as_of.value.strip(), given.at.zone)
            start = at.as_of - as_given if back.value == _AS_GIVEN else days_away(at, -back.value)
            shown.value = show([offered[i] for i in chosen.value], start=start, every=every.value, as_of=at.as_of)
            problem.value = ""
        except SegkitError as error:
            problem.value = f'<div role="alert" style="white-space:pre-line">{escape(str(error))}</div>'

    for picker in (chosen, as_of, back, every):
        picker.observe(update, "value")
    wrapped = {"flex_flow": "row wrap"}
    return ipywidgets.VBox([chosen, ipywidgets.HBox([as_of, back, every], layout=wrapped), problem, shown])


def _told(at: Moment) -> str:
    """An instant as it can be typed, on the wall clock of its zone."""
    return f"{at.as_of.astimezone(ZoneInfo(at.zone)):%Y-%m-%d %H:%M}"
