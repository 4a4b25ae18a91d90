"""Work beside the kernel's main thread, so that a slow query leaves the notebook free."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")


class Beside:
    """One piece of work after the other in a thread of its own; what comes of it is handed over in the main thread.

    Where no event loop runs (a script, a test) or nothing may run beside, work is done at once.
    """

    def __init__(self, allowed: bool) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="segkit-panel") if allowed else None

    def run(self, work: Callable[[], _T], done: Callable[[_T], object]) -> None:
        """Does the work, and hands what it gives to `done`."""
        loop = _running_loop()
        if self._thread is None or loop is None:
            done(work())
            return
        self._thread.submit(lambda: loop.call_soon_threadsafe(done, work()))

    def close(self) -> None:
        """Leaves undone what waits."""
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
