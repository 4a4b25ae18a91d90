"""What is written to an engine, and what stands there already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol


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
