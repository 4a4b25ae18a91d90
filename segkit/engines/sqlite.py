"""SQLite: a file or a connection of Python's own `sqlite3`.

What plain SQL cannot say there (regular expressions, time zones, MD5) it is given as functions: queries are rendered for
the inner dialect `sqlite+`, which knows them. A file is opened so that it cannot be changed, and SQL reaches no other.

Frames hold what the tables hold: whole numbers as int64 (Int64 where one is missing), other numbers as float64, dates and
timestamps as their text, truth values as 0 and 1.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
import warnings
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from threading import Event, Lock, current_thread, main_thread
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from segkit import patterns
from segkit.catalog import Column, Kind, Tables
from segkit.engines.interrupt import interruptible
from segkit.engines.limits import Limits
from segkit.engines.urls import hidden
from segkit.engines.written import Run, Standing, Writer, transaction_is_open
from segkit.errors import EngineError, SegkitWarning

if TYPE_CHECKING:
    import pandas as pd

_T = TypeVar("_T")
_HEADER = b"SQLite format 3\x00"
_SAMPLE = 1000
_STEPS = 100_000
"""Steps of SQLite's machine between two looks for an interrupt."""


class SQLite:
    """SQLite in this process. `owned` connections are closed with the engine: they are guarded, so that nothing changes
    but what is temporary, and what `writing` does, where their mode is `rw`.
    """

    dialect, renders_as = "sqlite", "sqlite+"
    limits = Limits(columns=2000, joins=63)

    def __init__(self, connection: sqlite3.Connection, source: str, *, owned: bool, mode: str = "rw") -> None:
        self._connection, self._source, self._owned, self._mode = connection, source, owned, mode
        self._one_at_a_time, self.any_thread = Lock(), owned
        self._run(_register)

    def tables(self) -> Tables:
        """The tables and views; those of attached databases by their dotted names.

        Kinds come from the declared types and from the first 1000 rows: text that is all ISO dates or times is a date or
        a timestamp, whatever it was declared as, and values that contradict their declared type decide.
        """
        return self._run(_tables)

    def frame(self, sql: str) -> pd.DataFrame:
        """The answer to a query."""
        return _frame(*self._run(lambda connection: _fetched(connection, sql)))

    def keep(self, name: str, rows: pd.DataFrame) -> str:
        """Makes or replaces a temporary table, also beside a file that is only read."""
        values = [[_bound(value) for value in row] for row in rows.astype(object).itertuples(index=False, name=None)]
        self._run(lambda connection: _kept(connection, name, list(rows.columns), values, guarded=self._owned))
        return f"temp.{name}"

    def materialize(self, name: str, sql: str) -> str:
        """Makes or replaces a temporary table of a query's answer, also beside a file that is only read."""
        table = f"temp.{_quoted(name)}"
        commands = [f"DROP TABLE IF EXISTS {table}", f"CREATE TABLE {table} AS {sql}"]
        self._run(lambda connection: _changed(connection, commands, guarded=self._owned))
        return f"temp.{name}"

    def discard(self, name: str) -> None:
        """Drops a temporary table, if it is there."""
        self._run(lambda connection: _changed(connection, [f"DROP TABLE IF EXISTS temp.{_quoted(name)}"], guarded=self._owned))

    def index(self, name: str, columns: Sequence[str]) -> None:
        """Lets the rows of a temporary table be found by columns."""
        command = f"CREATE INDEX temp.{_quoted(f'{name}_index')} ON {_quoted(name)} ({', '.join(map(_quoted, columns))})"
        self._run(lambda connection: _changed(connection, [command], guarded=self._owned))

    def writing(self, work: Callable[[Writer], _T]) -> tuple[_T, bool]:
        """Does work in a transaction of its own, or as a part of the one that the caller has open."""
        if self._mode == "ro":
            raise EngineError(
                f"{self._source} is opened to be read only",
                fix="to write, pass a connection of your own: connect(sqlite3.connect('file.db'))",
            )
        is_open = self._connection.in_transaction
        return self._run(lambda connection: _written(connection, work, guarded=self._owned)), not is_open

    def transacting(self, work: Callable[[Run], _T]) -> _T:
        """Changes rows in a transaction of its own. Other connections are waited for as long as the connection says."""
        if self._connection.in_transaction:
            raise transaction_is_open()
        done, _ = self.writing(lambda writer: work(writer.run))
        return done

    def close(self) -> None:
        """Closes the connection if segkit opened it."""
        if self._owned:
            self._connection.close()

    def __repr__(self) -> str:
        return f"SQLite({self._source!r})"

    def _run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        connection = self._connection
        try:
            if not self._owned:
                return _in_place(connection, work)
            with self._one_at_a_time:
                if current_thread() is main_thread():
                    return _in_place(connection, work)
                return interruptible(lambda: work(connection), connection.interrupt)
        except sqlite3.ProgrammingError as error:
            if "closed" in str(error):
                raise EngineError(f"the connection to {self._source} is closed", fix="connect again") from None
            raise EngineError(f"SQLite: {error}", fix="ask in the thread that made the connection, or pass its path") from None
        except sqlite3.Error as error:
            fix = next((fix for part, fix in _LIMITS.items() if part in str(error)), "check the catalog against the tables")
            raise EngineError(f"SQLite refused the query: {error}", fix=fix) from None


_LIMITS = {
    "locked": "another connection was writing: try again",
    "stack overflow": "nest the definition less deeply: freeze a part of it as a static list",
    "at most 64 tables": "one query can ask for 60 different events, lists and ranks: freeze a part as a static list",
    "too many columns": "put fewer different conditions on one event into a segment",
    "disk is full": "free space on the disk",
    "disk I/O error": "check the disk: its space, its permissions",
    "too large": "put values in a list: .is_in([...])",
}


def _in_place(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], _T]) -> _T:
    """Work in the thread at hand, as another one may not be allowed, and would keep this one waiting while it is in a pattern.

    SQLite calls Python now and then, and an interrupt raised in that call ends the query.
    """
    connection.set_progress_handler(lambda: 0, _STEPS)
    try:
        return work(connection)
    except sqlite3.OperationalError as error:
        if str(error) == "interrupted" or _in_pattern.is_set():
            _in_pattern.clear()
            raise KeyboardInterrupt from None
        raise
    finally:
        connection.set_progress_handler(None, 0)


def _fetched(connection: sqlite3.Connection, sql: str) -> tuple[list[str], list[Any]]:
    cursor = connection.cursor()
    cursor.row_factory = None
    cursor.execute(sql)
    return [name for name, *_ in cursor.description], cursor.fetchall()


def _bound(value: Any) -> Any:
    """A value of a frame as SQLite takes it: times as text, what is missing as NULL."""
    if value is None or value != value or type(value).__name__ in ("NAType", "NaTType"):
        return None
    return value.isoformat(" ") if isinstance(value, datetime) else value


def _kept(connection: sqlite3.Connection, name: str, columns: Sequence[str], rows: Sequence[Any], *, guarded: bool) -> None:
    """A temporary table in the place of one of that name. A transaction of the caller's stays open as it was."""
    table, was_open = f"temp.{_quoted(name)}", connection.in_transaction
    if guarded:
        connection.set_authorizer(None)
    try:
        connection.execute(f"DROP TABLE IF EXISTS {table}")
        connection.execute(f"CREATE TABLE {table} ({', '.join(map(_quoted, columns))})")
        connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", rows)
        if not was_open:
            connection.commit()
    finally:
        if guarded:
            connection.set_authorizer(_allowed)


def _changed(connection: sqlite3.Connection, commands: Sequence[str], *, guarded: bool) -> None:
    """Commands that change temporary tables only. A transaction of the caller's stays open as it was."""
    was_open = connection.in_transaction
    if guarded:
        connection.set_authorizer(_allowed_in_temp)
    try:
        for command in commands:
            connection.execute(command)
        if not was_open:
            connection.commit()
    finally:
        if guarded:
            connection.set_authorizer(_allowed)


def _written(connection: sqlite3.Connection, work: Callable[[Writer], _T], *, guarded: bool) -> _T:
    if guarded:
        connection.set_authorizer(None)
    connection.execute("SAVEPOINT segkit")
    try:
        done = work(_Writer(connection))
        connection.execute("RELEASE segkit")
    except BaseException:
        connection.execute("ROLLBACK TO segkit")
        connection.execute("RELEASE segkit")
        raise
    finally:
        if guarded:
            connection.set_authorizer(_allowed)
    return done


class _Writer:
    """Commands of a connection. SQLite keeps no comments, but the text of what was made."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()

    def standing(self, path: Sequence[str]) -> Standing | None:
        own, schema, *_ = (*reversed(path), "main")
        named = f"SELECT type, sql FROM {_quoted(schema)}.sqlite_master WHERE name = ? COLLATE NOCASE"
        rows = self._connection.execute(named, [own]).fetchall()
        return Standing(rows[0][0].upper(), rows[0][1] or "") if rows else None


# ---------------------------------------------------------------- opening


def is_connection(source: Any) -> bool:
    """Whether something is a connection of `sqlite3`."""
    return isinstance(source, sqlite3.Connection)


def is_file(path: Path) -> bool:
    """Whether a file is a SQLite database, whatever it is called."""
    try:
        with path.open("rb") as file:
            return file.read(len(_HEADER)) == _HEADER
    except (OSError, UnicodeError):
        return False


def path_of(url: str) -> Path:
    """The path in `sqlite:///relative/path` or `sqlite:////absolute/path`.

    >>> path_of("sqlite:///data/crm.db").as_posix()
    'data/crm.db'
    """
    if not url.startswith("sqlite:///") or len(url) == len("sqlite:///"):
        raise EngineError(f"{hidden(repr(url)):.80} names no file", fix="write sqlite:///folder/file.db, or pass the path itself")
    return Path(unquote(url.removeprefix("sqlite:///"))).expanduser()


def of_file(path: Path, mode: str = "ro") -> SQLite:
    """A file, opened so that no query can change it or reach another one."""
    if not path.is_file():
        raise EngineError(f"there is no file {hidden(repr(str(path)))}", fix="check the path")
    if not is_file(path):
        raise EngineError(f"{path.name!r} is no SQLite database", fix="name a file that SQLite made")
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, check_same_thread=False)
    except sqlite3.Error as error:
        raise EngineError(f"cannot open {path.name!r}: {error}", fix="check that it may be read") from None
    engine = SQLite(connection, path.name, owned=True, mode=mode)
    connection.set_authorizer(_allowed)
    return engine


def of_connection(connection: sqlite3.Connection) -> SQLite:
    """A connection of the caller's, who closes it. It is given the functions whose names begin with `segkit_`.

    Raises:
        EngineError: it gives texts as something else.
    """
    engine = SQLite(connection, "a connection", owned=False)
    if not isinstance(engine.frame("SELECT 'a'").iloc[0, 0], str):
        raise EngineError("this connection gives texts as something else", fix="connection.text_factory = str")
    return engine


_READING = frozenset((sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE))
_SCHEMA_PRAGMAS = frozenset(("table_xinfo", "database_list"))


def _allowed(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    """Reading tables, calling functions, and asking for columns: nothing else."""
    reads = action in _READING
    calls = action == sqlite3.SQLITE_FUNCTION and second != "load_extension"
    asks = action == sqlite3.SQLITE_PRAGMA and first in _SCHEMA_PRAGMAS
    return sqlite3.SQLITE_OK if reads or calls or asks else sqlite3.SQLITE_DENY


_CHANGES = (sqlite3.SQLITE_CREATE_TABLE, sqlite3.SQLITE_DROP_TEMP_TABLE, sqlite3.SQLITE_CREATE_TEMP_INDEX, sqlite3.SQLITE_REINDEX)
_CHANGING = frozenset((*_CHANGES, sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE))


def _allowed_in_temp(action: int, first: str | None, second: str | None, database: str | None, inner: str | None) -> int:
    """Reading, and changing temporary tables."""
    if action in _CHANGING and database == "temp":
        return sqlite3.SQLITE_OK
    return _allowed(action, first, second, database, inner)


# ---------------------------------------------------------------- functions


def _register(connection: sqlite3.Connection) -> None:
    for name, function in FUNCTIONS.items():
        connection.create_function(name, function.__code__.co_argcount, function, deterministic=True)


_in_pattern = Event()
"""An interrupt came while a pattern was looked for, of which SQLite tells no more than that the function failed."""


def _matches(text: str | None, pattern: str) -> bool | None:
    try:
        return None if text is None else patterns.python(pattern).search(text) is not None
    except KeyboardInterrupt:
        _in_pattern.set()
        raise


def _on_wall(moment: str | None, clock: str | None, zone: str) -> str | None:
    """A timestamp by one clock (None: UTC), on the wall clock of a zone."""
    if moment is None:
        return None
    at = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(clock or "UTC"))
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat(" ", "microseconds")


def _md5(text: str | None) -> str | None:
    return None if text is None else hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


FUNCTIONS: dict[str, Callable[..., Any]] = {"segkit_matches": _matches, "segkit_on_wall": _on_wall, "segkit_md5": _md5}
"""What a connection is given, by name. Each answers NULL for NULL, and the same for the same."""


# ---------------------------------------------------------------- tables and kinds


def _tables(connection: sqlite3.Connection) -> Tables:
    tables: dict[str, dict[str, Column]] = {}
    for _, database, _ in _fetched(connection, "PRAGMA database_list")[1]:
        above = "" if database in ("main", "temp") else f"{database}."
        for table in _table_names(connection, database):
            try:
                tables[f"{above}{table}"] = _columns(connection, database, table)
            except sqlite3.OperationalError as error:
                if "decode" in str(error):
                    warnings.warn(f"left out the table {table!r:.80}: {error!s:.160}", SegkitWarning, stacklevel=2)
                continue  # that, or a view of what is no longer there
    return tables


def _table_names(connection: sqlite3.Connection, database: str) -> list[str]:
    named = f"SELECT name FROM {_quoted(database)}.sqlite_master WHERE type IN ('table', 'view') ORDER BY 1"
    return [name for (name,) in _fetched(connection, named)[1] if not name.startswith("sqlite_")]


def _columns(connection: sqlite3.Connection, database: str, table: str) -> dict[str, Column]:
    where = f"{_quoted(database)}.{_quoted(table)}"
    names, rows = _fetched(connection, f"SELECT * FROM {where} LIMIT {_SAMPLE}")
    _, described = _fetched(connection, f"PRAGMA {_quoted(database)}.table_xinfo({_quoted(table)})")
    declared = {str(name): str(kind) for _, name, kind, *_ in described}
    values = zip(*rows, strict=True) if rows else [()] * len(names)
    return {name: Column(name, _kind(declared.get(name, ""), own)) for name, own in zip(names, values, strict=True)}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?(Z|[+-]\d\d:\d\d)?)?)?")
_TIMES = (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ)
_DECLARED = (
    (r"^TIMESTAMP ?TZ|WITH TIME ZONE", Kind.TIMESTAMPTZ),
    (r"^(DATETIME|TIMESTAMP)", Kind.TIMESTAMP),
    (r"^DATE$", Kind.DATE),
    (r"^BOOL", Kind.BOOLEAN),
    (r"^JSON", Kind.JSON),
    (r"INT", Kind.INTEGER),
    (r"CHAR|CLOB|TEXT|STRING|UUID|ENUM", Kind.TEXT),
    (r"REAL|FLOA|DOUB", Kind.FLOAT),
    (r"DEC|NUM|MONEY", Kind.DECIMAL),
)
"""Which declared type is what, by the first pattern found in it; whole numbers, text and reals as SQLite's own affinity."""


def _kind(declared: str, values: Sequence[Any]) -> Kind:
    """The kind of a column by its declared type and some of its values."""
    name = declared.upper()
    kind = next((kind for pattern, kind in _DECLARED if re.search(pattern, name)), Kind.UNKNOWN)
    known = [value for value in values if value is not None]
    stored = {type(value) for value in known}
    if stored == {str}:
        return _kind_of_texts(kind, known)
    if stored == {int}:
        return _kind_of_numbers(kind, Kind.INTEGER, known)
    if stored and stored <= {int, float}:
        return _kind_of_numbers(Kind.UNKNOWN if kind is Kind.INTEGER else kind, Kind.FLOAT, known)
    return kind if not stored or kind is Kind.TEXT else Kind.UNKNOWN


def _kind_of_numbers(declared: Kind, stored: Kind, values: Sequence[Any]) -> Kind:
    if declared is Kind.BOOLEAN:
        return declared if set(values) <= {0, 1} else stored
    return declared if declared.is_number else stored


def _kind_of_texts(declared: Kind, values: Sequence[str]) -> Kind:
    if declared is Kind.JSON:
        return declared
    found = [_TIME.fullmatch(value) for value in values]
    if not all(found):
        return Kind.TEXT
    if any(match and match[1] for match in found):
        return Kind.TIMESTAMPTZ
    if declared in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
        return declared
    return Kind.DATE if all(_DATE.fullmatch(value) for value in values) else Kind.TIMESTAMP


# ---------------------------------------------------------------- frames


def _frame(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    import pandas as pd

    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    frame = pd.DataFrame({i: pd.Series(values, dtype=_dtype(values)) for i, values in enumerate(columns)})
    frame.columns = pd.Index(names)
    return frame


def _dtype(values: Sequence[Any]) -> str | None:
    """The type of a column; None leaves it to pandas."""
    stored = {type(value) for value in values}
    if stored == {int, type(None)}:
        return "Int64"
    return "float64" if float in stored and stored <= {int, float, type(None)} else None
