"""The sweep: one query finds who came and went at every point as asking at each point does, on every engine."""

from __future__ import annotations

import datetime as dt
import os
import random
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from engine_world import asked
from engines import ENGINES, Rows
from hypothesis import given
from hypothesis import strategies as st
from strategies import INSTANTS, MICRO, MOMENTS, definitions
from test_laws import ZONES, examples, world

from segkit import TODAY, E, F, Segment, Workspace, all_of, any_of, connect, everyone, in_list
from segkit.builder import Predicate
from segkit.catalog import Kind
from segkit.compile import passing, sql, sweep
from segkit.measures import spells
from segkit.plan import Plan, clock
from segkit.plan.course import EXACT, Unswept, course
from segkit.plan.tree import ColumnTerm

UTC, ROME = dt.UTC, ZoneInfo("Europe/Rome")
REAL = os.environ.get("SEGKIT_PURCHASES", "")
Changes = list[tuple[Any, int, int]]


def changes(moves: spells.Moves) -> Changes:
    return sorted(zip(list(moves.contact), moves.index.tolist(), moves.sign.tolist(), strict=True))


def by_members(members: Sequence[set[Any]]) -> Changes:
    """Who comes and goes, out of the members at each point."""
    found: Changes = []
    for i, (then, now) in enumerate(pairwise([set(), *members])):
        found += [(contact, i, 1) for contact in now - then] + [(contact, i, -1) for contact in then - now]
    return sorted(found)


@st.composite
def grids(draw: st.DrawFn) -> tuple[dt.datetime, ...]:
    """Points: days and months in a zone, hours, and instants so long after events, a microsecond to either side."""
    at, zone = draw(st.sampled_from(MOMENTS)), draw(st.sampled_from(tuple(ZONES)))
    match draw(st.sampled_from(("day", "day", "month", "hour", "edges", "edges", "edges"))):
        case "day":
            start = at - dt.timedelta(days=draw(st.integers(0, 60)), minutes=draw(st.sampled_from((0, 30, 720))))
            return clock.points(start, start + dt.timedelta(days=9), "day", zone)
        case "month":
            return clock.points(at - dt.timedelta(days=240), at + dt.timedelta(days=40), "month", zone)
        case "hour":
            return clock.points(at - dt.timedelta(hours=12), at, "hour", zone)
        case _:
            rng = random.Random(draw(st.integers(0, 10_000)))
            lengths = [dt.timedelta(days=days) for days in (0, 1, 7, 30)]
            edges = {rng.choice(INSTANTS) + rng.choice(lengths) + rng.choice((-1, 0, 1)) * MICRO for _ in range(8)}
            return tuple(sorted(edges))


def is_swept(plans: Sequence[Plan], exact: Collection[Kind] = EXACT) -> bool:
    try:
        course(plans, exact)
    except Unswept:
        return False
    return True


# ---------------------------------------------------------------- random definitions


def test_the_sweep_is_what_asking_at_each_point_gives() -> None:
    seen: Counter[str] = Counter()

    @examples(40, 1)
    @given(definitions(), grids(), st.sampled_from(tuple(ZONES)))
    def law(where: Predicate, points: tuple[dt.datetime, ...], zone: str) -> None:
        own = world(zone)
        plans = [own.plan(where, at) for at in points]
        found = spells.swept(own.workspace.engine, plans)
        seen["all"] += 1
        if found is not None:
            [expected] = spells.asked(own.workspace.engine, [plans])
            assert changes(found) == changes(expected)
            seen["swept"] += 1
            seen["moving"] += len(set(expected.index.tolist())) > 1

    law()
    assert seen["swept"] > seen["all"] / 2
    assert seen["moving"] > seen["swept"] / 3


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_sweep_random_definitions(engine: str) -> None:
    is_slow = ENGINES[engine].asks_together or ENGINES[engine].is_slow
    exact = [Kind.INTEGER] if "decimals" in ENGINES[engine].lacks else EXACT
    swept: list[bool] = []

    @examples(3 if is_slow else 8, 0.3)
    @given(definitions(), grids(), st.sampled_from(tuple(ZONES)))
    def law(where: Predicate, points: tuple[dt.datetime, ...], zone: str) -> None:
        own = asked(engine, 1, zone)
        said = own.said(where)
        plans = [own.plan(said, at) for at in points]
        if not is_swept(plans, exact) or ("json" in ENGINES[engine].lacks and "props" in repr(plans[0].where)):
            return
        found = spells.swept(own.workspace.engine, plans)
        assert found is not None
        assert changes(found) == by_members([set(own.expected(said, at)) for at in points])
        swept.append(True)

    law()
    assert swept
    print(f"{len(swept)} random definitions swept on {engine}")


# ---------------------------------------------------------------- each kind of condition

KINDS: dict[str, Predicate] = {
    "count": E.opened.within(days=30).count() >= 2,
    "count of none": E.opened.within(days=7).count() == 0,
    "count exactly": E["*"].within(days=30).count() == 1,
    "count ever": E.opened.count() >= 2,
    "any": E.purchased.within(months=1).any(),
    "sum": E.purchased.within(days=30).sum("qty") > 1,
    "average": E.purchased.avg("qty") > 1,
    "smallest": E.purchased.within(days=30).min("rating") <= 1.5,
    "largest": E.purchased.within(days=30).max("rating") < 2,
    "distinct": E["*"].within(days=60).distinct("campaign") >= 2,
    "active days": E["*"].within(days=60).active("day") >= 2,
    "active months": E["*"].active("month") >= 2,
    "between": E.opened.window(days=(60, 30)).any(),
    "period": E.opened.in_period("month", -1).any(),
    "this period": E.opened.in_period("week").count() < 1,
    "last older": E.opened.last().older_than(days=30),
    "last newer": E.opened.last().within(days=30),
    "first older": E.opened.first().older_than(days=7),
    "first in window": E.opened.within(days=30).first() > "2025-06-01",
    "first in window older": E["*"].within(days=30).first().older_than(days=10),
    "latest": E.purchased.within(days=30).latest("qty") > 0,
    "arithmetic": E.opened.within(days=30).count() > E.opened.window(days=(60, 30)).count(),
    "beside a field": E.opened.count() > F.opens,
    "date": F.renewal.within(days=30),
    "age": (TODAY - F.renewal) > 30,
    "instant": F.seen_tz.older_than(days=7),
    "another clock": F.local_seen.within(days=30),
    "next": F.seen_at.in_next(days=7),
    "date in period": F.renewal.in_period("month", -1),
    "on today": F.renewal == TODAY,
    "month": F.birthday.month() == TODAY.month(),
    "anniversary": F.birthday.anniversary(within_days=7),
    "list": in_list("VIP"),
    "history": F.tier == "USA",
    "missing history": F.points.is_missing(),
    "everyone": everyone(),
    "none of": ~(F.renewal.within(days=30) | (E.opened.within(days=30).count() >= 1)),
    "beside what nobody meets": (
        (F.opens > 1) | (E.opened.within(days=30).any() & ~E.opened.within(days=30).any()) | E.purchased.within(days=30).any()
    ),
    "beside fixed": (F.opens > 0) & ~in_list("VIP") & (E.opened.count() < 2),
}
HALF_MINUTES = tuple(MOMENTS[0] - dt.timedelta(days=40) + i * dt.timedelta(days=9, hours=7, seconds=30) for i in range(8))
GRIDS = {
    "days": clock.points(MOMENTS[0] - dt.timedelta(days=10), MOMENTS[0] + dt.timedelta(days=2), "day", "Europe/Rome"),
    "months": clock.points(dt.datetime(2023, 12, 31, tzinfo=UTC), dt.datetime(2024, 12, 31, tzinfo=UTC), "month", "Europe/Rome"),
    "days over a change of the clock": clock.points(
        dt.datetime(2025, 3, 27, 23, tzinfo=UTC), dt.datetime(2025, 4, 3, tzinfo=UTC), "day", "Europe/Rome"
    ),
    "anything": HALF_MINUTES,
}


@pytest.mark.parametrize("grid", GRIDS)
def test_each_kind_of_condition_is_swept(grid: str) -> None:
    own = world("Europe/Rome")
    courses = {kind: [own.plan(where, at) for at in GRIDS[grid]] for kind, where in KINDS.items()}
    everything = spells.asked(own.workspace.engine, list(courses.values()))
    for (kind, plans), expected in zip(courses.items(), everything, strict=True):
        found = spells.swept(own.workspace.engine, plans)
        assert found is not None, kind
        assert changes(found) == changes(expected), kind


def uncreated(plans: Sequence[Plan]) -> list[Plan]:
    """The plans where the catalog knows no creation of contacts, so that one condition can be all that changes."""
    contacts = replace(plans[0].catalog.contacts, created=None)
    return [replace(plan, catalog=replace(plan.catalog, contacts=contacts)) for plan in plans]


def test_each_kind_of_condition_is_swept_alone_and_negated() -> None:
    own = world("Europe/Rome")
    wheres = [*KINDS.values(), *(~where for where in KINDS.values())]
    courses = [uncreated([own.plan(where, at) for at in HALF_MINUTES]) for where in wheres]
    for where, plans, expected in zip(wheres, courses, spells.asked(own.workspace.engine, courses), strict=True):
        found = spells.swept(own.workspace.engine, plans)
        assert found is not None
        assert changes(found) == changes(expected), where


def test_a_comparison_that_is_another_one_at_another_point_is_not_swept() -> None:
    own = world("UTC")
    assert not is_swept([own.plan(F.renewal > TODAY, HALF_MINUTES[0]), own.plan(F.renewal < TODAY, HALF_MINUTES[1])])


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_sweep_conditions_alone(engine: str) -> None:
    own = asked(engine, 1, "Europe/Rome")
    many, on_list = E.opened.within(days=30).count() >= 2, in_list("VIP")
    courses = [
        uncreated([own.plan(where, at) for at in HALF_MINUTES[:3]]) for where in (many, ~many, ~on_list, (F.opens > 1) & on_list)
    ]
    for plans, expected in zip(courses, spells.asked(own.workspace.engine, courses), strict=True):
        found = spells.swept(own.workspace.engine, plans)
        assert found is not None
        assert changes(found) == changes(expected)


def test_what_a_member_needs_is_swept_first() -> None:
    own = world("Europe/Rome")
    rng = random.Random(1)
    parts = [*KINDS.values(), *(~where for where in KINDS.values()), E.opened.count() >= 3, E["*"].within(days=30).count() >= 4]
    wheres = [all_of(*rng.sample(parts, 3)) for _ in range(10)]
    wheres += [all_of(one, any_of(*rng.sample(parts, 2))) for one in rng.sample(parts, 5)]
    courses = [[own.plan(where, at) for at in HALF_MINUTES] for where in wheres]
    narrowed = 0
    for where, plans, expected in zip(wheres, courses, spells.asked(own.workspace.engine, courses), strict=True):
        prepared = spells.prepared(own.workspace.engine, plans)
        assert prepared is not None
        most, least = (sweep.moves(each).sql("duckdb").count('"may') for each in (prepared, replace(prepared, narrows=False)))
        narrowed += most > least
        found = spells.swept(own.workspace.engine, plans)
        assert found is not None
        assert changes(found) == changes(expected), where
    assert narrowed > len(wheres) / 2


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_sweep_many_conditions_at_once(engine: str) -> None:
    own = asked(engine, 1, "Europe/Rome")
    points = (*GRIDS["anything"][:3], *GRIDS["days"][-2:])
    kinds = [where for kind, where in KINDS.items() if kind != "sum" or engine != "sqlite"]
    for some in (kinds[i::6] for i in range(0, 6, 3 if ENGINES[engine].is_slow or ENGINES[engine].asks_together else 1)):
        where = some[0]
        for other in some[1:]:
            where = ~where & other if len(repr(where)) % 2 else where | ~other
        said = own.said(where)
        found = spells.swept(own.workspace.engine, [own.plan(said, at) for at in points])
        assert found is not None
        assert changes(found) == by_members([set(own.expected(said, at)) for at in points])


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_sweep_times_of_contacts_alone(engine: str) -> None:
    own = asked(engine, 1, "Europe/Rome")
    points = GRIDS["days"]
    for where in (F.birthday == TODAY, F.renewal == TODAY):
        found = spells.swept(own.workspace.engine, [own.plan(where, at) for at in points])
        assert found is not None
        assert changes(found) == by_members([set(own.expected(where, at)) for at in points])


@pytest.mark.filterwarnings("ignore:no history of opens")
@pytest.mark.parametrize(
    "where",
    [F.opens.top(n=3), E.purchased.sum("rating") > 1, E.opened.then(E.purchased).any(), E.opened.last() > E.purchased.last()],
)
def test_what_is_not_swept_is_asked(where: Predicate) -> None:
    own = world("UTC").workspace
    frame = own.history([where], start="2025-06-28", end="2025-06-30")
    assert frame["method"].tolist() == ["asked"] * 3
    assert frame["size"].tolist() == [own.size(where, as_of=day) for day in ("2025-06-28", "2025-06-29", "2025-06-30")]


# ---------------------------------------------------------------- edges


def at_edges(time: dt.datetime, window: Predicate, points: Sequence[dt.datetime], zone: str = "UTC") -> list[int]:
    events = pd.DataFrame({"contact_id": [1], "event": ["opened"], "occurred_at": [time.astimezone(UTC).replace(tzinfo=None)]})
    with connect({"contacts": pd.DataFrame({"contact_id": [1, 2]}), "events": events}, home=None, timezone=zone) as ws:
        frame = ws.history([window], every=points)
        assert set(frame["method"]) == {"swept"}
        assert frame["size"].tolist() == [ws.size(window, as_of=at) for at in points]
        return frame["size"].tolist()


def in_rome(*texts: str) -> list[dt.datetime]:
    return [dt.datetime.fromisoformat(text).replace(tzinfo=ROME) for text in texts]


def test_an_event_is_inside_from_its_instant_until_its_window_ends() -> None:
    time = dt.datetime(2025, 6, 1, 10, 0, 0, 1, tzinfo=UTC)
    end = time + dt.timedelta(days=30)
    points = [time - MICRO, time, time + MICRO, end - MICRO, end, end + MICRO]
    assert at_edges(time, E.opened.within(days=30).any(), points) == [0, 1, 1, 1, 0, 0]
    assert at_edges(time, E.opened.last().older_than(days=30), points) == [0, 0, 0, 0, 0, 1]
    assert at_edges(time, E.opened.window(days=(60, 30)).any(), points) == [0, 0, 0, 0, 1, 1]


def test_a_month_lasts_until_the_day_that_clips_to_it() -> None:
    time = dt.datetime(2025, 3, 30, 12, tzinfo=UTC)
    days = ["2025-04-29T12:00", "2025-04-30T11:59:59", "2025-04-30T12:00", "2025-05-01T00:00"]
    points = [dt.datetime.fromisoformat(day).replace(tzinfo=UTC) for day in days]
    assert at_edges(time, E.opened.within(months=1).any(), points) == [1, 1, 0, 0]


def test_leap_days_end_a_month_and_a_year() -> None:
    january, leap = (dt.datetime(2024, month, day, 12, tzinfo=UTC) for month, day in ((1, 31), (2, 29)))
    points = [
        dt.datetime(2024, 2, 29, 12, tzinfo=UTC),
        dt.datetime(2024, 3, 1, tzinfo=UTC) - MICRO,
        dt.datetime(2024, 3, 1, tzinfo=UTC),
    ]
    assert at_edges(january, E.opened.within(months=1).any(), points) == [1, 1, 0]
    points = [
        dt.datetime(2025, 2, 28, 12, tzinfo=UTC),
        dt.datetime(2025, 3, 1, tzinfo=UTC) - MICRO,
        dt.datetime(2025, 3, 1, tzinfo=UTC),
    ]
    assert at_edges(leap, E.opened.within(years=1).any(), points) == [1, 1, 0]


@pytest.mark.filterwarnings("ignore:no history of birthday")
def test_the_anniversary_of_a_leap_day_moves_with_the_years() -> None:
    days = ["2024-02-27", "2024-02-28", "2024-02-29", "2024-03-01", "2025-02-27", "2025-02-28", "2025-03-01"]
    contacts = pd.DataFrame({"contact_id": [1], "birthday": [dt.date(2000, 2, 29)]})
    with connect({"contacts": contacts}, home=None, catalog={"contacts": {"fields": {"birthday": "date"}}}) as ws:
        whose = F.birthday.anniversary(within_days=1)
        frame = ws.history([whose], every=days)
        assert set(frame["method"]) == {"swept"}
        assert frame["size"].tolist() == [ws.size(whose, as_of=day) for day in days]
        assert frame["size"].tolist() == [0, 1, 1, 0, 1, 1, 0]


def test_a_period_holds_its_last_instant_and_not_the_next() -> None:
    [end] = in_rome("2025-07-01T00:00")
    points = in_rome("2025-07-01T00:00", "2025-07-31T23:59:59.999999", "2025-08-01T00:00", "2025-08-31T23:59:59.999999")
    last_month, this_month = E.opened.in_period("month", -1).any(), E.opened.in_period("month").any()
    assert at_edges(end - MICRO, last_month, points, "Europe/Rome") == [1, 1, 0, 0]
    assert at_edges(end, last_month, points, "Europe/Rome") == [0, 0, 1, 1]
    assert at_edges(end, this_month, [end - MICRO, *points], "Europe/Rome") == [0, 1, 1, 0, 0]


def test_a_day_is_as_long_as_its_zone_says() -> None:
    midnights = in_rome("2025-03-30T00:00", "2025-03-31T00:00", "2025-04-01T00:00")
    [evening] = in_rome("2025-03-30T23:30")
    assert at_edges(evening, E.opened.in_period("day", -1).any(), midnights, "Europe/Rome") == [0, 1, 0]
    assert at_edges(evening, E.opened.in_period("day", -1).any(), midnights, "UTC") == [0, 0, 1]
    [noon] = in_rome("2025-03-29T12:00")
    points = in_rome("2025-03-30T12:00", "2025-03-30T12:59:59.999999", "2025-03-30T13:00")
    assert at_edges(noon, E.opened.within(hours=24).any(), [noon, *points], "Europe/Rome") == [1, 1, 1, 0]


def test_days_in_a_row_are_written_as_one_and_others_are_counted() -> None:
    def written(days: Sequence[int]) -> str:
        edges = tuple(dt.date(2015, 1, 1) + dt.timedelta(days=n) for n in days)
        return passing.passed(lambda: sql.column("seen", "c"), ColumnTerm("seen", Kind.DATE), edges, True).sql()

    assert len(written(range(4000))) == len(written(range(1000, 6000)))
    assert len(written(range(0, 4000, 2))) > 2000
    with pytest.raises(Unswept, match="not a day apart"):
        written(range(0, 4002, 2))


def test_keys_that_are_floats_are_asked_where_no_window_takes_them() -> None:
    time = dt.datetime(2025, 6, 1, 10)
    tables = {
        "contacts": Rows({"contact_id": Kind.FLOAT}, [{"contact_id": 1.0}, {"contact_id": 2.0}]),
        "events": Rows(
            {"contact_id": Kind.FLOAT, "event": Kind.TEXT, "occurred_at": Kind.TIMESTAMP},
            [{"contact_id": 1.0, "event": "opened", "occurred_at": time}],
        ),
    }
    engine = ENGINES["bigquery"]
    with connect(engine.loaded(tables), home=None, **engine.connect) as ws:
        frame = ws.history([E.opened.within(days=2).any()], start="2025-06-01", end="2025-06-04")
    assert set(frame["method"]) == {"asked"}
    assert frame["size"].tolist() == [0, 1, 1, 0]


# ---------------------------------------------------------------- spells


def test_spells_end_where_the_contact_is_outside_again() -> None:
    moves = spells.Moves(pd.Series(["b", "a", "a", "a"]), np.array([2, 0, 3, 4]), np.array([1, 1, -1, 1]))
    contact, entered, left = spells.paired(moves, 6)
    assert list(zip(contact, entered.tolist(), left.tolist(), strict=True)) == [("a", 0, 3), ("a", 4, 6), ("b", 2, 6)]
    nobody = spells.Moves(pd.Series([], dtype=object), np.array([], dtype=int), np.array([], dtype=int))
    assert [len(own) for own in spells.paired(nobody, 6)] == [0, 0, 0]


def test_spells_of_several_segments_and_their_history_agree() -> None:
    own = world("Europe/Rome")
    wheres = [KINDS["count"], F.opens.top(n=3), KINDS["last older"]]
    courses = [[own.plan(where, at) for at in GRIDS["days"]] for where in wheres]
    found, counted = (count(own.workspace.engine, courses) for count in (spells.spells, spells.flows))
    assert isinstance(found, spells.Spells)
    assert found.swept == counted.swept == (True, False, True)
    for i, plans in enumerate(courses):
        rows = found.of(i)
        assert sorted(found.contact[rows]) == list(found.contact[rows])
        for j, plan in enumerate(plans):
            inside = (found.entered[rows] <= j) & (found.left[rows] > j)
            assert sorted(found.contact[rows][inside]) == own.members(wheres[i], plan.at.as_of)
            assert (found.entered[rows] == j).sum() == counted.entered[i, j]
            assert (found.left[rows] == j).sum() == counted.left[i, j]


# ---------------------------------------------------------------- real purchases


@pytest.mark.skipif(not REAL, reason="SEGKIT_PURCHASES names no folder with the Online Retail events and contacts")
def test_real_purchases_on_sampled_days() -> None:
    with connect(
        Path(REAL), home=None, as_of="2011-12-10", catalog={"events": [{"table": "events", "event": "event_type"}]}
    ) as ws:
        _check_sampled_days(ws)


def _check_sampled_days(ws: Workspace) -> None:
    segments = [
        Segment("Active", E.purchase.within(days=30).any()),
        Segment("Regular", E.purchase.within(days=90).count() >= 5),
        Segment("At risk", (E.purchase.count() >= 3) & E.purchase.last().older_than(days=60)),
        Segment("Fading", E.purchase.within(days=30).count() < E.purchase.window(days=(60, 30)).count()),
    ]
    frame = ws.history(segments, start="2011-03-01", end="2011-12-10")
    assert set(frame["method"]) == {"swept"}
    for name, rows in frame.groupby("segment"):
        own = next(segment for segment in segments if segment.name == name)
        size = rows["size"].to_numpy()
        assert ((rows["entries"] - rows["exits"]).to_numpy()[1:].astype(int) == np.diff(size)).all()
        for i in random.Random(str(name)).sample(range(1, len(rows)), 6):
            then, now = (set(ws.members(own, as_of=rows["at"].iloc[j]).iloc[:, 0]) for j in (i - 1, i))
            row = rows.iloc[i]
            assert (row["size"], row["entries"], row["exits"]) == (len(now), len(now - then), len(then - now))
