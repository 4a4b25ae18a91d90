"""Any database behind a driver of Python: a URL, an engine of SQLAlchemy, or a connection with its dialect.

SQL goes through the driver's own cursor without arguments, so that nothing in it is taken for a place of one. Each query
runs in a transaction that only reads, where the database has such, and is rolled back; a transaction that the caller
has open stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from segkit import compile
from segkit.catalog import Column, Tables
from segkit.engines import drivers, kinds, sqlite, urls
from segkit.engines.described import Described
from segkit.engines.echo import check_echo, check_session, check_zones
from segkit.engines.frames import frame
from segkit.engines.interrupt import interruptible
from segkit.engines.limits import Limits
from segkit.engines.sessions import SESSIONS, Session, Temporary
from segkit.engines.written import Run, Standing, Writer, transaction_is_open
from segkit.errors import EngineError
from segkit.rendering import checked_dialect, render

if TYPE_CHECKING:
    import pandas as pd

_T = TypeVar("_T")
_AT_ONCE = 10_000
_RENDERED_AS = {"postgres": "postgres+"}
_LIMITS = {
    "postgres": Limits(columns=1600),
    "redshift": Limits(columns=1600),
    "mysql": Limits(columns=4000, joins=60, instants=(datetime(1970, 1, 2, tzinfo=UTC), datetime(2038, 1, 18, tzinfo=UTC))),
}


class Warehouse:
    """A database behind a driver. `owned` connections are closed with the engine; any thread may ask, one at a time."""

    any_thread = True

    def __init__(self, connection: Any, dialect: str, source: str, *, owned: bool, secrets: tuple[str, ...] = ()) -> None:
        self.dialect, self.renders_as = dialect, _RENDERED_AS.get(dialect, dialect)
        self.limits = _LIMITS.get(dialect, Limits())
        self._connection, self._source, self._owned, self._secrets = connection, source, owned, secrets
        self._driver, self._errors = drivers.driver_of(connection), drivers.errors_of(connection)
        self._session = SESSIONS.get(dialect, Session())
        self._one_at_a_time = Lock()

    def tables(self) -> Tables:
        """The tables and views that may be read; those of other schemas by their dotted names."""
        if not self._session.columns:
            return Described(self._columns, self.dialect)
        _, (paths, names, types, scales) = self._answer(self._session.columns)
        found: dict[str, dict[str, Column]] = {}
        for path, name, own, scale in zip(paths, names, types, scales, strict=True):
            kind = kinds.kind(str(own), None if scale is None else int(scale), self.dialect)
            found.setdefault(str(path), {})[str(name)] = Column(str(name), kind)
        return found

    def frame(self, sql: str) -> pd.DataFrame:
        """The answer to a query, with the types of `engines.frames.frame`."""
        return frame(*self._answer(sql))

    def streamed(self, sql: str) -> pd.DataFrame:
        """The answer to a query that may have millions of rows, fetched as they are read where the driver can."""
        return frame(*self._answer(sql, stream=True))

    def check_zones(self, zones: Iterable[str]) -> None:
        """Refuses time zones that the session does not know, where that is so of some."""
        if self._session.zones:
            check_zones(self.frame, self.renders_as, zones, self._session.zones)

    def keep(self, name: str, rows: pd.DataFrame) -> str:
        """Refused: nothing is known of temporary tables here."""
        raise EngineError(
            f"cannot keep {len(rows):,} rows as {name}: no row says how {self.dialect} makes temporary tables",
            fix="use a home without frozen lists, or home=None",
        )

    def close(self) -> None:
        """Closes the connection if segkit opened it."""
        if self._owned:
            self._connection.close()

    def __repr__(self) -> str:
        return f"Warehouse({self._source!r})"

    # ------------------------------------------------------------ asking

    def _columns(self, table: str) -> list[Sequence[Any]]:
        """The columns of a table as the driver describes them."""
        query = render(compile.no_rows(table), self.renders_as)

        def ask(cursor: Any) -> list[Sequence[Any]]:
            cursor.execute(query)
            return list(cursor.description)

        return self._reading(ask)

    def _answer(self, sql: str, *, stream: bool = False) -> tuple[list[str], list[list[Any]]]:
        """The names and the columns of an answer."""

        def ask(cursor: Any) -> tuple[list[str], list[list[Any]]]:
            cursor.execute(sql)
            if cursor.description is None:
                raise EngineError("that command has no answer, it is no query", fix="ask for rows: SELECT ...")
            chunk = cursor.fetchmany(_AT_ONCE)
            names = [str(column[0]) for column in cursor.description]
            columns: list[list[Any]] = [[] for _ in names]
            while chunk:
                for column, values in zip(columns, zip(*map(_values, chunk), strict=True), strict=True):
                    column.extend(values)
                chunk = cursor.fetchmany(_AT_ONCE)
            return names, columns

        return self._reading(ask, stream=stream)

    def _reading(self, ask: Callable[[Any], _T], *, stream: bool = False) -> _T:
        """Asks in a transaction that only reads and is rolled back, or inside of the one that the caller has open."""

        def work(connection: Any, hold: Callable[[Any], Any]) -> _T:
            if not self._may_end():
                return self._inside(connection, hold, ask)
            begin = self._session.begin if getattr(connection, "autocommit", None) is True else self._session.read_only
            open_cursor = self._driver.stream if stream and self._driver.stream is not None else type(connection).cursor
            try:
                if begin:
                    hold(connection.cursor()).execute(begin)
                return ask(hold(open_cursor(connection)))
            finally:
                if self._session.transactions:
                    with suppress(self._errors):
                        connection.rollback()

        return self._run(work)

    def _inside(self, connection: Any, hold: Callable[[Any], Any], ask: Callable[[Any], _T]) -> _T:
        """Asks inside of the caller's transaction, which a refused query does not break where there are savepoints."""
        cursor = hold(connection.cursor())
        if not self._session.savepoints:
            return ask(cursor)
        cursor.execute("SAVEPOINT segkit")
        try:
            return ask(cursor)
        finally:
            with suppress(self._errors):
                cursor.execute("ROLLBACK TO SAVEPOINT segkit")
                cursor.execute("RELEASE SAVEPOINT segkit")

    def _may_end(self) -> bool:
        """Whether a transaction begun now is segkit's own."""
        return self._owned or (self._driver.is_idle is not None and self._driver.is_idle(self._connection))

    def _run(self, work: Callable[[Any, Callable[[Any], Any]], _T]) -> _T:
        """Does work on the connection; an interrupt cancels it."""
        held: list[Any] = []

        def hold(cursor: Any) -> Any:
            held.append(cursor)
            return cursor

        def stop() -> None:
            drivers.cancel(self._connection, held[-1] if held else None)

        try:
            with self._one_at_a_time:
                try:
                    return interruptible(lambda: work(self._connection, hold), stop)
                finally:
                    for cursor in held:
                        with suppress(Exception):
                            cursor.close()
        except (self._errors, UnicodeError) as error:
            raise self._refusal(error) from None

    def _refusal(self, error: BaseException) -> EngineError:
        if drivers.is_closed(self._connection):
            return EngineError(f"the connection to {self._source} is closed", fix="connect again")
        told = urls.hidden(str(error).strip(), self._secrets)
        denied = "permission" in told.lower() or "privilege" in told.lower() or "denied" in told.lower()
        state = str(getattr(error, "sqlstate", None) or "")
        fix = "grant SELECT on the tables of the catalog" if denied else "check the catalog against the tables"
        fix = next((own for begin, own in _FIXES.items() if state.startswith(begin)), fix)
        return EngineError(f"{self.dialect} refused the query: {told:.1000}", fix=fix)


_FIXES = {
    "53": "free memory or space on the server, or ask for less at once",
    "57014": "raise the session's statement_timeout, or ask for less at once",
    "40": "ask again",
    "55P03": "ask again once the table is not locked any more",
}
"""What helps, by how the SQLSTATE begins."""


def _values(row: Any) -> Sequence[Any]:
    """The values of a row, which a caller's connection may give by name."""
    return tuple(row.values()) if isinstance(row, Mapping) else row


class KeepingWarehouse(Warehouse):
    """A database that has temporary tables."""

    @property
    def _temporary(self) -> Temporary:
        assert self._session.temporary is not None
        return self._session.temporary

    def keep(self, name: str, rows: pd.DataFrame) -> str:
        """Makes or replaces a temporary table, seen by this connection alone."""
        types = [self._temporary.text if dtype == "string" else self._temporary.integer for dtype in map(str, rows.dtypes)]
        columns = ", ".join(f"{self._quoted(own)} {kind}" for own, kind in zip(rows.columns, types, strict=True))
        table, values = self._quoted(name), rows.astype(object).itertuples(index=False, name=None)

        def fill(cursor: Any) -> None:
            cursor.execute(f"{self._temporary.create} {table} ({columns})")
            if self._driver.insert is not None:
                self._driver.insert(cursor, self._place(name), values)
            elif len(rows):
                marks = drivers.placeholders(self._connection, len(rows.columns))
                cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", list(values))

        self._changing(name, fill)
        return self._path(name)

    def materialize(self, name: str, sql: str) -> str:
        """Makes or replaces a temporary table of a query's answer, seen by this connection alone."""
        self._changing(name, lambda cursor: cursor.execute(f"{self._temporary.create} {self._quoted(name)} AS {sql}"))
        return self._path(name)

    def discard(self, name: str) -> None:
        """Drops a temporary table, if it is there."""
        self._changing(name)

    def _changing(self, name: str, fill: Callable[[Any], Any] | None = None) -> None:
        """Drops a temporary table and fills it anew, committed unless the caller has a transaction open."""

        def work(connection: Any, hold: Callable[[Any], Any]) -> None:
            ends, cursor = self._may_end() and self._session.transactions, hold(connection.cursor())
            try:
                cursor.execute(f"DROP TABLE IF EXISTS {self._place(name)}")
                if fill is not None:
                    fill(cursor)
                if ends:
                    connection.commit()
            except BaseException:
                if ends:
                    with suppress(self._errors):
                        connection.rollback()
                raise

        self._run(work)

    def _quoted(self, name: object) -> str:
        quote = self._temporary.quote
        return f"{quote}{str(name).replace(quote, quote * 2)}{quote}"

    def _place(self, name: str) -> str:
        return ".".join(map(self._quoted, self._path(name).split(".")))

    def _path(self, name: str) -> str:
        return f"{self._temporary.schema}.{name}" if self._temporary.schema else name


class TransactingWarehouse(KeepingWarehouse):
    """A database that changes rows in transactions."""

    def index(self, name: str, columns: Sequence[str]) -> None:
        """Lets the rows of a temporary table be found by columns."""
        index, own = self._quoted(f"{name}_index"), ", ".join(map(self._quoted, columns))
        self.transacting(lambda run: run(f"CREATE INDEX {index} ON {self._place(name)} ({own})"))

    def transacting(self, work: Callable[[Run], _T]) -> _T:
        """Changes rows in a transaction of its own."""

        def change(connection: Any, hold: Callable[[Any], Any]) -> _T:
            if not self._may_end():
                raise transaction_is_open()
            cursor = hold(connection.cursor())
            try:
                if getattr(connection, "autocommit", None) is not False:
                    cursor.execute("BEGIN")
                done = work(_Writer(cursor).run)
                connection.commit()
            except BaseException:
                with suppress(self._errors):
                    connection.rollback()
                raise
            return done

        return self._run(change)


class WritingWarehouse(TransactingWarehouse):
    """PostgreSQL, whose commands that make and drop tables are part of a transaction."""

    def writing(self, work: Callable[[Writer], _T]) -> tuple[_T, bool]:
        """Does work in a transaction of its own, or as a part of the one that the caller has open."""

        def write(connection: Any, hold: Callable[[Any], Any]) -> tuple[_T, bool]:
            is_own, cursor = self._may_end(), hold(connection.cursor())
            begin = "" if getattr(connection, "autocommit", None) is not True else "BEGIN"
            if not is_own:
                cursor.execute("SAVEPOINT segkit")
            elif begin:
                cursor.execute(begin)
            try:
                done = work(_Writer(cursor))
            except BaseException:
                with suppress(self._errors):
                    if is_own:
                        connection.rollback()
                    else:
                        cursor.execute("ROLLBACK TO SAVEPOINT segkit")
                        cursor.execute("RELEASE SAVEPOINT segkit")
                raise
            if is_own:
                connection.commit()
            else:
                cursor.execute("RELEASE SAVEPOINT segkit")
            return done, is_own

        return self._run(write)


class _Writer:
    """Commands of a cursor."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        self._cursor.execute(sql)
        return [] if self._cursor.description is None else [tuple(_values(row)) for row in self._cursor.fetchall()]

    def standing(self, path: Sequence[str]) -> Standing | None:
        own, schema, *_ = (*reversed(path), None)
        self._cursor.execute(_STANDING, [own, schema])
        rows = [_values(row) for row in self._cursor.fetchall()]
        return Standing(_RELATIONS.get(str(rows[0][0]), "RELATION"), str(rows[0][1] or "")) if rows else None


_STANDING = """
SELECT CAST(c.relkind AS TEXT), obj_description(c.oid, 'pg_class')
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relname = %s AND n.nspname = COALESCE(%s, CAST(current_schema() AS TEXT))
"""
_RELATIONS = {"r": "TABLE", "p": "TABLE", "v": "VIEW", "m": "MATERIALIZED VIEW"}


# ---------------------------------------------------------------- opening


def is_connection(source: Any) -> bool:
    """Whether something is a connection of a driver."""
    return callable(getattr(source, "cursor", None)) and callable(getattr(source, "close", None))


def of_connection(
    connection: Any, dialect: str | None, source: str = "", *, owned: bool = False, secrets: tuple[str, ...] = ()
) -> Warehouse:
    """The engine of a driver's connection.

    Raises:
        EngineError: nobody says its dialect, or the session reads literals otherwise than they are meant.
    """
    driver = drivers.driver_of(connection)
    name = dialect or driver.dialect
    if name is None:
        raise EngineError(
            f"which SQL does this connection of {driver.package} speak?", fix='connect(connection, dialect="snowflake")'
        )
    checked = checked_dialect(name)
    engine = _KINDS.get(checked, Warehouse)(
        connection, checked, source or f"a connection of {driver.package}", owned=owned, secrets=secrets
    )
    try:
        session = SESSIONS.get(checked, Session())
        check_echo(engine.frame, engine.renders_as, session.literals)
        check_session(engine.frame, session.checks)
    except EngineError:
        engine.close()
        raise
    return engine


_KINDS: dict[str, type[Warehouse]] = {
    "postgres": WritingWarehouse,
    "mysql": TransactingWarehouse,
    "redshift": KeepingWarehouse,
    "snowflake": KeepingWarehouse,
}
"""What a dialect's databases can, beyond being asked."""


def of_url(url: str, dialect: str | None) -> Warehouse | sqlite.SQLite:
    """The engine of a database URL."""
    return of_sqlalchemy(urls.engine_of(url), dialect)


def of_sqlalchemy(source: Any, dialect: str | None) -> Warehouse | sqlite.SQLite:
    """The engine of an engine of SQLAlchemy, by a connection of its own, or of a connection of the caller's."""
    owned = hasattr(source, "raw_connection")
    raw = urls.connection_of(source) if owned else source.connection.driver_connection
    if sqlite.is_connection(raw):
        return sqlite.of_connection(raw)
    name = dialect or urls.DIALECTS.get(source.dialect.name, source.dialect.name)
    if not owned:
        return of_connection(raw, name)
    return of_connection(raw, name, urls.shown(source.url), owned=True, secrets=urls.secrets_of(source.url))
