"""How the tests are shared out to several processes (`pytest -n auto`): those of one engine stay together, and those of one file."""

from __future__ import annotations

import re
import signal
from pathlib import PurePath
from typing import Any

import pytest
from engines import ENGINES

TOGETHER = {"test_warehouse": "postgres", "test_postgres_faults": "postgres"}


def pytest_configure(config: pytest.Config) -> None:
    """A process that was started by another may have been told to leave interrupts aside; the tests of interrupts need them."""
    if hasattr(config, "workerinput"):
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """An engine is started, and filled, in one process."""
    from xdist.scheduler import LoadScopeScheduling

    class ByEngine(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return _group(nodeid)

    return ByEngine(config, log)


def _group(nodeid: str) -> str:
    """The engine of a test, else its file."""
    path, _, name = nodeid.partition("::")
    file = PurePath(path).stem
    words = [*re.split(r"[\[\]-]", name)[1:], file.removeprefix("test_")]
    named = [word for word in words if word in {"evaluator", *ENGINES}]
    return named[0] if named else TOGETHER.get(file, file)
