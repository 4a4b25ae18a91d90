"""`segkit history`: how large each segment was on any day, who came and who went."""

from __future__ import annotations

from pathlib import Path

import click

from segkit.cli.configuration import Connection, as_json, connected, files
from segkit.cli.output import told

_EPILOG = """\b
Examples:
  segkit history segments/at_risk.yml --start 2025-01-01
  segkit history segments/ --start 2025-01-01 --end 2025-06-30 --every month --json
"""


@click.command(epilog=_EPILOG)
@files
@connected
@click.option("--start", required=True, help="The first instant, such as 2025-01-01.")
@click.option("--end", help="The last instant (default: --as-of, else the catalog's, else now).")
@click.option("--every", default="day", show_default=True, help="hour, day, week, month, quarter or year.")
@click.option("--tracked", is_flag=True, help="Also what refreshes saw of segments of these names.")
@as_json
def history(
    files: tuple[Path, ...], connection: Connection, start: str, end: str | None, every: str, tracked: bool, as_json: bool
) -> None:
    """Sizes, entries and exits of segments over time.

    One row for each segment of FILES (files or folders) and instant, computed from the events.
    """
    with connection.open() as workspace:
        frame = workspace.history(workspace.load(*files), start, end, every=every, tracked=tracked)
    told(frame, as_json)
