"""Examples of segments as tests of pytest: `pytest -p segkit.pytest_plugin segments/`.

Nothing is collected unless the plugin is loaded, on the command line or by `addopts` of a project. It then reads the `.json`,
`.yaml` and `.yml` files that pytest comes across, and takes those that hold a segment; each of its examples is a test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from segkit import store
from segkit.catalog import Catalog
from segkit.errors import SegkitError
from segkit.example import Example
from segkit.segment import Segment, as_catalog, by_name
from segkit.testing.check import Outcome, outcome, told

_KEYS = {"segkit", "where", "conditions", "examples"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("segkit_catalog", "the path of the catalog.yml for examples of segments", type="paths", default=[])
    parser.addini("segkit_timezone", "the zone of local dates for examples of segments")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A file that holds a segment, or cannot be read."""
    if file_path.suffix.lower() not in store.ENDINGS:
        return None
    try:
        document = store.document_at(file_path)
    except SegkitError:
        return SegmentFile.from_parent(parent, path=file_path)
    is_segment = isinstance(document, Mapping) and not _KEYS.isdisjoint(document)
    return SegmentFile.from_parent(parent, path=file_path) if is_segment else None


class SegmentFile(pytest.File):
    """The file of a segment, which may refer to those beside it."""

    def collect(self) -> Iterator[pytest.Item]:
        own = store.read_file(self.path).segment
        beside, _ = store.tried(((path, path) for path in store.files(self.path.parent)), store.read_file)
        known = [own, *(each.segment for each in beside if each.path != self.path)]
        for example in own.examples:
            yield ExampleItem.from_parent(self, name=example.name, segment=own, example=example, known=known)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:  # noqa: ARG002
        return str(excinfo.value) if isinstance(excinfo.value, SegkitError) else super().repr_failure(excinfo)


class ExampleItem(pytest.Item):
    """One example of a segment."""

    def __init__(self, *, segment: Segment, example: Example, known: list[Segment], **further: Any) -> None:
        super().__init__(**further)
        self._segment, self._example, self._known = segment, example, known

    def runtest(self) -> None:
        zone = self.config.getini("segkit_timezone") or None
        found = outcome(self._segment, self._example, _catalog(self.config), None, zone, by_name(self._known))
        if not found.holds:
            raise _NotAsExpected(found)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:  # noqa: ARG002
        match excinfo.value:
            case _NotAsExpected(args=(Outcome() as found,)):
                return f"expected {told(found.example.expected)}, got {told(found.got)}\n  because {found.because}"
            case SegkitError() as error:
                return str(error)
            case _:
                return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, f"{self._segment.name}: {self.name}"


class _NotAsExpected(AssertionError):
    """A segment does not do as an example expects."""


def _catalog(config: pytest.Config) -> Catalog | None:
    """The catalog of the settings, read once."""
    if _CATALOG not in config.stash:
        paths = config.getini("segkit_catalog")
        config.stash[_CATALOG] = as_catalog(paths[0]) if paths else None
    return config.stash[_CATALOG]


_CATALOG = pytest.StashKey[Catalog | None]()
