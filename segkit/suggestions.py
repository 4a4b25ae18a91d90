"""Values to choose from: those of a column that has few different ones, with how often each stands there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from segkit.catalog import Catalog, Column, EventTable, Kind, find
from segkit.compile import Sql, values
from segkit.engines import Engine
from segkit.errors import DefinitionError
from segkit.rendering import render

_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
MOST = 200
"""A column with more different values, such as e-mail addresses, is not listed at all."""
_LISTED = (Kind.TEXT, Kind.INTEGER, Kind.DECIMAL, Kind.NUMBER)


@dataclass(frozen=True)
class Suggested:
    """Values as text with their counts, the most frequent first; `note` says why there are none."""

    values: tuple[tuple[str, int], ...]
    note: str = ""


def of_field(engine: Engine, catalog: Catalog, name: str) -> Suggested:
    """The values of a field of the contacts.

    Raises:
        DefinitionError: there is no such field.

    >>> from segkit import connect
    >>> ws = connect()
    >>> of_field(ws.engine, ws.catalog, "subscription_status").values[0][0]
    'Active'
    >>> of_field(ws.engine, ws.catalog, "email")
    Suggested(values=(), note='too many different values to list')
    """
    if any(name.casefold() == other.casefold() for other in catalog.calculated):
        return Suggested((), "calculated values are not listed")
    fields = catalog.contacts.fields
    column = fields[find("field", name, fields)]
    return _suggested(engine, column, lambda: values.of_contacts(catalog, column.name, MOST + 1))


def of_property(engine: Engine, catalog: Catalog, event: str, name: str) -> Suggested:
    """The values that a property of an event has."""
    table = _table(catalog, event)
    column = table.properties[find("property", name, table.properties)]
    own = None if event == "*" else event
    return _suggested(engine, column, lambda: values.of_events(table, own, column.name, MOST + 1))


def _table(catalog: Catalog, event: str) -> EventTable:
    for table in catalog.events:
        names = (table.name,) if table.name else table.names or table.observed or ()
        if event == "*" or event in names:
            return table
    raise DefinitionError(f"no event {event!r:.60} is known", fix="choose another event")


def _suggested(engine: Engine, column: Column, query: Callable[[], Sql]) -> Suggested:
    if column.kind not in _LISTED:
        return Suggested((), f"values of kind {column.kind} are not listed")
    found = engine.frame(render(query(), engine.renders_as))
    if len(found) > MOST:
        return Suggested((), "too many different values to list")
    if any(_ADDRESS.search(str(value)) for value in found["value"]):
        return Suggested((), "addresses are not listed")
    return Suggested(tuple((str(value), int(number)) for value, number in found.itertuples(index=False)))
