"""What is written to an engine, and what stands there already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from segkit.errors import EngineError

Run: TypeAlias = Callable[[str], list[tuple[Any, ...]]]
"""Carries a command out, and gives the rows that it answers with."""


@dataclass(frozen=True)
class Standing:
    """What stands under a name: a `TABLE`, a `VIEW` or something else, and the comment on it or its text."""

    kind: str
    about: str


class Writer(Protocol):
    """Commands inside of one transaction."""

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """Carries a command out, and gives the rows that it answers with."""
        ...

    def standing(self, path: Sequence[str]) -> Standing | None:
        """What stands under a name, which a schema and a catalog may precede."""
        ...


def transaction_is_open() -> EngineError:
    """The error for who asks for a transaction of segkit's own inside of another one."""
    return EngineError("a transaction is open on this connection, and this takes one of its own", fix="commit it or roll it back")
