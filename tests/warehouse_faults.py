"""What may happen to a history in the warehouse, made to happen: `python tests/warehouse_faults.py kills 100 pairs 100 sqlite 100`.

`kills` and `pairs` are of PostgreSQL, `sqlite` are pairs there. Each kind prints what it counted, as JSON;
`test_tracking_warehouse.py` says what must be 0.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import postgres_server
import psycopg
from tracking_faults import CONTACTS, NAMES, SEGMENTS, answer, at, forked, wrong_in

from segkit import F, Segment, Workspace, connect
from segkit.tracking.warehouse import refreshing

Connect = Callable[[], Any]
_CHILD = "segkit_child"
WRITES = 0.2
"""Seconds within which a refresh compares and writes."""


def begun(connection: Any, schema: str) -> Workspace:
    """A workspace in a database whose segments are tracked and were refreshed at minute 0."""
    connection.execute("CREATE TABLE contacts (contact_id BIGINT PRIMARY KEY, v BIGINT)")
    cursor = connection.cursor()
    mark = "%s" if isinstance(connection, psycopg.Connection) else "?"
    cursor.executemany(f"INSERT INTO contacts VALUES ({mark}, 0)", [(i,) for i in range(CONTACTS)])
    moved(connection, 0)
    ws = connect(connection, home=None, history=schema)
    ws.history_tables(execute=True)
    ws.track([Segment(name, F.v == i) for i, name in enumerate(NAMES)])
    ws.refresh(as_of=at(0))
    return ws


def moved(connection: Any, n: int) -> None:
    """Puts contacts where `tracking_faults.values` has them at minute n."""
    connection.execute(f"UPDATE contacts SET v = (contact_id * 7 + (contact_id * 31 + {n}) / 40) % {SEGMENTS + 3}")
    connection.commit()


def refreshed(open_connection: Connect, schema: str, n: int) -> Callable[[], list[str]]:
    def work() -> list[str]:
        with connect(open_connection(), home=None, history=schema) as ws:
            return ws.refresh(as_of=at(n))["outcome"].unique().tolist()

    return work


def _tells_when_it_writes(work: Callable[[], Any]) -> tuple[int, int]:
    """A child that does work, once it has begun to compare and to write."""
    compare = refreshing._compared

    def child() -> Any:
        def compared(*given: Any) -> Any:
            os.write(signalled, b"!")
            return compare(*given)

        refreshing._compared = compared
        return work()

    read, signalled = os.pipe()
    process = forked(child)
    os.close(signalled)
    os.read(read, 1)
    os.close(read)
    return process


def kills(count: int) -> Counter[str]:
    """Refreshes of PostgreSQL killed while they compare and write."""
    connection = postgres_server.session()
    schema = str(connection.execute("SELECT current_schema()").fetchone()[0])
    connection.commit()
    uri = postgres_server.uri()

    def open_connection() -> Any:
        return psycopg.connect(uri, application_name=_CHILD, options=f"-c search_path={schema}")

    ws, minutes, chance = begun(connection, schema), [0], random.Random(1)
    found: Counter[str] = Counter(dict.fromkeys(("lost", "partial", "duplicated"), 0))
    for n in range(1, count + 1):
        moved(connection, n)
        child, read = _tells_when_it_writes(refreshed(open_connection, schema, n))
        time.sleep(chance.uniform(0, WRITES))
        os.kill(child, signal.SIGKILL)
        is_said = answer(child, read) is not None
        while connection.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [_CHILD]).fetchone() != (
            0,
        ):
            connection.rollback()
            time.sleep(0.005)
        connection.rollback()
        is_kept = not wrong_in(ws, [*minutes, n])
        minutes += [n] if is_kept or is_said else []
        found["kept" if is_kept else "not kept"] += 1
        if what := wrong_in(ws, minutes):
            found[what] += 1
    moved(connection, count + 1)
    ws.refresh(as_of=at(count + 1))
    found["wrong in the end"] = int(bool(wrong_in(ws, [*minutes, count + 1])))
    return found


def _pairs(connection: Any, schema: str, open_connection: Connect, count: int) -> Counter[str]:
    """Two refreshes as of the same instant at once."""
    ws = begun(connection, schema)
    found: Counter[str] = Counter(dict.fromkeys(("lost", "partial", "duplicated", "errors"), 0))
    for n in range(1, count + 1):
        moved(connection, n)
        told = [answer(*child) for child in [forked(refreshed(open_connection, schema, n)) for _ in range(2)]]
        found[" and ".join(sorted(str(own[0]) for own in told if isinstance(own, list)))] += 1
        found["errors"] += sum(isinstance(own, str) for own in told)
        if what := wrong_in(ws, list(range(n + 1))):
            found[what] += 1
    return found


def pairs(count: int) -> Counter[str]:
    connection = postgres_server.session()
    schema = str(connection.execute("SELECT current_schema()").fetchone()[0])
    connection.commit()
    uri = postgres_server.uri()
    return _pairs(connection, schema, lambda: psycopg.connect(uri, options=f"-c search_path={schema}"), count)


def pairs_of_sqlite(count: int) -> Counter[str]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "crm.db"
        return _pairs(sqlite3.connect(path), "main", lambda: sqlite3.connect(path), count)


KINDS = {"kills": kills, "pairs": pairs, "sqlite": pairs_of_sqlite}


def main(words: list[str]) -> None:
    for kind, count in zip(words[::2], words[1::2], strict=True):
        print(json.dumps({kind: KINDS[kind](int(count))}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
