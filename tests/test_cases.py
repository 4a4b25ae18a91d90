"""The conformance cases: given data, definition -> members or error, on the evaluator and on DuckDB."""

from __future__ import annotations

import pytest
from cases_runner import Case, all_cases, on_duckdb, on_evaluator

from segkit import SegkitError

ALL = all_cases()


@pytest.mark.parametrize("run", [on_evaluator, on_duckdb], ids=["evaluator", "duckdb"])
@pytest.mark.parametrize("case", ALL, ids=lambda case: case.id)
def test_case(case: Case, run) -> None:
    if "error" in case.case:
        with pytest.raises(SegkitError) as refusal:
            run(case)
        assert case.case["error"].lower() in str(refusal.value).lower(), case.case["rule"]
    elif case.case.get("only") == "sql" and run is on_evaluator:
        with pytest.raises(SegkitError, match="without a database"):
            run(case)
    else:
        assert run(case) == case.case["members"], f"{case.case['rule']}: {case.case.get('where')}"
