"""Every row of the dialect table that names an engine's dialect is needed: without it a case goes wrong.

The row is taken out, so that the default row is written, and a named case must fail; or a definition of `EDGES`, where
the cases have no data for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cases_runner
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cases_runner import On, _resolved, _workspace, all_cases
from engines import ENGINES, Rows
from test_faults import passes
from without_a_row import fails

from segkit import F, connect
from segkit.builder import Predicate
from segkit.catalog import Kind
from segkit.engines import open_engine
from segkit.rendering.row import Row
from segkit.rendering.table import ROWS, TABLE
from segkit.verification import verified

CASES = {case.id: case for case in all_cases()}
WITNESSES = {
    "duckdb": {
        "MATCHES": "api_form[20]",
        "JSON_ANY": "json_elements[17]",
        "JSON_TEXT": "json_elements[0]",
        "ELEMENT": "json_elements[0]",
        "ELEMENTS": "json_elements[0]",
    },
    "sqlite": {
        "MATCHES": "api_form[20]",
        "ON_WALL": "zone_new_york_events[0]",
        "DIGEST": "samples[0]",
        "CONTAINS": "api_form[16]",
        "STARTS_WITH": "api_form[18]",
        "ENDS_WITH": "api_form[19]",
        "FOLDED": "event_filters[24]",
        "RAISED": "functions[25]",
        "KNOWN": "functions[3]",
        "AS_TIMESTAMP": "api_form[0]",
        "AS_INSTANT": "calendar_periods[26]",
        "TIMESTAMP": "api_form[25]",
        "INSTANT": "calendar_periods[26]",
        "MIDNIGHT": "dates[25]",
        "DAYS": "dates[41]",
        "DATE_PLUS_DAYS": "dates[51]",
        "DATE_PLUS_MONTHS": "calendar_steps[30]",
        "TIME_PLUS_MINUTES": "dates[52]",
        "TIME_PLUS_MONTHS": "calendar_steps[31]",
        "PART_YEAR": "anniversaries_and_parts[27]",
        "PART_QUARTER": "anniversaries_and_parts[29]",
        "PART_MONTH": "anniversaries_and_parts[0]",
        "PART_DAY": "anniversaries_and_parts[0]",
        "PART_HOUR": "anniversaries_and_parts[39]",
        "PART_WEEK": "anniversaries_and_parts[35]",
        "PART_WEEKDAY": "anniversaries_and_parts[31]",
        "JSON_ANY": "json_elements[17]",
        "JSON_TEXT": "json_elements[0]",
        "ELEMENT": "json_elements[0]",
        "ELEMENTS": "json_elements[0]",
    },
    "postgres": {
        "ENDS_WITH": "api_form[19]",
        "MATCHES": "text[39]",
        "JSON_ANY": "json_elements[17]",
        "JSON_TEXT": "json_elements[22]",
        "ELEMENT": "json_elements[0]",
        "ELEMENTS": "json_elements[0]",
    },
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
    "duckdb": {"GIVEN_JSON": "nothing: functions of JSON take a text that holds it, too"},
    "sqlite": {
        "DATE": "nothing: DATE('2025-06-30') is the same text, at more length",
        "DATE_OF": "other versions of SQLite: this one does not round up",
        "WEEKS": "other builds of SQLite: this one has FLOOR",
    },
    "postgres": {},
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


VERIFIED = {
    "sqlite": {"GIVEN_NAN": "numbers[25]"},
    "postgres": {"GIVEN_JSON": "json_paths[5]"},
}
"""For rows that only `ws.verify` writes, a case on which the engine does not agree without it."""
HUGE = [{"contact_id": 1, "props": '{"n": 1e300}'}, {"contact_id": 2, "props": '{"n": 1}'}]


def _in_parquet(folder: Path) -> Any:
    rows = {"contact_id": [1, 2], "score": [1.0, float("nan")]}
    pq.write_table(pa.table(rows), folder / "contacts.parquet")
    return folder


def _with_json(engine: str) -> Any:
    return ENGINES[engine].loaded({"contacts": Rows({"contact_id": Kind.INTEGER, "props": Kind.JSON}, HUGE)})


def _created(engine: str, *commands: str) -> Any:
    connection = ENGINES[engine].loaded({})
    for command in commands:
        connection.execute(command)
    connection.commit()
    return connection


MOODS = (
    "CREATE TYPE mood AS ENUM ('sad', 'calm'); CREATE TABLE contacts (contact_id mood, n integer)",
    "INSERT INTO contacts VALUES ('calm', 2), ('sad', 2)",
)
WITHOUT_CASE = (
    "CREATE TABLE contacts (contact_id TEXT COLLATE NOCASE, name TEXT COLLATE NOCASE, n INTEGER)",
    "INSERT INTO contacts VALUES ('b', 'USA', 2), ('C', 'usa', 2), ('a', 'it', 1)",
)
AS_JSON = (
    "CREATE TABLE contacts (contact_id integer, props json)",
    """INSERT INTO contacts VALUES (1, '{"n": 1e300}'), (2, '{"n": 1}')""",
)
Edge = tuple[Callable[[Path], Any], Predicate, list[Any]]
EDGES: dict[str, dict[str, Edge]] = {
    "duckdb": {
        "KNOWN": (_in_parquet, F.score > 0.3, [1]),
        "JSON_NUMBER": (lambda _: _with_json("duckdb"), F.props.json("n") > 5, [1]),
    },
    "sqlite": {
        "AS_TEXT": (lambda _: _created("sqlite", *WITHOUT_CASE), F.name == "USA", ["b"]),
        "BY_CODE_POINT": (lambda _: _created("sqlite", *WITHOUT_CASE), F.n.top(n=1), ["C"]),
        "JSON_NUMBER": (lambda _: _with_json("sqlite"), F.props.json("n") > 5, [1]),
    },
    "postgres": {
        "AS_TEXT": (lambda _: _created("postgres", *MOODS), F.contact_id.contains("al"), ["calm"]),
        "BY_CODE_POINT": (lambda _: _created("postgres", *MOODS), F.n.top(n=1), ["calm"]),
        "JSON_NUMBER": (lambda _: _created("postgres", *AS_JSON), F.props.json("n") > 5, [1]),
    },
}
"""What the cases have no data for: where it stands, a definition that fails without the row, and its members."""


@pytest.fixture
def _fresh() -> Iterator[None]:
    cases_runner._workspace.cache_clear()
    yield
    cases_runner._workspace.cache_clear()


def _own_rows(engine: str) -> dict[str, Row]:
    """The rows that name the engine's dialect, and before them those that name its inner form."""
    named = {dialect: {row.marker: row for row in ROWS if dialect in row.dialects.split()} for dialect in (engine, f"{engine}+")}
    return named[engine] | named[f"{engine}+"]


def _taken_out(patch: pytest.MonkeyPatch, engine: str, marker: str) -> None:
    """The row that the engine reads, taken out: the outer one too, where the inner one stands before it."""
    for dialect in (engine, f"{engine}+"):
        patch.delitem(TABLE, (f"SEGKIT_{marker}", dialect), raising=False)


@pytest.mark.parametrize("engine", WITNESSES)
def test_every_row_says_why_and_has_a_witness(engine: str) -> None:
    rows = _own_rows(engine)
    assert all(row.reason and "\n" not in row.reason for row in rows.values())
    witnesses = [found.get(engine, {}) for found in (WITNESSES, EDGES, VERIFIED, ELSEWHERE)]
    assert sorted(rows) == sorted(marker for found in witnesses for marker in found)


@pytest.mark.usefixtures("_fresh")
@pytest.mark.parametrize(("engine", "marker"), [(engine, marker) for engine, found in WITNESSES.items() for marker in found])
def test_without_a_row_its_witness_fails(engine: str, marker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ENGINES[engine].require()
    witness, run = CASES[WITNESSES[engine][marker]], On(engine)
    assert passes(witness, run)
    _taken_out(monkeypatch, engine, marker)
    assert not passes(witness, run), "the row is not needed"


@pytest.mark.parametrize(("engine", "marker"), [(engine, marker) for engine, found in EDGES.items() for marker in found])
def test_without_a_row_an_edge_is_wrong(engine: str, marker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ENGINES[engine].require()
    loaded, where, expected = EDGES[engine][marker]
    catalog = {"contacts": {"fields": {"props": "json"}}} if marker == "JSON_NUMBER" else None
    with connect(loaded(tmp_path), catalog=catalog, home=None) as ws:
        assert ws.members(where)["contact_id"].tolist() == expected
        _taken_out(monkeypatch, engine, marker)
        assert fails(lambda: ws.members(where)["contact_id"].tolist() == expected), "the row is not needed"


@pytest.mark.parametrize(("engine", "marker"), [(engine, marker) for engine, found in VERIFIED.items() for marker in found])
def test_without_a_row_verify_disagrees(engine: str, marker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case, asked = CASES[VERIFIED[engine][marker]], open_engine(ENGINES[engine].loaded({}))
    plans = [_resolved(case, _workspace(case.file, "duckdb"))]
    assert verified(plans, {engine: asked})["agrees"].all()
    _taken_out(monkeypatch, engine, marker)
    assert not verified(plans, {engine: asked})["agrees"].any(), "the row is not needed"
