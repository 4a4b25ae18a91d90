"""Work that an interrupt of the notebook can cancel."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


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

    threading.Thread(target=run, daemon=True).start()
    try:
        while not done.wait(0.1):
            pass
    except KeyboardInterrupt:
        cancel()
        while not done.wait(0.1):
            cancel()
        raise
    if failure:
        raise failure[0]
    return outcome[0]
