"""One step of a walk down a definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from segkit.errors import DefinitionError

_Out = TypeVar("_Out")


def step(where: str, read: Callable[..., _Out], *arguments: Any) -> _Out:
    """What `read` gives; an error of it says that it lies under `where`."""
    try:
        return read(*arguments)
    except DefinitionError as error:
        error.under(where)
        raise
