"""The waterfall: three sizes of every node, as counting edited definitions one by one says."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from engine_world import Asked, asked
from engines import ENGINES
from hypothesis import given
from hypothesis import strategies as st
from strategies import MOMENTS, definitions, moments
from test_laws import ZONES, examples
from test_overlap import Elsewhere

from segkit import (
    DefinitionError,
    DialectError,
    E,
    F,
    Segment,
    all_of,
    any_of,
    connect,
    everyone,
    in_list,
    in_segment,
    nodes,
)
from segkit.builder import Predicate
from segkit.measures import waterfall

ZONE = "Europe/Rome"
STEP = re.compile(r"\.items\[(\d+)\]|\.item")


@pytest.fixture(scope="module")
def ws():
    with connect(home=None) as workspace:
        yield workspace


# ---------------------------------------------------------------- the same by editing definitions


def steps(path: str) -> list[int | None]:
    """The way from the root to a node: positions in groups, None through a NOT."""
    return [None if found[1] is None else int(found[1]) for found in STEP.finditer(path)]


def found_at(where: nodes.Predicate, way: list[int | None]) -> nodes.Predicate:
    for step in way:
        where = where.item if step is None else where.items[step]  # type: ignore[union-attr]
    return where


def dropped(where: nodes.Predicate, way: list[int | None]) -> nodes.Predicate | None:
    """A definition without a node; None where nothing of it remains."""
    if not way:
        return None
    step, *below = way
    if step is None:
        left = dropped(where.item, below)  # type: ignore[union-attr]
        return None if left is None else nodes.Not(left)
    items = where.items  # type: ignore[union-attr]
    changed = dropped(items[step], below)
    kept = (*items[:step], *([] if changed is None else [changed]), *items[step + 1 :])
    return replace(where, items=kept) if kept else None  # type: ignore[arg-type]


def by_editing(world: Asked, whole: Predicate, paths: list[str], at: dt.datetime) -> list[tuple[int, int, int]]:
    """Alone, running and without, each from the evaluator's members of a definition of its own."""

    def size(node: nodes.Predicate | None) -> int:
        return len(world.expected(everyone() if node is None else Predicate(node), at))

    rows = []
    for path in paths:
        way = steps(path)
        own = found_at(whole.node, way)
        running = own
        if way:
            parent: Any = found_at(whole.node, way[:-1])
            running = replace(parent, items=parent.items[: way[-1] + 1])  # type: ignore[operator]
        rows.append((size(own), size(running), size(dropped(whole.node, way))))
    return rows


def sizes(frame: pd.DataFrame) -> list[tuple[int, int, int]]:
    return list(frame[["alone", "running", "without"]].itertuples(index=False, name=None))


def grouped(below: st.SearchStrategy[nodes.Predicate]) -> st.SearchStrategy[nodes.Predicate]:
    """Groups, also of one item, and complements."""
    items = st.lists(below, min_size=1, max_size=3).map(tuple)
    return items.map(nodes.And) | items.map(nodes.Or) | below.map(nodes.Not)


LEAVES = (F.opens > 0, F.opens > 2, F.clicks < 2, F.country == "USA", F.vip == True, E.opened.any(), in_list("VIP"))  # noqa: E712
TREES = st.recursive(st.sampled_from([leaf.node for leaf in LEAVES]), grouped, max_leaves=8).map(Predicate)


@examples(60, 0.5)
@given(TREES, moments())
def test_each_size_is_that_of_an_edited_definition(where: Predicate, at: dt.datetime) -> None:
    world = asked("duckdb", ZONES[ZONE], ZONE)
    frame = waterfall.waterfall(world.workspace.engine, world.plan(where, at))
    assert sizes(frame) == by_editing(world, where, frame["path"].tolist(), at)
    assert len(frame) == sum(1 for _ in every_row(where.node))


def every_row(node: nodes.Predicate) -> Any:
    """Each condition and each group, NOT counted with what it negates."""
    while isinstance(node, nodes.Not):
        node = node.item
    yield node
    if isinstance(node, nodes.And | nodes.Or):
        for item in node.items:
            yield from every_row(item)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_has_the_sizes_of_edited_definitions(engine: str) -> None:
    ENGINES[engine].require()
    world = asked(engine, ZONES[ZONE], ZONE)

    @examples(3 if ENGINES[engine].asks_together else 5, 0.5)
    @given(definitions())
    def agree(where: Predicate) -> None:
        own = world.said(where)
        try:
            frame = waterfall.waterfall(world.workspace.engine, world.plan(own, MOMENTS[0]))
        except DialectError:
            assert "json" in ENGINES[engine].lacks
            return
        assert sizes(frame) == by_editing(world, own, frame["path"].tolist(), MOMENTS[0])

    agree()


# ---------------------------------------------------------------- what it means


def test_a_segment_in_words_and_numbers(ws) -> None:
    us, readers, buyers = F.country == "USA", F.opens > 5, E.purchased.within(days=90).count() >= 1
    own = us & (readers | ~buyers) & ~in_list("VIP Customers")
    frame = ws.waterfall(Segment("US", own))
    assert list(frame.columns) == ["path", "condition", "alone", "running", "without", "gain", "share"]
    assert frame[["path", "condition"]].values.tolist() == [
        ["where", "all of"],
        ["where.items[0]", 'country = "USA"'],
        ["where.items[1]", "any of"],
        ["where.items[1].items[0]", "opens > 5"],
        ["where.items[1].items[1]", "NOT purchased >= 1 time IN LAST 90 days"],
        ["where.items[2]", 'NOT LIST "VIP Customers"'],
    ]
    assert frame["alone"].tolist() == [
        ws.size(w) for w in (own, us, readers | ~buyers, readers, ~buyers, ~in_list("VIP Customers"))
    ]
    running = (own, us, us & (readers | ~buyers), readers, readers | ~buyers, own)
    assert frame["running"].tolist() == [ws.size(w) for w in running]
    rest = ~in_list("VIP Customers")
    without = (
        everyone(),
        (readers | ~buyers) & rest,
        us & rest,
        us & ~buyers & rest,
        us & readers & rest,
        us & (readers | ~buyers),
    )
    assert frame["without"].tolist() == [ws.size(w) for w in without]
    assert frame["gain"].tolist() == (frame["without"] - ws.size(own)).tolist()
    assert frame["share"].tolist() == pytest.approx((frame["alone"] / 3999).tolist())
    assert frame.attrs["as_of"] == "2025-11-30T12:00:00+00:00"


def test_it_is_one_query() -> None:
    with connect(home=None) as own:
        own.size(everyone())
        own.engine = counting = Elsewhere(own.engine)
        own.waterfall(all_of(*(F.opens != n for n in range(100)), E.opened.any(), ~in_list("VIP Customers")))
        assert counting.queries == 1


def test_a_negated_group_names_what_it_means(ws) -> None:
    frame = ws.waterfall(~(~(F.opens > 5) & ~~(F.clicks > 3)))
    assert frame["condition"].tolist() == ["not all of", "NOT opens > 5", "NOT NOT clicks > 3"]
    assert frame["path"].tolist() == ["where", "where.item.items[0]", "where.item.items[1]"]
    assert ws.waterfall(~~any_of(F.opens > 5, F.clicks > 3))["condition"][0] == "any of"
    assert frame["running"][2] == ws.size(~(F.opens > 5) & (F.clicks > 3))
    assert frame["without"].tolist() == [3999, ws.size(~(F.clicks > 3)), ws.size(F.opens > 5)]


def test_the_only_item_takes_its_group_with_it(ws) -> None:
    us, readers = F.country == "USA", F.opens > 5
    frame = ws.waterfall(us & any_of(all_of(readers)))
    assert frame["condition"].tolist() == ["all of", 'country = "USA"', "any of", "all of", "opens > 5"]
    assert frame["without"].tolist()[2:] == [ws.size(us)] * 3
    alone = ws.waterfall(all_of(any_of(readers)))
    assert alone["without"].tolist() == [3999] * 3


def test_a_reference_is_one_condition(ws) -> None:
    ws.define(Segment("Readers", (F.opens > 5) & (F.clicks > 1)))
    frame = ws.waterfall((F.country == "USA") & in_segment("Readers"))
    assert len(frame) == 3
    assert frame["alone"][2] == ws.size(in_segment("Readers"))


def test_a_condition_that_stands_twice_is_dropped_once(ws) -> None:
    frame = ws.waterfall((F.opens > 5) & ((F.opens > 5) | (F.clicks > 3)))
    assert frame["without"].tolist()[1:3] == [ws.size((F.opens > 5) | (F.clicks > 3)), ws.size(F.opens > 5)]


def test_everyone_and_nobody(ws) -> None:
    assert ws.waterfall(everyone())[["alone", "running", "without", "gain"]].values.tolist() == [[3999, 3999, 3999, 0]]
    nobody = ws.waterfall(F.country == "Nowhere")
    assert nobody[["alone", "without", "gain", "share"]].values.tolist() == [[0, 3999, 3999, 0.0]]
    contacts = pd.DataFrame({"contact_id": pd.Series([], dtype="int64"), "opens": pd.Series([], dtype="int64")})
    with connect({"contacts": contacts}, home=None) as own:
        frame = own.waterfall(F.opens > 1)
    assert frame["share"].isna().all()
    assert frame["without"].tolist() == [0]


def test_long_conditions_are_cut_and_too_many_refused(ws) -> None:
    frame = ws.waterfall(F.country.is_in([f"country {i}" for i in range(1000)]))
    assert len(frame["condition"][0]) == 200
    assert len(ws.waterfall(any_of(*(F.opens == n for n in range(500))))) == 501
    with pytest.raises(DefinitionError, match="501 conditions are too many"):
        ws.waterfall(any_of(*(F.opens == n for n in range(501))))
