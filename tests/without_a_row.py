"""What becomes of a case when a row of the dialect table is taken out, so that the default row writes its marker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from segkit import SegkitError
from segkit.rendering import clocks
from segkit.rendering.table import ROWS, TABLE


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
    """The markers that the dialect has a row of its own for; those of clocks are looked at in `test_evergreen`."""
    return {row.marker for row in ROWS if dialect in row.dialects.split()} - {row.marker for row in clocks.ROWS}


def fails(ask: Callable[[], bool]) -> bool:
    """Whether a question is answered wrongly, or refused."""
    try:
        return not ask()
    except SegkitError:
        return True
