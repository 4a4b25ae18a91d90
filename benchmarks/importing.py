"""`import segkit` against `import sqlglot` and the packages an analyst knows: CPU time in fresh processes.

segkit needs sqlglot, so sqlglot is the reference. Heavy packages must not come along before they are used.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from tempfile import TemporaryDirectory

from report import Goal, Report, report
from timing import Result

PACKAGES = ("sqlglot", "segkit", "ibis", "altair", "pandas")
NOT_BEFORE_USE = ("pandas", "altair", "duckdb", "numpy", "pyarrow", "yaml")

_CHILD = """
import json, sys, time
wall, cpu = time.perf_counter(), time.process_time()
import {package}
cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
print(json.dumps([wall, cpu, sorted(name for name in sys.modules if "." not in name)]))
"""


def run(rounds: int = 9) -> Report:
    """Imports each package in a fresh interpreter, in interleaved rounds; the interpreter's own start is not counted."""
    results = [Result(package) for package in PACKAGES]
    loaded: list[str] = []
    with TemporaryDirectory() as bytecode:
        for package in PACKAGES:
            _import(package, bytecode)  # compiles it
        for _ in range(rounds):
            for result in results:
                wall, cpu, modules = _import(result.name, bytecode)
                result.wall.append(wall)
                result.cpu.append(cpu)
                if result.name == "segkit":
                    loaded = modules
    about = f"CPU time of one import in a fresh process, without the interpreter's start; medians of {rounds} interleaved rounds."
    own = report("Import", about, results, "sqlglot", ["cpu"], [Goal("segkit", "sqlglot", 1.2)])
    too_early = [name for name in NOT_BEFORE_USE if name in loaded]
    verdict = f"MISSED: import segkit loads {', '.join(too_early)}" if too_early else "met: import segkit loads none of them"
    own.notes.append(f"goal {verdict} ({', '.join(NOT_BEFORE_USE)})")
    return own


def _import(package: str, bytecode: str) -> tuple[float, float, list[str]]:
    """Seconds of the wall and of the CPU for one import, and the top-level modules loaded after it."""
    child = [sys.executable, "-c", _CHILD.format(package=package)]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": bytecode}
    answer = subprocess.run(child, capture_output=True, check=True, text=True, env=environment).stdout
    wall, cpu, modules = json.loads(answer)
    return wall, cpu, modules
