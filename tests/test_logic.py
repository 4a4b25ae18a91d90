"""What follows without data: every claim is so in worlds of random data, and the claims that people expect are made."""

from __future__ import annotations

import datetime as dt
import os
import random
from collections import Counter
from functools import cache, reduce
from operator import and_, eq, ge, gt, le, lt, ne, or_
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import DAYS, INSTANTS, MOMENTS, SEGMENTS, TEXTS, World, definitions, moments

import segkit
from segkit import E, F, evaluate
from segkit.builder import Predicate
from segkit.findings import logic
from segkit.findings.value_sets import MISSING, Values, among, between, ordered, whole
from segkit.plan import Plan
from segkit.plan.tree import AllOf, AnyOf, Complement, Condition

WANTED = int(os.environ.get("SEGKIT_EXAMPLES", "0"))
ZONES = ("UTC", "Europe/Rome")
TODAY = segkit.TODAY


@cache
def worlds(zone: str) -> tuple[World, ...]:
    return tuple(World(seed, zone) for seed in (11, 12, 13))


def truths(plan: Plan, wanted: tuple[Condition, ...], zone: str) -> list[tuple[bool, ...]]:
    """Which conditions hold: one row a contact of all worlds."""
    found: list[tuple[bool, ...]] = []
    for own in worlds(zone):
        rows = own.rows
        past = {"tier_history": rows["tier_history"]}
        found += evaluate.truths(plan, wanted, rows["contacts"], rows["events"], rows["list_members"], past).values()
    return found


# ---------------------------------------------------------------- soundness


_ORDERS: dict[str, Any] = {"=": eq, "!": ne, "<": lt, "≤": le, ">": gt, "≥": ge}


def _pick(rng: random.Random, orders: str, value: Any, constants: tuple[Any, ...]) -> Predicate:
    """A comparison with a constant, one of some, or a test for no value."""
    kind = rng.random()
    own = rng.choice(constants)
    if kind < 0.08:
        return value.is_missing()
    if kind < 0.2 and "=" in orders:
        return value.is_in(rng.sample(constants, 3))
    own_order: Predicate = _ORDERS[rng.choice(orders.split())](value, own)
    return own_order


def _leaf(rng: random.Random) -> Predicate:
    """One of the few values of the pool, compared with one of few constants: two of them often bear on each other."""
    numbers, texts = "= ! < ≤ > ≥", "= !"
    few, instants = (0, 1, 2, 5), tuple(rng.choice(INSTANTS) for _ in range(3))
    days = tuple(rng.choice(DAYS) for _ in range(3))
    stream = rng.choice((E.opened, E.opened, E.purchased, E["*"]))
    if rng.random() < 0.4:
        stream = stream.where(rng.choice((F.qty > 1, F.qty > 0, F.campaign == "USA", (F.qty > 1) & (F.campaign == "USA"))))
    if rng.random() < 0.7:
        length = rng.choice((1, 7, 30, 60))
        stream = rng.choice((stream.within(days=length), stream.window(days=(60, 30)), stream.in_period("month", -1)))
    elif rng.random() < 0.3:
        follows = E.purchased.where(F.qty > 1) if rng.random() < 0.5 else E.purchased
        return _pick(rng, numbers, stream.then(follows, days=rng.choice((1, 7))).count(), few)
    match rng.randrange(20):
        case 0 | 1:
            return _pick(rng, numbers, rng.choice((F.opens, F.price, F.score, F.points)), (0, 1, 2, 5, 1.5, 19.99))
        case 2:
            return _pick(rng, texts, F.country, TEXTS[:5])
        case 3:
            test = rng.choice(("contains", "startswith", "endswith"))
            return getattr(F.country, test)(rng.choice(("", "U", "US", "USA", "sa", "A ", "Us")), ignore_case=rng.random() < 0.4)
        case 4:
            return rng.choice((F.vip == True, F.vip == False, F.vip.is_missing(), F.props.json("plan") == "pro"))  # noqa: E712
        case 5 | 6:
            value = rng.choice((F.seen_at, F.local_seen, F.seen_tz, F.birthday, E.opened.last(), E.opened.first()))
            length = rng.choice((1, 7, 30, 60))
            return rng.choice((value.within(days=length), value.older_than(days=length), value.in_next(days=length)))
        case 7:
            return _pick(rng, numbers, TODAY - rng.choice((F.birthday, F.seen_at, F.local_seen)), (0, 1, 7, 30, 31))
        case 8:
            return _pick(rng, "< ≤ > ≥", rng.choice((F.seen_at, F.local_seen, F.seen_tz)), instants)
        case 9:
            return _pick(rng, "< ≤ > ≥", rng.choice((F.birthday, F.seen_at, F.local_seen, F.birthday + segkit.days(7))), days)
        case 10:
            return _pick(
                rng, numbers, rng.choice((F.birthday.month(), F.birthday.weekday(), F.seen_at.hour())), (0, 1, 6, 12, 13)
            )
        case 11:
            return rng.choice((F.opens.top(n=3), F.opens.top(n=10), F.opens.quantile(3) == 1, F.opens.quantile(3) > 1))
        case 12:
            return rng.choice(
                (
                    segkit.sample(percent=10, seed="a"),
                    segkit.sample(percent=50, seed="a"),
                    segkit.in_list("VIP"),
                    *map(segkit.in_segment, SEGMENTS),
                )
            )
        case 13:
            other = rng.choice((F.clicks, F.price))
            return rng.choice((F.opens < other, F.opens == other, other < F.opens, other >= F.opens, F.opens + other > 1))
        case 14:
            return _pick(rng, numbers, rng.choice((stream.min("rating"), stream.max("rating"), stream.avg("rating"))), few)
        case 15:
            return _pick(rng, numbers, rng.choice((stream.sum("qty"), stream.distinct("qty"), stream.latest("qty"))), few)
        case 16:
            return _pick(rng, numbers, stream.active(rng.choice(("day", "week", "month"))), few)
        case 17:
            return rng.choice((stream.first(), stream.last())).is_missing()
        case _:
            return _pick(rng, numbers, stream.count(), few)


Held = tuple[Condition, int]
"""A condition, and the contacts for whom it holds as the bits of a number."""


def _grown(rng: random.Random, leaves: list[Held], everyone: int, depth: int) -> Held:
    if depth == 0 or rng.random() < 0.2:
        condition, holds = rng.choice(leaves)
    else:
        below = [_grown(rng, leaves, everyone, depth - 1) for _ in range(rng.randint(2, 3))]
        is_and = rng.random() < 0.6
        items = tuple(own for own, _ in below)
        condition = AllOf(items) if is_and else AnyOf(items)
        holds = reduce(and_ if is_and else or_, (own for _, own in below))
    return (Complement(condition), everyone & ~holds) if rng.random() < 0.2 else (condition, holds)


@pytest.mark.parametrize("at", MOMENTS, ids=("june", "leap"))
@pytest.mark.parametrize("zone", ZONES)
def test_no_world_denies_a_claim(zone: str, at: dt.datetime) -> None:
    """Thousands of random questions: nobody is a member of what never holds, or of the one but not of what it implies."""
    rng = random.Random(f"{zone} {at} {WANTED and random.random()}")
    claimed: Counter[str] = Counter()
    for _ in range(max(3, WANTED // 1000)):
        where = reduce(or_, (_leaf(rng) for _ in range(60)))
        plan = worlds(zone)[0].plan(where, at)
        assert isinstance(plan.where, AnyOf)
        rows = truths(plan, plan.where.items, zone)
        everyone = (1 << len(rows)) - 1
        leaves = [(own, sum(row[i] << k for k, row in enumerate(rows))) for i, own in enumerate(plan.where.items)]
        segments = logic.segments_of([plan])
        for _ in range(150):
            few = rng.sample(leaves, 4)
            (a, in_a), (b, in_b) = (_grown(rng, few, everyone, rng.randint(0, 2)) for _ in range(2))
            for name, is_claimed, denied in (
                ("never", logic.never(a, segments), in_a),
                ("always", logic.always(a, segments), everyone & ~in_a),
                ("implies", logic.implies(a, b, segments), in_a & ~in_b),
                ("excludes", logic.excludes(a, b, segments), in_a & in_b),
            ):
                assert not (is_claimed and denied), (name, a, b)
                claimed[name] += is_claimed
        for (a, in_a), (b, in_b) in ((x, y) for x in leaves for y in leaves if x[0] != y[0]):
            if rng.random() < 0.3:
                is_claimed = logic.implies(a, b, segments)
                assert not (is_claimed and in_a & ~in_b), (a, b)
                claimed["leaf"] += is_claimed
    assert all(claimed[name] >= 10 for name in ("never", "always", "implies", "excludes", "leaf")), claimed


def test_every_definition_can_be_asked_about() -> None:
    """Also of any definition: nothing fails, no claim is wrong, and what is added to a condition only narrows it."""
    claimed: Counter[str] = Counter()

    @settings(
        max_examples=max(40, WANTED // 10),
        derandomize=not WANTED,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(definitions(), definitions(), moments())
    def ask(one: Predicate, other: Predicate, at: dt.datetime) -> None:
        plan = worlds("Europe/Rome")[0].plan(one | other, at)
        a, b = (worlds("Europe/Rome")[0].plan(own, at).where for own in (one, other))
        segments = logic.segments_of([plan])
        rows = truths(plan, (a, b), "Europe/Rome")
        for name, is_claimed, denied in (
            ("never", logic.never(a, segments), any(row[0] for row in rows)),
            ("always", logic.always(a, segments), not all(row[0] for row in rows)),
            ("implies", logic.implies(a, b, segments), any(row[0] and not row[1] for row in rows)),
            ("narrows", logic.implies(AllOf((b, a)), a, segments), any(row[0] and row[1] and not row[0] for row in rows)),
            ("widens", logic.implies(a, AnyOf((b, a)), segments), False),
        ):
            assert not (is_claimed and denied), (name, a, b)
            claimed[name] += is_claimed
        claimed["asked"] += 1

    ask()
    assert claimed["narrows"] == claimed["widens"] == claimed["asked"], claimed


# ---------------------------------------------------------------- what people expect


def asked(name: str, *given: Predicate, at: dt.datetime = MOMENTS[0]) -> bool:
    """The answer of `logic` to a question about conditions over the small catalog of the random worlds."""
    plans = [worlds("UTC")[0].plan(own, at) for own in given]
    answer: bool = getattr(logic, name)(*(plan.where for plan in plans), logic.segments_of(plans))
    return answer


opened = E.opened.within(days=30)
NEVER = [
    (F.opens > 5) & (F.opens < 3),
    (F.opens > 3) & (F.opens < 4),
    (F.country == "a") & (F.country == "b"),
    (F.country == "a") & F.country.is_in(["b", "c"]),
    (F.country == "a") & ~(F.country == "a"),
    F.country.startswith("U") & (F.country == "usa"),
    F.country.contains("x") & (F.country == "USA"),
    F.country.contains("xy") & ~F.country.contains("x"),
    (F.vip == True) & (F.vip == False),  # noqa: E712
    F.seen_at.within(days=30) & F.seen_at.older_than(days=90),
    F.local_seen.within(days=30) & F.local_seen.older_than(days=90),
    F.birthday.within(days=30) & (TODAY - F.birthday > 40),
    F.seen_at.within(days=3) & (TODAY - F.seen_at > 10),
    (F.birthday > "2025-05-01") & F.birthday.older_than(days=90),
    (opened.count() < 2) & (opened.count() > 5),
    opened.count() < 0,
    (opened.count() >= 5) & (E.opened.within(days=60).count() < 5),
    (opened.where(F.qty > 5).count() >= 2) & (E.opened.where(F.qty > 1).count() == 1),
    (opened.count() == 0) & E.opened.last().within(days=7),
    (opened.count() > 0) & E.opened.last().older_than(days=60),
    (E.opened.count() == 0) & ~E.opened.last().is_missing(),
    (E.opened.count() == 0) & (E.opened.sum("qty") > 0),
    (E.opened.first() > "2025-05-01") & (E.opened.last() < "2025-04-01"),
    F.opens.is_missing() & (F.opens > 3),
    F.opens.is_missing() & (F.opens / F.clicks > 3),
    (F.opens < F.clicks) & (F.clicks < F.opens),
    F.birthday.month() == 13,
    F.opens.top(n=3) & ~F.opens.top(n=10),
    segkit.in_segment("Active") & (F.opens == 0),
    ((F.opens > 5) | (F.country == "a")) & (F.opens < 3) & (F.country == "b"),
]
ALWAYS = [
    (F.opens > 3) | (F.opens <= 5) | F.opens.is_missing(),
    ~(F.opens > 3) | (F.opens > 2),
    (F.opens != 3) | (F.opens != 4),
    opened.count() >= 0,
    (opened.count() < 5) | (E.opened.count() >= 5),
    (F.country != "a") | F.country.contains("a"),
    (F.vip == True) | (F.vip == False) | F.vip.is_missing(),  # noqa: E712
]
IMPLIED = [
    (F.opens > 5, F.opens > 3),
    (F.opens >= 4, F.opens > 3),
    (F.opens > 3, F.opens >= 4),
    (F.country == "a", F.country.is_in(["a", "b"])),
    (F.country == "a", F.country != "b"),
    (F.country.startswith("US"), F.country.startswith("U")),
    (F.country.contains("usa"), F.country.contains("US", ignore_case=True)),
    (F.seen_at.within(days=7), F.seen_at.within(days=30)),
    (F.seen_at.older_than(days=90), F.seen_at.older_than(days=30)),
    (F.seen_at.within(days=7), ~F.seen_at.is_missing()),
    (E.opened.within(days=7).count() >= 3, opened.count() >= 2),
    (opened.where(F.campaign == "x").any(), opened.any()),
    (E.opened.then(E.purchased, days=7).any(), E.opened.then(E.purchased).any()),
    (opened.any(), E.opened.last().within(days=30)),
    (E.opened.last().within(days=30), opened.any()),
    (E.opened.active("week") >= 3, E.opened.active("day") >= 3),
    (E.opened.active("day") >= 3, E.opened.count() >= 3),
    (opened.max("qty") > 5, E.opened.max("qty") > 3),
    (F.opens.top(n=3), F.opens.top(n=10)),
    (segkit.sample(percent=1, seed="a"), segkit.sample(percent=10, seed="a")),
    (segkit.in_segment('It\'s "hot"'), segkit.in_segment("Active")),
    ((F.opens > 5) & (F.country == "a"), F.opens > 5),
    (F.opens > 5, (F.country == "a") | (F.opens > 3)),
    (F.birthday.on("2025-05-01"), F.birthday >= "2025-05-01"),
]
SILENT = [
    (F.opens > 3) | (F.opens <= 5),
    (F.price > 3) & (F.price < 4),
    (F.country == "a") & (F.code == "b"),
    (E.opened.within(days=7).count() >= 5) & (E.opened.within(days=30).count() <= 5),
    (opened.count() == 0) & (E.purchased.count() > 5),
    (opened.sum("qty") > 5) & (E.opened.sum("qty") < 5),
    (E.opened.min("qty") > 5) & (E.opened.where(F.rating > 1).count() > 5),
    ~F.seen_at.within(days=30) & F.seen_at.is_missing(),
    TODAY.month() == 1,
    (F.birthday.month() == TODAY.month()) & (F.birthday.month() == 12),
    segkit.sample(percent=1, seed="a") & ~segkit.sample(percent=10, seed="b"),
    F.country.contains("a") & ~F.country.contains("A", ignore_case=False),
    (F.score < 0.1) | (F.score > 0.1),
]


@pytest.mark.parametrize("where", NEVER, ids=str)
def test_what_never_holds(where: Predicate) -> None:
    assert asked("never", where)
    assert asked("always", ~where)
    assert not asked("always", where)


@pytest.mark.parametrize("where", ALWAYS, ids=str)
def test_what_always_holds(where: Predicate) -> None:
    assert asked("always", where)
    assert not asked("never", where)


@pytest.mark.parametrize(("one", "other"), IMPLIED, ids=lambda own: str(own)[:60])
def test_what_is_implied(one: Predicate, other: Predicate) -> None:
    assert asked("implies", one, other)
    assert asked("excludes", one, ~other)


@pytest.mark.parametrize("where", SILENT, ids=str)
def test_what_may_hold_or_not_is_left_alone(where: Predicate) -> None:
    assert not asked("never", where)
    assert not asked("always", where)


def test_orders_of_items_and_spellings_do_not_matter() -> None:
    one = (F.opens > 3) & ((F.country == "a") | (F.country == "b")) & ~(F.vip == True)  # noqa: E712
    other = (F.vip != True) & F.country.is_in(["b", "a"]) & (F.opens >= 4)  # noqa: E712
    assert asked("equivalent", one, other)
    assert not asked("equivalent", one, other & F.birthday.is_missing())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (TODAY - F.birthday > 30, F.birthday.older_than(days=30)),
        (TODAY - F.birthday < 30, F.birthday > TODAY - segkit.days(30)),
        (F.birthday - TODAY >= 7, F.birthday >= TODAY + segkit.days(7)),
        (TODAY - F.seen_at >= 1, F.seen_at < TODAY),
        (TODAY - F.seen_at == 0, F.seen_at.on(TODAY)),
        (F.birthday + segkit.days(7) > "2025-05-08", F.birthday > "2025-05-01"),
        (F.seen_tz + segkit.hours(2) > "2025-05-01T02:00Z", F.seen_tz > "2025-05-01T00:00Z"),
    ],
    ids=str,
)
def test_what_is_said_of_days_since_is_said_of_the_date(one: Predicate, other: Predicate) -> None:
    assert asked("equivalent", one, other)


def test_times_are_compared_on_the_wall_clock_that_they_are_written_by() -> None:
    """In Rome 00:30Z of that day was 02:30, and 01:15Z was 02:15: the clock had been put back between."""
    early, late = "2024-10-27T00:30Z", "2024-10-27T01:15Z"
    assert asked("never", (F.local_seen >= early) & (F.local_seen <= late))
    assert not asked("never", (F.local_seen >= late) & (F.local_seen <= early))
    assert asked("never", (F.seen_at >= late) & (F.seen_at <= early))
    assert not asked("never", (F.seen_at >= early) & (F.seen_at <= late))


def test_a_question_that_is_too_long_gets_no_claim() -> None:
    """Six pigeons in five holes: true, but not in few steps."""
    holes, pigeons = range(5), range(6)
    sits = [[E[f"p{p}"].where(F.qty == h).any() for h in holes] for p in pigeons]
    each = reduce(and_, (reduce(or_, row) for row in sits))
    apart = [~(sits[p][h] & sits[q][h]) for h in holes for p in pigeons for q in pigeons if p < q]
    assert not asked("never", reduce(and_, apart, each))


# ---------------------------------------------------------------- sets of values


_points = st.integers(-3, 3)
_sets = st.recursive(
    st.one_of(
        st.builds(ordered, st.sampled_from(("==", "<", "<=", ">", ">=")), _points),
        st.just(MISSING),
        _points.map(lambda n: among([n, n + 1])),
    ),
    lambda own: st.one_of(
        st.tuples(own, own).map(lambda two: two[0] & two[1]),
        st.tuples(own, own).map(lambda two: two[0] | two[1]),
        own.map(lambda one: ~one),
    ),
    max_leaves=6,
)


def has(own: Values, point: float) -> bool:
    return own.first ^ (sum((point, 0.5) > cut for cut in own.cuts) % 2 == 1)


@settings(max_examples=200, derandomize=True, database=None, deadline=None)
@given(_sets, _sets)
def test_sets_of_values_obey_algebra(a: Values, b: Values) -> None:
    for point in (n / 2 for n in range(-9, 10)):
        assert has(a & b, point) == (has(a, point) and has(b, point))
        assert has(a | b, point) == (has(a, point) or has(b, point))
        assert has(~a, point) != has(a, point)
        assert point != int(point) or has(whole(a), point) == has(a, point)
    assert (a <= b) == all(has(b, n / 2) or not has(a, n / 2) for n in range(-9, 10)) & (b.missing or not a.missing)
    assert a & b == ~(~a | ~b)
    assert list(a.cuts) == sorted(set(a.cuts))


def test_whole_numbers_between_others_fall_away() -> None:
    assert not whole(ordered(">", 3) & ordered("<", 4))
    assert whole(ordered(">", 3)) == ordered(">=", 4) == between(4, None)
