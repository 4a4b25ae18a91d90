"""What becomes of a case when a row of the dialect table is taken out, so that the default row writes its marker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from segkit import SegkitError
from segkit.rendering.table import TABLE


@contextmanager
def without(marker: str, dialect: str) -> Iterator[None]:
    """The dialect table without one row."""
    key = (f"SEGKIT_{marker}", dialect)
    row = TABLE.pop(key)
    try:
        yield
    finally:
        TABLE[key] = row


def markers(dialect: str) -> set[str]:
    """The markers that the dialect has a row of its own for."""
    return {marker.removeprefix("SEGKIT_") for marker, own in TABLE if own == dialect}


def fails(ask: Callable[[], bool]) -> bool:
    """Whether a question is answered wrongly, or refused."""
    try:
        return not ask()
    except SegkitError:
        return True
