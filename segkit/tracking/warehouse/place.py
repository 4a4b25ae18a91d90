"""Where a history stands: a warehouse, and a schema in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from segkit import nodes
from segkit.catalog import Catalog, Kind
from segkit.compile import Sql, tracked
from segkit.engines import Engine, Streams, Transacts
from segkit.errors import DataError, DefinitionError, EngineError
from segkit.rendering import render

if TYPE_CHECKING:
    import pandas as pd

VERSION = 1
_T = TypeVar("_T")
Rows: TypeAlias = list[tuple[Any, ...]]
Ask: TypeAlias = Callable[[Sql], Rows]
"""Carries a statement out, and gives the rows that it answers with."""


@dataclass(frozen=True)
class Warehouse:
    """A warehouse, and the tables of the history in it; `key` is the kind of the contacts' keys."""

    engine: Transacts
    tables: tracked.Tables
    key: Kind

    def frame(self, query: Sql) -> pd.DataFrame:
        """The answer to a query."""
        text = render(query, self.engine.renders_as)
        return self.engine.streamed(text) if isinstance(self.engine, Streams) else self.engine.frame(text)

    def ask(self, query: Sql) -> Rows:
        """The rows that a query answers with, read and nothing else."""
        import pandas as pd

        rows = self.frame(query).astype(object).itertuples(index=False, name=None)
        return [tuple(None if pd.isna(value) else value for value in row) for row in rows]

    def transacting(self, work: Callable[[Ask], _T]) -> _T:
        """Does work in one transaction."""
        return self.engine.transacting(lambda run: work(lambda command: run(render(command, self.engine.renders_as))))

    def writing(self, work: Callable[[Ask], _T]) -> _T:
        """Does work in one transaction; whoever else wants to write waits until it is over, and then sees what it left."""

        def claimed(ask: Ask) -> _T:
            ask(tracked.claimed(self.tables))
            return work(ask)

        return self.transacting(claimed)

    def damaged(self, what: str) -> DataError:
        """The error for tables that do not say what was written."""
        return DataError(
            f"the tracked history in {self.tables.schema} is damaged: {what}",
            fix="put back the tables segkit_* there from a copy, or drop them and make them anew to begin a new history",
        )


def opened(engine: Engine, schema: str, catalog: Catalog) -> Warehouse:
    """The place of a history in a schema.

    Raises:
        DefinitionError: that is no name of a schema.
        EngineError: the engine has no transactions that segkit knows.
        DataError: the contacts' keys cannot be kept.
    """
    parts = nodes.checked_name(schema, "schema").split(".")
    if len(parts) > 2 or not all(parts):
        raise DefinitionError(f"{schema!r:.120} is no schema", fix="write schema or catalog.schema")
    if not isinstance(engine, Transacts):
        raise EngineError(
            f"a history is kept in PostgreSQL, MariaDB, MySQL, SQLite and DuckDB, not in {engine.dialect}",
            fix="leave history= out: it is kept in the home then, for every engine",
        )
    contacts = catalog.contacts
    kind = contacts.fields[contacts.key].kind if contacts.key in contacts.fields else Kind.UNKNOWN
    if kind not in (Kind.TEXT, Kind.INTEGER):
        raise DataError(
            f"the contacts' key {contacts.key!r:.80} is of the kind {kind.value}",
            fix="track contacts whose key is text or a whole number of 64 bits",
        )
    return Warehouse(engine, tracked.Tables(schema), kind)


def statements(place: Warehouse) -> list[str]:
    """The commands that make the tables."""
    return [render(own, place.engine.renders_as) for own in tracked.made(place.tables, place.key, VERSION)]


def make(place: Warehouse, commands: list[str]) -> None:
    """Makes the tables that are not there."""

    def work(run: Callable[[str], Rows]) -> None:
        for command in commands:
            run(command)

    place.engine.transacting(work)
