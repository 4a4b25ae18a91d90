"""Spark: a session of the caller's, here or on a cluster. Only results are collected."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from segkit.catalog import Column, Kind, Tables
from segkit.engines import kinds
from segkit.engines.echo import check_echo
from segkit.engines.frames import frame
from segkit.engines.interrupt import interruptible
from segkit.engines.limits import Limits
from segkit.errors import EngineError

if TYPE_CHECKING:
    import pandas as pd

_T = TypeVar("_T")
_NESTED = ("array", "struct", "map", "variant")


class Spark:
    """A SparkSession, which the caller stops. Any thread may ask, several at a time."""

    dialect = renders_as = "spark"
    limits = Limits()
    any_thread = True

    def __init__(self, session: Any) -> None:
        self._session = session

    def tables(self) -> Tables:
        """The tables of the session's database and its temporary views; those of others when they are named with dots.

        Each is described when it is first read: a lake may hold thousands.
        """
        return _Described(self)

    def frame(self, sql: str) -> pd.DataFrame:
        """The answer to a query, with the types of `engines.frames.frame`."""
        answer = self.run(lambda session: session.sql(sql).toArrow())
        return frame(answer.column_names, [column.to_pylist() for column in answer.columns])

    def keep(self, name: str, rows: pd.DataFrame) -> str:
        """Makes or replaces a temporary view of rows, seen by this session alone."""
        import pyarrow as pa

        table = pa.Table.from_pandas(rows, preserve_index=False)
        self.run(lambda session: session.createDataFrame(table).createOrReplaceTempView(name))
        return name

    def close(self) -> None:
        """Nothing: the session is the caller's."""

    def __repr__(self) -> str:
        return "Spark(a session)"

    def run(self, work: Callable[[Any], _T]) -> _T:
        """Does work with the session; an interrupt cancels the jobs that it began, and no others."""
        tag = f"segkit_{uuid4().hex}"
        add, remove, cancel = _of_tags(self._session)

        def tagged() -> _T:
            add(tag)
            try:
                return work(self._session)
            finally:
                remove(tag)

        try:
            return interruptible(tagged, lambda: cancel(tag))
        except ImportError as error:
            raise EngineError(f"Spark hands over results as Arrow: {error}", fix='pip install "segkit[spark]"') from None
        except _errors() as error:
            raise _refusal(error) from None
        except AttributeError as error:
            if error.obj is not None:
                raise
            raise EngineError("the session was stopped", fix="make another, and connect again") from None


def _of_tags(session: Any) -> tuple[Callable[[str], Any], Callable[[str], Any], Callable[[str], Any]]:
    """What gives a tag to the jobs of a thread, takes it away, and cancels them from another thread.

    `interruptTag` of a session finds only tags of the thread that calls it, but for Spark Connect, which has no context.
    """
    context = getattr(session, "sparkContext", None)
    if context is None:
        return session.addTag, session.removeTag, session.interruptTag
    return context.addJobTag, context.removeJobTag, context.cancelJobsWithTag


class _Described(Mapping[str, Mapping[str, Column]]):
    """The tables of a session, by what its catalog lists; each is described when it is first read."""

    def __init__(self, engine: Spark) -> None:
        self._engine = engine
        self._known: dict[str, Mapping[str, Column] | None] = {}
        self._listed: list[str] | None = None

    def __getitem__(self, name: str) -> Mapping[str, Column]:
        if name not in self._known:
            self._known[name] = self._columns(name)
        found = self._known[name]
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        if self._listed is None:
            self._listed = [table.name for table in self._engine.run(lambda session: session.catalog.listTables())]
        named = [name for name, columns in self._known.items() if columns is not None and name not in self._listed]
        return iter([*self._listed, *named])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _columns(self, name: str) -> Mapping[str, Column] | None:
        path = ".".join(f"`{part.replace('`', '``')}`" for part in name.split("."))
        try:
            schema = self._engine.run(lambda session: session.table(path).schema)
        except EngineError as error:
            if "TABLE_OR_VIEW_NOT_FOUND" in error.what:
                return None
            raise
        return {field.name: Column(field.name, _kind(field.dataType)) for field in schema.fields}


def _kind(data_type: Any) -> Kind:
    """The kind of a column. What is nested is no JSON text: a view with TO_JSON makes it such."""
    name = str(data_type.simpleString())
    if name.startswith(_NESTED):
        return Kind.UNKNOWN
    return kinds.kind(name, getattr(data_type, "scale", None), "spark")


def is_session(source: Any) -> bool:
    """Whether something is a SparkSession, of Spark itself or of Spark Connect."""
    return any(own.__name__ == "SparkSession" and own.__module__.startswith("pyspark.sql") for own in type(source).__mro__)


def is_address(source: Any) -> bool:
    """Whether a text names a cluster of Spark."""
    return isinstance(source, str) and source.startswith(("spark:", "sc:"))


def refuse_address(source: str) -> EngineError:
    """Why a cluster is not reached by its address alone."""
    scheme = source.partition(":")[0]
    return EngineError(
        f"{scheme}: names a cluster, and segkit asks a session",
        fix='pass SparkSession.builder.getOrCreate(); it takes pip install "segkit[spark]" and a Java runtime',
    )


def of_session(session: Any) -> Spark:
    """The engine of a session.

    Raises:
        EngineError: it is older than Spark 4, or reads literals otherwise than they are meant.
    """
    version = str(session.version)
    if not version.partition(".")[0].isdigit() or int(version.partition(".")[0]) < 4:
        raise EngineError(
            f"the session is of Spark {version}", fix="use Spark 4 or newer, or render for it with seg.sql('spark')"
        )
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
    engine = Spark(session)
    check_echo(engine.frame, engine.renders_as, "spark.conf.set('spark.sql.parser.escapedStringLiterals', 'false')")
    return engine


# ---------------------------------------------------------------- errors


def _errors() -> tuple[type[Exception], ...]:
    """What Spark raises; py4j is not there where only Spark Connect is."""
    from pyspark.errors import PySparkException

    try:
        from py4j.protocol import Py4JError
    except ImportError:
        return (PySparkException,)
    return (PySparkException, Py4JError)


_FIXES = {
    "AMBIGUOUS_REFERENCE": "two columns differ in case alone: spark.conf.set('spark.sql.caseSensitive', 'true')",
    "stopped": "the session was stopped: make another, and connect again",
    "ARITHMETIC_OVERFLOW": "a number of the data is too large for this calculation",
}


def _refusal(error: Exception) -> EngineError:
    """The first paragraph of what Spark says: the plan that it adds is of no use."""
    told = str(error).strip().partition("\n\n")[0].partition(";\n")[0]
    fix = next((fix for part, fix in _FIXES.items() if part in str(error)), "check the catalog against the tables")
    return EngineError(f"Spark refused the query: {told:.1000}", fix=fix)
