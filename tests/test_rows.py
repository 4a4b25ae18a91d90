"""Every row of the dialect table that names an engine's dialect is needed: without it a case goes wrong.

The row is taken out, so that the default row is written, and a named case must fail; or a definition of `EDGES`, where
the cases have no data for it.
"""

from __future__ import annotations

import datetime as dt
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

from segkit import NOW, TODAY, Catalog, DialectError, E, F, Segment, connect, hours, months
from segkit.builder import Predicate
from segkit.catalog import Kind
from segkit.engines import open_engine
from segkit.rendering import clocks
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
        "COUNT_DISTINCT": "events_aggregates[52]",
    },
}
"""For each row, by its marker, a case that fails without it."""
REFUSED = {
    "datafusion": {
        "JSON_ANY": F.props.json("plan").is_missing(),
        "JSON_TEXT": F.props.json("plan") == "pro",
        "ELEMENT": F.props.elements(F.element == "pro") == 1,
        "ELEMENTS": F.props.elements() == 1,
    },
}
"""For rows that refuse, a definition that is refused with their reason, and not without them."""
SHOWN = {
    "bigquery": {
        "DATE_PLUS_MONTHS": (F.born + months(3) > TODAY, "+ INTERVAL 3 MONTH"),
        "TIME_PLUS_MINUTES": (F.seen + hours(2) > NOW, "+ INTERVAL 120 MINUTE"),
        "TIME_PLUS_MONTHS": (F.seen + months(1) > NOW, "+ INTERVAL 1 MONTH"),
    },
}
"""For rows whose default the engine at hand reads too, but not the vendor's, a definition and what its SQL then lacks: BigQuery
documents `INTERVAL int64_expression datetime_part`, and a text only for several parts."""
KNOWN = Catalog.from_dict({"contacts": {"fields": {"born": "date", "seen": "timestamp", "props": "json"}}})


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


def _in_memory(engine: str, table: dict[str, Kind], *rows: tuple[Any, ...]) -> Any:
    named = [dict(zip(table, (number, *row), strict=True)) for number, row in enumerate(rows, 1)]
    return ENGINES[engine].loaded({"contacts": Rows(table, named)})


FAR = (dt.datetime(2027, 2, 28, 12), dt.datetime(2400, 1, 1, 12), dt.datetime(9999, 12, 31))


def _after_2262(_: Path) -> Any:
    table = {"contact_id": Kind.INTEGER, "wall": Kind.TIMESTAMP, "instant": Kind.TIMESTAMPTZ, "day": Kind.DATE}
    return _in_memory("datafusion", table, *((at, at.replace(tzinfo=dt.UTC), at.date()) for at in FAR))


def _as_sqlite_3_46(_: Path) -> Any:
    """Its DATE counts in milliseconds, rounded, where the day of the month is after the 28th."""

    def date(text: str) -> str:
        at = dt.datetime.fromisoformat(text)
        return str((at + dt.timedelta(microseconds=500) if at.day > 28 else at).date())

    connection = _created("sqlite", *LAST_INSTANT)
    connection.create_function("DATE", 1, date)
    return connection


def _without_floor(_: Path) -> Any:
    """SQLite as it is built without functions of mathematics."""

    def floor(number: float) -> None:
        raise NotImplementedError

    connection = _created("sqlite", *OPENED)
    connection.create_function("FLOOR", 1, floor)
    return connection


LAST_INSTANT = (
    "CREATE TABLE contacts (contact_id INTEGER, born DATE, seen TIMESTAMP)",
    "INSERT INTO contacts VALUES (1, '2025-06-30', '2025-06-30 21:59:59.999999'), (2, '2025-07-01', '2025-06-30 21:59:59.999999')",
)
OPENED = (
    "CREATE TABLE contacts (contact_id INTEGER)",
    "INSERT INTO contacts VALUES (1), (2)",
    "CREATE TABLE events (contact_id INTEGER, event TEXT, occurred_at TIMESTAMP)",
    "INSERT INTO events VALUES (1, 'opened', '2025-06-02'), (1, 'opened', '2025-06-09'), (2, 'opened', '2025-06-02 23:00:00')",
)
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
        "DATE_OF": (_as_sqlite_3_46, F.seen - F.born == 0, [1]),
        "WEEKS": (_without_floor, E.opened.active("week") == 2, [1]),
    },
    "postgres": {
        "AS_TEXT": (lambda _: _created("postgres", *MOODS), F.contact_id.contains("al"), ["calm"]),
        "BY_CODE_POINT": (lambda _: _created("postgres", *MOODS), F.n.top(n=1), ["calm"]),
        "JSON_NUMBER": (lambda _: _created("postgres", *AS_JSON), F.props.json("n") > 5, [1]),
    },
    "datafusion": {
        "TIMESTAMP": (_after_2262, F.wall >= "2400-01-01T12:00", [2, 3]),
        "INSTANT": (_after_2262, F.instant >= "2400-01-01T12:00Z", [2, 3]),
        "MIDNIGHT": (_after_2262, F.day < F.wall, [1, 2, 3]),
        "ON_WALL": (_after_2262, TODAY - F.instant < -100_000, [2, 3]),
    },
}
"""What the cases have no data for: where it stands, a definition that fails without the row, and its members."""


@pytest.fixture
def _fresh() -> Iterator[None]:
    cases_runner._workspace.cache_clear()
    yield
    cases_runner._workspace.cache_clear()


def _own_rows(engine: str) -> dict[str, Row]:
    """The rows that name the engine's dialect, and before them those that name its inner form; not those of clocks (`test_evergreen`)."""
    rows = [row for row in ROWS if row not in clocks.ROWS]
    named = {dialect: {row.marker: row for row in rows if dialect in row.dialects.split()} for dialect in (engine, f"{engine}+")}
    return named[engine] | named[f"{engine}+"]


def _taken_out(patch: pytest.MonkeyPatch, engine: str, marker: str) -> None:
    """The row that the engine reads, taken out: the outer one too, where the inner one stands before it."""
    for dialect in (engine, f"{engine}+"):
        patch.delitem(TABLE, (f"SEGKIT_{marker}", dialect), raising=False)


@pytest.mark.parametrize("engine", WITNESSES)
def test_every_row_says_why_and_has_a_witness(engine: str) -> None:
    rows = _own_rows(engine)
    assert all(row.reason and "\n" not in row.reason for row in rows.values())
    witnesses = [found.get(engine, {}) for found in (WITNESSES, EDGES, VERIFIED, REFUSED, SHOWN)]
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
    with connect(loaded(tmp_path), catalog=catalog, timezone="Europe/Rome", home=None) as ws:
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


@pytest.mark.parametrize(("engine", "marker"), [(engine, marker) for engine, found in REFUSED.items() for marker in found])
def test_without_a_row_nobody_says_why_it_is_refused(engine: str, marker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    segment, reason = Segment("x", REFUSED[engine][marker]), _own_rows(engine)[marker].reason
    with pytest.raises(DialectError, match=reason):
        segment.sql(engine, catalog=KNOWN)
    _taken_out(monkeypatch, engine, marker)
    try:
        told = segment.sql(engine, catalog=KNOWN)
    except DialectError as error:
        told = error.what
    assert reason not in told, "the row is not needed"


@pytest.mark.parametrize(("engine", "marker"), [(engine, marker) for engine, found in SHOWN.items() for marker in found])
def test_without_a_row_the_vendor_would_refuse_what_is_shown(engine: str, marker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, text = SHOWN[engine][marker]
    assert text in Segment("x", where).sql(engine, catalog=KNOWN)
    _taken_out(monkeypatch, engine, marker)
    assert text not in Segment("x", where).sql(engine, catalog=KNOWN), "the row is not needed"
