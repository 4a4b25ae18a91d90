"""`segkit verify`: whether engines find the same members."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from segkit.cli.configuration import Connection, as_json, connected, files
from segkit.cli.output import console, records, table

_EPILOG = """\b
Examples:
  segkit verify segments/
  segkit verify segments/ --source crm.duckdb --engine this --engine sqlite --json
"""


@click.command(epilog=_EPILOG)
@files
@connected
@click.option(
    "--engine",
    "engines",
    multiple=True,
    help="An engine to ask: this (the connection), duckdb, sqlite, or another source; may be repeated (default: these three).",
)
@as_json
def verify(files: tuple[Path, ...], connection: Connection, engines: tuple[str, ...], as_json: bool) -> None:
    """Whether engines find the same members.

    Contacts are invented at the boundaries of each segment of FILES (files or folders), and every engine is asked.
    Nothing is written anywhere. The exit code is 1 where an engine differs, or could not be asked.
    """
    with connection.open() as workspace:
        frame = workspace.verify(workspace.load(*files), engines or None)
    differences = frame.attrs["differences"]
    if as_json:
        answer = {"as_of": frame.attrs["as_of"], "rows": records(frame), "differences": records(differences)}
        click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
    else:
        has_notes = frame["note"].astype(bool).any()
        console().print(table(frame if has_notes else frame.drop(columns="note")))
        if len(differences):
            click.echo("Differences:")
            console().print(table(differences))
    if not frame["agrees"].all():
        sys.exit(1)
