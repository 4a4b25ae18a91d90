"""The file that the history of membership is kept in: a log that only grows, in which each entry vouches for all before it.

    tracking/history.sqlite    log(number, kind, body, hash), part(number, bytes)
    tracking/head              the last entry that is known to be written: its number and hash

An entry's hash is made of the hash before it and its own content, and the content names the digest of each part (compressed
columns of numbers) that it brought. Whoever opens the file reads the whole chain, counts the parts, and compares with the
head, so that entries which a damaged journal has swallowed are missed; a part is held against its digest when it is read.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segkit import store
from segkit.errors import DataError, SegkitError

VERSION = 1
FILE, HEAD = "history.sqlite", "head"
_WAITS = 60.0
"""Seconds to wait for another one who writes: writing takes moments, as segments are evaluated before."""
_MARK = 0x5365676B
_START = bytes(32)
_TABLES = (
    "CREATE TABLE log (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, body BLOB NOT NULL, hash BLOB NOT NULL)",
    "CREATE TABLE part (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL)",
)


@dataclass(frozen=True)
class Entry:
    """One line of the log: what happened, and the hash of everything up to it."""

    number: int
    kind: str
    hash: bytes


@dataclass(frozen=True)
class Part:
    """Where some bytes stand, and their digest."""

    number: int
    digest: str


class Log:
    """The log as it was when it was opened, and what is added to it in the same transaction."""

    def __init__(self, connection: sqlite3.Connection, path: Path, entries: tuple[Entry, ...], parts: int) -> None:
        self._connection, self._path, self.entries, self._parts = connection, path, entries, parts

    def body(self, entry: Entry) -> Any:
        """What an entry says."""
        [packed] = self._connection.execute("SELECT body FROM log WHERE number = ?", [entry.number]).fetchone()
        return json.loads(zlib.decompress(packed))

    def part(self, wanted: Part) -> bytes:
        """Some bytes.

        Raises:
            DataError: they are not what was written.
        """
        row = self._connection.execute("SELECT bytes FROM part WHERE number = ?", [wanted.number]).fetchone()
        if row is None or not isinstance(row[0], bytes) or _digest(row[0]) != wanted.digest:
            raise damaged(self._path, f"part {wanted.number} is not what was written")
        return zlib.decompress(row[0])

    def keep(self, own: bytes) -> Part:
        """Writes some bytes."""
        self._parts += 1
        packed = zlib.compress(own, 1)
        self._connection.execute("INSERT INTO part VALUES (?, ?)", [self._parts, packed])
        return Part(self._parts, _digest(packed))

    def append(self, kind: str, body: Mapping[str, Any]) -> None:
        """Adds an entry."""
        before = self.entries[-1] if self.entries else None
        number, said = before.number + 1 if before else 1, {**body, "parts": self._parts}
        packed = zlib.compress(json.dumps(said, separators=(",", ":"), sort_keys=True).encode(), 6)
        entry = Entry(number, kind, _hash(before.hash if before else _START, kind, packed))
        self._connection.execute("INSERT INTO log VALUES (?, ?, ?, ?)", [number, kind, packed, entry.hash])
        self.entries = (*self.entries, entry)


def _hash(before: bytes, kind: str, body: bytes) -> bytes:
    return hashlib.sha256(b"%b%b\0%b" % (before, kind.encode(), body)).digest()


def _digest(own: bytes) -> str:
    return hashlib.blake2b(own, digest_size=16).hexdigest()


# ---------------------------------------------------------------- opening


@contextmanager
def reading(folder: Path) -> Iterator[Log]:
    """The log as it is now; whoever writes meanwhile is not waited for, and not seen.

    Raises:
        DataError: it is damaged.
        SegkitError: a later segkit wrote it, or it cannot be read.
    """
    head, path = _head(folder), folder / FILE
    if head is None and not path.exists():
        with closing(sqlite3.connect(":memory:")) as connection:
            yield Log(connection, path, (), 0)
        return
    with _connected(path, head is None) as connection:
        connection.execute("BEGIN")
        yield _checked(connection, path, head)


@contextmanager
def writing(folder: Path) -> Iterator[Log]:
    """The log, and the only right to add to it: all that is added, or nothing where something is raised.

    Raises:
        DataError: it is damaged.
        SegkitError: a later segkit wrote it, it cannot be written to, or another process held it for a minute.
    """
    head, path = _head(folder), folder / FILE
    with _connected(path, head is None) as connection:
        _made(connection, head)
        connection.execute("BEGIN IMMEDIATE")
        try:
            log = _checked(connection, path, head)
            known = len(log.entries)
            yield log
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
    if len(log.entries) > known:
        _set_head(folder, log.entries[-1])


@contextmanager
def _connected(path: Path, may_make: bool) -> Iterator[sqlite3.Connection]:
    """A connection to the file; what SQLite says of it is told in segkit's words."""
    try:
        if not may_make and not path.is_file():
            raise damaged(path, "the file is gone")
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=_WAITS, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            yield connection
    except (sqlite3.Error, zlib.error) as error:
        raise _refusal(error, path) from None
    except OSError as error:
        fix = "check the folder: its permissions, its space"
        raise SegkitError(f"cannot use {path}: {error.strerror}", fix=fix) from None


def _refusal(error: Exception, path: Path) -> SegkitError:
    code = getattr(error, "sqlite_errorname", "").removeprefix("SQLITE_").partition("_")[0]
    if code in ("BUSY", "LOCKED"):
        return SegkitError(f"another process has been writing to {path} for a minute", fix="let it end, then refresh again")
    if code in ("CANTOPEN", "READONLY", "PERM"):
        fix = f"get leave to write in {path.parent}, also to read: SQLite keeps a journal there; or read a copy of the folder"
        return SegkitError(f"cannot use {path}: {error}", fix=fix)
    if code in ("FULL", "IOERR"):
        return SegkitError(f"cannot use {path}: {error}", fix="check the disk: its space; what was kept before is still there")
    return damaged(path, str(error))


def damaged(path: Path, what: str) -> DataError:
    """The error for a file that is not as it was written."""
    fix = f"put back {path.parent} from a copy, or remove the folder to begin a new history"
    return DataError(f"the tracked history in {path} is damaged: {what}", fix=fix)


def _made(connection: sqlite3.Connection, head: tuple[int, str] | None) -> None:
    """Makes the tables of a new file: the only time that a table is made."""
    if head is not None or _is_made(connection):
        return
    until = time.monotonic() + _WAITS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError:  # who changes the mode is not waited for
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
    connection.execute("BEGIN IMMEDIATE")
    if not _is_made(connection):
        for table in _TABLES:
            connection.execute(table)
        connection.execute(f"PRAGMA application_id = {_MARK}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def _is_made(connection: sqlite3.Connection) -> bool:
    found = connection.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,)
    return found or _pragma(connection, "user_version") != 0


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


# ---------------------------------------------------------------- checking


def _checked(connection: sqlite3.Connection, path: Path, head: tuple[int, str] | None) -> Log:
    """The log, if it is what was written."""
    if head is None and not _is_made(connection):
        return Log(connection, path, (), 0)
    if _pragma(connection, "application_id") != _MARK:
        raise damaged(path, "it is no history of segkit")
    if (version := _pragma(connection, "user_version")) > VERSION:
        raise SegkitError(f"{path} has version {version}, this segkit reads version {VERSION}", fix="use a later segkit")
    entries = tuple(_entries(connection, path))
    expected = Log(connection, path, entries, 0).body(entries[-1])["parts"] if entries else 0
    if connection.execute("SELECT count(*), coalesce(max(number), 0) FROM part").fetchone() != (expected, expected):
        raise damaged(path, "parts are missing")
    if head is not None and (head[0] > len(entries) or entries[head[0] - 1].hash.hex() != head[1]):
        raise damaged(path, "the last refreshes are missing")
    return Log(connection, path, entries, expected)


def _entries(connection: sqlite3.Connection, path: Path) -> Iterator[Entry]:
    before = _START
    for i, (number, kind, body, own) in enumerate(connection.execute("SELECT * FROM log ORDER BY number"), 1):
        is_sound = number == i and isinstance(kind, str) and isinstance(body, bytes)
        if not is_sound or own != _hash(before, kind, body):
            raise damaged(path, f"entry {i} is not what was written")
        before = own
        yield Entry(number, kind, own)


def _head(folder: Path) -> tuple[int, str] | None:
    """The last entry that is known to be written."""
    path = folder / HEAD
    try:
        number, own = path.read_text(encoding="ascii").split()
        return int(number), own
    except FileNotFoundError:
        return None
    except ValueError:
        raise damaged(path, "it names no entry") from None
    except OSError as error:
        raise SegkitError(f"cannot read {path}: {error.strerror}", fix="check the folder: its permissions") from None


def _set_head(folder: Path, entry: Entry) -> None:
    """Notes the last entry, unless a later one is noted."""
    before = _head(folder)
    if before is None or before[0] < entry.number:
        store.write(folder / HEAD, f"{entry.number} {entry.hash.hex()}{os.linesep}")
