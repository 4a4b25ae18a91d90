"""Where SQL runs: the `Engine` protocol and its adapters: embedded `duck` and `sqlite`, `datafusion`, any `warehouse`, `spark`.

An engine knows its dialect, its tables, and how to answer a query as a frame. Analysis only reads: files are opened
read-only, and SQL cannot reach the file system or the network beyond the files it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar, runtime_checkable

from segkit.catalog import Tables
from segkit.engines.limits import Limits
from segkit.engines.written import Run, Writer

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_T = TypeVar("_T")


class Engine(Protocol):
    """What segkit needs of a place where SQL runs.

    `dialect` is what SQL is shown in. `renders_as` is what queries are rendered for: the same, or an inner form of it
    that also uses the functions which the engine registers. Counts that are larger than its `limits` are split.
    """

    dialect: str
    renders_as: str
    limits: Limits

    def tables(self) -> Tables:
        """The tables there are, with their columns and kinds."""
        ...

    def frame(self, sql: str) -> pd.DataFrame:
        """The answer to a query. Interrupting it leaves the engine usable."""
        ...

    def keep(self, name: str, rows: pd.DataFrame) -> str:
        """Makes or replaces a temporary table, seen by this connection alone, and gives its name in SQL."""
        ...

    def close(self) -> None:
        """Gives back what the engine opened itself."""
        ...


@runtime_checkable
class KeepsAnswers(Engine, Protocol):
    """An engine that can keep the answer to a query, so that others can be asked of it."""

    def materialize(self, name: str, sql: str) -> str:
        """Makes or replaces a temporary table of a query's answer, seen by this connection alone, and gives its name in SQL."""
        ...

    def discard(self, name: str) -> None:
        """Drops a temporary table, if it is there."""
        ...


@runtime_checkable
class HandsOverColumns(Engine, Protocol):
    """An engine in this process that hands over whole columns, so that a row for each contact is soon at hand."""

    def columns(self, sql: str) -> Mapping[str, np.ndarray]:
        """The columns of the answer to a query, none of whose values is missing."""
        ...


@runtime_checkable
class Writes(Engine, Protocol):
    """An engine that can write, in a transaction: all of it or nothing."""

    def writing(self, work: Callable[[Writer], _T]) -> tuple[_T, bool]:
        """Does work, and says whether it is committed: not inside of a transaction that the caller has open.

        Raises:
            EngineError: the engine refused a command, or was opened to be read only. Nothing is left of the work.
        """
        ...


@runtime_checkable
class Transacts(KeepsAnswers, Protocol):
    """An engine that can change the rows of tables in a transaction of its own: all of it or nothing."""

    def index(self, name: str, columns: Sequence[str]) -> None:
        """Lets the rows of a temporary table be found by columns, where the engine would else look through all for each."""
        ...

    def transacting(self, work: Callable[[Run], _T]) -> _T:
        """Does work, and commits it.

        Raises:
            EngineError: the engine refused a command, was opened to be read only, or the caller has a transaction open.
                Nothing is left of the work.
        """
        ...


@runtime_checkable
class Streams(Engine, Protocol):
    """An engine that can hand over the answer to a query as it is read."""

    def streamed(self, sql: str) -> pd.DataFrame:
        """The answer to a query that may have millions of rows."""
        ...


@runtime_checkable
class ChecksZones(Engine, Protocol):
    """An engine that may not know each time zone."""

    def check_zones(self, zones: Iterable[str]) -> None:
        """Refuses those that it does not know.

        Raises:
            EngineError: with the remedy.
        """
        ...


Mode: TypeAlias = Literal["ro", "rw"]
"""How a file is opened: to be read only, or also to be written to in transactions."""


def open_engine(source: Any, dialect: str | None = None, mode: Mode = "ro") -> Engine:
    """The engine for a DuckDB or SQLite file, a folder of Parquet or CSV files, `:memory:`, `sqlite:///path`, a mapping of
    frames, any database URL, an engine of SQLAlchemy, a connection of a driver, a SparkSession, or a context of DataFusion.
    A file is told by its first bytes.

    `dialect` says which SQL a connection speaks whose driver does not tell, `mode` how a file is opened.

    Raises:
        EngineError: nothing segkit can open.
    """
    # the libraries are heavy: they are loaded when data is asked
    from segkit.engines import clickhouse, datafusion, duck, spark, sqlite, urls, warehouse

    if spark.is_session(source):
        return spark.of_session(source)
    if spark.is_address(source):
        raise spark.refuse_address(source)
    if urls.is_sqlalchemy(source):
        return warehouse.of_sqlalchemy(source, dialect)
    if datafusion.is_context(source):
        return datafusion.of_context(source)
    if (driver := clickhouse.driver_of(source)) is not None:
        return clickhouse.ClickHouse(driver)
    if sqlite.is_connection(source):
        return sqlite.of_connection(source)
    if isinstance(source, str) and source.startswith("sqlite:"):
        return sqlite.of_file(sqlite.path_of(source), mode)
    if urls.is_url(source):
        return warehouse.of_url(source, dialect)
    if isinstance(source, str | Path) and sqlite.is_file(Path(source).expanduser()):
        return sqlite.of_file(Path(source).expanduser(), mode)
    if warehouse.is_connection(source) and not duck.is_connection(source):
        return warehouse.of_connection(source, dialect)
    return duck.open_duckdb(source, mode)
