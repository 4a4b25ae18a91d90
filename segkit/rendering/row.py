"""A row of the dialect table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

Sql = exp.Expression

INNER = {"sqlite+": "sqlite", "postgres+": "postgres"}
"""What an engine renders for itself, where it registers functions or knows more: its rows come before the dialect's."""


@dataclass(frozen=True)
class Row:
    """How some dialects write a marker (`write` takes its arguments; None refuses), and why. No dialects: the default."""

    marker: str
    dialects: str
    reason: str
    write: Callable[..., Sql] | None
