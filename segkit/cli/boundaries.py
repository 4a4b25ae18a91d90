"""`segkit boundaries`: examples at the thresholds and windows of segments, to be read and kept beside them."""

from __future__ import annotations

import json
from pathlib import Path

import click

from segkit import example, store
from segkit.cli.configuration import as_json, files, meaning
from segkit.cli.output import console, table
from segkit.segment import Segment

_EPILOG = """\b
Examples:
  segkit boundaries segments/at_risk.yml --as-of 2025-11-30
  segkit boundaries segments/at_risk.yml --as-of 2025-11-30 --catalog catalog.yml --json
"""


@click.command(epilog=_EPILOG)
@files
@meaning
@as_json
def boundaries(files: tuple[Path, ...], catalog: Path | None, timezone: str | None, as_of: str | None, as_json: bool) -> None:
    """Examples at the thresholds and windows of segments.

    Each shows one value, event or list on one side of what a segment of FILES (files or folders) asks, and what the segment
    does with it. `--json` writes them as a file holds them, under `examples`. Nothing is connected to.
    """
    from segkit.testing.boundaries import boundary_examples
    from segkit.testing.check import as_catalog_or_none, check_examples

    found = store.read(*map(store.place, files))
    own, together = as_catalog_or_none(catalog), [each.segment for each in found]

    def invented(segment: Segment) -> list[example.Example]:
        others = [each for each in together if each is not segment]
        return boundary_examples(segment, catalog=own, as_of=as_of, timezone=timezone, others=others)

    work = ((each.path, each.segment) for each in found)
    several = store.in_each(work, lambda segment: (segment, invented(segment)))
    if as_json:
        rows = [{"segment": segment.name, "examples": example.written(examples)} for segment, examples in several]
        click.echo(json.dumps({"rows": rows}, ensure_ascii=False, indent=2))
        return
    tried = [Segment(segment.name, segment, examples=examples) for segment, examples in several]
    frame = check_examples(tried, catalog=own, timezone=timezone)
    console().print(table(frame[["segment", "example", "got"]]))
