"""ClickHouse: a session of chdb, in this process, or a client of clickhouse-connect.

A `DateTime` is an instant there, whatever zone it is shown in: such columns are read as timestamps with zone.

Answers come as Parquet, the one form that both libraries have and that keeps the types. Frames hold whole numbers as int64
(Int64 where one is missing), decimals as float64, instants in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from segkit.catalog import Column, Kind, Tables
from segkit.engines.interrupt import interruptible
from segkit.engines.limits import Limits
from segkit.errors import EngineError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_T = TypeVar("_T")


class Driver(Protocol):
    """How a library talks to ClickHouse."""

    source: str

    def ask(self, sql: str) -> bytes:
        """The answer to a query, as Parquet."""
        ...

    def tell(self, sql: str) -> None:
        """Runs a command."""
        ...

    def put(self, table: str, rows: pa.Table) -> None:
        """Adds rows to a table."""
        ...

    def run(self, work: Callable[[], _T]) -> _T:
        """Does work so that an interrupt of the notebook ends it."""
        ...


class ClickHouse:
    """ClickHouse through one of its Python libraries. The caller closes the connection."""

    dialect = renders_as = "clickhouse"
    limits = Limits()
    any_thread = True

    def __init__(self, driver: Driver) -> None:
        if find_spec("pyarrow") is None:
            raise EngineError("answers of ClickHouse are read with pyarrow", fix="pip install pyarrow")
        self._driver = driver
        self._one_at_a_time = Lock()
        self._check_settings()

    def tables(self) -> Tables:
        """The tables and views of the current database; those of others by their dotted names."""
        tables: dict[str, dict[str, Column]] = {}
        for path, column, kind in self.frame(_COLUMNS).itertuples(index=False, name=None):
            tables.setdefault(path, {})[column] = Column(column, kind_of(kind))
        return tables

    def frame(self, sql: str) -> pd.DataFrame:
        """The answer to a query."""
        return _frame(self._run(lambda: self._driver.ask(sql)))

    def keep(self, name: str, rows: pd.DataFrame) -> str:
        """Makes or replaces a temporary table of the session."""
        import pyarrow as pa

        table = pa.Table.from_pandas(rows, preserve_index=False)
        columns = ", ".join(f"{_quoted(own.name)} Nullable({_stored(own.type)})" for own in table.schema)

        def replace() -> None:
            self._driver.tell(f"DROP TEMPORARY TABLE IF EXISTS {_quoted(name)}")
            self._driver.tell(f"CREATE TEMPORARY TABLE {_quoted(name)} ({columns})")
            self._driver.put(name, table)

        self._run(replace)
        return name

    def materialize(self, name: str, sql: str) -> str:
        """Makes or replaces a temporary table of a query's answer."""

        def replace() -> None:
            self._driver.tell(f"DROP TEMPORARY TABLE IF EXISTS {_quoted(name)}")
            self._driver.tell(f"CREATE TEMPORARY TABLE {_quoted(name)} AS {sql}")

        self._run(replace)
        return name

    def discard(self, name: str) -> None:
        """Drops a temporary table, if it is there."""
        self._run(lambda: self._driver.tell(f"DROP TEMPORARY TABLE IF EXISTS {_quoted(name)}"))

    def close(self) -> None:
        """Nothing to give back: the caller made the connection."""

    def __repr__(self) -> str:
        return f"ClickHouse({self._driver.source!r})"

    def _check_settings(self) -> None:
        """Refuses a session in which queries would be answered otherwise than they are meant."""
        found = self.frame(_ASKED)
        changed = found.loc[found["is_changed"] == 1, "name"].tolist()
        if set(changed) & _CUTS or len(found) < len(_SETTINGS) + len(_CUTS):
            raise EngineError("the session has set limit or offset: answers are cut off", fix=f"{_LIFTED}, then connect")
        for name in changed:
            raise EngineError(f"the session has set {name}: {_SETTINGS[name]}", fix=f"SET {name} = DEFAULT, then connect")

    def _run(self, work: Callable[[], _T]) -> _T:
        try:
            with self._one_at_a_time:
                return self._driver.run(work)
        except Exception as error:
            what = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise EngineError(f"ClickHouse refused the query: {what:.2000}", fix="check the catalog against the tables") from None


_SETTINGS = {
    "aggregate_functions_null_for_empty": "counts of nothing are missing instead of 0",
    "count_distinct_implementation": "distinct values are not counted exactly",
    "decimal_check_overflow": "decimals that overflow are wrong instead of an error",
    "read_overflow_mode": "tables are read in part",
    "result_overflow_mode": "answers are cut off",
    "timeout_overflow_mode": "answers are cut off",
}
"""What goes wrong where a setting is not as ClickHouse comes."""
_CUTS = {"limit", "offset"}
_LIFTED = "SET limit = DEFAULT, offset = DEFAULT"

_ASKED = f"""
SELECT name, changed AND (value <> default OR name IN {tuple(_CUTS)}) AS is_changed FROM system.settings
WHERE name IN {(*_SETTINGS, *_CUTS)}
"""


# ---------------------------------------------------------------- drivers


_LONGEST = 262_144
"""The bytes of a query that ClickHouse reads without being asked to read more."""


def _raised(sql: str) -> dict[str, int]:
    """The limits of parsing that a long query needs higher: they bear on no answer."""
    size = len(sql.encode())
    limits = ("max_query_size", "max_ast_elements", "max_expanded_ast_elements")
    return dict.fromkeys(limits, max(2 * size, 1_000_000)) if size > _LONGEST else {}


class Chdb:
    """A session of chdb."""

    source = "a session of chdb"

    def __init__(self, session: Any) -> None:
        self._session = session

    def ask(self, sql: str) -> bytes:
        for name, value in _raised(sql).items():
            self.tell(f"SET {name} = {value}")
        return bytes(self._session.query(sql, "Parquet").bytes())

    def tell(self, sql: str) -> None:
        self._session.query(sql, "Null")

    def put(self, table: str, rows: pa.Table) -> None:
        given = rows  # chdb finds it by its name
        self._session.query(f"INSERT INTO {_quoted(table)} SELECT * FROM Python(given)", "Null")
        del given

    def run(self, work: Callable[[], _T]) -> _T:
        try:
            return interruptible(work, self._cancel)
        except KeyboardInterrupt:
            self.tell("SELECT 1")  # takes what is left of the answer that was ended
            raise

    def _cancel(self) -> None:
        """A session waits for its own query: another one ends it."""
        with type(self._session)(self._session._path) as other:
            other.query("KILL QUERY WHERE query_id != queryID() ASYNC", "Null")


class Client:
    """A client of clickhouse-connect, which answers an interrupt itself."""

    source = "a client of clickhouse-connect"

    def __init__(self, client: Any) -> None:
        self._client = client

    def ask(self, sql: str) -> bytes:
        return bytes(self._client.raw_query(sql, fmt="Parquet", settings=_raised(sql)))

    def tell(self, sql: str) -> None:
        self._client.command(sql)

    def put(self, table: str, rows: pa.Table) -> None:
        self._client.insert_arrow(table, rows)

    def run(self, work: Callable[[], _T]) -> _T:
        return work()


def driver_of(source: Any) -> Driver | None:
    """How to talk to a session of chdb or a client of clickhouse-connect; None if it is neither."""
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(source).__mro__}
    if "chdb.session.state.Session" in names:
        return Chdb(source)
    return Client(source) if "clickhouse_connect.driver.client.Client" in names else None


# ---------------------------------------------------------------- tables and kinds

_COLUMNS = """
SELECT if(database = currentDatabase(), table, concat(database, '.', table)), name, type FROM system.columns
WHERE database NOT IN ('', 'system', 'INFORMATION_SCHEMA', 'information_schema') ORDER BY database, table, position
"""

_WRAPPED = re.compile(r"(?:Nullable|LowCardinality)\((.*)\)")
_KINDS = (
    (r"U?Int\d+", Kind.INTEGER),
    (r"Float\d+|BFloat16", Kind.FLOAT),
    (r"Decimal\d*\(.*\)", Kind.DECIMAL),
    (r"Bool", Kind.BOOLEAN),
    (r"Date|Date32", Kind.DATE),
    (r"DateTime(64)?(\(.*\))?", Kind.TIMESTAMPTZ),
    (r"String|Enum\d+\(.*\)", Kind.TEXT),
    (r"(JSON|Object|Map|Tuple|Array|Nested)(\(.*\))?", Kind.JSON),
)


def kind_of(declared: str) -> Kind:
    """The kind of a column by its type.

    >>> kind_of("LowCardinality(Nullable(String))"), kind_of("DateTime64(3, 'Europe/Rome')")
    (<Kind.TEXT: 'text'>, <Kind.TIMESTAMPTZ: 'timestamptz'>)
    """
    while wrapped := _WRAPPED.fullmatch(declared):
        declared = wrapped[1]
    return next((kind for pattern, kind in _KINDS if re.fullmatch(pattern, declared)), Kind.UNKNOWN)


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


# ---------------------------------------------------------------- frames


def _stored(kind: pa.DataType) -> str:
    """The type of a column that holds values of Arrow's."""
    import pyarrow as pa

    if pa.types.is_integer(kind):
        return "Int64"
    if pa.types.is_floating(kind):
        return "Float64"
    return "DateTime64(6, 'UTC')" if pa.types.is_timestamp(kind) else "String"


def _frame(parquet: bytes) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(pa.BufferReader(parquet))
    frame = pd.DataFrame({i: _series(column) for i, column in enumerate(table.columns)}, index=range(table.num_rows))
    frame.columns = pd.Index(table.column_names)
    return frame


def _series(column: pa.ChunkedArray) -> pd.Series[Any]:
    import pandas as pd
    import pyarrow as pa

    types = pa.types
    if types.is_decimal(column.type):
        column = column.cast("float64")
    if types.is_binary(column.type) or types.is_fixed_size_binary(column.type):  # enumerations, texts of a fixed size
        return pd.Series([value and value.decode(errors="replace") for value in column.to_pylist()], dtype=object)
    if types.is_integer(column.type) and column.null_count:
        return pd.Series(column.to_pylist(), dtype="Int64")
    return pd.Series(column.to_pandas())
