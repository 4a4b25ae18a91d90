"""Embedded DuckDB: a file, a folder of Parquet or CSV, frames, or a connection."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar, cast

from segkit.catalog import Column, Kind, Tables
from segkit.engines.interrupt import interruptible
from segkit.engines.limits import Limits
from segkit.engines.urls import hidden
from segkit.engines.written import Run, Standing, Writer
from segkit.errors import EngineError

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import pandas as pd

_T = TypeVar("_T")
_TABLES = (".csv", ".parquet")
_GLOB = re.compile(r"[*?\[]")
"""What DuckDB would take a path with such a sign for: a pattern, of other files too."""


class DuckDB:
    """Embedded DuckDB. `owned` connections are closed with the engine; any thread may ask, one at a time."""

    dialect = renders_as = "duckdb"
    limits = Limits()
    any_thread = True

    def __init__(self, connection: duckdb.DuckDBPyConnection, source: str, *, owned: bool) -> None:
        self._connection, self._source, self._owned = connection, source, owned
        self._one_at_a_time = Lock()

    def tables(self) -> Tables:
        """The tables and views of the connection; those of other schemas by their dotted names."""
        rows = self._run(lambda c: c.execute(_COLUMNS).fetchall())
        tables: dict[str, dict[str, Column]] = {}
        for path, column, kind in rows:
            tables.setdefault(path, {})[column] = Column(column, _kind(kind))
        return tables

    def frame(self, sql: str) -> pd.DataFrame:
        """The answer to a query."""
        return self._run(lambda c: c.execute(sql).df())

    def columns(self, sql: str) -> Mapping[str, np.ndarray]:
        """The columns of the answer to a query, none of whose values is missing."""
        return cast("Mapping[str, np.ndarray]", self._run(lambda c: c.execute(sql).fetchnumpy()))

    def keep(self, name: str, rows: pd.DataFrame) -> str:
        """Makes or replaces a temporary table, also beside a file that is only read."""

        def replace(connection: duckdb.DuckDBPyConnection) -> None:
            connection.register("segkit_frame", rows)
            try:
                connection.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS SELECT * FROM segkit_frame')
            finally:
                connection.unregister("segkit_frame")

        self._run(replace)
        return f"temp.main.{name}"

    def materialize(self, name: str, sql: str) -> str:
        """Makes or replaces a temporary table of a query's answer, also beside a file that is only read."""
        self._run(lambda c: c.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS {sql}'))
        return f"temp.main.{name}"

    def discard(self, name: str) -> None:
        """Drops a temporary table, if it is there."""
        self._run(lambda c: c.execute(f'DROP TABLE IF EXISTS temp.main."{name}"'))

    def index(self, name: str, columns: Sequence[str]) -> None:
        """Nothing: joins are hashed."""

    def writing(self, work: Callable[[Writer], _T]) -> tuple[_T, bool]:
        """Does work in a transaction of its own."""

        def write(connection: duckdb.DuckDBPyConnection) -> _T:
            if _is_in_transaction(connection):
                raise EngineError(
                    "a transaction is open on this connection, which DuckDB cannot write a part of",
                    fix="commit it or roll it back",
                )
            connection.execute("BEGIN TRANSACTION")
            try:
                done = work(_Writer(connection))
                connection.execute("COMMIT")
            except BaseException:
                with suppress(Exception):
                    connection.execute("ROLLBACK")
                raise
            return done

        return self._run(write), True

    def transacting(self, work: Callable[[Run], _T]) -> _T:
        """Changes rows in a transaction of its own."""
        done, _ = self.writing(lambda writer: work(writer.run))
        return done

    def close(self) -> None:
        """Closes the connection if segkit opened it."""
        if self._owned:
            self._connection.close()

    def __repr__(self) -> str:
        return f"DuckDB({self._source!r})"

    def _run(self, work: Callable[[duckdb.DuckDBPyConnection], _T]) -> _T:
        import duckdb

        try:
            with self._one_at_a_time:
                return interruptible(lambda: work(self._connection), self._connection.interrupt)
        except duckdb.ConnectionException:
            raise EngineError(f"the connection to {self._source} is closed", fix="connect again") from None
        except duckdb.Error as error:
            fix = next((fix for part, fix in _FIXES.items() if part in str(error)), "check the catalog against the tables")
            raise EngineError(f"DuckDB refused the query: {error}", fix=fix) from None


_FIXES = {
    "Conflict on": "another connection of this process was writing: try again",
    "read-only mode": "to write, pass a connection of your own: connect(duckdb.connect('file.duckdb'))",
    "Out of Memory Error": "ask for less at once, or SET memory_limit and temp_directory on a connection of your own",
    "No space left": "free space on the disk",
    "File too large": "free space on the disk",
}


def _is_in_transaction(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether two queries are of one transaction. (Beginning another one would end the first, with an error.)"""
    first, second = (connection.execute("SELECT txid_current()").fetchone() for _ in range(2))
    return first == second


class _Writer:
    """Commands of a connection; names are the same in any case of letters."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()

    def standing(self, path: Sequence[str]) -> Standing | None:
        own, schema, catalog = (*reversed(path), None, None)[:3]
        rows = self._connection.execute(_STANDING, [own, schema, catalog]).fetchall()
        return Standing(rows[0][0], rows[0][1] or "") if rows else None


_STANDING = """
SELECT kind, comment FROM (
  SELECT 'TABLE' AS kind, comment, table_name AS name, schema_name, database_name FROM duckdb_tables()
  UNION ALL SELECT 'VIEW', comment, view_name, schema_name, database_name FROM duckdb_views()
)
WHERE LOWER(name) = LOWER($1) AND LOWER(schema_name) = LOWER(COALESCE($2, current_schema()))
  AND LOWER(database_name) = LOWER(COALESCE($3, current_database()))
"""
_COLUMNS = """
SELECT CASE
    WHEN database_name = current_database() AND schema_name = current_schema() THEN table_name
    WHEN database_name = current_database() THEN schema_name || '.' || table_name
    ELSE database_name || '.' || schema_name || '.' || table_name
  END, column_name, data_type
FROM duckdb_columns() WHERE NOT internal ORDER BY 1, column_index
"""

_KINDS = {
    "VARCHAR": Kind.TEXT, "UUID": Kind.TEXT, "BOOLEAN": Kind.BOOLEAN, "DATE": Kind.DATE, "INTERVAL": Kind.DURATION,
    "FLOAT": Kind.FLOAT, "DOUBLE": Kind.FLOAT, "JSON": Kind.JSON, "TIMESTAMP WITH TIME ZONE": Kind.TIMESTAMPTZ,
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), Kind.TIMESTAMP),
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"), Kind.INTEGER),
    **dict.fromkeys(("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"), Kind.INTEGER),
}  # fmt: skip


def _kind(data_type: str) -> Kind:
    if data_type.endswith("]") or data_type.startswith(("STRUCT", "MAP", "UNION")):
        return Kind.JSON
    if data_type.startswith("DECIMAL"):
        return Kind.DECIMAL
    if data_type.startswith("ENUM"):
        return Kind.TEXT
    return _KINDS.get(data_type, Kind.UNKNOWN)


def is_connection(source: Any) -> bool:
    """Whether something is a connection of `duckdb`."""
    import duckdb

    return isinstance(source, duckdb.DuckDBPyConnection)


def open_duckdb(source: Any, mode: str = "ro") -> DuckDB:
    """The engine for a DuckDB file, a folder of Parquet or CSV files, `:memory:`, a connection, or a mapping of frames.

    Raises:
        EngineError: nothing segkit can open.
    """
    import duckdb

    try:
        if isinstance(source, duckdb.DuckDBPyConnection):
            return DuckDB(source, "a connection", owned=False)
        if isinstance(source, Mapping):
            return _of_frames(source)
        if isinstance(source, str) and source == ":memory:":
            return DuckDB(_connected(source), source, owned=True)
        if isinstance(source, str | Path):
            path = Path(source).expanduser()
            if path.is_dir():
                return _of_folder(path)
            if path.suffix.lower() in _TABLES and path.is_file():
                raise EngineError(f"{str(path)!r} is one table", fix=f"name the folder it is in: {str(path.parent)!r}")
            if path.is_file():
                return _of_file(path, mode)
            fix = "check the path, or write postgresql://user@host/database"
            raise EngineError(f"there is no file or folder {_shown(path)}", fix=fix)
    except (OSError, UnicodeError) as error:
        told = f"{_shown(source):.80}: {hidden(str(error)):.160}"
        raise EngineError(f"cannot open {told}", fix="check the path and its permissions") from None
    except duckdb.Error as error:
        raise EngineError(
            f"cannot open {_shown(source)}: {error}", fix="check that it is a DuckDB or SQLite database, or such a folder"
        ) from None
    raise EngineError(
        f"cannot connect to a {type(source).__name__}",
        fix="pass a file, a folder of Parquet or CSV, a database URL, a connection, or {'contacts': frame, ...}",
    )


def _shown(source: Any) -> str:
    return hidden(repr(str(source))) if isinstance(source, str | Path) else f"a {type(source).__name__}"


def _connected(database: str, **settings: Any) -> duckdb.DuckDBPyConnection:
    """A connection of segkit's own. DuckDB's bar of progress is off: in a notebook it would be three widgets a slow query.

    A second connection to a file finds the configuration locked by the first, and keeps its bar.
    """
    import duckdb

    connection = duckdb.connect(database, **settings)
    if not _is_locked(connection):
        connection.execute("SET enable_progress_bar = false")
    return connection


def _is_locked(connection: duckdb.DuckDBPyConnection) -> bool:
    return connection.execute("SELECT current_setting('lock_configuration')").fetchone() == (True,)


def _of_file(path: Path, mode: str) -> DuckDB:
    connection = _connected(str(path), read_only=mode == "ro", config={"enable_external_access": "false"})
    if not _is_locked(connection):
        connection.execute("SET lock_configuration = true")
    return DuckDB(connection, path.name, owned=True)


def _of_folder(folder: Path) -> DuckDB:
    """Parquet files become views, read where they lie; CSV files are loaded, as reading them again and again is slow."""
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in _TABLES)
    if not files:
        raise EngineError(f"no .parquet or .csv file in {str(folder)!r}", fix="name the folder that holds contacts.parquet")
    connection = _connected(":memory:")
    paths = {file: str(file.resolve()) for file in files}
    patterns = {file: _GLOB.sub(r"[\g<0>]", path) for file, path in paths.items()}
    connection.execute("SET allowed_paths = ?", [[*paths.values(), *patterns.values()]])
    for file, path in patterns.items():
        if file.suffix.lower() == ".parquet":
            connection.read_parquet(path).create_view(file.stem)
        else:
            connection.read_csv(path).create(file.stem)
    _close_off(connection)
    return DuckDB(connection, folder.name, owned=True)


def _of_frames(frames: Mapping[str, Any]) -> DuckDB:
    """Frames are copied into the database: faster to ask, and what happens to the frame later changes no answer."""
    import duckdb

    connection = _connected(":memory:")
    for name, frame in frames.items():
        try:
            connection.register("segkit_frame", frame)
        except (duckdb.Error, TypeError):
            raise EngineError(f"{name!r} is a {type(frame).__name__}", fix="pass a pandas, polars or Arrow table") from None
        connection.table("segkit_frame").create(str(name))
        connection.unregister("segkit_frame")
    _close_off(connection)
    return DuckDB(connection, "frames", owned=True)


def _close_off(connection: duckdb.DuckDBPyConnection) -> None:
    """From here on SQL can reach nothing outside of the database and the allowed files."""
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
