"""Snowflake, emulated: the conformance cases on fakesnow, which reads Snowflake's SQL with sqlglot and runs it on DuckDB.

It shares sqlglot with what it checks, so that some faults pass both: golden SQL pins those (`test_rendering`). It lives in an
environment of its own, whose Python `SEGKIT_FAKESNOW` names.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import defaultdict
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cases_runner import Case, all_cases, catalog_of, segment_of, spelled, tables_of

from segkit import Catalog, DialectError, compile
from segkit.plan import Plan, moment, plan
from segkit.rendering import render
from segkit.segment import by_name

RUNNER = Path(__file__).with_name("fakesnow_runner.py")
REMEDY = (
    "fakesnow has an environment of its own: python -m venv fakesnow;"
    ' fakesnow/bin/pip install "fakesnow==0.12.1" "snowflake-connector-python<5"; SEGKIT_FAKESNOW=fakesnow/bin/python'
)
REFUSED = "no row yet for the elements of JSON arrays"
TYPEOF = "fakesnow's TYPEOF is DuckDB's: it says JSON for objects and arrays, Snowflake OBJECT and ARRAY"
NO_DECIMALS = "fakesnow's sums of decimals are binary; Snowflake's are exact"
EXCLUDED = {
    **dict.fromkeys(("json_paths[11]", "json_paths[12]", "text_values[28]", "text_values[29]"), TYPEOF),
    **dict.fromkeys(("events_aggregates[4]", "events_aggregates[5]"), NO_DECIMALS),
}
"""The cases that fakesnow answers otherwise, and why."""


def required() -> str:
    """The Python of fakesnow's environment; skips the test where there is none, or fails it where it must be."""
    python = os.environ.get("SEGKIT_FAKESNOW", "")
    if python and Path(python).exists():
        return python
    wanted = os.environ.get("SEGKIT_REQUIRE_ENGINES", "").split(",")
    if "all" in wanted or "snowflake" in wanted:
        pytest.fail(REMEDY)
    pytest.skip(REMEDY)


def _plan(case: Case) -> Plan:
    others = {name: spelled(text) for name, text in case.given.get("segments", {}).items()}
    at = moment(case.case.get("as_of", case.given["as_of"]), case.given.get("timezone", "UTC"))
    return plan(segment_of(case).definition, _catalog(case.given), at, by_name(others))


def _catalog(given: dict[str, Any]) -> Catalog:
    """The catalog of a file, with what a check of its rows finds: whether event ids repeat."""
    own = catalog_of(given)
    rows = given.get("events", [])
    ids = {table.table: [row[table.id] for row in rows if table.id and row.get(table.id) is not None] for table in own.events}
    tables = (replace(table, repeats=len(ids[table.table]) > len(set(ids[table.table]))) for table in own.events)
    return replace(own, events=tuple(tables))


def _query(case: Case) -> str | None:
    """The SQL of a case that has members; None where Snowflake is refused by a row of the dialect table."""
    try:
        return render(compile.contacts(_plan(case), [catalog_of(case.given).contacts.key], None), "snowflake")
    except DialectError as refusal:
        if REFUSED in refusal.what:
            return None
        raise


@cache
def _answers() -> dict[str, Any]:
    """The answers to all cases by their ids, out of one process."""
    asked: dict[str, list[tuple[str, str]]] = defaultdict(list)
    given = {}
    for case in all_cases():
        given[case.file] = case.given
        if "members" in case.case and (query := _query(case)) is not None:
            asked[case.file].append((case.id, query))
    databases = [
        {
            "tables": {
                name: {
                    "columns": {own: kind.value for own, kind in table.columns.items()},
                    "rows": [[row.get(own) for own in table.columns] for row in table.rows],
                }
                for name, table in tables_of(given[file]).items()
            },
            "queries": [query for _, query in queries],
        }
        for file, queries in asked.items()
    ]
    done = subprocess.run([required(), RUNNER], input=json.dumps(databases), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = {}
    for queries, answers in zip(asked.values(), json.loads(done.stdout), strict=True):
        found |= {case: (query, answer) for (case, query), answer in zip(queries, answers, strict=True)}
    return found


CASES = [case for case in all_cases() if "members" in case.case and "raw_sql" not in case.case.get("where", "")]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_case(case: Case) -> None:
    required()
    if case.id not in _answers():
        pytest.skip(f"refused: {REFUSED}")
    query, answer = _answers()[case.id]
    if case.id in EXCLUDED:
        assert answer != case.case["members"], "it is right: take it off the list"
    else:
        assert answer == case.case["members"], f"{case.case['rule']}: {query}"
