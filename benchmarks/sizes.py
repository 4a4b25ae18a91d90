"""The sizes of 50 segments that share 23 features over events, on DuckDB.

Compared: `ws.sizes([...])`; hand-written SQL, one pruned GROUP BY for each event type, joined to the contacts and counted in
one query (the reference); the same with one wide GROUP BY of FILTER aggregates; 50 hand-written queries, each with only
what it needs; a loop of 50 ibis expressions; polars, 50 lazy queries in a loop, or one tuned by hand, on frames in memory or
on Parquet files. DuckDB's contestants share one connection to a file. All must give the same 50 numbers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import marketing
from hand_written import one_query, one_wide_query, separate_queries
from report import Goal, Report, report
from sizes_in_ibis import ibis_loop
from sizes_in_polars import in_memory, loop, on_parquet
from sizes_in_segkit import segkit_segments, stages
from timing import Contestant, race

from segkit import Workspace, connect

Sizes = list[int]


def run(contacts: int, events: int, rounds: int = 5) -> list[Report]:
    """Makes the data in a file, checks that all agree, then times all."""
    with TemporaryDirectory() as folder, duckdb.connect(str(Path(folder) / "marketing.duckdb")) as connection:
        marketing.load(connection, contacts, events)
        ws, once = _connected(connection)
        contestants = [Contestant(name, work) for name, work in _ways(connection, ws, Path(folder)).items()]
        sizes = _agreed(contestants)
        results = race(contestants, rounds)
        parts = stages(ws, rounds)
    about = (
        f"50 segments, {len(marketing.FEATURES)} distinct event features, {contacts:,} contacts, {events:,} events "
        f"over two years; medians of {rounds} interleaved rounds."
    )
    limits = {"hand-written": 1.1, "ibis loop": 1 / 3, "polars loop": 1 / 2, "polars, in memory": 1 / 2, "polars, Parquet": 1 / 2}
    goals = [Goal("segkit", other, limit) for other, limit in limits.items()]
    own = report("Sizes of 50 segments", about, results, "hand-written", ["wall", "cpu"], goals)
    own.notes.append(f"checked: all give the same 50 sizes, from {min(sizes):,} to {max(sizes):,}")
    own.notes.append(f"once a connection, not counted: {once * 1000:,.0f} ms to connect and check keys, event ids and names")
    own.notes.append(f"of segkit's time: {parts}")
    return [own]


def _ways(connection: duckdb.DuckDBPyConnection, ws: Workspace, folder: Path) -> dict[str, Callable[[], Sizes]]:
    """Each way from definitions to 50 numbers. SQL text and definitions are written before the clock starts."""
    rules = list(marketing.segments().values())
    own, one, wide, several = segkit_segments(), one_query(rules), one_wide_query(rules), separate_queries(rules)
    return {
        "hand-written": lambda: _row(connection, one),
        "segkit": lambda: ws.sizes(own)["size"].tolist(),
        "one wide GROUP BY": lambda: _row(connection, wide),
        "50 queries": lambda: [_row(connection, query)[0] for query in several],
        "ibis loop": ibis_loop(connection, rules),
        "polars loop": loop(connection, rules),
        "polars, in memory": in_memory(connection, rules),
        "polars, Parquet": on_parquet(connection, folder, rules),
    }


def _row(connection: duckdb.DuckDBPyConnection, query: str) -> Sizes:
    [row] = connection.execute(query).fetchall()
    return list(row)


def _connected(connection: duckdb.DuckDBPyConnection) -> tuple[Workspace, float]:
    """A workspace that has checked the data, and how long connecting and checking took."""
    begin = time.perf_counter()
    ws = connect(connection, as_of=marketing.AS_OF)
    ws.sizes([ws.F.age > 200])
    return ws, time.perf_counter() - begin


def _agreed(contestants: list[Contestant]) -> Sizes:
    """The sizes that all agree on."""
    answers = {contestant.name: contestant.run() for contestant in contestants}
    expected = answers["hand-written"]
    names = list(marketing.segments())
    for name, answer in answers.items():
        wrong = [f"{n}: {a} not {b}" for n, a, b in zip(names, answer, expected, strict=True) if a != b]  # type: ignore[call-overload]
        assert not wrong, f"{name} disagrees with the hand-written SQL: {wrong[:5]}"
    return expected  # type: ignore[return-value]
