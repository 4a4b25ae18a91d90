"""From the interrupt of the kernel to a prompt that answers again."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any

from engines import ENGINES, Rows, closed_in_the_end

from segkit import connect, everyone
from segkit.catalog import Kind
from trusted.figure import AS_OF, Figure, titled

LIMIT = 0.5
_COUNTED = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r{limit}) SELECT MAX(i) AS i FROM r"
ENDLESS = {
    "duckdb": "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range * b.range % 7 = 3",
    "sqlite": _COUNTED.format(limit=""),
    "postgres": "SELECT pg_sleep(600)",
    "mariadb": "SELECT SLEEP(600)",
    "clickhouse": "SELECT count() FROM numbers(100000000) a, numbers(1000000) b WHERE a.number * b.number % 7 = 3",
    "spark": "SELECT COUNT(*) AS n FROM RANGE(0, 1000000000000) WHERE SIN(id) > 2",
}


def interrupts(count: int, engines: list[str]) -> Iterator[Figure]:
    """So many interrupts on each engine."""
    for engine in engines:
        if engine in ENDLESS:
            seconds = sorted(_waits(engine, count))
            at = seconds[max(0, -(-len(seconds) * 95 // 100) - 1)]
            yield Figure(
                f"From an interrupt to a usable prompt, p95 under {LIMIT} s",
                titled(engine),
                count,
                int(at >= LIMIT),
                "the same asked in the main thread of sqlite3",
                int(_unguarded() >= LIMIT),
                f"p95 {at:.2f} s, slowest {seconds[-1]:.2f} s",
            )


def _waits(engine: str, count: int) -> Iterator[float]:
    source = ENGINES[engine].loaded({"contacts": Rows({"contact_id": Kind.INTEGER}, [{"contact_id": 1}])})
    with closed_in_the_end(source), connect(source, as_of=AS_OF, home=None) as ws:
        for _ in range(count):
            yield _interrupted(lambda: ws.engine.frame(ENDLESS[engine]), lambda: ws.size(everyone()))


@cache
def _unguarded() -> float:
    connection = sqlite3.connect(":memory:")
    query = _COUNTED.format(limit=" LIMIT 6000000")
    return _interrupted(lambda: connection.execute(query).fetchall(), lambda: connection.execute("SELECT 1").fetchall())


def _interrupted(work: Callable[[], Any], then: Callable[[], Any]) -> float:
    """Seconds from the interrupt until something else has an answer."""
    sent: list[float] = []

    def send() -> None:
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.2, send)
    timer.start()
    try:
        with suppress(KeyboardInterrupt):
            work()
            timer.join()
        then()
        return time.perf_counter() - sent[0]
    finally:
        signal.signal(signal.SIGINT, before)
