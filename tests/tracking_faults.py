"""What may happen to a tracked history, made to happen: `python tests/tracking_faults.py kills 200 pairs 100 readers 60 damage 500`.

Each kind prints what it counted, as JSON (readers run for seconds); `test_tracking_faults.py` says what must be 0. Processes are forked from one that
has loaded everything, so that hundreds of them take a minute.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from segkit import F, SegkitError, Segment, Workspace, connect
from segkit.tracking import refreshing

BEGIN = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
CONTACTS, SEGMENTS = 3000, 12
NAMES = [f"s{i}" for i in range(SEGMENTS)]
WRITES = 0.05
"""Seconds within which a refresh writes what it has asked."""


def at(n: int) -> dt.datetime:
    return BEGIN + dt.timedelta(minutes=n)


def values(n: int) -> np.ndarray:
    """Which segment each contact is in at minute n: some move at each."""
    contacts = np.arange(CONTACTS)
    moves: np.ndarray = (contacts * 7 + (contacts * 31 + n) // 40) % (SEGMENTS + 3)
    return moves


def opened(home: Path, n: int) -> Workspace:
    return connect({"contacts": pd.DataFrame({"contact_id": np.arange(CONTACTS), "v": values(n)})}, home=home)


def begun(home: Path) -> None:
    with opened(home, 0) as ws:
        ws.track([Segment(name, F.v == i) for i, name in enumerate(NAMES)])
        ws.refresh(as_of=at(0))


def wrong(home: Path, minutes: list[int]) -> str:
    """What is wrong with a history that must be of these minutes; nothing if it is right."""
    with opened(home, 0) as ws:
        return wrong_in(ws, minutes)


def wrong_in(ws: Workspace, minutes: list[int]) -> str:
    sizes, spells = ws.tracked_sizes(), ws.tracked_spells()
    if sizes.duplicated(["segment", "at"]).any():
        return "duplicated"
    if set(sizes["at"]) != {at(n) for n in minutes}:
        return "lost"
    if len(sizes) != len(minutes) * SEGMENTS:
        return "partial"
    for i, name in enumerate(NAMES):
        own = spells[spells["segment"] == name]
        for n in {minutes[0], *minutes[-3:]}:
            inside = own[(own["entered_at"] <= at(n)) & ~(own["exited_at"] <= at(n))]
            if inside["contact_id"].tolist() != np.flatnonzero(values(n) == i).tolist():
                return "partial"
    return ""


def forked(work: Callable[[], Any]) -> tuple[int, int]:
    """A child that does work, and where to read what it says: a byte once it has asked the data, then its answer."""
    read, write = os.pipe()
    child = os.fork()
    if child:
        os.close(write)
        return child, read
    try:
        ask = refreshing._asked

        def asked(*given: Any) -> Any:
            answer = ask(*given)
            os.write(write, b"!")
            return answer

        refreshing._asked = asked
        os.write(write, json.dumps(work()).encode())
        os._exit(0)
    except BaseException as error:
        os.write(write, json.dumps(f"{type(error).__name__}: {error}").encode())
        os._exit(1)


def answer(child: int, read: int) -> Any:
    told = b""
    while some := os.read(read, 65536):
        told += some
    os.close(read)
    os.waitpid(child, 0)
    text = told.lstrip(b"!")
    return json.loads(text) if text else None


def refreshed(home: Path, n: int) -> Callable[[], list[str]]:
    def work() -> list[str]:
        with opened(home, n) as ws:
            return ws.refresh(as_of=at(n))["outcome"].unique().tolist()

    return work


def kills(home: Path, count: int) -> Counter[str]:
    """Refreshes killed while they write."""
    begun(home)
    found: Counter[str] = Counter(dict.fromkeys(("lost", "partial", "duplicated"), 0))
    minutes, chance = [0], random.Random(1)
    for n in range(1, count + 1):
        child, read = forked(refreshed(home, n))
        os.read(read, 1)
        time.sleep(chance.uniform(0, WRITES))
        os.kill(child, signal.SIGKILL)
        is_said = answer(child, read) is not None
        is_kept = not wrong(home, [*minutes, n])
        minutes += [n] if is_kept or is_said else []
        found["kept" if is_kept else "not kept"] += 1
        if what := wrong(home, minutes):
            found[what] += 1
    refreshed(home, count + 1)()
    found["wrong in the end"] = int(bool(wrong(home, [*minutes, count + 1])))
    return found


def pairs(home: Path, count: int) -> Counter[str]:
    """Two refreshes as of the same instant at once."""
    begun(home)
    found: Counter[str] = Counter(dict.fromkeys(("lost", "partial", "duplicated", "errors"), 0))
    for n in range(1, count + 1):
        told = [answer(*child) for child in [forked(refreshed(home, n)) for _ in range(2)]]
        found[" and ".join(sorted(str(own[0]) for own in told if isinstance(own, list)))] += 1
        found["errors"] += sum(isinstance(own, str) for own in told)
        if what := wrong(home, list(range(n + 1))):
            found[what] += 1
    return found


def readers(home: Path, seconds: int) -> Counter[str]:
    """Eight processes that read while one writes."""
    begun(home)
    end = time.monotonic() + seconds

    def write() -> dict[str, int]:
        n, connection = 0, duckdb.connect()
        connection.register("now", pd.DataFrame({"contact_id": np.arange(CONTACTS), "v": values(0)}))
        connection.execute("CREATE TABLE contacts AS SELECT * FROM now")
        ws = connect(connection, home=home)
        while not n or time.monotonic() < end:
            n += 1
            connection.unregister("now")
            connection.register("now", pd.DataFrame({"contact_id": np.arange(CONTACTS), "v": values(n)}))
            connection.execute("DELETE FROM contacts")
            connection.execute("INSERT INTO contacts SELECT * FROM now")
            ws.refresh(as_of=at(n))
        return {"refreshes": n}

    def read() -> dict[str, int]:
        count = wrong_sizes = 0
        ws = opened(home, 0)
        while not count or time.monotonic() < end:
            sizes = ws.tracked_sizes()
            last = sizes["at"].max()
            now = sizes[sizes["at"] == last]
            n = int((last - at(0)).total_seconds() // 60)
            expected = np.bincount(values(n), minlength=SEGMENTS)[:SEGMENTS]
            wrong_sizes += int(now["size"].tolist() != expected.tolist() or len(sizes) != SEGMENTS * (n + 1))
            count += 1
        return {"reads": count, "wrong": wrong_sizes}

    found: Counter[str] = Counter({"errors": 0, "wrong": 0})
    for own in [answer(*child) for child in [forked(write), *(forked(read) for _ in range(8))]]:
        found.update(own if isinstance(own, dict) else {"errors": 1})
        if not isinstance(own, dict):
            print(own, file=sys.stderr)
    if what := wrong(home, list(range(found["refreshes"] + 1))):
        found[what] += 1
    return found


def damage(home: Path, count: int) -> Counter[str]:
    """Copies with a flipped bit or a cut end: what is read from them is the same, or refused."""
    begun(home)
    folder = home / "tracking"
    with contextlib.closing(sqlite3.connect(folder / "history.sqlite")) as held:  # keeps the journal
        held.execute("SELECT count(*) FROM log").fetchone()
        for n in range(1, 9):
            refreshed(home, n)()
        assert (folder / "history.sqlite-wal").stat().st_size > 10_000
        flushed = home / "flushed"
        shutil.copytree(folder, home / "journal" / "tracking", ignore=shutil.ignore_patterns("*-shm"))
        held.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copytree(folder, flushed / "tracking", ignore=shutil.ignore_patterns("*-shm", "*-wal"))
    original, chance = everything(flushed), random.Random(2)
    assert everything(home / "journal") == original
    found: Counter[str] = Counter({"silent": 0, "other errors": 0})
    for i in range(count):
        copy = home / "copy"
        shutil.copytree(home / ("journal" if i % 2 else "flushed"), copy)
        path = chance.choice(sorted((copy / "tracking").iterdir()))
        content = bytearray(path.read_bytes())
        if chance.random() < 0.2:
            del content[chance.randrange(len(content)) :]
        else:
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(content)
        try:
            found["harmless" if everything(copy) == original else "silent"] += 1
        except SegkitError:
            found["told"] += 1
        except Exception as error:
            print(f"{path.name}: {type(error).__name__}: {error}", file=sys.stderr)
            found["other errors"] += 1
        shutil.rmtree(copy)
    return found


def everything(home: Path) -> list[str]:
    """All that can be read of a history."""
    with opened(home, 0) as ws:
        frames = [ws.tracked_sizes(), ws.tracked_spells(), ws.tracked_moves(since=at(-1))]
        return [repr(ws.tracked), *(frame.to_csv() for frame in frames)]


KINDS = {"kills": kills, "pairs": pairs, "readers": readers, "damage": damage}


def main(words: list[str]) -> None:
    for kind, count in zip(words[::2], words[1::2], strict=True):
        with TemporaryDirectory() as folder:
            print(json.dumps({kind: KINDS[kind](Path(folder), int(count))}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
