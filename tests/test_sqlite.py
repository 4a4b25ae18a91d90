"""SQLite, executed: the same members as the evaluator and DuckDB, and what is its own about files, times and limits."""

from __future__ import annotations

import datetime as dt
from functools import cache

import pytest
from hypothesis import given
from sqlite_world import ThreeWays, in_binary
from strategies import World, definitions, moments
from test_laws import ZONES, examples

from segkit.builder import Predicate


@cache
def world(zone: str) -> ThreeWays:
    return ThreeWays(World(ZONES[zone], zone))


@pytest.mark.parametrize("zone", ZONES)
def test_the_evaluator_duckdb_and_sqlite_agree(zone: str) -> None:
    seen: list[int] = []

    @examples(200, 0.5)
    @given(definitions().map(in_binary), moments())
    def agree(where: Predicate, at: dt.datetime) -> None:
        members = world(zone).members(where, at, "sqlite")
        assert members == world(zone).expected(where, at), where
        assert members == world(zone).members(where, at, "duckdb"), where
        seen.append(len(members))

    agree()
    everyone = len(world(zone).rows["contacts"])
    assert sum(0 < size < everyone for size in seen) > len(seen) / 3
