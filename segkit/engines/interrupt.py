"""Work that an interrupt of the notebook can cancel, or whoever no longer wants what comes of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from segkit.errors import SegkitError

_T = TypeVar("_T")
_unwanted: ContextVar[threading.Event | None] = ContextVar("_unwanted", default=None)


class CalledOff(SegkitError):
    """A query was ended because nobody waits for its answer any more."""


@contextmanager
def until(unwanted: threading.Event) -> Iterator[None]:
    """Ends the queries that are asked inside, in this thread, once the event is set.

    Raises:
        CalledOff: a query was ended.
    """
    before = _unwanted.set(unwanted)
    try:
        yield
    finally:
        _unwanted.reset(before)


def interruptible(work: Callable[[], _T], cancel: Callable[[], None]) -> _T:
    """Does work beside the main thread, so that an interrupt of the notebook cancels it at once.

    The main thread looks up ten times a second: libraries with a signal handler of their own (polars) keep an endless
    wait from being interrupted. (An event and not `Thread.join`, which once interrupted takes the thread for ended.)
    """
    outcome: list[_T] = []
    failure: list[BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:
            failure.append(error)
        finally:
            done.set()

    unwanted = _unwanted.get()
    threading.Thread(target=run, daemon=True).start()
    try:
        while not done.wait(0.1):
            if unwanted is not None and unwanted.is_set():
                raise CalledOff("the query was called off", fix="ask again")
    except (KeyboardInterrupt, CalledOff):
        cancel()
        while not done.wait(0.1):
            cancel()
        raise
    if failure:
        raise failure[0]
    return outcome[0]
