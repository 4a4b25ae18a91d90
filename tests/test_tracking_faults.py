"""Killed refreshes, refreshes at once, readers meanwhile, damaged files. `SEGKIT_FAULTS=full` makes it hundreds of each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FEW = {"kills": 3, "pairs": 2, "readers": 1, "damage": 16}
MANY = {"kills": 200, "pairs": 100, "readers": 60, "damage": 500}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_nothing_is_lost_and_nothing_is_silent() -> None:
    counts = MANY if os.environ.get("SEGKIT_FAULTS") == "full" else FEW
    words = [str(word) for pair in counts.items() for word in pair]
    script = Path(__file__).with_name("tracking_faults.py")
    done = subprocess.run([sys.executable, str(script), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = {kind: own for line in done.stdout.splitlines() for kind, own in json.loads(line).items()}
    assert list(found) == list(counts), done.stderr
    bad = ("lost", "partial", "duplicated", "errors", "wrong", "wrong in the end", "silent", "other errors")
    assert {kind: {name: own[name] for name in bad if own.get(name)} for kind, own in found.items()} == {
        kind: {} for kind in counts
    }, done.stderr
    assert found["kills"].get("kept", 0) + found["kills"].get("not kept", 0) == counts["kills"]
    assert found["pairs"].get("already there and refreshed", 0) == counts["pairs"], found["pairs"]
    assert found["readers"]["reads"] > 0
    assert found["readers"]["refreshes"] > 0
    assert found["damage"]["told"] > 0
