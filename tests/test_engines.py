"""Every engine of `engines`: random definitions have the members that the evaluator finds.

`SEGKIT_EXAMPLES=20000` asks for more of them, as in `test_laws`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from engine_world import asked
from engines import ENGINES, Engine, Rows, closed_in_the_end
from hypothesis import given
from strategies import definitions, moments
from test_laws import ZONES, examples

from segkit import DialectError, connect, suggestions
from segkit.builder import Predicate
from segkit.catalog import Kind

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
        try:
            members = world.members(own, at)
        except DialectError:
            assert "json" in ENGINES[engine].lacks, own
            return
        assert members == world.expected(own, at), own
        seen.append(len(members))

    agree()
    everyone = len(asked(engine, ZONES[zone], zone).rows["contacts"])
    assert sum(0 < size < everyone for size in seen) > len(seen) / 3


@pytest.mark.parametrize("engine", ENGINES)
def test_the_values_of_a_column_that_bears_the_name_of_its_table(engine: str) -> None:
    own = ENGINES[engine]
    source = own.loaded({"plan": Rows({"plan": Kind.TEXT}, [{"plan": "free"}, {"plan": "pro"}])})
    with (
        closed_in_the_end(source),
        connect(source, catalog={"contacts": {"table": "plan", "key": "plan"}}, home=None, **own.connect) as ws,
    ):
        assert sorted(suggestions.of_field(ws.engine, ws.catalog, "plan").values) == [("free", 1), ("pro", 1)]


# ---------------------------------------------------------------- engines that are not there

ABSENT = Engine("nowhere", lambda tables: tables, "no_such_module", install="pip install nowhere")


def test_a_missing_engine_is_skipped_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "SEGKIT_REQUIRE_ENGINES"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(pytest.skip.Exception, match="nowhere is not installed: pip install nowhere"):
        ABSENT.loaded({})
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.skip.Exception):
        replace(ABSENT, in_test_extra=False).require()


@pytest.mark.parametrize(
    ("name", "value"), [("CI", "true"), ("SEGKIT_REQUIRE_ENGINES", "all"), ("SEGKIT_REQUIRE_ENGINES", "x,nowhere")]
)
def test_a_missing_engine_fails_where_it_must_be(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(pytest.fail.Exception, match="pip install nowhere"):
        ABSENT.loaded({})
