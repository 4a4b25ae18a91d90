"""Refreshes of many tracked segments over a DuckDB file: how long each takes, and how large the kept history gets.

`python benchmarks/tracking.py [--contacts N] [--events N] [--segments N]`. The segments are the fifty of the sizes benchmark, and
each of these with one more condition, of another event, window and number. Between two refreshes a quarter of an hour passes.
"""

from __future__ import annotations

import datetime as dt
import resource
import time
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import duckdb
import marketing
from sizes_in_segkit import segkit_segments

from segkit import E, Segment, connect

QUARTER = dt.timedelta(minutes=15)


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
def main(contacts: int, events: int, count: int, rounds: int) -> None:
    """Times refreshes."""
    with TemporaryDirectory() as folder, duckdb.connect(str(Path(folder) / "marketing.duckdb")) as connection:
        marketing.load(connection, contacts, events)
        ws = connect(connection, home=folder)
        ws.track(many(count))
        for i in range(rounds + 1):
            began, cpu = time.perf_counter(), time.process_time()
            frame = ws.refresh(as_of=marketing.AS_OF - (rounds - i) * QUARTER)
            seconds = time.perf_counter() - began
            files = sum(path.stat().st_size for path in (Path(folder) / "tracking").iterdir())
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
            moved = int(frame[["entries", "exits"]].sum().sum())
            click.echo(
                f"{len(frame):,} segments, {int(frame['size'].sum()):,} members, {moved:,} moves: {seconds:.1f} s "
                f"({time.process_time() - cpu:.1f} s CPU), {files / 1e6:.1f} MB kept, {peak:.1f} GiB at most"
            )
        for name, ask in (("sizes", ws.tracked_sizes), ("moves", ws.tracked_moves)):
            began = time.perf_counter()
            rows = len(ask())
            click.echo(f"tracked_{name}: {rows:,} rows in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
