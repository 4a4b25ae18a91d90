"""The tables of a database that does not list them: each is described by a query of no rows when it is first named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from segkit.catalog import Column, Kind
from segkit.engines import kinds
from segkit.errors import EngineError

_CONVENTIONAL = ("contacts", "events", "list_members")
_OF_PYTHON = {"str": "TEXT", "int": "BIGINT", "float": "DOUBLE", "bool": "BOOLEAN", "Decimal": "DECIMAL", "date": "DATE"}


class Described(Mapping[str, Mapping[str, Column]]):
    """Tables by name. Those that can be counted are those of the conventional names, and those asked for before.

    `describe` gives the columns of a table as the driver's cursor describes them.
    """

    def __init__(self, describe: Callable[[str], Sequence[Sequence[Any]]], dialect: str) -> None:
        self._describe, self._dialect = describe, dialect
        self._known: dict[str, Mapping[str, Column] | None] = {}

    def __getitem__(self, name: str) -> Mapping[str, Column]:
        if name not in self._known:
            self._known[name] = self._described(name)
        found = self._known[name]
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter([name for name in dict.fromkeys((*_CONVENTIONAL, *self._known)) if name in self])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def _described(self, name: str) -> Mapping[str, Column] | None:
        try:
            columns = self._describe(name)
        except EngineError:
            return None
        return {str(own[0]): Column(str(own[0]), _kind(own, self._dialect)) for own in columns}


def _kind(column: Sequence[Any], dialect: str) -> Kind:
    """The kind of a column by what its driver says of its type: a name, a class of Python, or nothing to go by.

    >>> _kind(("n", int), "trino").value, _kind(("at", "timestamp(6) with time zone"), "trino").value, _kind(("x", 25), "").value
    ('integer', 'timestamptz', 'unknown')
    """
    own, scale = column[1], column[5] if len(column) > 5 else None
    name = str(getattr(own, "__name__", own))
    return kinds.kind(_OF_PYTHON.get(name, name), scale, dialect)
