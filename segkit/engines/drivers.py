"""How the drivers of Python differ beyond what the DB-API says: one row a driver."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Driver:
    """A driver by its package.

    `is_idle` says whether no transaction is open on a connection. `stream` makes a cursor whose
    rows stay on the server until they are fetched. `insert` writes many rows faster than `executemany`. `cancel` ends the
    query of a connection, where the connection has no verb for that.
    """

    package: str
    dialect: str | None = None
    is_idle: Callable[[Any], bool] | None = None
    stream: Callable[[Any], Any] | None = None
    insert: Callable[[Any, str, Iterable[Sequence[Any]]], None] | None = None
    cancel: Callable[[Any], None] | None = None


def _libpq_idle(connection: Any) -> bool:
    return int(connection.info.transaction_status) == 0


def _named_cursor(connection: Any) -> Any:
    cursor = connection.cursor("segkit_stream")
    cursor.itersize = 10_000
    return cursor


def _copied(cursor: Any, table: str, rows: Iterable[Sequence[Any]]) -> None:
    with cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _unbuffered(connection: Any) -> Any:
    return connection.cursor(sys.modules["pymysql.cursors"].SSCursor)


def _outside_transaction(connection: Any) -> bool:
    return not connection.server_status & 1


def _killed(connection: Any) -> None:
    """Ends the query of a connection of PyMySQL through another one."""
    login = {name: getattr(connection, name) for name in ("host", "port", "user", "password", "unix_socket")}
    secured = {"ssl": connection.ctx} if getattr(connection, "_ssl_required", False) else {}
    with type(connection)(**login, **secured) as other, other.cursor() as cursor:
        cursor.execute(f"KILL QUERY {connection.thread_id()}")


DRIVERS: tuple[Driver, ...] = (
    Driver("psycopg", "postgres", _libpq_idle, _named_cursor, _copied),
    Driver("psycopg2", "postgres", _libpq_idle, _named_cursor),
    Driver("pymysql", "mysql", _outside_transaction, _unbuffered, cancel=_killed),
    Driver("MySQLdb", "mysql"),
    Driver("mysql.connector", "mysql"),
    Driver("mariadb", "mysql"),
    Driver("snowflake.connector", "snowflake"),
    Driver("google.cloud.bigquery.dbapi", "bigquery"),
    Driver("redshift_connector", "redshift"),
    Driver("databricks.sql", "databricks"),
    Driver("trino", "trino"),
    Driver("oracledb", "oracle"),
    Driver("pyodbc"),
)


def module_of(connection: Any) -> ModuleType | None:
    """The DB-API module that a connection comes from."""
    for own in type(connection).__mro__:
        path = own.__module__
        while path:
            module = sys.modules.get(path)
            if module is not None and hasattr(module, "paramstyle"):
                return module
            path = path.rpartition(".")[0]
    return None


def driver_of(connection: Any) -> Driver:
    """What is known of a connection's driver."""
    paths = [own.__module__ for own in type(connection).__mro__]
    for driver in DRIVERS:
        if any(path == driver.package or path.startswith(f"{driver.package}.") for path in paths):
            return driver
    return Driver(paths[0].partition(".")[0])


def errors_of(connection: Any) -> type[Exception]:
    """What the driver raises."""
    found = getattr(module_of(connection), "Error", None)
    return found if isinstance(found, type) and issubclass(found, Exception) else Exception


def is_closed(connection: Any) -> bool:
    """Whether a connection was closed or lost, as far as its driver tells: drivers of MySQL say whether it is open."""
    return bool(getattr(connection, "closed", False)) or not getattr(connection, "open", True)


def placeholders(connection: Any, number: int) -> str:
    """As many places for values as a row has, as the driver writes them."""
    match getattr(module_of(connection), "paramstyle", "qmark"):
        case "format" | "pyformat":
            marks = ["%s"] * number
        case "numeric" | "named":
            marks = [f":{i + 1}" for i in range(number)]
        case _:
            marks = ["?"] * number
    return ", ".join(marks)


def cancel(connection: Any, cursor: Any) -> None:
    """Asks the server to end what a connection is waiting for."""
    if (own := driver_of(connection).cancel) is not None:
        with suppress(Exception):
            own(connection)
        return
    for own in (connection, cursor):
        for name in ("cancel", "interrupt", "abort_query"):
            if callable(verb := getattr(own, name, None)):
                with suppress(Exception):
                    verb()
                return
