"""Every row of the dialect table that names an engine's dialect is needed: without it a case goes wrong.

The row is taken out, so that the default row is written, and a named case must fail; or a definition of `BEYOND`, where
the cases have no data for it.
"""

from __future__ import annotations

from collections.abc import Iterator

import cases_runner
import pytest
from cases_runner import On, all_cases
from engines import ENGINES
from test_faults import passes

from segkit.rendering.row import Row
from segkit.rendering.table import ROWS, TABLE

CASES = {case.id: case for case in all_cases()}
WITNESSES = {
    "bigquery": {
        "MATCHES": "text[30]",
        "DECIMAL": "functions[17]",
        "KNOWN": "events_aggregates[18]",
        "ON_WALL": "zone_new_york_events[0]",
        "DAYS": "dates[41]",
        "PART_WEEK": "anniversaries_and_parts[35]",
        "PART_WEEKDAY": "anniversaries_and_parts[31]",
        "JSON_ANY": "json_paths[6]",
        "JSON_TEXT": "json_paths[64]",
        "ELEMENT": "json_elements[0]",
        "ELEMENTS": "json_elements[0]",
        "DIGEST": "samples[0]",
    },
    "datafusion": {
        "MATCHES": "text[37]",
        "DIVISOR": "numbers[8]",
        "ROUND": "functions[17]",
        "ABS": "ranks[62]",
        "DECIMAL": "numbers[20]",
    },
}
"""For each row, by its marker, a case that fails without it."""
ELSEWHERE = {
    "bigquery": {
        "GIVEN_JSON": "nothing: functions of JSON take a text that holds it, too",
        "DATE_PLUS_MONTHS": "golden SQL: the evaluator also takes an interval of text",
        "TIME_PLUS_MINUTES": "golden SQL: the evaluator also takes an interval of text",
        "TIME_PLUS_MONTHS": "golden SQL: the evaluator also takes an interval of text",
    },
    "datafusion": {
        "JSON_ANY": "the refused cases",
        "JSON_TEXT": "the refused cases",
        "ELEMENT": "the refused cases",
        "ELEMENTS": "the refused cases",
        "TIMESTAMP": "test_datafusion: times after 2262",
        "INSTANT": "test_datafusion: times after 2262",
        "MIDNIGHT": "test_datafusion: times after 2262",
        "ON_WALL": "test_datafusion: times after 2262",
    },
}
"""Rows that no case can tell, and what tells them."""


@pytest.fixture
def _fresh() -> Iterator[None]:
    cases_runner._workspace.cache_clear()
    yield
    cases_runner._workspace.cache_clear()


def _own_rows(dialect: str) -> dict[str, Row]:
    return {row.marker: row for row in ROWS if dialect in row.dialects.split()}


@pytest.mark.parametrize("engine", WITNESSES)
def test_every_row_says_why_and_has_a_witness(engine: str) -> None:
    rows = _own_rows(engine)
    assert all(row.reason and "\n" not in row.reason for row in rows.values())
    assert set(rows) == {*WITNESSES[engine], *ELSEWHERE[engine]}


@pytest.mark.usefixtures("_fresh")
@pytest.mark.parametrize(("engine", "marker"), [(engine, marker) for engine, found in WITNESSES.items() for marker in found])
def test_without_a_row_its_witness_fails(engine: str, marker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ENGINES[engine].require()
    witness, run = CASES[WITNESSES[engine][marker]], On(engine)
    assert passes(witness, run)
    monkeypatch.delitem(TABLE, (f"SEGKIT_{marker}", engine))
    assert not passes(witness, run), "the row is not needed"
