"""What each safeguard of compiled SQL is for, on every engine: the case that goes wrong where it is left out.

Faults of one engine's own rows stand with the engine (`test_rows`, `test_postgres_faults`, `test_clickhouse`, `test_mariadb`,
`test_spark`); those of the plan, the compiler and the evaluator in `test_faults`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cases_runner
import pytest
import test_faults
from cases_runner import On, all_cases
from engines import ENGINES

from segkit.rendering.table import TABLE

CASES = {case.id: case for case in all_cases()}
EVERYWHERE = frozenset(ENGINES)


@dataclass(frozen=True)
class Mutation:
    """A safeguard left out (`seed`), the case that must then fail on the engines, and why it need not on those `spared`."""

    seed: Callable[[pytest.MonkeyPatch], None]
    case: str
    engines: frozenset[str]
    spared: str = ""


def without_rows(dialect: str, *markers: str) -> Callable[[pytest.MonkeyPatch], None]:
    """The rows of a dialect's own taken out of the table, so that the default ones are written."""

    def seed(patch: pytest.MonkeyPatch) -> None:
        for marker in markers:
            patch.delitem(TABLE, (f"SEGKIT_{marker}", dialect))

    return seed


MUTATIONS = {
    "x / NULLIF(y, 0) as x / y": Mutation(
        test_faults.division_by_zero_is_not_missing, "numbers[5]", EVERYWHERE - {"sqlite", "mariadb"}, "x / 0 is NULL there"
    ),
    "COALESCE(count, 0) as count": Mutation(test_faults.counts_are_missing_instead_of_zero, "events_who_counts[3]", EVERYWHERE),
    "CASE WHEN p THEN 0 ELSE 1 END = 1 as NOT p": Mutation(
        test_faults.complement_is_a_plain_not, "equality_and_missing[3]", EVERYWHERE
    ),
    "p AND (q OR r) as p AND q OR r": Mutation(test_faults.parentheses_around_or_are_lost, "boolean_logic[23]", EVERYWHERE),
    "CAST(x AS BINARY) = 'text' as x = 'text'": Mutation(
        without_rows("mysql", "AS_TEXT"), "api_form[1]", frozenset({"mariadb"}), "the row is MySQL's"
    ),
    "toDateTime64('...', 6, 'UTC') as CAST('...' AS DateTime)": Mutation(
        without_rows("clickhouse", "TIMESTAMP"), "api_form[0]", frozenset({"clickhouse"}), "the row is ClickHouse's"
    ),
}
"""The safeguards that naive SQL is wrong without."""


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    cases_runner._workspace.cache_clear()
    yield
    cases_runner._workspace.cache_clear()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_safeguard_is_needed_where_the_table_says(name: str, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ENGINES[engine].require()
    mutation, run = MUTATIONS[name], On(engine)
    case = CASES[mutation.case]
    assert test_faults.passes(case, run), "without the mutation"
    mutation.seed(monkeypatch)
    assert test_faults.passes(case, run) == (engine not in mutation.engines), mutation.spared or "not caught"


def test_every_mutation_is_caught_and_says_where_it_is_not() -> None:
    assert all(own.engines and bool(own.spared) == (own.engines != EVERYWHERE) for own in MUTATIONS.values())
