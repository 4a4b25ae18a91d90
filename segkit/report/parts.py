"""What a report tells: each part is a table and perhaps a picture; one that fails is a note in its place."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeAlias

from segkit import charts, display
from segkit.charts import Chart
from segkit.errors import SegkitError
from segkit.metrics import hidden, masked
from segkit.plan import Moment
from segkit.segment import Segment
from segkit.spelling import spell

if TYPE_CHECKING:
    import pandas as pd

_LONGEST_NAME = 120


@dataclass(frozen=True)
class Asked:
    """What is reported on: segments at one instant, and from `start` to it; `mask` hides e-mail addresses."""

    segments: tuple[Segment, ...]
    at: Moment
    start: dt.datetime
    every: str
    mask: bool


@dataclass(frozen=True)
class Measures:
    """The workspace's measures, those of a set of segments and those of one."""

    sizes: Callable[..., pd.DataFrame]
    history: Callable[..., pd.DataFrame]
    overlap: Callable[..., pd.DataFrame]
    performance: Callable[..., pd.DataFrame]
    audit: Callable[..., pd.DataFrame]
    waterfall: Callable[..., pd.DataFrame]
    diagnose: Callable[..., pd.DataFrame]
    describe: Callable[..., str]
    sql: Callable[..., str]


@dataclass(frozen=True)
class Part:
    """One section: `notes` are what its measure warned of, or why it has nothing to show."""

    title: str
    notes: tuple[str, ...] = ()
    table: pd.DataFrame | None = None
    chart: Chart | None = None

    @cached_property
    def pictures(self) -> tuple[str, str] | None:
        """The chart on light and on dark ground."""
        return None if self.chart is None else (self.chart.svg("light"), self.chart.svg("dark"))


@dataclass(frozen=True)
class Told:
    """One segment: what it means in words, its query, and what was measured; `refusal` where it means nothing on this data."""

    name: str
    notes: str = ""
    text: str = ""
    sql: str = ""
    refusal: str = ""
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Found:
    """All that a report tells: the parts of the set, and each segment by itself."""

    parts: tuple[Part, ...]
    segments: tuple[Told, ...]


Known: TypeAlias = dict[Any, Part]
"""Parts that were measured before, by what was asked: they are not measured again."""


def gathered(asked: Asked, measures: Measures, known: Known) -> Found:
    """What a report tells. Segments that are refused take no part in the measures of the others."""
    own = _named(asked.segments, asked.mask)
    at = asked.at.as_of
    told = [_told(segment, measures, asked) for segment in own]
    sound = tuple(segment for segment, its in zip(own, told, strict=True) if not its.refusal)
    part = partial(_known_or_measured, known=known, mask=asked.mask)
    of_set = (
        part(_Wish("Sizes", partial(measures.sizes, sound, as_of=at), charts.size)),
        part(_Wish("Flow", partial(measures.history, sound, start=asked.start, end=at, every=asked.every), charts.flow)),
        part(_Wish("Overlap", partial(measures.overlap, sound, as_of=at), charts.overlap)),
        part(_Wish("Performance", partial(measures.performance, sound, start=asked.start, as_of=at), charts.performance)),
        part(_Wish("Findings", partial(measures.audit, own, as_of=at))),
    )
    of_one = {
        segment: (
            part(_Wish("Waterfall", partial(measures.waterfall, segment, as_of=at), charts.waterfall)),
            part(_Wish("Findings", partial(measures.diagnose, segment, as_of=at), dropped="segment")),
        )
        for segment in sound
    }
    segments = (Told(**{**vars(its), "parts": of_one.get(segment, ())}) for segment, its in zip(own, told, strict=True))
    return Found(of_set, tuple(segments))


def _named(segments: Iterable[Segment], mask: bool) -> tuple[Segment, ...]:
    """The segments, each with a name of its own to be told by."""
    own = tuple(segments)
    private = hidden if mask else str
    names = display.distinct(display.seen(private(one.name or spell(one.definition.where)), _LONGEST_NAME) for one in own)
    return tuple(
        one if one.name == name else Segment(name, one, notes=one.notes, owner=one.owner, tags=one.tags)
        for one, name in zip(own, names, strict=True)
    )


def _told(own: Segment, measures: Measures, asked: Asked) -> Told:
    private = hidden if asked.mask else str
    name, notes, at = str(own.name), private(own.notes), asked.at.as_of
    try:
        return Told(name, notes, private(measures.describe(own, as_of=at)), private(measures.sql(own, as_of=at)))
    except SegkitError as error:
        return Told(name, notes, refusal=private(str(error)))


# ---------------------------------------------------------------- one part


@dataclass(frozen=True)
class _Wish:
    """A part to be: how to measure it and, if there is a picture, how to draw it; else it is a list of findings."""

    title: str
    read: partial[pd.DataFrame]
    draw: Callable[[pd.DataFrame], Chart] | None = None
    dropped: str = field(default="")


def _known_or_measured(wish: _Wish, known: Known, mask: bool) -> Part:
    key = (wish.read.func, wish.read.args, *sorted(wish.read.keywords.items()), mask)
    if key not in known:
        known[key] = _measured(wish, mask)
    return known[key]


def _measured(wish: _Wish, mask: bool) -> Part:
    private = hidden if mask else str
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = wish.read()
        except SegkitError as error:
            return Part(wish.title, (private(str(error)),))
    notes = tuple(dict.fromkeys(private(str(own.message)) for own in caught))
    table = _hidden(found) if mask else found
    if wish.draw is None:
        return Part(wish.title, notes, None if table.empty else table.drop(columns=wish.dropped or []))
    try:
        return Part(wish.title, notes, table, wish.draw(table))
    except SegkitError as error:
        return Part(wish.title, (*notes, str(error)), table)


def _hidden(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame, and what is told beside it, without addresses."""
    shown = masked(frame)
    shown.attrs = {name: hidden(value) if isinstance(value, str) else value for name, value in frame.attrs.items()}
    return shown


def names(segments: Sequence[Segment]) -> list[str]:
    """What segments are told by, each in a form of its own.

    >>> from segkit import F
    >>> names([Segment("VIP", F.opens > 5), Segment("VIP", F.opens > 6), Segment(None, F.opens > 7)])
    ['VIP', 'VIP (2)', 'F.opens > 7']
    """
    return [str(own.name) for own in _named(segments, mask=False)]
