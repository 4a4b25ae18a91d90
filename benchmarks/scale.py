"""Whether time and memory grow with the data, and no faster: the same work at several sizes, each in a process of its own.

`python benchmarks/scale.py [--contacts 100000,1000000] [--memory 6GB] [--only NAME]... [--spark] [--folder FOLDER]`. There are 20
events a contact. DuckDB may use as much memory as `--memory` says, with `--spark` Spark too, which must have the same answers
from the same data in Parquet; what the whole process takes at most is measured and shown. The files are kept where a folder is
named, and are used again.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import duckdb
import edits
import history
import marketing
import on_spark
import pandas as pd
from on_spark import Measured
from report import Report, markdown, show
from sizes_in_segkit import segkit_segments
from tracking import QUARTER, many

from segkit import F, Segment, Workspace, connect
from segkit.engines import KeepsAnswers

EVENTS_A_CONTACT = 20
MOST_MEMORY = 8.0
"""GiB."""
LINEAR = 1.3
"""Ten times the data may take so many times ten times as long."""
EDITS, REFRESH = "20 conditions edited", "1,000 segments refreshed"


def _edits(ws: Workspace) -> str:
    engine = edits.Timed(ws.engine)
    assert isinstance(engine, KeepsAnswers)
    counting = edits.Counting(engine, ws.catalog, edits.moment(marketing.AS_OF, "UTC"), {})
    slowest = 0.0
    for i, (name, where) in enumerate(edits.edits(0).items()):
        engine.seconds = 0.0
        counting.counts(edits.nodes.Definition(name, where.node))
        slowest = max(slowest, engine.seconds) if i else 0.0
    counting.close()
    return f"slowest edit {1000 * slowest:.0f} ms"


def _refresh(ws: Workspace) -> str:
    ws.track(many(1000))
    sizes = ws.refresh(as_of=marketing.AS_OF - QUARTER)
    assert set(sizes["outcome"]) == {"first"}, sizes["error"].unique()
    return f"{int(sizes['size'].sum()):,} memberships"


def _year(ws: Workspace) -> pd.DataFrame:
    found = ws.history([Segment("three parts", history.SEGMENTS["three parts"])], start=history.START, end=history.END)
    assert set(found["method"]) == {"swept"}
    return found


@dataclass(frozen=True)
class Question:
    """What any engine can be asked, and its answer in a few words."""

    ask: Callable[[Workspace], pd.DataFrame]
    told: Callable[[pd.DataFrame], str]


QUESTIONS: dict[str, Question] = {
    "one size": Question(lambda ws: ws.sizes(segkit_segments()[7:8]), lambda found: f"{found['size'][0]:,}"),
    "50 sizes": Question(lambda ws: ws.sizes(segkit_segments()), lambda found: f"{found['size'].sum():,} memberships"),
    "members of one": Question(lambda ws: ws.members(segkit_segments()[7]), lambda found: f"{len(found):,} members"),
    "overlap of 50": Question(lambda ws: ws.overlap(segkit_segments()), lambda found: f"{found['both'].sum():,} in pairs"),
    "performance of 10": Question(
        lambda ws: ws.performance(segkit_segments()[:10], start="2025-11-01"), lambda found: f"{len(found):,} rows"
    ),
    "a year of three parts": Question(_year, lambda found: f"{found['entries'].sum():,} entries"),
}
WORK: dict[str, Callable[[Workspace], str]] = {EDITS: _edits, REFRESH: _refresh}
NAMES = (*QUESTIONS, *WORK)


@click.command()
@click.option("--contacts", default="100000,1000000", show_default=True, help="sizes, ascending")
@click.option("--memory", default="6GB", show_default=True, help="DuckDB's limit")
@click.option("--only", multiple=True, type=click.Choice(NAMES), help="what is measured")
@click.option("--spark", is_flag=True, help="also asks Spark")
@click.option("--folder", default=None, help="keeps the data here")
@click.option("--markdown", "as_markdown", is_flag=True)
@click.option("--work", default=None, hidden=True)
@click.option("--on", default="duckdb", hidden=True)
def main(
    contacts: str, memory: str, only: Sequence[str], spark: bool, folder: str | None, as_markdown: bool, work: str | None, on: str
) -> None:
    """Measures each work at each size."""
    if work is not None:
        assert folder is not None
        print(json.dumps(_measured(Path(folder), work, memory, on)))
        return
    sizes = [int(own) for own in contacts.split(",")]
    names = list(only or NAMES)
    with _kept(folder) as home:
        found = {size: {name: _apart(home, size, name, memory, "duckdb") for name in names} for size in sizes}
        reports = [_report(found, memory)]
        if spark:
            asked = [name for name in names if name in QUESTIONS]
            others = {size: {name: _apart(home, size, name, memory, "spark") for name in asked} for size in sizes}
            reports.append(on_spark.report(found, others, memory, home))
    if as_markdown:
        click.echo(markdown(reports))
    else:
        show(reports)


@contextmanager
def _kept(folder: str | None) -> Iterator[Path]:
    if folder is not None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        yield Path(folder)
        return
    with TemporaryDirectory() as own:
        yield Path(own)


def _apart(home: Path, contacts: int, name: str, memory: str, on: str) -> Measured:
    """One work in a process of its own."""
    file = home / f"{contacts}.duckdb"
    if not file.exists():
        click.echo(f"making {contacts:,} contacts and {contacts * EVENTS_A_CONTACT:,} events ...", err=True)
        with duckdb.connect(str(file)) as connection:
            connection.execute(f"SET memory_limit = '{memory}'")
            marketing.load(connection, contacts, contacts * EVENTS_A_CONTACT)
            connection.execute("ALTER TABLE events ALTER amount TYPE DECIMAL(18, 2)")
    if on == "spark":
        on_spark.export(file, memory)
    click.echo(f"{name}, {contacts:,} contacts, {on} ...", err=True)
    call = [sys.executable, __file__, "--folder", str(file), "--work", name, "--memory", memory, "--on", on]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"ended with {done.returncode}"}
    own: Measured = json.loads(done.stdout.splitlines()[-1])
    click.echo(f"  {own}", err=True)
    return own


def _measured(file: Path, name: str, memory: str, on: str) -> Measured:
    with TemporaryDirectory(dir=file.parent) as scratch, _opened(file, memory, on, scratch) as source:
        with connect(source, as_of=marketing.AS_OF, home=scratch) as ws, warnings.catch_warnings(action="ignore"):
            ws.size(F.contact_id < 0)
            began, cpu = time.perf_counter(), _taken(source)[0]
            if name in QUESTIONS:
                answer = QUESTIONS[name].ask(ws)
                said = QUESTIONS[name].told(answer)
                answer.to_pickle(on_spark.answer(file.parent, file.stem, name, on))
            else:
                said = WORK[name](ws)
            wall = time.perf_counter() - began
        until, peak = _taken(source)
    return {"wall": wall, "cpu": until - cpu, "peak": peak, "said": said}


@contextmanager
def _opened(file: Path, memory: str, on: str, scratch: str) -> Iterator[Any]:
    if on == "spark":
        with on_spark.session(file, memory, scratch) as session:
            yield session
        return
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute(f"SET memory_limit = '{memory}'")
        connection.execute(f"SET temp_directory = '{scratch}/spilled'")
        connection.execute("SET enable_progress_bar = false")
        yield connection


def _taken(source: Any) -> tuple[float, float]:
    """Seconds of processor time so far, and the most memory in GiB: of this process, and of Java where it works."""
    cpu, peak = time.process_time(), on_spark.most_memory("self")
    if isinstance(source, duckdb.DuckDBPyConnection):
        return cpu, peak
    own = on_spark.java(source)
    return cpu + own[0], peak + own[1]


def _report(found: dict[int, dict[str, Measured]], memory: str) -> Report:
    rows: list[list[str]] = []
    notes: list[str] = []
    for name in next(iter(found.values())):
        before: tuple[int, float] | None = None
        for contacts, by_name in found.items():
            own = by_name[name]
            if "failed" in own:
                rows.append([name, f"{contacts:,}", "failed", "", "", "", ""])
                notes.append(f"goal MISSED: {name} at {contacts:,} contacts: {own['failed']}")
                before = None
                continue
            wall, cpu, peak = (float(own[what]) for what in ("wall", "cpu", "peak"))
            growth = None if before is None else cpu / before[1] / (contacts / before[0])
            grown = "" if growth is None else f"{growth:.2f}"
            rows.append([name, f"{contacts:,}", f"{wall:,.2f}", f"{cpu:,.2f}", f"{peak:.1f}", grown, str(own["said"])])
            notes += _verdicts(name, contacts, wall, peak, growth, str(own["said"]))
            before = (contacts, cpu)
    about = (
        f"{EVENTS_A_CONTACT} events a contact; DuckDB {duckdb.__version__} limited to {memory}, pandas {pd.__version__}; "
        "each in a process of its own, once. Growth: processor time against that of the size before, divided by how many times "
        "more data there is."
    )
    return Report("Growth with the data", about, ["", "contacts", "wall, s", "cpu, s", "GiB", "growth", "found"], rows, notes)


def _verdicts(name: str, contacts: int, wall: float, peak: float, growth: float | None, said: str) -> list[str]:
    what, notes = f"{name} at {contacts:,} contacts", []
    if peak > MOST_MEMORY:
        notes.append(f"goal MISSED: {what} takes {peak:.1f} GiB, at most {MOST_MEMORY:.0f} wanted")
    if growth is not None and growth > LINEAR:
        notes.append(f"goal MISSED: {what} grows {growth:.2f} times as fast as the data")
    if name == REFRESH:
        notes.append(f"goal {'met' if wall <= QUARTER.total_seconds() else 'MISSED'}: {what} in {wall:.0f} s, at most 900 wanted")
    if name == EDITS and contacts in edits.GOALS:
        goal, slowest = edits.GOALS[contacts], float(said.split()[-2])
        notes.append(f"goal {'met' if slowest <= goal else 'MISSED'}: {said} at {contacts:,} contacts, at most {goal} wanted")
    return notes


if __name__ == "__main__":
    main()
