"""`segkit size`: how many contacts are members of each segment."""

from __future__ import annotations

from pathlib import Path

import click

from segkit.cli.configuration import Connection, as_json, connected, files
from segkit.cli.output import told

_EPILOG = """\b
Examples:
  segkit size segments/
  segkit size segments/ --source crm.duckdb --as-of 2025-11-30
  SEGKIT_SOURCE=postgresql://... segkit size segments/at_risk.yml --json
"""


@click.command(epilog=_EPILOG)
@files
@connected
@as_json
def size(files: tuple[Path, ...], connection: Connection, as_json: bool) -> None:
    """Sizes of the segments of FILES.

    FILES are files or folders; the segments may refer to each other, and are counted in one query.
    """
    with connection.open() as workspace:
        frame = workspace.sizes(workspace.load(*files))
    told(frame, as_json)
