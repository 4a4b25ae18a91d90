"""`segkit test`: whether segments have the members that the examples in their files expect."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from segkit import store
from segkit.cli.configuration import as_json, files, meaning
from segkit.cli.output import console, records, table
from segkit.describe.words import counted
from segkit.errors import DefinitionError
from segkit.segment import by_name

_EPILOG = """\b
Examples:
  segkit test segments/
  segkit test segments/at_risk.yml --catalog catalog.yml --json
"""


@click.command(epilog=_EPILOG)
@files
@meaning
@as_json
def test(files: tuple[Path, ...], catalog: Path | None, timezone: str | None, as_of: str | None, as_json: bool) -> None:
    """Whether segments do as their examples expect.

    Each example of FILES (files or folders) is decided in plain Python; nothing is connected to. The exit code is 1 where
    a segment has other members than an example expects.
    """
    from segkit.testing import check

    found = store.read(*map(store.place, files))
    own = check.as_catalog_or_none(catalog)
    known = by_name([each.segment for each in found])
    work = ((each.path, each.segment) for each in found)
    outcomes = store.in_each(work, lambda segment: check.outcomes(segment, own, as_of, timezone, known))
    frame = check.framed(outcome for several in outcomes for outcome in several)
    if frame.empty:
        raise DefinitionError("no examples in these files", fix='add "examples" to a segment, or see `segkit boundaries`')
    wrong = int((~frame["holds"]).sum())
    if as_json:
        click.echo(json.dumps({"rows": records(frame)}, ensure_ascii=False, indent=2))
    else:
        console().print(table(frame))
        click.echo(
            f"{counted(len(frame), 'examples')}, {wrong:,} of them not as expected"
            if wrong
            else f"{counted(len(frame), 'examples')}, all as expected"
        )
    if wrong:
        sys.exit(1)
