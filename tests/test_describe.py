"""The English of definitions: a written list of sentences, laws over random definitions, bounds, hostile text."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, get_args

import described
import pytest
import strategies
from hypothesis import given, settings
from strategies import definitions, moments

import segkit
from segkit import E, F, Segment, all_of, any_of, in_segment, nodes, templates
from segkit.builder import Predicate, in_group
from segkit.catalog import Catalog, ListTable
from segkit.describe import ROOM, describe, shape, words
from segkit.errors import DefinitionError
from segkit.operators import OPERATORS
from segkit.plan import moment
from segkit.segment import as_catalog, by_name

AS_OF = " As of 30 November 2025 12:00 (UTC)."
AT = moment("2025-11-30T12:00", "UTC")
NAMES: dict[str, Any] = {
    **{name: getattr(segkit, name) for name in segkit.__all__},
    **{name: getattr(segkit.builder, name) for name in ("constant", "in_group", "word")},
    "date": date,
    "datetime": datetime,
    "Decimal": Decimal,
}
SEGMENTS = {"Active": (F.opens > 0).node}
CATALOG: Catalog = replace(
    as_catalog(
        {
            "contacts": {
                "fields": {
                    "birthday": "date",
                    "signup_date": "date",
                    "last_purchase": "timestamp",
                    "subscribed": "timestamp",
                    "opens": "integer",
                    "props": "json",
                    "vip": "boolean",
                }
            },
            "events": [{"properties": {"amount": "float", "due": "date", "campaign": "text"}}],
        }
    ),
    calculated={"average_order_value": (F.total_revenue / F.order_count).node, "score_of_text": "Opens * 2"},
)


def english(where: Predicate, **given: Any) -> str:
    return describe(where.node, given.get("catalog", CATALOG), given.get("at", AT), given.get("segments", SEGMENTS))


def written(sentence: str) -> str:
    return sentence.removesuffix(" @") + AS_OF if sentence.endswith(" @") else sentence


def predicate(source: str) -> Predicate:
    made = eval(source, NAMES)
    assert isinstance(made, Predicate)
    return made


# ---------------------------------------------------------------- the written list


@pytest.mark.parametrize(("source", "sentence"), described.SENTENCES.items(), ids=lambda text: text[:60])
def test_the_sentence_of_a_definition(source: str, sentence: str) -> None:
    assert english(predicate(source)) == written(sentence)


@pytest.mark.parametrize("row", OPERATORS, ids=lambda row: row.key)
def test_the_sentence_of_an_operator_has_the_words_of_its_label(row: Any) -> None:
    (field, *value), sentence = described.OPERATORS[row.key]
    condition = {"field": field, "operator": row.key, **({"value": value[0]} if value else {})}
    segment = Segment.from_dict({"name": "it", "conditions": [condition]})
    assert english(segment.where) == written(sentence)
    said = sentence.replace(" are ", " is ")
    assert all(part.strip() in said for part in row.label.split("..."))


@pytest.mark.parametrize("segment", templates.documented(), ids=lambda segment: segment.name)
def test_the_sentence_of_a_documented_segment(segment: Segment) -> None:
    assert english(segment.where) == written(described.TEMPLATES[segment.name])


def test_the_list_is_long_and_covers_every_kind_of_node() -> None:
    assert len(described.SENTENCES) >= 80
    met = {type(node) for source in described.SENTENCES for node in every_node(predicate(source).node)}
    kinds = {*get_args(nodes.Value), *get_args(nodes.Span), *get_args(nodes.Predicate), nodes.Events, nodes.Then}
    assert kinds - met == set()


def every_node(node: nodes.Node) -> Iterator[nodes.Node]:
    for level in nodes.levels(node):
        yield from level
        for found in level:
            for name in found.__slots__:
                own = getattr(found, name)
                yield from (item for item in (own if isinstance(own, tuple) else (own,)) if isinstance(item, nodes.Literal))


# ---------------------------------------------------------------- times


def test_times_are_on_the_wall_clock_of_the_zone_which_is_named_once() -> None:
    said = english(F.last_purchase.within(days=30), at=moment("2025-11-30T12:00+00:00", "Europe/Rome"))
    assert said == (
        "Contacts whose last purchase is in the last 30 days (after 31 October 2025 13:00, up to 30 November 2025 13:00). "
        "As of 30 November 2025 13:00 (Europe/Rome)."
    )


def test_a_literal_instant_is_told_in_the_zone() -> None:
    at = moment("2025-11-30T12:00", "America/New_York")
    said = english(F.last_purchase < datetime.fromisoformat("2025-03-31T12:00:30+00:00"), at=at)
    assert said.startswith("Contacts whose last purchase is before 31 March 2025 08:00:30. As of")


def test_days_are_those_of_the_zone() -> None:
    late = "2025-11-30T23:30:00+00:00"
    assert "today (30 November 2025)" in english(F.birthday <= segkit.TODAY, at=moment(late, "UTC"))
    assert "today (1 December 2025)" in english(F.birthday <= segkit.TODAY, at=moment(late, "Europe/Rome"))


def test_without_a_catalog_a_window_is_one_of_times() -> None:
    assert "(after 31 October 2025 12:00" in Segment("A", F.birthday.within(days=30)).describe(as_of="2025-11-30T12:00")
    declared = Segment("A", F.birthday.within(days=30)).describe(
        as_of="2025-11-30T12:00", catalog={"contacts": {"fields": {"birthday": "date"}}}
    )
    assert "(from 1 November 2025 to 30 November 2025)" in declared


def test_events_with_dates_are_told_in_dates() -> None:
    catalog = as_catalog({"contacts": {}, "events": [{"properties": {"occurred_at": "date"}}]})
    said = english(E.opened.within(days=30).any(), catalog=catalog)
    assert "in the last 30 days (from 1 November 2025 to 30 November 2025)." in said


def test_the_kind_of_a_calculated_field_decides_how_its_window_is_told() -> None:
    catalog = replace(CATALOG, calculated={"renewal": (F.birthday + segkit.days(365)).node})
    assert "(from 1 December 2025 to 7 December 2025)" in english(F.renewal.in_next(days=7), catalog=catalog)


def test_seconds_are_told_and_less_is_not() -> None:
    said = english(F.last_purchase.older_than(hours=1), at=moment("2025-11-30T12:00:05.123456", "UTC"))
    assert "(before 30 November 2025 11:00:05). As of 30 November 2025 12:00:05 (UTC)." in said


# ---------------------------------------------------------------- references


def test_a_segment_is_told_one_level_deep_and_a_circle_does_no_harm() -> None:
    segments = by_name({"a": in_segment("b") & (F.x == 1), "b": ~in_segment("a")})
    assert english(in_segment("a"), segments=segments) == (
        "Contacts who are in the segment 'a' (contacts who are in the segment 'b' and whose x is 1)."
    )


def test_the_instant_is_named_where_a_segment_depends_on_it() -> None:
    segments = by_name({"Recent": F.last_purchase.within(days=7), "Old": in_segment("Recent")})
    assert english(in_segment("recent"), segments=segments).endswith(AS_OF)
    assert english(in_group("Recent"), segments=segments).endswith(AS_OF)
    assert english(in_segment("Old"), segments=segments) == (
        "Contacts who are in the segment 'Old' (contacts who are in the segment 'Recent')."
    )


def test_a_name_is_that_of_a_list_where_the_lists_are_known() -> None:
    catalog = replace(CATALOG, lists=ListTable(observed=("VIP",)))
    assert english(in_group("VIP"), catalog=catalog) == "Contacts who are on the list 'VIP'."


def test_a_calculated_field_is_told_one_level_deep_and_a_circle_does_no_harm() -> None:
    catalog = replace(CATALOG, calculated={"a": (F.b + 1).node, "b": (F.a * 2).node})
    assert english((F.a > 1) & F.b.within(days=1), catalog=catalog).startswith(
        "Contacts whose a (b plus 1) is greater than 1 and whose b (a times 2) is in the last day ("
    )


def test_a_formula_that_cannot_be_read_is_shown() -> None:
    catalog = replace(CATALOG, calculated={"a": "1 +\n" * 500})
    said = english(F.a > 1, catalog=catalog)
    assert said.startswith("Contacts whose a (1 +�1 +")
    assert said.endswith("... (1,999 characters)) is greater than 1.")


def test_a_formula_with_a_date_is_resolved() -> None:
    catalog = replace(CATALOG, calculated={"days_since": "TODAY - last_purchase"})
    assert english(F.Days_Since > 30, catalog=catalog) == (
        f"Contacts whose Days Since (number of days from last purchase to today (30 November 2025)) is greater than 30.{AS_OF}"
    )


def test_a_workspace_looks_names_up_and_knows_its_segments() -> None:
    with segkit.connect() as ws:
        ws.define(Segment("Americans", F.country == "USA"))
        assert ws.describe(in_segment("Americans")) == (
            "Contacts who are in the segment 'Americans' (contacts whose country is 'USA')."
        )
        with pytest.raises(DefinitionError, match="contry"):
            ws.describe(F.contry == "USA")


def test_what_is_out_of_range_is_refused() -> None:
    with pytest.raises(DefinitionError, match="out of range"):
        english(F.last_purchase.within(days=10_000_000))
    with pytest.raises(DefinitionError, match="levels deep"):
        english_of_node(60)


def english_of_node(depth: int) -> str:
    node: nodes.Predicate = (F.a == 1).node
    for _ in range(depth):
        node = nodes.Not(node)
    return describe(node, CATALOG, AT)


# ---------------------------------------------------------------- laws


@settings(max_examples=250, deadline=None)
@given(definitions(), moments())
def test_every_definition_has_a_sentence(where: Predicate, at: datetime) -> None:
    for zone in ("UTC", "Europe/Rome"):
        said = describe(where.node, WORLD.catalog, moment(at, zone), by_name(strategies.SEGMENTS))
        assert re.fullmatch(r"(Contacts .+|All contacts|No contacts)\.( As of \d.+\.)?", said)
        assert said.isprintable()
        for wrong in ("{", "}", "None", "  ", "Literal(", "nodes.", "datetime", "Decimal", "frozenset", "()"):
            assert wrong not in said
        assert said.count("(") == said.count(")")
        assert len(said) < 20_000


@settings(max_examples=150, deadline=None)
@given(definitions(), moments())
def test_the_plain_shape_means_the_same(where: Predicate, at: datetime) -> None:
    assert WORLD.expected(Predicate(shape.plain(where.node)), at) == WORLD.expected(where, at)


@settings(max_examples=150, deadline=None)
@given(definitions())
def test_only_single_conditions_are_negated_in_the_plain_shape(where: Predicate) -> None:
    for level in nodes.levels(shape.plain((~where).node)):
        for node in level:
            assert not (isinstance(node, nodes.Not) and shape.is_group(node.item)) or inside_filter(node, where)
    assert english(~~where) == english(where)


def inside_filter(node: nodes.Node, where: Predicate) -> bool:
    """Whether a node stands as it was written in a filter or a population, which is made plain when it is told."""
    return any(
        found is node
        for level in nodes.levels(where.node)
        for owner in level
        if isinstance(owner, nodes.Events | nodes.Top | nodes.Quantile)
        for inner in nodes.levels(owner)
        for found in inner
    )


WORLD = strategies.World(1, "UTC")


# ---------------------------------------------------------------- bounds


def left_out(said: str) -> int:
    return sum(int(found.replace(",", "")) for found in re.findall(r"([\d,]+) more condition", said))


def test_ten_thousand_conditions_have_a_short_sentence_that_says_how_many_are_left_out() -> None:
    where = any_of(*(F[f"field_{i}"] > i for i in range(10_000)))
    begun = time.perf_counter()
    said = english(where)
    assert time.perf_counter() - begun < 2
    assert f"({ROOM}) their field {ROOM - 1}" in said
    assert said.endswith("; or 9,976 more conditions hold.")
    assert len(said) < 2_000


def test_a_deep_tree_has_a_short_sentence_that_says_how_many_are_left_out() -> None:
    where = F.a == 0
    for i in range(30):
        where = any_of(F.b == i, all_of(F.c == i, where, F.d == i)) if i % 2 else all_of(F.e == i, where)
    begun = time.perf_counter()
    said = english(where)
    assert time.perf_counter() - begun < 2
    told = len(re.findall(r"their [a-e] is \d", said))
    assert told <= ROOM
    assert told + left_out(said) == shape.size(where.node)
    assert len(said) < 8_000


def test_wide_groups_at_every_level_share_the_room() -> None:
    def tree(depth: int) -> Predicate:
        if not depth:
            return F.leaf > 1
        group = all_of if depth % 2 else any_of
        return group(*(tree(depth - 1) for _ in range(7)))

    said = english(tree(5))
    assert said.count("their leaf") + left_out(said) == 7**5
    assert 7 <= said.count("their leaf") <= ROOM


def test_small_conditions_beside_a_large_group_are_told() -> None:
    large = any_of(*(F[f"x{i}"] > i for i in range(1_000)))
    said = english(all_of(large, F.country == "USA", F.plan == "pro"))
    assert "their country is 'USA'" in said
    assert "their plan is 'pro'" in said
    assert left_out(said) == 1_002 - ROOM


def test_filters_share_the_room_of_their_condition() -> None:
    filters = any_of(*(F[f"p{i}"] > i for i in range(100)))
    said = english(E.opened.where(filters).any())
    assert f"or {100 - ROOM + 1} more conditions hold)" in said
    crowded = english(all_of(*(E.opened.where(filters).count() > i for i in range(ROOM))))
    assert crowded.count("only where 100 more conditions hold") == ROOM
    single = english(all_of(*(E.opened.where(F.p > 1).count() > i for i in range(ROOM))))
    assert single.count("only where 1 more condition holds") == ROOM


def test_long_values_are_cut() -> None:
    assert english(F.a.is_in(range(200_000))) == "Contacts whose a is one of 0, 1, 2 and 199,997 more."
    said = english(F.a == "x" * 100_000)
    assert said == f"Contacts whose a is '{'x' * words.LONGEST}... (100,000 characters)'."
    assert len(english(F["n" * 1_000] == 1)) < 150
    assert len(english(segkit.raw_sql("a = 1 or " * 10_000 + "b", dialect="duckdb"))) < 400
    value = F.a
    for i in range(40):
        value = value + F[f"f{i}"]
    assert "a longer calculation" in english(value > 1)
    assert len(english(value > 1)) < 400
    value = F.a
    for _ in range(14):
        value = value + value
    begun = time.perf_counter()
    assert len(english(value > 1)) < 600
    assert time.perf_counter() - begun < 2
    assert "3 more" not in english(F.a.coalesce(*(F[f"f{i}"] for i in range(7))) == 1)
    assert "and 997 more is 1" in english(F.a.coalesce(*(F[f"f{i}"] for i in range(999))) == 1)


def test_twenty_thousand_conditions_of_a_referenced_segment_are_cut() -> None:
    segments = {"big": all_of(*(F[f"x{i}"] > i for i in range(20_000))).node}
    said = english(in_segment("big"), segments=segments)
    assert said.endswith("(5) their x4 is greater than 4; and 19,995 more conditions hold).")


# ---------------------------------------------------------------- hostile text

HOSTILE = ("a\nb", "a\r\nb", "a\tb", "a\x1bb", "a\u2028b", "a\u202eb", "a\u200bb", "a\xa0b", "a\x85b")


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_what_cannot_be_seen_is_shown_as_a_mark(text: str) -> None:
    where = all_of(
        F[text] == text,
        F.email.contains(text),
        E[text].where(F[text] == text).noun(text).any(),
        segkit.in_list(text),
        in_segment(text),
        segkit.sample(percent=1, seed=text),
        segkit.raw_sql(f"x{text}", dialect=text),
        F.props.json(f'"{text}"') == 1,
        E.opened.sum(text) > 1,
    )
    catalog = replace(CATALOG, calculated={text: text})
    said = english(where, catalog=catalog, segments={text: where.node})
    assert said.isprintable()
    assert "�" in said


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        (F.a == "x' or whose b is 'y", "Contacts whose a is \"x' or whose b is 'y\"."),
        (F.a == 'x\'" or whose b is "y', 'Contacts whose a is "x\'\\" or whose b is \\"y".'),
        (F["a is 1 and whose b"] == 2, "Contacts whose 'a is 1 and whose b' is 2."),
        (F.a_or_whose_b == 2, "Contacts whose 'a_or_whose_b' is 2."),
        (E["opened or clicked"].any(), f"Contacts who had at least 1 'opened or clicked' event.{AS_OF}"),
        (segkit.in_list("A' or B"), 'Contacts who are on the list "A\' or B".'),
    ],
)
def test_text_cannot_be_taken_for_the_sentence(where: Predicate, sentence: str) -> None:
    assert english(where) == sentence


def test_blanks_in_a_value_are_kept() -> None:
    assert english(F.a == " two  blanks ") == "Contacts whose a is ' two  blanks '."
