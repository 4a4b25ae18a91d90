"""Refreshes of many tracked segments over a DuckDB file: how long each takes, and how large the kept history gets.

`python benchmarks/tracking.py [--contacts N] [--events N] [--segments N]`. The segments are the fifty of the sizes benchmark, and
each of these with one more condition, of another event, window and number. Between two refreshes a quarter of an hour passes,
and new events come; each is followed by one that looks at all contacts a microsecond later, keeps nothing, and must find that
nobody moved.
"""

from __future__ import annotations

import datetime as dt
import resource
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import duckdb
import marketing
import pandas as pd
from sizes_in_segkit import segkit_segments

from segkit import E, Segment, connect

QUARTER = dt.timedelta(minutes=15)
_NEW = """
INSERT INTO events
SELECT {first} + i, hash(i * {first}) % {contacts}, ['opened', 'visited', 'purchased'][1 + i % 3],
  TIMESTAMP '{since:%Y-%m-%d %H:%M}' + INTERVAL (1 + i % 900) SECOND, 20 FROM range({count}) AS t(i)
"""


def many(count: int) -> list[Segment]:
    """`count` different segments."""
    fifty = segkit_segments()
    further = [
        Segment(f"{own.name} {i}", own.where & (E[event].within(days=days).count() >= i % 3 + 1))
        for i, (days, event, own) in enumerate(product((10, 25, 45, 75), marketing.SHARES, fifty))
    ]
    return [*fifty, *further][:count]


@click.command()
@click.option("--contacts", default=100_000, show_default=True)
@click.option("--events", default=2_000_000, show_default=True)
@click.option("--segments", "count", default=1_000, show_default=True)
@click.option("--rounds", default=3, show_default=True, help="refreshes after the first")
@click.option("--new", default=0.001, show_default=True, help="events that come before each, as a share of all")
def main(contacts: int, events: int, count: int, rounds: int, new: float) -> None:
    """Times refreshes."""
    with TemporaryDirectory() as folder, duckdb.connect(str(Path(folder) / "marketing.duckdb")) as connection:
        marketing.load(connection, contacts, events)
        ws = connect(connection, home=folder)
        ws.track(many(count))
        for i in range(rounds + 1):
            at = marketing.AS_OF - (rounds + 1 - i) * QUARTER
            if i:
                added = round(events * new)
                since, first = at - QUARTER, 10 * events + i * added
                connection.execute(_NEW.format(first=first, contacts=contacts, since=since, count=added))
            frame, seconds, cpu = timed(lambda at=at: ws.refresh(as_of=at))  # type: ignore[misc]
            files = sum(path.stat().st_size for path in (Path(folder) / "tracking").iterdir())
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
            moved, looked = int(frame[["entries", "exits"]].sum().sum()), frame["looked_at"].max()
            click.echo(
                f"{len(frame):,} segments, {int(frame['size'].sum()):,} members, {moved:,} moves: {seconds:.1f} s "
                f"({cpu:.1f} s CPU), looked at {'all' if pd.isna(looked) else format(looked, ',')}, "
                f"{files / 1e6:.1f} MB kept, {peak:.1f} GiB at most"
            )
            if i:
                at += dt.timedelta(microseconds=1)
                again, seconds, full = timed(lambda at=at: ws.refresh(as_of=at, full=True, dry_run=True))  # type: ignore[misc]
                wrong = int(again[["entries", "exits"]].sum().sum())
                click.echo(f"  all contacts: {wrong} moves: {seconds:.1f} s ({full:.1f} s CPU, {full / cpu:.1f} x)")
        for name, ask in (("sizes", ws.tracked_sizes), ("moves", ws.tracked_moves)):
            rows, seconds, _ = timed(ask)
            click.echo(f"tracked_{name}: {len(rows):,} rows in {seconds:.1f} s")


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """What comes of work, and how many seconds it took, on the wall and of the processor."""
    began, cpu = time.perf_counter(), time.process_time()
    done = work()
    return done, time.perf_counter() - began, time.process_time() - cpu


if __name__ == "__main__":
    main()
