"""How far slow work has come, on one line of the standard error stream."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

_T = TypeVar("_T")
_SILENT = 2.0
"""Seconds: work that is done by then says nothing."""
_BETWEEN = 0.2
_WIDTH = 30


def shown(steps: Iterable[_T], count: int, what: str) -> Iterator[_T]:
    """The same steps; after two seconds a bar shows how many of them are done. Stopping early leaves the line clean."""
    began, told = time.monotonic(), 0.0
    try:
        for done, step in enumerate(steps):
            now = time.monotonic()
            if now - began > _SILENT and now - told > _BETWEEN:
                told = now
                _write(f"\r{what} |{'█' * (_WIDTH * done // count):<{_WIDTH}}| {done:,} of {count:,}")
            yield step
    finally:
        if told:
            _write("\r" + " " * (len(what) + _WIDTH + 2 * len(f"{count:,}") + 10) + "\r")


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
