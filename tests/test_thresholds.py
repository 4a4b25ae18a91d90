"""The size at every threshold and window length of one condition, beside the plain-Python evaluator and plain sizes."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from engine_world import Asked, asked
from engines import ENGINES
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from strategies import MOMENTS, SEGMENTS, definitions

from segkit import TODAY, E, F, Segment, charts, connect, days, everyone, in_list, nodes
from segkit.builder import Predicate
from segkit.errors import DefinitionError
from segkit.measures import thresholds

ZONES = {"UTC": 21, "Europe/Rome": 22}
FEW = 4
LENGTHS = (1, 2, 6, 7, 8, 12, 29, 30, 31, 59, 60, 61, 90, 365)


def world_of(engine: str, zone: str) -> Asked:
    world = asked(engine, ZONES[zone], zone)
    world.workspace.define(*(Segment(name, where) for name, where in SEGMENTS.items()))
    return world


def leaves(node: nodes.Predicate, path: str = "where") -> Iterator[tuple[str, nodes.Predicate]]:
    match node:
        case nodes.And(items) | nodes.Or(items):
            for i, item in enumerate(items):
                yield from leaves(item, f"{path}.items[{i}]")
        case nodes.Not(item):
            yield from leaves(item, f"{path}.item")
        case _:
            yield path, node


def with_other(node: nodes.Predicate, path: str, other: nodes.Predicate, here: str = "where") -> nodes.Predicate:
    match node:
        case nodes.And(items) | nodes.Or(items):
            return replace(node, items=tuple(with_other(item, path, other, f"{here}.items[{i}]") for i, item in enumerate(items)))
        case nodes.Not(item):
            return nodes.Not(with_other(item, path, other, f"{here}.item"))
        case _:
            return other if here == path else node


def with_constant(node: Any, threshold: Any) -> nodes.Predicate:
    """A comparison with another constant, whichever side it stands on."""
    constant = nodes.literal(threshold)
    is_left = isinstance(node.left, nodes.Literal | nodes.Duration | nodes.Rate)
    return replace(node, left=constant) if is_left else replace(node, right=constant)


def with_length(node: Any, amount: int) -> Any:
    """The one window of a condition at another length; windows inside of the value that is compared stay."""
    if isinstance(node, nodes.During):
        return replace(node, span=replace(node.span, length=replace(node.span.length, amount=amount)))
    for side in ("left", "right"):
        own = getattr(node, side)
        if isinstance(own, nodes.Aggregate):
            span = replace(own.events.span, length=replace(own.events.span.length, amount=amount))
            return replace(node, **{side: replace(own, events=replace(own.events, span=span))})
    for side in ("left", "right"):
        own = getattr(node, side)
        if isinstance(own, nodes.Arithmetic) and isinstance(own.left, nodes.Today | nodes.Now):
            return replace(node, **{side: replace(own, right=replace(own.right, amount=amount))})
    raise AssertionError(node)


def some(frame: pd.DataFrame, rng: random.Random) -> pd.DataFrame:
    """A few rows: both ends, the current one and its neighbours, and others."""
    [at] = [i for i, is_current in enumerate(frame["is_current"]) if is_current]
    wanted = {0, len(frame) - 1, at, max(at - 1, 0), min(at + 1, len(frame) - 1)}
    others = [i for i in range(len(frame)) if i not in wanted]
    wanted |= set(rng.sample(others, min(FEW, len(others))))
    return frame.iloc[sorted(wanted)]


def plain(threshold: Any) -> Any:
    """A threshold of a frame as a definition takes it."""
    return threshold.to_pydatetime() if isinstance(threshold, pd.Timestamp) else threshold


def agrees(world: Asked, where: Predicate, path: str, frame: pd.DataFrame, change: Any) -> int:
    """Compares some rows with plain sizes of what each stands for, counted on their own."""
    own = dict(leaves(where.node))[path]
    rows = some(frame, random.Random(5))
    others = [Predicate(with_other(where.node, path, change(own, plain(at)))) for at in rows["threshold"]]
    plainly = world.workspace.sizes(others)
    assert rows["size"].tolist() == plainly["size"].tolist(), (where, path)
    assert rows["share"].tolist() == plainly["share"].tolist()
    return len(frame)


def evaluated(world: Asked, where: Predicate, path: str, frame: pd.DataFrame, change: Any) -> None:
    """Compares the current row and its neighbours with the evaluator."""
    own = dict(leaves(where.node))[path]
    [at] = [i for i, is_current in enumerate(frame["is_current"]) if is_current]
    for row in frame.iloc[max(at - 1, 0) : at + 2].itertuples():
        other = Predicate(with_other(where.node, path, change(own, plain(row.threshold))))
        assert row.size == len(world.expected(other, MOMENTS[0])), (other, row)


def as_date(node: Any, threshold: Any) -> nodes.Predicate:
    return with_constant(node, threshold.date() if isinstance(threshold, dt.datetime) else threshold)


# ---------------------------------------------------------------- written by hand, on every engine

VALUES = (
    F.opens > 0,
    F.opens <= 2,
    ~(F.opens >= 1),
    (F.country == "USA") & (F.opens < 5),
    (F.opens > 0) | ~((F.score >= 1.5) & in_list("VIP")),
    ~(~(E.opened.count() >= 2) & (F.country != "USA")),
    E.purchased.sum("amount") > 5,
    F.birthday < dt.date(2024, 2, 29),
    F.opens.quantile(4) >= 2,
)
WINDOWS = (
    E.opened.within(days=30).any(),
    E.opened.within(days=30).count() >= 2,
    E.opened.within(days=7).count() < 2,
    (F.country == "USA") | ~(E.opened.within(days=30).count() > 1),
    ~(E.opened.within(days=30, edge=True).count() == 0),
    E.purchased.where(F.qty > 0).within(weeks=1).count() <= 1,
    E["*"].within(months=1).count() >= 3,
    F.local_seen.older_than(days=30),
    ~F.seen_at.within(days=30, edge=True) & (F.opens > 0),
    F.renewal.in_next(days=30) | (F.opens > 2),
    E.opened.last().older_than(days=30, edge=True),
    F.seen_tz > TODAY - days(30),
    F.seen_at <= TODAY - days(30),
    ~(F.renewal < TODAY + days(7)),
)


def varied(where: Predicate, fits: Any) -> str:
    """The path of the only condition that can be varied; of several the first."""
    return next(path for path, node in leaves(where.node) if fits(node))


@pytest.mark.parametrize("engine", ENGINES)
def test_the_size_at_every_threshold_is_the_plain_size(engine: str) -> None:
    world = world_of(engine, "Europe/Rome")
    for where in VALUES[: 4 if world.engine.is_slow else None]:
        own = world.said(where)
        path = varied(own, thresholds._is_compared)
        agrees(world, own, path, world.workspace.thresholds(own, path), as_date)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_size_at_every_window_length_is_the_plain_size(engine: str) -> None:
    world = world_of(engine, "Europe/Rome")
    for where in WINDOWS[: 4 if world.engine.is_slow else None]:
        path = varied(where, lambda node: thresholds._length(node) is not None)
        agrees(world, where, path, world.workspace.windows(where, path, lengths=LENGTHS), with_length)


@pytest.mark.parametrize("zone", ZONES)
def test_the_sizes_are_those_of_the_evaluator(zone: str) -> None:
    world = world_of("duckdb", zone)
    for where in VALUES:
        path = varied(where, thresholds._is_compared)
        evaluated(world, where, path, world.workspace.thresholds(where, path), as_date)
    for where in WINDOWS:
        path = varied(where, lambda node: thresholds._length(node) is not None)
        evaluated(world, where, path, world.workspace.windows(where, path, lengths=LENGTHS), with_length)


# ---------------------------------------------------------------- random definitions around a condition


def around(own: Predicate, other: Predicate, way: int) -> tuple[Predicate, str]:
    """A condition beside another one in some way, and its path."""
    return [
        (own & other, "where.items[0]"),
        (own | other, "where.items[0]"),
        (other - own, "where.items[1].item"),
        (~(own | other), "where.item.items[0]"),
        ((other & own) | ~other, "where.items[0].items[1]"),
    ][way]


@pytest.mark.filterwarnings("ignore::segkit.SegkitWarning")
@pytest.mark.parametrize(("engine", "zone"), [("duckdb", "UTC"), ("sqlite", "Europe/Rome")])
def test_what_stands_around_a_condition_is_held(engine: str, zone: str) -> None:
    world = world_of(engine, zone)
    values = [where for where in VALUES if thresholds._is_compared(where.node)]
    windows = [where for where in WINDOWS if not isinstance(where.node, nodes.And | nodes.Or | nodes.Not)]
    counted: list[int] = []

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, phases=[Phase.generate])
    @given(definitions(), st.sampled_from(values), st.sampled_from(windows), st.integers(0, 4))
    def agree(other: Predicate, value: Predicate, window: Predicate, way: int) -> None:
        assume(not isinstance(other.node, nodes.And | nodes.Or))
        where, path = around(world.said(value), world.said(other), way)
        counted.append(agrees(world, where, path, world.workspace.thresholds(where, path), as_date))
        where, path = around(window, world.said(other), way)
        frame = world.workspace.windows(where, path, lengths=[1, 7, 30, 60])
        counted.append(agrees(world, where, path, frame, with_length))

    agree()
    assert len(counted) == 40


# ---------------------------------------------------------------- edges


def tiny(times: dict[int, list[str]], **fields: list[Any]) -> Any:
    keys = list(times)
    events = [
        {"event_id": f"{key}-{i}", "contact_id": key, "event": "opened", "occurred_at": pd.Timestamp(at)}
        for key, own in times.items()
        for i, at in enumerate(own)
    ]
    return connect(
        {"contacts": pd.DataFrame({"contact_id": keys, **fields}), "events": pd.DataFrame(events)},
        as_of="2025-01-31T00:00:00",
        home=None,
    )


def test_an_event_enters_one_microsecond_after_the_edge_of_the_window() -> None:
    ws = tiny(
        {
            1: ["2025-01-29T23:59:59.999999"],
            2: ["2025-01-30"],
            3: ["2025-01-30T00:00:00.000001"],
            4: ["2025-01-31"],
            5: ["2025-02-01"],
        }
    )
    frame = ws.windows(E.opened.within(days=1).any(), lengths=[1, 2, 3])
    assert frame["size"].tolist() == [2, 4, 4]
    edge = ws.windows(E.opened.within(days=1, edge=True).any(), lengths=[1, 2, 3])
    assert edge["size"].tolist() == [3, 4, 4]
    never = ws.windows(~E.opened.within(days=1).any(), lengths=[1, 2, 3])
    assert never["size"].tolist() == [3, 1, 1]


def test_the_nth_newest_event_decides() -> None:
    ws = tiny({1: ["2025-01-30T12:00", "2025-01-25"], 2: ["2025-01-30T12:00", "2025-01-30T12:00"], 3: ["2025-01-01"]})
    frame = ws.windows(E.opened.within(days=30).count() >= 2, lengths=range(1, 10))
    assert frame["size"].tolist() == [1, 1, 1, 1, 1, 1, 2, 2, 2, 2]
    assert frame["threshold"].tolist() == [*range(1, 10), 30]
    assert frame["is_current"].tolist() == [False] * 9 + [True]


def test_missing_values_never_pass_but_always_fail() -> None:
    ws = tiny({1: [], 2: [], 3: [], 4: []} | {9: ["2025-01-01"]}, score=[1.0, 2.5, None, 2.5, float("inf")])
    above = ws.thresholds(F.score > 1)
    assert above[["threshold", "size"]].values.tolist() == [[0.0, 4], [1.0, 3], [2.5, 1], [float("inf"), 0]]
    assert "inf" not in str(charts.thresholds(above).spec).lower().replace("info", "")
    below = ws.thresholds(~(F.score > 1))
    assert below["size"].tolist() == [1, 2, 4, 5]
    assert above["is_current"].tolist() == [False, True, False, False]


def test_thresholds_that_are_given_are_counted_exactly() -> None:
    ws = connect(home=None)
    where = (F.country == "USA") & (F.created_at > "2025-01-01")
    days_of = ["2024-06-01", "2025-03-30", "2025-06-01T12:00"][:2]
    frame = ws.thresholds(where, "where.items[1]", values=days_of)
    assert [str(at)[:10] for at in frame["threshold"]] == ["2024-06-01", "2025-01-01", "2025-03-30"]
    for row in frame.itertuples():
        assert row.size == ws.size((F.country == "USA") & (F.created_at > str(row.threshold)[:10]))
    opens = ws.thresholds(F.opens <= 5, values=[0, 10, 2.5])
    assert opens["size"].tolist() == [ws.size(F.opens <= own) for own in (0, 2.5, 5, 10)]


def test_every_default_threshold_is_a_plain_size() -> None:
    ws = connect(home=None)
    where = (F.country == "USA") | ~(F.opens >= 5)
    frame = ws.thresholds(where, F.opens >= 5)
    sizes = ws.sizes([(F.country == "USA") | ~(F.opens >= int(own)) for own in frame["threshold"]])["size"]
    assert frame["size"].tolist() == sizes.tolist()
    assert frame["threshold"].is_monotonic_increasing


def test_nobody_at_all() -> None:
    ws = tiny({1: ["2025-01-30"]}, score=[None])
    assert ws.thresholds(F.score > 1.5).values.tolist() == [[1.5, 0, 0.0, True]]
    empty = ws.windows((E.opened.within(days=3).count() >= 2) & ~everyone(), lengths=[])
    assert empty.values.tolist() == [[3, 0, 0.0, True]]


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("where", "condition", "part"),
    [
        (F.country == "USA", None, "no condition"),
        ((F.opens > 1) & (F.opens > 2), None, "2 conditions"),
        ((F.opens > 1) | ((F.opens > 1) & (F.clicks > 1)), F.opens > 1, "2 conditions"),
        (F.opens > 1, F.opens > 2, "no condition"),
        (F.opens > 1, "where.items[3]", "unknown condition"),
        (F.opens > 1, 7, "no condition"),
        ((F.opens > 1) & (F.country == "USA"), "where.items[1]", "compares a value with a constant"),
        (F.opens > F.clicks, None, "no condition"),
        (F.created_at > "2025-01-01", None, "not listed"),
    ],
)
def test_thresholds_that_mean_nothing_are_refused(where: Predicate, condition: Any, part: str) -> None:
    with connect(home=None) as ws, pytest.raises(DefinitionError, match=part):
        ws.thresholds(where, condition)


@pytest.mark.parametrize(
    "where",
    [
        E.purchased.within(days=30).sum("amount") > 100,
        E.opened.within(days=30).count() == 3,
        E.opened.within(days=30).count() >= 0,
        E.opened.window(days=(90, 30)).count() >= 1,
        E.opened.in_period("month", -1).any(),
        E.visited.within(days=9).then(E.purchased, days=7).any(),
        E.opened.count() >= 5,
        F.birthday.anniversary(within_days=7),
    ],
)
def test_windows_that_are_no_curve_are_refused(where: Predicate) -> None:
    with connect(home=None) as ws, pytest.raises(DefinitionError, match="no condition"):
        ws.windows(where)
    with connect(home=None) as ws, pytest.raises(DefinitionError, match="no condition that has a window"):
        ws.windows(where, "where")


def test_lengths_and_values_are_bounded() -> None:
    with connect(home=None) as ws:
        own = E.opened.within(days=30).any()
        with pytest.raises(DefinitionError, match="at most 1,000"):
            ws.windows(own, lengths=range(1, 2000))
        for lengths in ([0], ["7"], [1.5], [-1], "7"):
            with pytest.raises(DefinitionError):
                ws.windows(own, lengths=lengths)
        with pytest.raises(DefinitionError, match="at most 1,000"):
            ws.thresholds(F.opens > 1, values=range(2000))
        for values in ([None], [float("nan")], ["x"], "5"):
            with pytest.raises(DefinitionError):
                ws.thresholds(F.opens > 1, values=values)


# ---------------------------------------------------------------- the chart


def test_the_chart_marks_the_current_threshold() -> None:
    with connect(home=None) as ws:
        frame = ws.thresholds((F.country == "USA") & (F.opens > 5))
        svg = charts.thresholds(frame).svg()
        assert "now 5: 989 (24.7%)" in svg
        assert "as of 2025-11-30 12:00 UTC" in svg
        assert "of F.opens &gt; 5, in (F.country == 'USA') &amp; (F.opens &gt; 5)" in svg
        windows = charts.thresholds(ws.windows(E.opened.within(days=30).any())).svg()
        assert "length of the window (days)" in windows


def test_the_chart_thins_out_many_thresholds_and_keeps_the_current_one() -> None:
    with connect(home=None) as ws:
        frame = ws.thresholds(F.total_spent > 500)
        chart = charts.thresholds(frame)
        assert len(frame) > 600
        assert len(chart.data) == len(frame)
        drawn = max(chart.spec["datasets"].values(), key=len)
        assert len(drawn) <= 602
        assert [row["size"] for row in drawn if row["is_current"]] == frame[frame["is_current"]]["size"].tolist()


def test_the_chart_of_one_row_of_none_and_of_hostile_words() -> None:
    with connect(home=None) as ws:
        frame = ws.thresholds(F.opens > 5, values=[])
        for own in (frame, frame.head(0)):
            own.attrs.update(condition="</script><img src=x onerror=alert(1)>" * 20, varies="datum.size" * 30)
            assert "<img" not in charts.thresholds(own).svg()
