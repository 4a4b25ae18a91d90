"""Random definitions: the members that an engine finds, and those that the evaluator finds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from engine_world import asked
from engines import ENGINES
from hypothesis import HealthCheck, Phase, given, seed, settings
from sqlglot import exp
from strategies import definitions, moments
from test_laws import ZONES

from segkit import DialectError
from segkit.builder import Predicate
from segkit.compile import conditions
from trusted.figure import Figure, titled

FEW = 60


def random_definitions(count: int, engines: list[str]) -> Iterator[Figure]:
    """So many definitions on each engine, half of them in a zone with summer time."""
    for engine in engines:
        own = count // 10 if ENGINES[engine].asks_together or ENGINES[engine].is_slow else count
        halves = [_compared(engine, zone, own // len(ZONES)) for zone in ZONES]
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(conditions._COMPARISONS, ">=", exp.GT)
            patch.setitem(conditions._COMPARISONS, "<=", exp.LT)
            _, caught = _compared(engine, "UTC", FEW)
        yield Figure(
            "Random definitions: the engine's members are the evaluator's",
            titled(engine),
            sum(tried for tried, _ in halves),
            sum(wrong for _, wrong in halves),
            f">= compiled to > and <= to <, {FEW} definitions",
            caught,
        )


def _compared(engine: str, zone: str, count: int) -> tuple[int, int]:
    """How many definitions were compared, and how many had other members; not those that the engine refuses."""
    found: list[bool] = []
    world = asked(engine, ZONES[zone], zone)

    @seed(12)
    @settings(
        max_examples=count,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(definitions(), moments())
    def compare(where: Predicate, at: dt.datetime) -> None:
        own: Any = world.said(where)
        try:
            found.append(world.members(own, at) == world.expected(own, at))
        except DialectError:
            assert "json" in ENGINES[engine].lacks, own

    compare()
    return len(found), found.count(False)
