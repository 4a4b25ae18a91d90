"""The tracked history under kills, rivals, readers and damage; beside each, the same done carelessly."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import tracking_faults
from engines import ENGINES
from test_warehouse import url

from trusted.figure import Figure, titled

BAD = ("lost", "partial", "duplicated", "errors", "wrong", "wrong in the end", "silent", "other errors")
ROWS = 2000


KILLS = ("kill -9 while a refresh writes", ("kept", "not kept"), "each row committed by itself")
PAIRS = ("Two refreshes at once", ("already there and refreshed",), "rows appended without a key")
READERS = ("Reads by eight readers beside one writer", ("reads",), "a size and its rows in two transactions")
DAMAGE = ("Copies with a flipped bit or a cut end", ("told", "harmless"), "the same copies without hashes")
Opening: TypeAlias = Callable[[], Any]


def faults(count: int, engines: list[str]) -> Iterator[Figure]:
    """Twice so many kills, so many rivals, readers for so many seconds up to a minute, eight times so many damaged copies."""
    for (name, tried, control), kind, tries, careless in (
        (KILLS, "kills", 2 * count, lambda path: _killed(lambda: _opened(path))),
        (PAIRS, "pairs", count, lambda path: _doubled(lambda: _opened(path))),
        (READERS, "readers", min(count, 60), _torn),
        (DAMAGE, "damage", 8 * count, _unnoticed),
    ):
        with TemporaryDirectory() as folder:
            found = tracking_faults.KINDS[kind](Path(folder), tries)
        with TemporaryDirectory() as folder:
            caught = careless(Path(folder) / "careless.sqlite")
        told = f"{found['refreshes']:,} refreshes meanwhile" if kind == "readers" else ""
        yield _figure(name, "SQLite in the home", found, tried, control, caught, told)
    if "postgres" in engines:
        yield from _in_the_warehouse(count)


def _in_the_warehouse(count: int) -> Iterator[Figure]:
    import psycopg
    import warehouse_faults

    own = ENGINES["postgres"].loaded({})
    address = url(own)

    def opened() -> Any:
        connection = psycopg.connect(address, autocommit=True)
        connection.execute("CREATE TABLE IF NOT EXISTS log (at INTEGER, contact INTEGER)")
        return connection

    for (name, tried, control), kind, tries, careless in (
        (KILLS, "kills", 2 * count, _killed),
        (PAIRS, "pairs", count, _doubled),
    ):
        with contextlib.closing(opened()) as connection:
            connection.execute("TRUNCATE log")
        found, caught = warehouse_faults.KINDS[kind](tries), careless(opened)
        yield _figure(name, f"{titled('postgres')}, in the warehouse", found, tried, control, caught)
    own.close()


def _figure(name: str, on: str, found: Counter[str], tried: tuple[str, ...], control: str, caught: int, told: str = "") -> Figure:
    wrong = sum(found[bad] for bad in BAD)
    return Figure(f"The history: {name}", on, sum(found[own] for own in tried), wrong, control, caught, told)


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=60)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("CREATE TABLE IF NOT EXISTS log (at INTEGER, contact INTEGER)")
    return connection


def _written(opened: Opening, at: int) -> None:
    with contextlib.closing(opened()) as connection:
        for contact in range(ROWS):
            connection.execute(f"INSERT INTO log VALUES ({at}, {contact})")


def _rows(opened: Opening, at: int) -> int:
    with contextlib.closing(opened()) as connection:
        return int(connection.execute(f"SELECT count(*) FROM log WHERE at = {at}").fetchone()[0])


def _child(work: Callable[[], Any]) -> int:
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(0)
    return child


def _killed(opened: Opening) -> int:
    """How often a part of the rows is there."""
    chance, partial = random.Random(1), 0
    for at in range(10):
        child = _child(lambda at=at: _written(opened, at))
        time.sleep(chance.uniform(0.005, 0.05))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        partial += 0 < _rows(opened, at) < ROWS
    return partial


def _doubled(opened: Opening) -> int:
    """How many rows are there twice."""
    opened().close()
    for child in [_child(lambda: _written(opened, 1)) for _ in range(2)]:
        os.waitpid(child, 0)
    return _rows(opened, 1) - ROWS


def _torn(path: Path) -> int:
    """How often a reader finds other rows than the size says."""
    with contextlib.closing(_opened(path)) as own:
        own.execute("CREATE TABLE sizes (at INTEGER, size INTEGER)")
    child = _child(lambda: _sized(path))
    torn = 0
    with contextlib.closing(_opened(path)) as own:
        while not os.waitpid(child, os.WNOHANG)[0]:
            [told] = own.execute("SELECT COALESCE(SUM(size), 0) FROM sizes").fetchone()
            torn += told != own.execute("SELECT count(*) FROM log").fetchone()[0]
    return torn


def _sized(path: Path) -> None:
    with contextlib.closing(_opened(path)) as own:
        for at in range(200):
            own.execute("INSERT INTO sizes VALUES (?, 10)", (at,))
            own.executemany("INSERT INTO log VALUES (?, ?)", [(at, contact) for contact in range(10)])


def _unnoticed(path: Path) -> int:
    """How often a flipped bit gives other rows, and no error."""
    _written(lambda: _opened(path), 1)
    with contextlib.closing(_opened(path)) as own:
        own.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content, chance, silent = path.read_bytes(), random.Random(2), 0
    copy = path.with_name("copy.sqlite")
    for _ in range(40):
        own = bytearray(content)
        own[chance.randrange(len(own))] ^= 1 << chance.randrange(8)
        copy.write_bytes(own)
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(sqlite3.connect(f"file:{copy}?mode=ro&immutable=1", uri=True)) as read,
        ):
            rows = read.execute("SELECT at, contact FROM log").fetchall()
            silent += rows != [(1, contact) for contact in range(ROWS)]
    return silent
