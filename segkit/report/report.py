"""A report: what a set of segments is, at one instant, to be shown in a cell and saved as one file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace as with_other
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from segkit import nodes
from segkit.errors import SegkitError
from segkit.exports import files
from segkit.plan import Moment, moment
from segkit.report import page
from segkit.report.parts import Asked, Known, Measures, Part, Told, gathered
from segkit.segment import Segment, as_segment
from segkit.version import VERSION


class Report:
    """Sizes, flow, overlap, performance and findings of some segments, and each by itself: made by `Workspace.report`.

    In a notebook, pickers above it choose other segments, another instant or period; so does `update`. What is shown last is
    what `save` writes.
    """

    def __init__(self, asked: Asked, measures: Measures, offered: Sequence[Segment] = ()) -> None:
        self._measures, self._known = measures, Known()
        self.offered = tuple(offered)
        self._show(asked)

    def _show(self, asked: Asked) -> None:
        found = gathered(asked, self._measures, self._known)
        self.asked, self._found = asked, found
        self.offered = tuple(dict.fromkeys((*asked.segments, *self.offered)))

    @property
    def at(self) -> Moment:
        """The instant, and the zone that it is read in."""
        return self.asked.at

    @property
    def start(self) -> dt.datetime:
        """When flow and performance begin."""
        return self.asked.start

    @property
    def parts(self) -> tuple[Part, ...]:
        """What is told of the segments together, each with its `title`, `notes`, `table` and `chart`."""
        return self._found.parts

    @property
    def segments(self) -> tuple[Told, ...]:
        """Each segment by itself: `name`, `notes`, `text`, `sql`, `refusal`, and `parts` (waterfall, findings)."""
        return self._found.segments

    def update(
        self, segments: Iterable[Any] | None = None, *, start: Any = None, every: str | None = None, as_of: Any = None
    ) -> None:
        """Reports on something else; what is not given stays. Only what that changes is measured again.

        Args:
            segments: other segments.
            start: when flow and performance begin; without it, they go back as far as before.
            every: the steps of the flow.
            as_of: another instant.

        Raises:
            SegkitError: an instant that is none, or a period that ends before it begins; nothing is changed then.
        """
        old = self.asked
        at = old.at if as_of is None else moment(as_of, old.at.zone)
        first = at.as_of - (old.at.as_of - old.start) if start is None else moment(start, old.at.zone).as_of
        if first >= at.as_of:
            raise SegkitError("the period ends before it begins", fix="let start be before as_of")
        own = old.segments if segments is None else tuple(map(as_segment, nodes.checked_list(segments, "segments")))
        self._show(with_other(old, segments=own, at=at, start=first, every=old.every if every is None else every))

    # ------------------------------------------------------------ shown and saved

    @property
    def body(self) -> str:
        """What stands in a cell, as HTML."""
        return page.body(self._about(), self._found)

    def html(self) -> str:
        """The page, with all that it needs inside."""
        return page.page("Segment report", self._about(), self._found)

    def save(self, path: str | Path, *, replace: bool = False) -> Path:
        """Writes the page as one `.html` file, which loads and runs nothing.

        Raises:
            SegkitError: another ending, a file in the way that segkit did not make, or one that cannot be written.
        """
        target = Path(path)
        if target.suffix.lower() != ".html":
            raise SegkitError(f"cannot save a report as {target.suffix or 'a file without ending'}", fix="use .html")
        files.written({target: self.html()}, replace=replace)
        return target

    def _about(self) -> list[str]:
        asked = self.asked
        lines = [
            f"As of {_local(asked.at.as_of, asked.at.zone)}",
            f"flow and performance since {_local(asked.start, asked.at.zone)}, every {asked.every}",
            f"{len(self.segments)} segment{'s' * (len(self.segments) != 1)}",
            f"segkit {VERSION}",
        ]
        return [*lines, "e-mail addresses are hidden"] if asked.mask else lines

    def _pickers(self) -> Any:
        try:
            from segkit.report.pickers import pickers
        except ModuleNotFoundError as error:
            if error.name != "ipywidgets":
                raise
            return None
        return pickers(self.asked, self.offered, self.body, self._updated)

    def _updated(self, segments: Iterable[Any], **named: Any) -> str:
        self.update(segments, **named)
        return self.body

    def _repr_mimebundle_(self, **named: Any) -> dict[str, Any]:
        live = self._pickers()
        still = {"text/plain": repr(self), "text/html": self.body}
        return still if live is None else {**live._repr_mimebundle_(**named), **still}

    def __repr__(self) -> str:
        return f"<Report: {len(self.segments)} segments, as of {self.at.as_of.isoformat()}>"


def _local(at: dt.datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} {zone}"
