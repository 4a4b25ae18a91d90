"""PostgreSQL under seeded faults: what a row of the dialect table is for, some case shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cases_runner
import postgres_server
import pytest
from cases_runner import all_cases, on_postgres
from sqlglot import exp
from test_faults import passes

from segkit.compile import sql
from segkit.rendering import elements, json_paths, parts, table
from segkit.rendering.forms import call, calls, cast
from segkit.rendering.row import Row

CASES = {case.id: case for case in all_cases()}
Seed = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Fault:
    """A mistake, and cases of which each must fail under it."""

    seed: Seed
    cases: tuple[str, ...]


def row(marker: str, write: Callable[..., Any]) -> Seed:
    """A row of the table written wrongly."""
    own = Row(marker, "postgres+", "a fault", write)
    return lambda patch: patch.setitem(table.TABLE, (f"SEGKIT_{marker}", "postgres+"), own)


SORTING = "texts sort by the collation"
FAULTS = {
    "contains is LIKE": Fault(
        row("CONTAINS", lambda x, s: exp.Like(this=x, expression=sql.string(f"%{s.this}%"))), ("text[0]", "text[1]")
    ),
    SORTING: Fault(row("BY_CODE_POINT", lambda x: x), ("ranks_text_keys[0]",)),
    "a dot holds a line break": Fault(row("MATCHES", lambda x, p: exp.RegexpLike(this=x, expression=p)), ("text[39]",)),
    "letters fold by the locale": Fault(row("FOLDED", calls("LOWER")), ("text[19]", "text[20]")),
    "lengths are bytes": Fault(row("LENGTH", calls("OCTET_LENGTH")), ("functions[30]",)),
    "NaN is a number": Fault(row("KNOWN", lambda x: x), ("numbers[8]", "ranks[0]")),
    "weeks begin on Sunday": Fault(row("PART_WEEKDAY", parts._extract("DOW")), ("anniversaries_and_parts[32]",)),
    "zones are ignored": Fault(row("ON_WALL", lambda moment, *_: moment), ("zone_new_york_events[0]",)),
    "a local date is the session's": Fault(
        row("ON_WALL", lambda moment, *_: cast(moment, "timestamp")), ("zone_new_york_events[0]", "windows_timestamp[27]")
    ),
    "objects have a text": Fault(row("JSON_TEXT", json_paths._postgres_json), ("json_paths[11]",)),
    "a text is a list of one": Fault(
        row("JSON_ANY", lambda own, *steps: exp.Paren(this=json_paths._arrows(own, steps))), ("json_paths[48]",)
    ),
    "what is no array has no elements": Fault(
        row("ELEMENTS", lambda *own: exp.Coalesce(this=elements._postgres_elements(*own), expressions=[sql.number(0)])),
        ("json_elements[1]", "json_elements[3]"),
    ),
    "digests are of the key alone": Fault(row("DIGEST", lambda _, key: call("MD5", cast(key, "text"))), ("samples[0]",)),
}


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    yield
    cases_runner._workspace.cache_clear()


@pytest.mark.parametrize("name", FAULTS)
def test_the_named_cases_catch_the_fault(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = FAULTS[name]
    if name == SORTING and not postgres_server.is_english():
        pytest.skip("no English locale could be compiled here: install localedef and its sources (Debian: locales)")
    assert [case for case in fault.cases if not passes(CASES[case], on_postgres)] == [], "without the fault"
    fault.seed(monkeypatch)
    assert [case for case in fault.cases if passes(CASES[case], on_postgres)] == [], "not caught"
