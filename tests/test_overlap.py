"""Overlap and intersections: the numbers of sets of members, both ways, on every engine, within any limit of width."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from itertools import combinations
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from engine_world import asked
from engines import ENGINES, Rows
from hypothesis import given
from hypothesis import strategies as st
from strategies import MOMENTS, definitions, moments
from test_laws import ZONES, examples

from segkit import DefinitionError, DialectError, E, F, Segment, connect, everyone, in_list, templates
from segkit.builder import Predicate
from segkit.catalog import Kind
from segkit.engines.limits import Limits
from segkit.measures import overlap

ZONE = "Europe/Rome"
COLUMNS = ["a", "b", "size_a", "size_b", "both", "share_of_a", "share_of_b", "jaccard"]


class Elsewhere:
    """An engine that hands over no columns: DuckDB as if it were a warehouse, with limits, and a count of its queries."""

    def __init__(self, inner: Any, limits: Limits | None = None) -> None:
        self.inner, self.queries = inner, 0
        self.dialect, self.renders_as, self.limits = inner.dialect, inner.renders_as, limits or inner.limits

    def frame(self, sql: str) -> pd.DataFrame:
        self.queries += 1
        return self.inner.frame(sql)

    def tables(self) -> Any:
        return self.inner.tables()

    def keep(self, name: str, rows: pd.DataFrame) -> str:
        return self.inner.keep(name, rows)

    def close(self) -> None:
        self.inner.close()


@pytest.fixture(scope="module")
def ws():
    with connect(home=None) as workspace:
        yield workspace


def by_sets(members: Sequence[set[Any]]) -> list[tuple[int, int, int]]:
    return [(len(a), len(b), len(a & b)) for a, b in combinations(members, 2)]


def counts(frame: pd.DataFrame) -> list[tuple[int, int, int]]:
    return list(frame[["size_a", "size_b", "both"]].itertuples(index=False, name=None))


def regions(frame: pd.DataFrame) -> dict[tuple[bool, ...], int]:
    """The size of each region."""
    names = frame.columns[: list(frame.columns).index("size")]
    return dict(zip(map(tuple, frame[names].to_numpy().tolist()), frame["size"].tolist(), strict=True))


def regions_of(members: Sequence[set[Any]], contacts: Sequence[Any]) -> dict[tuple[bool, ...], int]:
    return dict(Counter(tuple(contact in own for own in members) for contact in contacts))


# ---------------------------------------------------------------- what it means


def test_pairs_and_regions_are_those_of_the_members(ws) -> None:
    segments = templates.documented()
    members = [set(ws.members(own).iloc[:, 0]) for own in segments]
    frame = ws.overlap(segments)
    assert list(frame.columns) == COLUMNS
    names = [own.name for own in segments]
    assert list(zip(frame["a"], frame["b"], strict=True)) == list(combinations(names, 2))
    assert counts(frame) == by_sets(members)
    for row in frame.itertuples():
        either = row.size_a + row.size_b - row.both
        for share, whole in ((row.share_of_a, row.size_a), (row.share_of_b, row.size_b), (row.jaccard, either)):
            assert share == pytest.approx(row.both / whole) if whole else np.isnan(share)
    assert frame.attrs["as_of"] == "2025-11-30T12:00:00+00:00"
    assert regions(ws.intersections(segments)) == regions_of(members, ws.members(everyone())["contact_id"].tolist())


def test_regions_stand_in_order_and_add_up() -> None:
    own = connect({"contacts": pd.DataFrame({"contact_id": range(8), "n": [0, 1, 1, 2, 3, 4, 4, 4]})}, home=None)
    frame = own.intersections([Segment("b", F.n >= 3), Segment("a", F.n <= 1), Segment("c", F.n.is_in([0, 4]))])
    assert frame.values.tolist() == [
        [True, False, True, 3, 3 / 8],
        [False, True, False, 2, 2 / 8],
        [True, False, False, 1, 1 / 8],
        [False, True, True, 1, 1 / 8],
        [False, False, False, 1, 1 / 8],
    ]
    assert list(frame.columns) == ["b", "a", "c", "size", "share"]
    assert frame.dtypes.astype(str).tolist() == ["bool", "bool", "bool", "int64", "float64"]


@examples(40, 0.5)
@given(st.lists(definitions(), min_size=2, max_size=6), moments())
def test_both_ways_agree_with_the_evaluator(wheres: list[Predicate], at: dt.datetime) -> None:
    world = asked("duckdb", ZONES[ZONE], ZONE)
    members = [set(world.expected(where, at)) for where in wheres]
    plans = [world.plan(where, at) for where in wheres]
    near, far = world.workspace.engine, Elsewhere(world.workspace.engine)
    assert counts(overlap.overlap(near, plans)) == counts(overlap.overlap(far, plans)) == by_sets(members)
    everybody = world.expected(everyone(), at)
    assert regions(overlap.intersections(far, plans)) == regions_of(members, everybody)


# ---------------------------------------------------------------- everywhere


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "duckdb"])
def test_every_engine_has_the_numbers_of_the_evaluator(engine: str) -> None:
    ENGINES[engine].require()
    world = asked(engine, ZONES[ZONE], ZONE)

    @examples(3 if ENGINES[engine].asks_together else 5, 0.5)
    @given(st.lists(definitions(), min_size=2, max_size=4))
    def agree(wheres: list[Predicate]) -> None:
        own = [world.said(where) for where in wheres]
        plans = [world.plan(where, MOMENTS[0]) for where in own]
        try:
            frame = overlap.overlap(world.workspace.engine, plans)
        except DialectError:
            assert "json" in ENGINES[engine].lacks
            return
        members = [set(world.expected(where, MOMENTS[0])) for where in own]
        assert counts(frame) == by_sets(members)
        everybody = world.expected(everyone(), MOMENTS[0])
        assert regions(overlap.intersections(world.workspace.engine, plans)) == regions_of(members, everybody)

    agree()


@pytest.mark.parametrize("engine", ENGINES)
def test_signatures_of_several_numbers_are_exact_everywhere(engine: str) -> None:
    """120 segments take three numbers; each bit is told from its neighbours, the highest and lowest of each number too."""
    own = _numbered(engine, 130)
    wheres = [F.n.is_in([i, (i * 7 + 3) % 120, 121]) for i in range(120)]
    members = [{n for n in range(130) if n in (i, (i * 7 + 3) % 120, 121)} for i in range(120)]
    assert counts(own.overlap(wheres)) == by_sets(members)
    found = own.intersections(wheres)
    assert regions(found) == regions_of(members, range(130))


def _numbered(engine: str, count: int) -> Any:
    """A workspace of contacts with a number each."""
    columns = {"contact_id": Kind.INTEGER, "n": Kind.INTEGER}
    loaded = ENGINES[engine].loaded({"contacts": Rows(columns, [{"contact_id": i, "n": i} for i in range(count)])})
    return connect(loaded, home=None, **ENGINES[engine].connect)


# ---------------------------------------------------------------- many of them


@pytest.mark.parametrize("engine", ENGINES)
def test_the_sizes_of_1000_segments(engine: str) -> None:
    if ENGINES[engine].is_slow:
        pytest.skip("an interpreter: what its vendor runs has no such limit of columns")
    own = _numbered(engine, 1200)
    wheres = [Segment(f"from {n}", F.n >= n) for n in range(1000)]
    frame = own.sizes(wheres)
    assert frame["size"].tolist() == [1200 - n for n in range(1000)]
    assert frame["segment"].tolist() == [where.name for where in wheres]


@pytest.mark.parametrize("engine", ["duckdb", "sqlite", "postgres"])
def test_1000_segments_that_each_ask_something_else_of_events_and_lists(engine: str) -> None:
    """Features, and what is joined, are split too: not only the columns that are counted."""
    contacts = Rows({"contact_id": Kind.INTEGER}, [{"contact_id": i} for i in range(30)])
    start = dt.datetime(2025, 1, 1)
    events = [
        {"event_id": i, "contact_id": i % 30, "event": f"e{i % 3}", "occurred_at": start + dt.timedelta(days=i)}
        for i in range(300)
    ]
    columns = {"event_id": Kind.INTEGER, "contact_id": Kind.INTEGER, "event": Kind.TEXT, "occurred_at": Kind.TIMESTAMP}
    lists = [{"list_name": f"list {i}", "contact_id": i % 30} for i in range(150)]
    tables = {
        "contacts": contacts,
        "events": Rows(columns, events),
        "list_members": Rows({"list_name": Kind.TEXT, "contact_id": Kind.INTEGER}, lists),
    }
    own = connect(ENGINES[engine].loaded(tables), home=None, as_of="2025-12-31")
    last = (dt.datetime(2025, 12, 31) - start).days
    windows = [(i % 3, 60 + i // 3) for i in range(850)]
    by_window = [E[f"e{event}"].within(days=days).count() >= 1 for event, days in windows]
    sizes = own.sizes([*by_window, *(in_list(f"list {i}") for i in range(150))])["size"].tolist()
    expected = [len({e["contact_id"] for i, e in enumerate(events) if i % 3 == ev and i > last - days}) for ev, days in windows]
    assert sizes == [*expected, *([1] * 150)]


@pytest.mark.parametrize("limits", [Limits(columns=5), Limits(joins=2)], ids=["columns", "joins"])
def test_limits_split_what_is_counted(ws, limits: Limits) -> None:
    events = ("opened", "clicked", "purchased")
    segments = [Segment(f"{event} {n}", E[event].count() > n) for event in events for n in range(2)]
    with connect(home=None) as tight:
        tight.sizes([everyone()])
        tight.engine = counting = Elsewhere(tight.engine, limits)
        assert tight.sizes(segments).equals(ws.sizes(segments))
        assert counting.queries > 1
        counting.queries = 0
        assert counts(tight.overlap(segments)) == counts(ws.overlap(segments))
        assert (counting.queries > 1) == (limits.columns is None)


@pytest.mark.parametrize(("columns", "queries"), [(5, 1), (4, 3), (3, 9)])
def test_each_pair_stands_in_one_of_the_queries(ws, columns: int, queries: int) -> None:
    segments = [Segment(f"{n} opens", F.opens > n) for n in range(200)]
    expected = counts(ws.overlap(segments))
    with connect(home=None) as tight:
        tight.engine = Elsewhere(tight.engine, Limits(columns=columns))
        tight.sizes([everyone()])
        tight.engine.queries = 0
        assert counts(tight.overlap(segments)) == expected
        assert tight.engine.queries == queries
        with pytest.raises(DefinitionError, match="too many for one query") if queries > 1 else nullcontext():
            tight.intersections(segments)


# ---------------------------------------------------------------- edges


def test_nothing_and_one_segment(ws) -> None:
    for given_segments in ([], [everyone()]):
        frame = ws.overlap(given_segments)
        assert list(frame.columns) == COLUMNS
        assert frame.empty
        assert frame.dtypes.astype(str).tolist()[2:] == ["int64"] * 3 + ["float64"] * 3
    empty = ws.intersections([])
    assert list(empty.columns) == ["size", "share"]
    assert empty.dtypes.astype(str).tolist() == ["int64", "float64"]
    assert ws.intersections([everyone()]).values.tolist() == [[True, 3999, 1.0]]


def test_segments_of_nobody_have_no_share(ws) -> None:
    frame = ws.overlap([Segment("Nobody", F.country == "Nowhere"), Segment("No one", F.opens < 0), everyone()])
    assert frame["both"].tolist() == [0, 0, 0]
    assert frame["share_of_a"].isna().all()
    assert frame["jaccard"].tolist()[1:] == [0, 0]
    assert np.isnan(frame["jaccard"][0])


def test_no_contacts_at_all() -> None:
    contacts = pd.DataFrame({"contact_id": pd.Series([], dtype="int64"), "opens": pd.Series([], dtype="int64")})
    with connect({"contacts": contacts}, home=None) as own:
        for engine in (own.engine, Elsewhere(own.engine)):
            own.engine = engine
            assert counts(own.overlap([F.opens > 1, F.opens > 2])) == [(0, 0, 0)]
            assert own.intersections([F.opens > 1, F.opens > 2]).empty


def test_names_are_told_apart(ws) -> None:
    named = [Segment("size", F.opens > 5), Segment("VIP", F.opens > 6), Segment("share", F.opens > 7)]
    assert list(ws.intersections(named).columns) == ["size (2)", "VIP", "share (2)", "size", "share"]
    unnamed = ws.overlap([F.opens > 5, F.opens > 5])
    assert unnamed[["a", "b"]].values.tolist() == [["F.opens > 5", "F.opens > 5 (2)"]]


def test_500_segments_and_no_more(ws) -> None:
    segments = [Segment(f"{n}", F.opens >= n // 10) for n in range(501)]
    frame = ws.overlap(segments[:500])
    assert len(frame) == 500 * 499 // 2
    sizes = ws.sizes(segments[:500])["size"].to_numpy()
    assert (frame["both"].to_numpy() == np.minimum(*(sizes[i] for i in np.triu_indices(500, 1)))).all()
    for ask in (ws.overlap, ws.intersections):
        with pytest.raises(DefinitionError, match="501 segments are too many"):
            ask(segments)


def test_all_pairs_are_one_query() -> None:
    with connect(home=None) as far:
        far.sizes([everyone()])
        far.engine = Elsewhere(far.engine)
        far.overlap([F.opens > n for n in range(100)])
        assert far.engine.queries == 1


def test_large_regions_count_in_full() -> None:
    """Sizes of signatures are added up by their bits: none of them is lost."""
    connection = duckdb.connect()
    connection.execute("CREATE TABLE contacts AS SELECT i AS contact_id, i % 1000 AS n FROM range(1_234_567) AS r(i)")
    with connect(connection, home=None) as own:
        segments = [F.n < 900, F.n >= 100, F.n == 999, F.n > 2000]
        near = own.overlap(segments)
        own.engine = Elsewhere(own.engine)
        far = own.overlap(segments)
    by_hand = connection.execute(
        "SELECT count(*) FILTER (n < 900 AND n >= 100), count(*) FILTER (n >= 100 AND n = 999) FROM contacts"
    ).fetchone()
    assert counts(near) == counts(far)
    assert (near["both"][0], near["both"][3]) == by_hand
