"""DataFusion: a `SessionContext` of the caller's, with the tables that are registered in it.

It only answers queries: statements that would change something are refused. What segkit keeps for itself are tables in
the memory of the context, whose names begin with `segkit_`. An interrupt ends a query within a second or so.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from segkit.catalog import Column, Kind, Tables
from segkit.engines.echo import check_echo
from segkit.engines.frames import frame
from segkit.engines.limits import Limits
from segkit.errors import EngineError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_T = TypeVar("_T")
_HOME = ("datafusion", "public")
"""The catalog and schema whose tables go by their own names."""


class DataFusion:
    """A session of DataFusion. Any thread may ask."""

    dialect = renders_as = "datafusion"
    limits = Limits()
    any_thread = True

    def __init__(self, context: Any) -> None:
        self._context = context

    def tables(self) -> Tables:
        """The tables and views; those outside of `datafusion.public` by their dotted names."""
        return _asked(lambda: dict(_tables(self._context)))

    def frame(self, sql: str) -> pd.DataFrame:
        """The answer to a query."""
        answer = self._answer(sql)
        return frame(answer.column_names, [column.to_pylist() for column in answer.columns])

    def keep(self, name: str, rows: pd.DataFrame) -> str:
        """Makes or replaces a table in the memory of the context."""
        import pyarrow as pa

        return self._keep(name, pa.Table.from_pandas(rows, preserve_index=False))

    def materialize(self, name: str, sql: str) -> str:
        """Makes or replaces a table of a query's answer in the memory of the context."""
        return self._keep(name, self._answer(sql))

    def discard(self, name: str) -> None:
        """Drops a table, if it is there."""
        _asked(lambda: self._context.deregister_table(name))

    def close(self) -> None:
        """Nothing: the context is the caller's."""

    def __repr__(self) -> str:
        return "DataFusion(a context)"

    def _answer(self, sql: str) -> pa.Table:
        import datafusion

        reading = datafusion.SQLOptions().with_allow_ddl(False).with_allow_dml(False).with_allow_statements(False)
        return _asked(lambda: self._context.sql_with_options(sql, reading).to_arrow_table())

    def _keep(self, name: str, table: pa.Table) -> str:
        self.discard(name)
        _asked(lambda: self._context.from_arrow(table, name))
        return name


def is_context(source: Any) -> bool:
    """Whether something is a context of DataFusion, which then is loaded already."""
    library = sys.modules.get("datafusion")
    return library is not None and isinstance(source, library.SessionContext)


def of_context(context: Any) -> DataFusion:
    """The engine of a context.

    Raises:
        EngineError: its settings would read literals otherwise than they are meant.
    """
    engine = DataFusion(context)
    check_echo(engine.frame, engine.renders_as, "set datafusion.sql_parser.dialect to 'generic'")
    if not isinstance(context.sql("SELECT 0.5 AS half").to_arrow_table()["half"][0].as_py(), float):
        raise EngineError(
            "the session takes numbers with a point for decimals: it would find wrong members beside floats",
            fix="set datafusion.sql_parser.parse_float_as_decimal to false",
        )
    return engine


def _asked(work: Callable[[], _T]) -> _T:
    """Work in the thread at hand: there DataFusion looks for an interrupt by itself. It has no exceptions of its own."""
    try:
        return work()
    except Exception as error:
        raise EngineError(f"DataFusion refused the query: {error}", fix="check the catalog against the tables") from None


# ---------------------------------------------------------------- tables and kinds


def _tables(context: Any) -> Iterator[tuple[str, dict[str, Column]]]:
    for catalog in sorted(context.catalog_names()):
        for schema in sorted(context.catalog(catalog).schema_names()):
            tables = context.catalog(catalog).schema(schema)
            above = "" if (catalog, schema) == _HOME else f"{schema}." if catalog == _HOME[0] else f"{catalog}.{schema}."
            for name in sorted(tables.names()):
                columns = tables.table(name).schema
                yield above + name, {column.name: Column(column.name, _kind(column.type)) for column in columns}


def _kind(stored: pa.DataType) -> Kind:
    from pyarrow import types

    if types.is_dictionary(stored):
        return _kind(stored.value_type)
    if types.is_timestamp(stored):
        return Kind.TIMESTAMP if stored.tz is None else Kind.TIMESTAMPTZ
    return next((kind for is_such, kind in _kinds() if is_such(stored)), Kind.UNKNOWN)


def _kinds() -> Iterator[tuple[Callable[[pa.DataType], bool], Kind]]:
    from pyarrow import types

    for is_text in (types.is_string, types.is_large_string, types.is_string_view):
        yield is_text, Kind.TEXT
    yield types.is_integer, Kind.INTEGER
    yield types.is_decimal, Kind.DECIMAL
    yield types.is_floating, Kind.FLOAT
    yield types.is_boolean, Kind.BOOLEAN
    yield types.is_date, Kind.DATE
    yield types.is_duration, Kind.DURATION
