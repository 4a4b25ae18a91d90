"""The conformance cases: given data, definition -> members or error, on the evaluator and on every engine."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from cases_runner import Case, On, all_cases, markers, on, on_bigquery, on_clickhouse, on_evaluator, on_mariadb, on_sqlite
from engines import ENGINES, without_json

from segkit import EngineError, SegkitError

ALL = all_cases()
OWN_COLLATION = "raw SQL compares as the database does, whose collation folds case"
NO_DECIMALS = "SQLite has no decimals: sums of 0.10 are binary there"
EXCLUDED = {
    (on_sqlite, "E.purchased.sum('amount') == Decimal('0.30')"): NO_DECIMALS,
    (on_sqlite, "E.purchased.sum('amount') == 0.3"): NO_DECIMALS,
    (on_sqlite, "F.unit + Decimal('0.20') == Decimal('0.30')"): NO_DECIMALS,
    (on_sqlite, "F.unit * 3 == Decimal('0.30')"): NO_DECIMALS,
    (on_bigquery, "~raw_sql('opens > NULL', dialect='duckdb')"): "BigQuery refuses to compare with a NULL that is written out",
    (on_clickhouse, "F.tags.elements(F.element == '5') == 2"): "ClickHouse reads 5.0 in JSON as a number, whose text is 5",
    (on_mariadb, "raw_sql(\"opens > 5 AND country = 'USA'\", dialect='duckdb')"): OWN_COLLATION,
    (on_mariadb, "~raw_sql(\"opens > 5 AND country = 'USA'\", dialect='duckdb')"): OWN_COLLATION,
    (on_mariadb, "raw_sql(\"country = 'USA'\", dialect='duckdb') & (F.opens > 5)"): OWN_COLLATION,
    (on_mariadb, "F.opens.top(n=1, of=raw_sql(\"country = 'USA'\", dialect='duckdb'))"): OWN_COLLATION,
    (on_mariadb, "raw_sql('country = \"USA\"', dialect='mysql')"): OWN_COLLATION,
    (on_mariadb, "raw_sql(\"IFF(opens > 5, country, 'none') = 'usa'\", dialect='snowflake')"): OWN_COLLATION,
}
"""The definitions that an engine cannot answer rightly, and why."""


@pytest.mark.parametrize("run", [on_evaluator, *map(on, ENGINES)], ids=["evaluator", *ENGINES])
@pytest.mark.parametrize("case", ALL, ids=lambda case: case.id)
def test_case(case: Case, run) -> None:
    if case.case.get("only") == "sql" and run is on_evaluator:
        with pytest.raises(SegkitError, match=r"without a database|SQL"):
            run(case)
    elif "error" in case.case:
        with pytest.raises(SegkitError) as refusal:
            run(case)
        assert case.case["error"].lower() in str(refusal.value).lower(), case.case["rule"]
    elif (run, case.case.get("where")) in EXCLUDED:
        assert _found(run, case) != case.case["members"], "it is right: take it off the list"
    else:
        with without_json(ENGINES[run.engine]) if isinstance(run, On) and _reads_json(run, case) else nullcontext():
            assert run(case) == case.case["members"], f"{case.case['rule']}: {case.case.get('where')}"


def _found(run, case: Case) -> object:
    try:
        return run(case)
    except EngineError as refusal:
        return refusal


def _reads_json(run: On, case: Case) -> bool:
    return "json" in ENGINES[run.engine].lacks and any(
        marker.startswith(("JSON", "ELEMENT")) for marker in markers(case, run.engine)
    )


def test_every_excluded_definition_is_one_case() -> None:
    wheres = [case.case.get("where") for case in ALL]
    assert {where: wheres.count(where) for _, where in EXCLUDED} == {where: 1 for _, where in EXCLUDED}
