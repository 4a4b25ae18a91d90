"""What a report tells: each part is a table and perhaps a picture; one that fails is a note in its place."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from segkit import charts
from segkit.charts import Chart
from segkit.errors import SegkitError
from segkit.metrics import masked
from segkit.segment import Segment

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Measures:
    """The workspace's measures, all at one instant."""

    sizes: Callable[[list[Segment]], pd.DataFrame]
    history: Callable[[list[Segment]], pd.DataFrame]
    overlap: Callable[[list[Segment]], pd.DataFrame]
    performance: Callable[[list[Segment]], pd.DataFrame]
    waterfall: Callable[[Segment], pd.DataFrame]
    audit: Callable[[list[Segment]], pd.DataFrame]
    diagnose: Callable[[Segment], pd.DataFrame]
    describe: Callable[[Segment], str]
    sql: Callable[[Segment], str]


@dataclass(frozen=True)
class Part:
    """One section: `notes` are what its measure warned of, or why it has nothing to show."""

    title: str
    notes: tuple[str, ...] = ()
    table: pd.DataFrame | None = None
    chart: Chart | None = None


@dataclass(frozen=True)
class Definition:
    """What a segment means, in words, and its query; `refusal` where it means nothing on this data."""

    name: str
    text: str = ""
    sql: str = ""
    refusal: str = ""


def gathered(segments: Sequence[Segment], measures: Measures) -> tuple[tuple[Part, ...], tuple[Definition, ...]]:
    """The parts of a report and the definitions below them. Segments that are refused take no part in the measures."""
    definitions = tuple(_definition(own, measures) for own in segments)
    sound = [own for own, told in zip(segments, definitions, strict=True) if not told.refusal]
    parts = (
        _part("Sizes", partial(measures.sizes, sound), charts.size),
        _part("Flow", partial(measures.history, sound), charts.flow),
        _part("Overlap", partial(measures.overlap, sound), charts.overlap),
        _part("Performance", partial(measures.performance, sound), charts.performance),
        *(_part(f"Waterfall of {_name(own)}", partial(measures.waterfall, own), charts.waterfall) for own in sound),
        _findings("Findings of the set", lambda: measures.audit(list(segments))),
        *(_findings(f"Findings of {_name(own)}", partial(_diagnosed, own, measures)) for own in sound),
    )
    return parts, definitions


def _diagnosed(own: Segment, measures: Measures) -> pd.DataFrame:
    return measures.diagnose(own).drop(columns="segment")


def _findings(title: str, read: Callable[[], pd.DataFrame]) -> Part:
    found = _part(title, read)
    if found.table is None:
        return found
    if found.table.empty:
        return replace(found, table=None, notes=(*found.notes, "nothing found"))
    return replace(found, table=masked(found.table))


def _part(title: str, read: Callable[[], pd.DataFrame], draw: Callable[[pd.DataFrame], Chart] | None = None) -> Part:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            table = read()
        except SegkitError as error:
            return Part(title, (str(error),))
        try:
            chart = None if draw is None else draw(table)
        except SegkitError as error:
            return Part(title, (*_told(caught), str(error)), table)
    return Part(title, _told(caught), table, chart)


def _told(caught: list[warnings.WarningMessage]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(own.message) for own in caught))


def _definition(own: Segment, measures: Measures) -> Definition:
    try:
        return Definition(_name(own), measures.describe(own), measures.sql(own))
    except SegkitError as error:
        return Definition(_name(own), refusal=str(error))


def _name(own: Segment) -> str:
    return own.name if own.name is not None else "a segment without a name"
