"""Seeded faults: each is a mistake that could be made in the code, and names the conformance cases that must catch it."""

# ruff: noqa: ARG005 - a fault ignores what it should not

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import cases_runner
import pytest
from cases_runner import Case, all_cases, on_duckdb, on_evaluator
from sqlglot import exp

from segkit import SegkitError, evaluate, patterns, rendering
from segkit.catalog import Kind
from segkit.compile import conditions, events, joined, sql
from segkit.plan import agree, clock, streams
from segkit.plan.tree import Bounds, Calculation, Comparison, Complement, Constant

Patch = pytest.MonkeyPatch
Run = Callable[[Case], list[Any]]
DUCKDB, EVALUATOR, BOTH = (on_duckdb,), (on_evaluator,), (on_evaluator, on_duckdb)
CASES = {case.id: case for case in all_cases()}


@dataclass(frozen=True)
class Fault:
    """A mistake, the sides it shows on, and the cases that must fail under it."""

    name: str
    seed: Callable[[Patch], None]
    runs: tuple[Run, ...]
    cases: tuple[str, ...]


FAULTS: list[Fault] = []


def fault(*cases: str, on: tuple[Run, ...]) -> Callable[[Callable[[Patch], None]], Callable[[Patch], None]]:
    def note(seed: Callable[[Patch], None]) -> Callable[[Patch], None]:
        FAULTS.append(Fault(seed.__name__, seed, on, cases))
        return seed

    return note


# ---------------------------------------------------------------- plan


@fault("windows_timestamp[0]", "windows_timestamp[2]", "event_windows[0]", on=BOTH)
def window_of_instants_includes_its_lower_edge(patch: Patch) -> None:
    right = clock.instant_bounds
    patch.setattr(clock, "instant_bounds", lambda span, at: replace(right(span, at), low_in=True))


@fault("dates[0]", on=BOTH)
def window_of_dates_includes_its_lower_edge(patch: Patch) -> None:
    right = clock.date_bounds
    patch.setattr(clock, "date_bounds", lambda span, at: replace(right(span, at), low_in=True))


@fault("dates[56]", "dates[58]", on=BOTH)
def a_date_beside_an_instant_forgets_the_time_of_day(patch: Patch) -> None:
    patch.setattr(
        agree,
        "_date_against_timestamp",
        lambda op, left, right, scope, sides: Comparison(op, left, agree._bound(right.value.date())),
    )


@fault("windows_timestamp[0]", "dates[0]", on=BOTH)
def window_has_no_upper_edge(patch: Patch) -> None:
    for name in ("instant_bounds", "date_bounds"):
        right = getattr(clock, name)
        patch.setattr(clock, name, lambda span, at, right=right: _without_end(right(span, at)))


def _without_end(bounds: Bounds) -> Bounds:
    return bounds if bounds.low is None else replace(bounds, high=None)


@fault("anniversaries_and_parts[8]", on=BOTH)
def anniversary_without_29_february(patch: Patch) -> None:
    right = clock.anniversary_days
    patch.setattr(clock, "anniversary_days", lambda within, at: tuple(day for day in right(within, at) if day != 229))


@fault("calendar_steps[7]", "calendar_steps[5]", on=BOTH)
def months_spill_over_into_the_next(patch: Patch) -> None:
    right = clock._moved

    def moved(at: Any, length: Any, sign: int) -> Any:
        clipped = right(at, length, sign)
        return clipped + dt.timedelta(days=at.day - clipped.day) if length.unit in ("months", "years") else clipped

    patch.setattr(clock, "_moved", moved)


@fault("zone_rome[0]", "zone_rome[26]", on=BOTH)
def today_is_that_of_utc(patch: Patch) -> None:
    patch.setattr(clock, "today", lambda at: at.as_of.date())


@fault("dates[25]", on=BOTH)
def flipped_comparison_keeps_its_sign(patch: Patch) -> None:
    patch.setattr(agree, "FLIPPED", {op: op for op in agree.FLIPPED})


@fault("numbers[14]", on=DUCKDB)
def decimal_literals_are_binary_floats(patch: Patch) -> None:
    patch.setattr(agree, "_float_constant", lambda number: Constant(number + 2**-40, Kind.FLOAT))


@fault("event_windows[24]", on=BOTH)
def events_without_a_window_reach_into_the_future(patch: Patch) -> None:
    right = streams._bounds
    patch.setattr(streams, "_bounds", lambda span, kind, scope: Bounds(high=None) if span is None else right(span, kind, scope))
    patch.setattr(evaluate.events, "_until", lambda at, plan: at)


# ---------------------------------------------------------------- compile


@fault("equality_and_missing[3]", "boolean_logic[9]", on=DUCKDB)
def complement_is_a_plain_not(patch: Patch) -> None:
    right = conditions.condition

    def condition(node: Any, names: Any) -> Any:
        return exp.Not(this=exp.Paren(this=right(node.item, names))) if isinstance(node, Complement) else right(node, names)

    patch.setattr(conditions, "condition", condition)


@fault("numbers[1]", on=DUCKDB)
def greater_or_equal_is_greater(patch: Patch) -> None:
    patch.setitem(conditions._COMPARISONS, ">=", exp.GT)


@fault("boolean_logic[23]", on=DUCKDB)
def parentheses_around_or_are_lost(patch: Patch) -> None:
    patch.setattr(sql, "operand", lambda node: node)


@fault("events_who_counts[3]", on=DUCKDB)
def counts_are_missing_instead_of_zero(patch: Patch) -> None:
    patch.setattr(events, "reader", lambda feature, column, table: lambda: sql.column(column, table))


@fault("numbers[5]", on=DUCKDB)
def division_by_zero_is_not_missing(patch: Patch) -> None:
    right = conditions.term

    def term(node: Any, names: Any) -> Any:
        if isinstance(node, Calculation) and node.op == "/":
            left, divisor = sql.cast(right(node.left, names), "double"), right(node.right, names)
            return exp.Div(this=left, expression=divisor, typed=True)
        return right(node, names)

    patch.setattr(conditions, "term", term)


@fault("text[13]", "event_filters[25]", on=DUCKDB)
def contains_folds_case(patch: Patch) -> None:
    patch.setattr(sql, "contains", lambda own, text: sql.marker("CONTAINS", sql.folded(own), sql.string(text.lower())))


@fault("events_aggregates[36]", "zone_new_york_events[9]", on=DUCKDB)
def first_and_last_are_swapped(patch: Patch) -> None:
    right, other = events._measure, {"first": "last", "last": "first"}
    patch.setattr(
        events,
        "_measure",
        lambda feature, only, names: right(replace(feature, measure=other.get(feature.measure, feature.measure)), only, names),
    )


@fault("events_who_counts[2]", on=DUCKDB)
def repeated_events_count_each_time(patch: Patch) -> None:
    patch.setattr(events, "unique_events", lambda features, catalog, at, taken: {})


@fault("events_who_counts[14]", on=DUCKDB)
def the_latest_copy_of_an_event_wins(patch: Patch) -> None:
    right = sql.row_number

    def numbered(partition: Any, order: Any) -> Any:
        for item in order if order[0].args["nulls_first"] else ():
            item.set("desc", True)
        return right(partition, order)

    patch.setattr(sql, "row_number", numbered)


@fault("events_aggregates[28]", on=DUCKDB)
def ties_go_to_the_least_event_id(patch: Patch) -> None:
    right = sql.row_number

    def numbered(partition: Any, order: Any) -> Any:
        if len(order) == 3 and order[0].args["desc"]:
            order[1].set("desc", False)
        return right(partition, order)

    patch.setattr(sql, "row_number", numbered)


@fault("numbers[25]", "numbers[26]", on=DUCKDB)
def nan_is_a_value(patch: Patch) -> None:
    patch.setattr(sql, "known", lambda own: own)


@fault("zone_rome[23]", "zone_rome[13]", "zone_new_york_events[0]", on=DUCKDB)
def zones_are_ignored(patch: Patch) -> None:
    patch.setattr(sql, "on_wall", lambda moment, clock, zone: moment)


@fault("windows_timestamp[4]", on=DUCKDB)
def fractions_of_seconds_are_cut_off(patch: Patch) -> None:
    patch.setattr(sql, "timestamp", lambda wall: sql.marker("TIMESTAMP", sql.string(wall.strftime("%Y-%m-%d %H:%M:%S"))))


@fault("lists_and_segments[0]", on=DUCKDB)
def leaving_a_list_is_ignored(patch: Patch) -> None:
    right = events.on_list
    patch.setattr(events, "on_list", lambda name, lists, at: right(name, replace(lists, left=None), at))


@fault("lists_and_segments[0]", "lists_and_segments[7]", on=DUCKDB)
def joining_a_list_is_ignored(patch: Patch) -> None:
    right = events.on_list
    patch.setattr(events, "on_list", lambda name, lists, at: right(name, replace(lists, joined=None), at))


@fault("event_filters[0]", on=DUCKDB)
def filter_on_events_is_ignored(patch: Patch) -> None:
    right = events.measured
    patch.setattr(
        events,
        "measured",
        lambda columns, catalog, rows: right({replace(f, where=None): c for f, c in columns.items()}, catalog, rows),
    )


@fault("events_who_counts[13]", on=DUCKDB)
def name_of_the_event_is_ignored(patch: Patch) -> None:
    patch.setattr(events, "_named", lambda event, table, alias: [])


@fault("keys_and_creation[0]", on=DUCKDB)
def creation_is_ignored(patch: Patch) -> None:
    patch.setattr(joined.Base, "_exists", lambda self: [])


@fault("event_windows[16]", on=DUCKDB)
def features_share_the_first_ones_window(patch: Patch) -> None:
    patch.setattr(events, "_common_bounds", lambda all_bounds: all_bounds[0])


@fault("zone_new_york_events[3]", on=DUCKDB)
def weeks_begin_on_sunday(patch: Patch) -> None:
    right = sql.week
    patch.setattr(sql, "week", lambda days: right(exp.Paren(this=exp.Add(this=days, expression=sql.number(1)))))


# ---------------------------------------------------------------- rendering


def _row(patch: Patch, marker: str, write: Callable[..., Any]) -> None:
    patch.setitem(rendering._TABLE, (f"SEGKIT_{marker}", "duckdb"), rendering.Row(marker, "duckdb", "a fault", write))


@fault("text[0]", "text[1]", on=DUCKDB)
def contains_is_like(patch: Patch) -> None:
    _row(patch, "CONTAINS", lambda x, s: exp.Like(this=x, expression=rendering._text(f"%{s.this}%")))


@fault("text[19]", "text[20]", on=DUCKDB)
def ignoring_case_folds_all_letters(patch: Patch) -> None:
    _row(patch, "FOLDED", lambda x: rendering._call("LOWER", x))


@fault("text[30]", on=DUCKDB)
def matches_wants_the_whole_text(patch: Patch) -> None:
    _row(patch, "MATCHES", rendering._calls("REGEXP_FULL_MATCH"))


@fault("anniversaries_and_parts[32]", on=DUCKDB)
def weekdays_begin_with_sunday(patch: Patch) -> None:
    _row(patch, "PART_WEEKDAY", rendering._extract("DOW"))


@fault("dates[41]", on=DUCKDB)
def days_are_counted_backwards(patch: Patch) -> None:
    _row(patch, "DAYS", lambda a, b: rendering._call("DATE_DIFF", rendering._text("day"), a, b))


# ---------------------------------------------------------------- evaluate


@fault("equality_and_missing[32]", on=EVALUATOR)
def evaluator_takes_greater_or_equal_for_greater(patch: Patch) -> None:
    patch.setitem(evaluate.conditions._ORDER, ">=", evaluate.conditions._ORDER[">"])


@fault("equality_and_missing[33]", on=EVALUATOR)
def evaluator_takes_missing_for_zero(patch: Patch) -> None:
    def comparable(left: Any, right: Any, world: Any) -> Any:
        a, b = evaluate.conditions.value_of(left, world), evaluate.conditions.value_of(right, world)
        if (isinstance(a, int) and b is None) or (isinstance(b, int) and a is None):
            return a or 0, b or 0
        return None if a is None or b is None else evaluate.conditions.paired(a, b)

    patch.setattr(evaluate.conditions, "_comparable", comparable)


@fault("events_who_counts[2]", on=EVALUATOR)
def evaluator_counts_repeated_events(patch: Patch) -> None:
    patch.setattr(evaluate.events, "_once_per_id", lambda rows, table: rows)


@fault("event_windows[24]", on=EVALUATOR)
def evaluator_ignores_the_bounds_of_events(patch: Patch) -> None:
    patch.setattr(evaluate.events, "_inside", lambda at, bounds, clock: True)
    patch.setattr(evaluate.events, "_until", lambda at, plan: at)


@fault("keys_and_creation[0]", on=EVALUATOR)
def evaluator_ignores_creation(patch: Patch) -> None:
    patch.setattr(evaluate.gathering, "_created_later", lambda row, plan: False)


@fault("numbers[0]", on=EVALUATOR)
def evaluator_divides_whole_numbers(patch: Patch) -> None:
    right = evaluate.terms._calculated
    patch.setattr(evaluate.terms, "_calculated", lambda op, a, b: (a // b if b else None) if op == "/" else right(op, a, b))


# ---------------------------------------------------------------- the test


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """No answer of an earlier test, right or wrong, is left."""
    _forget()
    yield
    _forget()


def _forget() -> None:
    cases_runner._workspace.cache_clear()
    patterns.check.cache_clear()


def passes(case: Case, run: Run) -> bool:
    try:
        return run(case) == case.case["members"]
    except SegkitError:
        return False


@pytest.mark.parametrize("seeded", FAULTS, ids=lambda seeded: seeded.name)
def test_the_named_cases_catch_the_fault(seeded: Fault, monkeypatch: Patch) -> None:
    assert seeded.cases
    caught = [(CASES[case], run) for case in seeded.cases for run in seeded.runs]
    assert [case.id for case, run in caught if not passes(case, run)] == [], "without the fault"
    _forget()
    with monkeypatch.context() as patch:
        seeded.seed(patch)
        assert [f"{case.id} {run.__name__}" for case, run in caught if passes(case, run)] == [], "not caught"
    _forget()
    assert all(passes(case, run) for case, run in caught), "the fault outlived its test"


def test_there_are_faults_of_every_part() -> None:
    assert len(FAULTS) >= 14
    assert len({seeded.name for seeded in FAULTS}) == len(FAULTS)
