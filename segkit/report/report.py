"""A report: what a set of segments is, at one instant, to be shown in a cell and saved as one file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from segkit.errors import SegkitError
from segkit.exports import files
from segkit.plan import Moment
from segkit.report import page
from segkit.report.parts import Definition, Part
from segkit.version import VERSION


@dataclass(frozen=True)
class Report:
    """Sizes, flow, overlap, performance, waterfalls, findings and definitions of some segments."""

    at: Moment
    parts: tuple[Part, ...]
    definitions: tuple[Definition, ...]

    @cached_property
    def _body(self) -> str:
        head = f"As of {self.at.as_of.isoformat()} ({self.at.zone}), by segkit {VERSION}"
        return page.body(head, self.parts, self.definitions)

    def html(self) -> str:
        """The page, with all that it needs inside."""
        return page.page("Segment report", self._body)

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

    def _repr_html_(self) -> str:
        return self._body

    def __repr__(self) -> str:
        return f"<Report: {len(self.definitions)} segments, {len(self.parts)} parts, as of {self.at.as_of.isoformat()}>"
