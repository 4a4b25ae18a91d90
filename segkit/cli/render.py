"""`segkit render`: segments as SQL for a warehouse; nothing is connected to."""

from __future__ import annotations

import json
from pathlib import Path

import click

from segkit import store
from segkit.cli.configuration import as_json, files, meaning
from segkit.rendering import checked_dialect
from segkit.segment import as_catalog

_EPILOG = """\b
Examples:
  segkit render segments/at_risk.yml --dialect snowflake
  segkit render segments/ --dialect bigquery --catalog catalog.yml --output sql/
"""


@click.command(epilog=_EPILOG)
@files
@click.option(
    "--dialect", envvar="SEGKIT_DIALECT", default="duckdb", show_default=True, help="A dialect by sqlglot's name: snowflake, ..."
)
@meaning
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder for one .sql file a segment (default: all to standard output).",
)
@as_json
def render(
    files: tuple[Path, ...],
    dialect: str,
    catalog: Path | None,
    timezone: str | None,
    as_of: str | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """SQL of the segments of FILES, for any warehouse.

    It is the query of the members' keys. FILES are files or folders; the segments may refer to each other. If one of
    them cannot be rendered, nothing is written.
    """
    found = store.read(*map(store.place, files))
    together = [own.segment for own in found]
    checked_dialect(dialect)
    known = as_catalog(catalog)

    def rendered(own: store.Saved) -> tuple[str, str]:
        sql = own.segment.sql(dialect, catalog=known, as_of=as_of, timezone=timezone, segments=together)
        return str(own.segment.name), sql

    texts = dict(store.in_each(((own.path, own) for own in found), rendered))
    if output is not None:
        for name, sql in texts.items():
            path = output / f"{store.file_name(name)}.sql"
            store.write(path, sql + ";\n")
            click.echo(str(path), err=as_json)
    if as_json:
        rows = [{"segment": name, "dialect": dialect, "sql": sql} for name, sql in texts.items()]
        click.echo(json.dumps({"rows": rows}, ensure_ascii=False, indent=2))
    elif output is None:
        click.echo("\n\n".join(sql + ";" for sql in texts.values()))
