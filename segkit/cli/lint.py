"""`segkit lint`: what is wrong with the segments of files, with or without their data."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from segkit import store
from segkit.cli.configuration import Connection, as_json, connected, files
from segkit.cli.output import plain, records
from segkit.findings import audit, finding
from segkit.findings.audit import Limits
from segkit.findings.finding import Severity
from segkit.plan import moment
from segkit.segment import Segment, as_catalog, by_name, zone_of

if TYPE_CHECKING:
    import pandas as pd

_EPILOG = """\b
Examples:
  segkit lint segments/
  segkit lint segments/ --catalog catalog.yml --fail-on advice
  segkit lint segments/ --source crm.duckdb --smallest 100 --json

Exit codes: 0 nothing at or above --fail-on; 1 something; 2 the command or a file is at fault (what was found in the
other files is told all the same).
"""
_LIMITS = Limits()


@click.command(epilog=_EPILOG)
@files
@connected
@click.option("--conditions", default=_LIMITS.conditions, show_default=True, help="Advise against more conditions.")
@click.option("--levels", default=_LIMITS.levels, show_default=True, help="Advise against more groups in each other.")
@click.option("--smallest", default=_LIMITS.smallest, show_default=True, help="Advise against fewer members (with --source).")
@click.option(
    "--overlap", default=_LIMITS.overlap, show_default=True, help="Advise against a larger share in common (with --source)."
)
@click.option(
    "--fail-on",
    type=click.Choice([str(own) for own in Severity]),
    default=str(Severity.WARNING),
    show_default=True,
    help="The least severity that makes the exit code 1.",
)
@as_json
def lint(
    files: tuple[Path, ...],
    connection: Connection,
    conditions: int,
    levels: int,
    smallest: int,
    overlap: float,
    fail_on: str,
    as_json: bool,
) -> None:
    """What is wrong with the segments of FILES.

    FILES are files or folders; the segments may refer to each other, and to saved ones of the home. Without a source
    nothing is connected to: fields are what the catalog says, or what the segments take them for. With one its data is
    asked, too.
    """
    limits = Limits(conditions, levels, smallest, overlap)
    found, broken = _read(files)
    frame = _of_data(found, connection, limits) if connection.source is not None else _of_files(found, connection, limits)
    places = {str(own.segment.name): _shown(own.path) for own in found}
    frame.insert(0, "file", [places.get(name, "") for name in frame["segment"]])
    if as_json:
        counts = {str(own): int((frame["severity"] == str(own)).sum()) for own in reversed(Severity)}
        answer = {"as_of": frame.attrs.get("as_of"), "rows": records(frame), "counts": counts, "broken": broken}
        click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
    else:
        for line in _told(frame):
            click.echo(line)
    for text in broken:
        click.echo(f"error: {text}", err=True)
    if broken:
        sys.exit(2)
    if any(Severity[word.upper()] >= Severity[fail_on.upper()] for word in frame["severity"]):
        sys.exit(1)


def _shown(path: Path) -> str:
    """A path from the folder of the command on, where it lies below it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _read(given: Sequence[Path]) -> tuple[list[store.Saved], list[str]]:
    """The segments of files, and what is wrong with the files that hold none, or one of a name that stands in another."""
    listed, broken = store.tried(((path, store.place(path)) for path in given), store.files_at)
    paths = dict.fromkeys(path for some in listed for path in some)
    found, refused = store.tried(((path, path) for path in paths), store.read_file)
    first: dict[str, store.Saved] = {}
    for own in found:
        name = str(own.segment.name)
        if name in first:
            refused.append(f"{own.path}: {name!r:.80} stands in {first[name].path}, too\n  fix: rename one of them")
        else:
            first[name] = own
    return sorted(first.values(), key=lambda own: str(own.segment.name)), broken + refused


def _of_data(found: Sequence[store.Saved], connection: Connection, limits: Limits) -> pd.DataFrame:
    with connection.open() as workspace:
        return workspace.audit(
            [own.segment for own in found],
            conditions=limits.conditions,
            levels=limits.levels,
            smallest=limits.smallest,
            overlap=limits.overlap,
        )


def _of_files(found: Sequence[store.Saved], connection: Connection, limits: Limits) -> pd.DataFrame:
    catalog = as_catalog(connection.catalog)
    at = moment(connection.as_of or catalog.as_of, zone_of(connection.timezone, catalog))
    saved: dict[str, Segment] = store.saved(store.place(connection.home) / "segments")
    known = {**by_name(saved), **by_name(own.segment for own in found)}
    resolved = audit.resolve([own.segment.definition for own in found], catalog, at, known)
    frame = finding.table([*audit.findings(resolved, limits), *audit.unused(resolved, catalog, known)])
    frame.attrs["as_of"] = at.as_of.isoformat()
    return frame


def _told(frame: pd.DataFrame) -> Iterator[str]:
    """A line a finding, as compilers write them, with its evidence and what to do below."""
    for row in frame.to_dict("records"):
        where = ": ".join(plain(row[name]) for name in ("file", "segment", "path", "severity") if row[name])
        condition = f" ({plain(row['condition'])})" if row["condition"] else ""
        yield f"{where}: {plain(row['what'])}{condition} [{row['kind']}]"
        yield f"  {plain(row['evidence'])}"
        yield f"  fix: {plain(row['fix'])}"
    counts = Counter(frame["severity"])
    told = [f"{counts[str(own)]:,} of {own}" for own in sorted(Severity, reverse=True) if counts[str(own)]]
    yield ", ".join(told) if told else "nothing found"
