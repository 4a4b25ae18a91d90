"""`segkit refresh`: keeps who came to tracked segments and who left them since the last time."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from segkit.cli.configuration import Connection, as_json, connected
from segkit.cli.output import told

_EPILOG = """\b
Examples:
  segkit refresh segments/ --source crm.duckdb
  segkit refresh --source crm.duckdb --dry-run
  segkit refresh --source postgresql://crm/db --history marketing --create-tables
  */15 * * * *  segkit refresh --config /etc/segkit.toml --json >> refresh.log
"""


@click.command(epilog=_EPILOG)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@connected
@click.option("--history", envvar="SEGKIT_HISTORY", help="The schema of the warehouse to keep it in (default: the home).")
@click.option("--create-tables", is_flag=True, help="Make the tables of --history that are not there, and end.")
@click.option("--full", is_flag=True, help="Look at all contacts, not only at those that could have changed (DuckDB).")
@click.option("--check", is_flag=True, help="Look both ways, and tell who differs.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be kept.")
@as_json
def refresh(
    files: tuple[Path, ...],
    connection: Connection,
    history: str | None,
    create_tables: bool,
    full: bool,
    check: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Keep who came to tracked segments, and who left.

    The segments of FILES (files or folders) are tracked from now on, beside those that are already. Exit code 1: a segment
    could not be evaluated, or a check found a difference; the others are kept.
    """
    with connection.open(history) as workspace:
        if create_tables:
            click.echo(workspace.history_tables(execute=True), nl=False)
            return
        if files:
            workspace.track(workspace.load(*files))
        frame = workspace.refresh(full=full, check=check, dry_run=dry_run)
    told(frame, as_json)
    for name, alert in frame.loc[frame["alert"] != "", ["segment", "alert"]].itertuples(index=False):
        click.echo(f"alert: {name}: {alert}", err=True)
    if (frame["error"] != "").any():
        sys.exit(1)
