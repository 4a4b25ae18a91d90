"""Runs the benchmarks: `python benchmarks/run.py [NAMES] [--contacts N] [--events N] [--full] [--markdown]`.

The names are author, import, sizes, overlap, measures, history, edits and panel.
Needs the `bench` extra (`pip install -e ".[bench]"`). Without a name all of them run. Nothing here is a test: goals are
reported as met or missed, and only wrong answers stop a benchmark.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

import click
from report import Report, markdown, show

BENCHMARKS = ("author", "import", "sizes", "overlap", "measures", "history", "edits", "panel")
PACKAGES = ("duckdb", "sqlglot", "ibis-framework", "polars", "pandas", "pypika", "sqlalchemy")


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(BENCHMARKS))
@click.option("--contacts", default=100_000, show_default=True, help="contacts of all but author, import and panel")
@click.option("--events", default=2_000_000, show_default=True, help="events of all but author, import and panel")
@click.option("--full", is_flag=True, help="1,000,000 contacts and 20,000,000 events")
@click.option("--rounds", type=int, default=None, help="interleaved rounds (default: each benchmark's own)")
@click.option("--markdown", "as_markdown", is_flag=True, help="write Markdown to standard output")
def main(names: Sequence[str], contacts: int, events: int, full: bool, rounds: int | None, as_markdown: bool) -> None:
    """Compares segkit with the ways people would otherwise do the same work."""
    if full:
        contacts, events = 1_000_000, 20_000_000
    reports = [own for name in names or BENCHMARKS for own in _run(name, contacts, events, rounds)]
    if as_markdown:
        click.echo(f"{_where()}\n\n{markdown(reports)}")
    else:
        click.echo(_where())
        show(reports)


def _run(name: str, contacts: int, events: int, rounds: int | None) -> list[Report]:
    """One benchmark; its module is imported here, so that no benchmark needs the packages of another."""
    given = {} if rounds is None else {"rounds": rounds}
    print(f"running {name} ...", file=sys.stderr)
    match name:
        case "author":
            import author

            return [author.run(**given)]
        case "import":
            import importing

            return [importing.run(**given)]
        case "edits":
            import edits

            return [edits.run(contacts, events, **given)]
        case "overlap":
            import overlap

            return overlap.run(contacts, events, **given)
        case "measures":
            import measures

            return measures.run(contacts, events, **given)
        case "history":
            import history

            return history.run(contacts, events, **given)
        case "panel":
            import panel

            return [panel.run(**given)]
        case _:
            import sizes

            return sizes.run(contacts, events, **given)


def _where() -> str:
    """What was measured with: Python and the packages."""
    packages = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    return f"Measured on {datetime.now(UTC):%d %B %Y}: Python {platform.python_version()}, {packages}."


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"


if __name__ == "__main__":
    main()
