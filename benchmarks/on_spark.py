"""Spark in local mode, over the data of DuckDB as Parquet: what it takes, and whether its answers are the same."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import pandas as pd
from report import Report

Measured: TypeAlias = dict[str, Any]
"""Of one work: `wall` and `cpu` in seconds, `peak` in GiB and what was `said`, or why it `failed`."""
CORES = 2
COLUMNS = ["", "contacts", "DuckDB, s", "Spark, s", "Spark cpu, s", "GiB", "growth", "found", "the same"]


@contextmanager
def session(file: Path, memory: str, scratch: str) -> Iterator[Any]:
    """A session with the tables that `export` wrote."""
    from pyspark.sql import SparkSession

    settings = {
        "spark.driver.memory": memory.lower().removesuffix("b"),
        "spark.local.dir": scratch,
        "spark.sql.warehouse.dir": scratch,
        "spark.sql.session.timeZone": "UTC",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder.master(f"local[{CORES}]").appName("segkit")
    for name, value in settings.items():
        builder = builder.config(name, value)
    own = builder.getOrCreate()
    own.sparkContext.setLogLevel("OFF")
    for table, path in _parquet(file).items():
        own.read.parquet(str(path)).createOrReplaceTempView(table)
    yield own
    own.stop()


def _parquet(file: Path) -> dict[str, Path]:
    folder = file.with_suffix(".parquet")
    return {table: folder / f"{table}.parquet" for table in ("contacts", "events")}


def export(file: Path, memory: str) -> None:
    """Writes the tables of a file of DuckDB as Parquet, unless they are there."""
    folder = file.with_suffix(".parquet")
    if folder.exists():
        return
    folder.mkdir()
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute(f"SET memory_limit = '{memory}'")
        for table, path in _parquet(file).items():
            connection.execute(f"COPY {table} TO '{path}' (COMPRESSION zstd)")


def java(own: Any) -> tuple[float, float]:
    """Seconds of processor time that a session's Java has taken, and its most memory in GiB, as Linux tells them."""
    process = str(own.sparkContext._gateway.proc.pid)
    fields = (Path("/proc") / process / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), most_memory(process)


def most_memory(process: str) -> float:
    """The most memory of a process in GiB, as Linux tells it; `ru_maxrss` would be that of its parent, where this took more."""
    status = dict(line.split(":", 1) for line in (Path("/proc") / process / "status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024**2


def answer(home: Path, contacts: int | str, name: str, on: str) -> Path:
    """Where the answer to a question is kept."""
    return home / f"{contacts} {name} {on}.pickle"


def report(
    own: Mapping[int, Mapping[str, Measured]], others: Mapping[int, Mapping[str, Measured]], memory: str, home: Path
) -> Report:
    """Spark beside DuckDB; answers that differ stop it."""
    rows: list[list[str]] = []
    notes: list[str] = []
    for name in next(iter(others.values())):
        before: tuple[int, float] | None = None
        for contacts, by_name in others.items():
            found, duck = by_name[name], own[contacts][name]
            if "failed" in found or "failed" in duck:
                rows.append([name, f"{contacts:,}", *["failed"] * 2, *[""] * (len(COLUMNS) - 4)])
                notes.append(f"MISSED: {name} at {contacts:,} contacts: {found.get('failed') or duck['failed']}")
                before = None
                continue
            growth = "" if before is None else f"{found['cpu'] / before[1] / (contacts / before[0]):.2f}"
            before = (contacts, found["cpu"])
            times = [f"{seconds:,.2f}" for seconds in (duck["wall"], found["wall"], found["cpu"])]
            same = _the_same(*(pd.read_pickle(answer(home, contacts, name, on)) for on in ("duckdb", "spark")))
            rows.append([name, f"{contacts:,}", *times, f"{found['peak']:.1f}", growth, found["said"], f"{same:,} values"])
    from pyspark import __version__

    about = (
        f"Spark {__version__} on {CORES} cores with {memory} for Java, over Parquet; each in a process of its own, once, after "
        "a first small query. GiB: Java's and Python's together. Of floats the first 9 digits are compared."
    )
    return Report("The same on Spark", about, COLUMNS, rows, notes)


def _the_same(own: pd.DataFrame, other: pd.DataFrame) -> int:
    """How many values two answers share: all of them."""
    pd.testing.assert_frame_equal(own, other, rtol=1e-9, atol=0)
    return own.size
