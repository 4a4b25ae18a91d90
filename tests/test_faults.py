"""Seeded faults: each is a mistake that could be made in the code, and names the conformance cases that must catch it."""

# ruff: noqa: ARG005 - a fault ignores what it should not

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import cases_runner
import pytest
from cases_runner import Case, all_cases, on_duckdb, on_evaluator, on_sqlite
from sqlglot import exp

from segkit import SegkitError, evaluate, patterns
from segkit.catalog import Kind
from segkit.compile import conditions, events, joined, raw, sql
from segkit.nodes import And, Period
from segkit.plan import agree, clock, resolve, streams, terms
from segkit.plan.tree import Bounds, Calculation, Comparison, Complement, Constant
from segkit.rendering import elements, json_paths, parts, table, text
from segkit.rendering.forms import call, calls
from segkit.rendering.row import Row

Patch = pytest.MonkeyPatch
Run = Callable[[Case], list[Any]]
DUCKDB, SQLITE, EVALUATOR, BOTH = (on_duckdb,), (on_sqlite,), (on_evaluator,), (on_evaluator, on_duckdb)
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
    patch.setattr(sql, "contains", lambda own, text: sql.marker("CONTAINS", sql.folded(own), sql.folded(text)))


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
    patch.setattr(events, "unique_events", lambda features, catalog, at, taken: ({}, []))


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
    patch.setitem(table.TABLE, (f"SEGKIT_{marker}", "duckdb"), Row(marker, "duckdb", "a fault", write))


@fault("text[0]", "text[1]", on=DUCKDB)
def contains_is_like(patch: Patch) -> None:
    _row(patch, "CONTAINS", lambda x, s: exp.Like(this=x, expression=sql.string(f"%{s.this}%")))


@fault("text[19]", "text[20]", on=DUCKDB)
def ignoring_case_folds_all_letters(patch: Patch) -> None:
    _row(patch, "FOLDED", lambda x: call("LOWER", x))


@fault("text[30]", on=DUCKDB)
def matches_wants_the_whole_text(patch: Patch) -> None:
    _row(patch, "MATCHES", calls("REGEXP_FULL_MATCH"))


@fault("anniversaries_and_parts[32]", on=DUCKDB)
def weekdays_begin_with_sunday(patch: Patch) -> None:
    _row(patch, "PART_WEEKDAY", parts._extract("DOW"))


@fault("dates[41]", on=DUCKDB)
def days_are_counted_backwards(patch: Patch) -> None:
    _row(patch, "DAYS", lambda a, b: call("DATE_DIFF", sql.string("day"), a, b))


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
    patch.setattr(evaluate.gathering, "created_later", lambda row, plan: False)


@fault("numbers[0]", on=EVALUATOR)
def evaluator_divides_whole_numbers(patch: Patch) -> None:
    right = evaluate.terms._calculated
    patch.setattr(evaluate.terms, "_calculated", lambda op, a, b: (a // b if b else None) if op == "/" else right(op, a, b))


# ---------------------------------------------------------------- periods, sequences, ranks, samples


@fault("calendar_periods[0]", "calendar_periods[3]", on=BOTH)
def a_period_includes_the_next_midnight(patch: Patch) -> None:
    for name in ("instant_bounds", "date_bounds"):
        right = getattr(clock, name)
        patch.setattr(
            clock,
            name,
            lambda span, at, right=right: replace(right(span, at), high_in=True) if isinstance(span, Period) else right(span, at),
        )


@fault("calendar_periods[3]", "calendar_periods[4]", on=BOTH)
def weeks_of_the_calendar_begin_on_sunday(patch: Patch) -> None:
    right = clock.period_days

    def days(period: Period, at: Any) -> Any:
        first, end = right(period, at)
        back = dt.timedelta(days=1 if period.unit == "week" else 0)
        return first - back, end - back

    patch.setattr(clock, "period_days", days)


@fault("calendar_periods_rome[0]", "calendar_periods_rome[1]", on=BOTH)
def periods_begin_at_midnight_in_utc(patch: Patch) -> None:
    right = clock.midnight
    patch.setattr(clock, "midnight", lambda day, zone: right(day, "UTC"))


@fault("sequences[0]", "sequences[1]", on=DUCKDB)
def an_event_at_the_same_time_follows(patch: Patch) -> None:
    right = exp.Ordered
    patch.setattr(
        events.exp,
        "Ordered",
        lambda this, desc, nulls_first: right(this=this, desc=desc or this.name == "is_later", nulls_first=nulls_first),
    )


@fault("sequences[0]", "sequences[1]", on=EVALUATOR)
def evaluator_lets_an_event_follow_itself(patch: Patch) -> None:
    unit = dt.timedelta(minutes=1)
    patch.setattr(
        evaluate.events,
        "_followed",
        lambda at, later, length: any(at <= other and (length is None or other - at <= length * unit) for other in later),
    )


@fault("sequences[0]", "sequences[1]", on=DUCKDB)
def an_event_may_follow_at_any_time(patch: Patch) -> None:
    right = events._near
    patch.setattr(events, "_near", lambda then: right(replace(then, length=None)))


@fault("sequences[22]", "sequences[23]", on=DUCKDB)
def the_filter_on_the_event_that_follows_is_lost(patch: Patch) -> None:
    right = events._marked
    patch.setattr(
        events,
        "_marked",
        lambda feature, is_later, catalog, rows: right(
            replace(feature, where=None) if is_later else feature, is_later, catalog, rows
        ),
    )


@fault("ranks[10]", "ranks[23]", on=DUCKDB)
def the_population_of_a_rank_is_everyone(patch: Patch) -> None:
    right = joined._ranked
    patch.setattr(joined, "_ranked", lambda rank, asked, base: right(replace(rank, of=None), asked, base))


@fault("ranks[5]", "ranks[6]", on=DUCKDB)
def missing_values_take_a_place(patch: Patch) -> None:
    right = joined._ranked

    def ranked(rank: Any, asked: Any, base: Any) -> Any:
        query = right(rank, asked, base)
        query.args["where"].this.expression.replace(exp.true()) if isinstance(query.args["where"].this, exp.And) else query.set(
            "where", None
        )
        return query

    patch.setattr(joined, "_ranked", ranked)


@fault("ranks[1]", "ranks[2]", on=DUCKDB)
def ties_go_to_the_greater_key(patch: Patch) -> None:
    right = joined._ranked

    def ranked(rank: Any, asked: Any, base: Any) -> Any:
        query = right(rank, asked, base)
        for window in query.find_all(exp.Window):
            order = window.args.get("order")
            if order is not None:
                order.expressions[1].set("desc", True)
        return query

    patch.setattr(joined, "_ranked", ranked)


@fault("ranks[6]", "ranks[7]", on=BOTH)
def percent_is_rounded_down(patch: Patch) -> None:
    right = resolve._top

    def top(rank: Any, n: Any, percent: Any) -> Any:
        condition = right(rank, n, percent)
        if percent is None:
            return condition
        before = condition.left
        place = replace(before, left=before.left.left)
        return Comparison("<=", place, condition.right)

    patch.setattr(resolve, "_top", top)


@fault("ranks[13]", "ranks[14]", on=EVALUATOR)
def upper_groups_take_one_more(patch: Patch) -> None:
    right = evaluate.gathering._tile
    patch.setattr(evaluate.gathering, "_tile", lambda place, total, tiles: tiles + 1 - right(total + 1 - place, total, tiles))


@fault("ranks[11]", "ranks[12]", on=BOTH)
def quantile_one_is_the_highest(patch: Patch) -> None:
    right = terms.rank_of
    patch.setattr(
        terms,
        "rank_of",
        lambda value, of, scope, tiles: _noted(replace(right(value, of, scope, tiles=tiles), highest_first=True), scope),
    )


def _noted(rank: Any, scope: Any) -> Any:
    scope.found.parts[rank] = None
    return rank


@fault("samples[0]", "samples[1]", on=DUCKDB)
def all_seeds_draw_alike(patch: Patch) -> None:
    right = sql.digest
    patch.setattr(sql, "digest", lambda text, own: right(":", own))


# ---------------------------------------------------------------- texts of other values


@fault("text_values[0]", "text_values[6]", on=DUCKDB)
def the_text_of_a_field_is_a_pattern(patch: Patch) -> None:
    def like(own: Any, text: Any) -> Any:
        any_text = sql.string("%")
        pattern = exp.DPipe(this=exp.DPipe(this=any_text, expression=text), expression=any_text.copy())
        return exp.Like(this=own, expression=pattern)

    _row(patch, "CONTAINS", like)


@fault("text_values[2]", "text_values[8]", on=SQLITE)
def an_empty_text_is_looked_for_like_any_other(patch: Patch) -> None:
    patch.setattr(conditions, "_search_of_each_row", lambda test, own, text, ignore_case: conditions._searched(test, own, text))


@fault("text_values[0]", "text_values[7]", "text_values[15]", on=(on_duckdb, on_sqlite))
def a_missing_text_holds_an_empty_one(patch: Patch) -> None:
    right = conditions._search_of_each_row

    def searched(test: str, own: Any, text: Any, ignore_case: bool) -> Any:
        is_empty = exp.EQ(this=sql.length(text.copy()), expression=sql.number(0))
        return exp.Or(this=is_empty, expression=exp.Paren(this=right(test, own, text, ignore_case)))

    patch.setattr(conditions, "_search_of_each_row", searched)


@fault("text_values[9]", "text_values[10]", "text_values[11]", on=DUCKDB)
def one_side_alone_ignores_case(patch: Patch) -> None:
    right = conditions._search_of_each_row
    patch.setattr(
        conditions,
        "_search_of_each_row",
        lambda test, own, text, ignore_case: right(test, sql.folded(own) if ignore_case else own, text, False),
    )


@fault("text_values[1]", "text_values[2]", on=SQLITE)
def the_text_of_a_field_is_measured_in_bytes(patch: Patch) -> None:
    patch.setattr(text, "length", lambda text: call("LENGTH", exp.cast(text.copy(), "blob")))


@fault("text_values[0]", "text_values[6]", on=EVALUATOR)
def evaluator_takes_a_missing_text_for_an_empty_one(patch: Patch) -> None:
    right = evaluate.conditions.value_of
    patch.setattr(evaluate.conditions, "value_of", lambda term, world: "" if right(term, world) is None else right(term, world))


# ---------------------------------------------------------------- JSON, functions, history, words, references, raw SQL


@fault("json_paths[11]", "json_paths[12]", on=DUCKDB)
def objects_have_a_text(patch: Patch) -> None:
    patch.setattr(sql, "json_text", sql.json_any)


@fault("json_paths[17]", "json_paths[19]", on=DUCKDB)
def any_text_that_casts_is_a_number(patch: Patch) -> None:
    _row(
        patch,
        "JSON_NUMBER",
        lambda own, *steps: exp.TryCast(
            this=json_paths._json_value("JSON_EXTRACT_STRING")(own, *steps), to=exp.DataType.build("double")
        ),
    )


@fault("json_paths[33]", on=DUCKDB)
def dots_in_keys_are_steps(patch: Patch) -> None:
    right = json_paths.quoted_path
    patch.setattr(json_paths, "quoted_path", lambda steps: sql.string(right(steps).this.replace('"', "")))


@fault("json_elements[1]", "json_elements[3]", "json_elements[10]", on=DUCKDB)
def what_is_no_array_has_no_elements(patch: Patch) -> None:
    right = elements._duckdb_elements
    _row(patch, "ELEMENTS", lambda *parts: exp.Coalesce(this=right(*parts), expressions=[sql.number(0)]))


@fault("json_elements[0]", "json_elements[13]", "json_elements[52]", on=DUCKDB)
def the_condition_on_elements_is_lost(patch: Patch) -> None:
    right = sql.elements
    patch.setattr(sql, "elements", lambda own, path, where: right(own, path, None))


@fault("json_elements[2]", "json_elements[9]", on=EVALUATOR)
def evaluator_takes_a_text_for_a_list_of_one(patch: Patch) -> None:
    right = evaluate.terms._found
    patch.setattr(
        evaluate.terms, "_found", lambda document, path: [found] if isinstance(found := right(document, path), str) else found
    )


@fault("json_elements[36]", on=BOTH)
def each_condition_holds_for_an_element_of_its_own(patch: Patch) -> None:
    right = terms._elements

    def elements(node: Any, scope: Any) -> Any:
        items = node.where.items if isinstance(node.where, And) else ()
        return right(replace(node, where=items[0]) if items else node, scope)

    patch.setattr(terms, "_elements", elements)


@fault("functions[5]", "functions[6]", on=DUCKDB)
def halves_are_rounded_to_even(patch: Patch) -> None:
    patch.setattr(
        conditions,
        "_rounded",
        lambda own, node, names: exp.Anonymous(
            this="ROUND_EVEN", expressions=[conditions.term(own, names), sql.number(node.digits)]
        ),
    )


@fault("functions[30]", "functions[31]", on=DUCKDB)
def length_counts_bytes(patch: Patch) -> None:
    _row(patch, "LENGTH", calls("STRLEN"))


@fault("functions[25]", "functions[26]", on=DUCKDB)
def upper_raises_all_letters(patch: Patch) -> None:
    _row(patch, "RAISED", calls("UPPER"))


@fault("history[0]", "history[4]", on=DUCKDB)
def what_ended_is_still_valid(patch: Patch) -> None:
    patch.setattr(events, "_after", lambda column, table, at: exp.EQ(this=sql.number(1), expression=sql.number(1)))


@fault("history[0]", "history[1]", on=EVALUATOR)
def evaluator_reads_the_oldest_row(patch: Patch) -> None:
    patch.setattr(evaluate.gathering, "max", lambda rows, key: min(rows, key=key), raising=False)


@fault("history[0]", "history[1]", on=BOTH)
def history_is_ignored(patch: Patch) -> None:
    patch.setattr(terms, "past_column", lambda name, scope: None)


@fault("verbs_and_words[26]", "verbs_and_words[27]", on=BOTH)
def a_word_is_always_an_event(patch: Patch) -> None:
    patch.setattr(terms, "has_field", lambda name, scope: False)


@fault("references[0]", "references[4]", on=DUCKDB)
def a_reference_holds_for_everyone(patch: Patch) -> None:
    patch.setattr(conditions, "_is_in", lambda name: exp.EQ(this=sql.number(1), expression=sql.number(1)))


@fault("raw_sql[15]", "raw_sql[16]", on=DUCKDB)
def raw_sql_is_read_in_another_dialect(patch: Patch) -> None:
    right = raw._parsed
    patch.setattr(raw, "_parsed", lambda text, dialect: right(text, "duckdb"))


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
        assert [f"{case.id} on {getattr(run, 'engine', 'the evaluator')}" for case, run in caught if passes(case, run)] == [], (
            "not caught"
        )
    _forget()
    assert all(passes(case, run) for case, run in caught), "the fault outlived its test"


def test_there_are_faults_of_every_part() -> None:
    assert len(FAULTS) >= 14
    assert len({seeded.name for seeded in FAULTS}) == len(FAULTS)
