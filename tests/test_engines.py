"""Every engine of `engines`: random definitions have the members that the evaluator finds.

`SEGKIT_EXAMPLES=20000` asks for more of them, as in `test_laws`.
"""

from __future__ import annotations

import datetime as dt

import pytest
from engine_world import asked
from engines import ENGINES
from hypothesis import given
from strategies import definitions, moments
from test_laws import ZONES, examples

from segkit.builder import Predicate

OTHERS = [name for name in ENGINES if name not in ("duckdb", "sqlite")]
"""DuckDB is asked in `test_laws`, SQLite in `test_sqlite`."""


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("engine", OTHERS)
def test_the_evaluator_and_the_engine_agree(engine: str, zone: str) -> None:
    ENGINES[engine].require()
    seen: list[int] = []

    @examples(150, 0.5)
    @given(definitions(), moments())
    def agree(where: Predicate, at: dt.datetime) -> None:
        world = asked(engine, ZONES[zone], zone)
        own = world.said(where)
        members = world.members(own, at)
        assert members == world.expected(own, at), own
        seen.append(len(members))

    agree()
    everyone = len(asked(engine, ZONES[zone], zone).rows["contacts"])
    assert sum(0 < size < everyone for size in seen) > len(seen) / 3
