"""Explanations of random contacts and definitions: changes are carried out on the rows, instants looked at one by one."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from engine_world import asked
from engines import ENGINES
from hypothesis import HealthCheck, Phase, given, seed, settings
from strategies import INSTANTS, MOMENTS, SEGMENTS, World, definitions

from segkit import NOW, TODAY, DialectError, E, F, days, evaluate, everyone, in_list, in_segment
from segkit.builder import Predicate
from segkit.explanation.case import PLACE, Case, answered, fetched, sight
from segkit.explanation.edits import AddEvent, Edit, JoinList, LeaveList, RemoveEvent, SetField
from segkit.explanation.instants import course
from segkit.explanation.search import Found, smallest
from segkit.plan import Plan
from segkit.plan.tree import Rank
from segkit.segment import by_name

DEFINITIONS = max(120, int(os.environ.get("SEGKIT_EXAMPLES", "0")))
"""How many random definitions are changed: `SEGKIT_EXAMPLES=1500` finds more than 1,000 changes, all carried out."""
MICRO = dt.timedelta(microseconds=1)
ZONES = ("UTC", "Europe/Rome")


@dataclass(frozen=True)
class Pair:
    """A definition and a contact that exists."""

    world: World
    where: Predicate
    at: dt.datetime
    key: int

    @property
    def plan(self) -> Plan:
        return self.world.plan(self.where, self.at)


@cache
def worlds() -> tuple[World, ...]:
    return tuple(World(number, zone) for number, zone in enumerate(ZONES, 1))


def pairs(count: int, number: int) -> list[Pair]:
    """So many random definitions, each with a random contact."""
    found: list[Predicate] = []

    @seed(number)
    @settings(max_examples=count, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=[*HealthCheck])
    @given(definitions())
    def drawn(where: Predicate) -> None:
        found.append(where)

    drawn()
    rng = random.Random(number)
    chosen = [(rng.choice(worlds()), where, rng.choice(MOMENTS)) for where in found]
    return [Pair(world, where, at, rng.choice(existing(world, at))) for world, where, at in chosen]


def moving(count: int, number: int) -> list[Pair]:
    """Pairs some time before the data's edges, of definitions that follow the clock, and contacts that have events."""
    rng = random.Random(number)
    ahead = [
        replace(pair, at=pair.at - dt.timedelta(days=rng.choice((1, 8, 31))), key=rng.randint(1, 12))
        for pair in pairs(count, number)
    ]
    return [pair for pair in ahead if pair.plan.where != replace(pair, at=pair.at + dt.timedelta(days=45)).plan.where]


@cache
def existing(world: World, at: dt.datetime) -> list[int]:
    return world.everyone(at)


def case_of(pair: Pair) -> Case:
    """The contact's rows as they were made; where a rank is asked for, as the engine tells them."""
    if any(isinstance(part, Rank) for part in pair.plan.parts):
        return fetched(pair.world.workspace.engine, pair.plan, pair.key)
    rows, key = pair.world.rows, pair.key
    ids = {row["event_id"] for row in rows["events"] if row["contact_id"] == key and row["event_id"] is not None}
    events = [row for row in rows["events"] if row["contact_id"] == key or row["event_id"] in ids]
    [contact] = [row for row in rows["contacts"] if row["contact_id"] == key]
    return Case(
        key,
        contact,
        {0: tuple({**row, PLACE: (0, i)} for i, row in enumerate(events))},
        tuple(row for row in rows["list_members"] if row["contact_id"] == key),
        {0: tuple(row for row in rows["tier_history"] if row["contact_id"] == key)},
    )


# ---------------------------------------------------------------- carrying a change out, by hand

CONTACT_COLUMNS = {"local_seen": "Europe/Rome", "seen_at": "UTC"}
HISTORY_COLUMNS = {"tier": "tier", "points": "score_then"}
EVENT_COLUMNS = ("amount", "qty", "rating", "campaign", "due")


def carried_out(pair: Pair, edits: tuple[Edit, ...]) -> dict[str, list[dict[str, Any]]]:
    """The tables after a change of one contact."""
    tables = {name: [dict(row) for row in rows] for name, rows in pair.world.rows.items()}
    for edit in edits:
        carry_out(edit, pair, tables)
    return tables


def carry_out(edit: Edit, pair: Pair, tables: dict[str, list[dict[str, Any]]]) -> None:
    key, naive_now = pair.key, pair.at.replace(tzinfo=None)
    match edit:
        case SetField(field, _, value) if field in HISTORY_COLUMNS:
            row = valid_row(tables["tier_history"], key, naive_now)
            if row is None:
                row = {"contact_id": key, "tier": None, "score_then": None, "valid_from": naive_now, "valid_to": None}
                tables["tier_history"].append(row)
            row[HISTORY_COLUMNS[field]] = value
        case SetField(field, _, value, _, path):
            [contact] = [row for row in tables["contacts"] if row["contact_id"] == key]
            contact[field] = (
                json.dumps(put(json.loads(contact[field] or "null"), path, value))
                if path or field == "props"
                else (
                    naive(value, CONTACT_COLUMNS.get(field, "UTC"))
                    if isinstance(value, dt.datetime) and field != "seen_tz"
                    else value
                )
            )
        case AddEvent(event, at, properties):
            assert set(properties) <= set(EVENT_COLUMNS)
            at = naive(at, "UTC") if isinstance(at, dt.datetime) else dt.datetime.combine(at, dt.time())
            tables["events"].append({"event_id": None, "contact_id": key, "event": event, "occurred_at": at, **properties})
        case RemoveEvent(event, at, number):
            own = [row for row in tables["events"] if row["contact_id"] == key and row["event_id"] == number]
            if number is None:
                own = [row for row in own if row["occurred_at"] == naive(at, "UTC") and str(row["event"]) == event][:1]
            assert own
            tables["events"] = [row for row in tables["events"] if not any(row is other for other in own)]
        case JoinList(name):
            tables["list_members"].append({"list_name": name, "contact_id": key, "joined_at": naive_now, "left_at": None})
        case LeaveList(name):
            tables["list_members"] = [
                row for row in tables["list_members"] if (row["list_name"], row["contact_id"]) != (name, key)
            ]


def valid_row(rows: list[dict[str, Any]], key: int, now: dt.datetime) -> dict[str, Any] | None:
    own = [row for row in rows if row["contact_id"] == key]
    valid = [r for r in own if (r["valid_from"] or now) <= now and (r["valid_to"] is None or r["valid_to"] > now)]

    def place(row: dict[str, Any]) -> list[tuple[bool, Any]]:
        return [(value is not None, value) for value in (row["valid_from"], row["score_then"], row["tier"])]

    return max(valid, key=place) if valid else None


def naive(at: dt.datetime, zone: str) -> dt.datetime:
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) if at.tzinfo is not None else at


def put(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
    if not path:
        return value
    first, *rest = path
    if isinstance(first, int):
        items = [*document] if isinstance(document, list) else []
        items += [None] * (first + 1 - len(items))
        return [put(own, tuple(rest), value) if i == first else own for i, own in enumerate(items)]
    own = document if isinstance(document, dict) else {}
    return {**own, first: put(own.get(first), tuple(rest), value)}


def is_member(pair: Pair, tables: dict[str, list[dict[str, Any]]]) -> bool:
    """Whether the contact is a member, with all tables at hand."""
    is_rank = any(isinstance(part, Rank) for part in pair.plan.parts)
    contacts = tables["contacts"] if is_rank else [row for row in tables["contacts"] if row["contact_id"] == pair.key]
    past = {"tier_history": tables["tier_history"]}
    return pair.key in evaluate.members(pair.plan, contacts, tables["events"], tables["list_members"], past)


# ---------------------------------------------------------------- tests


def test_the_smallest_change_turns_the_result() -> None:
    counted: Counter[str] = Counter()
    for pair in pairs(DEFINITIONS, 7):
        own = pair.plan
        case = case_of(pair)
        ready = answered(own, case)
        before = sight(ready, case).member
        assert before == is_member(pair, pair.world.rows), pair
        found = smallest(ready, case, own, 150)
        counted[kind(found)] += 1
        if found.edits:
            assert is_member(pair, carried_out(pair, found.edits)) != before, (pair, found)
    changed = counted.pop("found")
    print(changed, dict(counted))
    assert changed > 0.6 * DEFINITIONS
    assert counted.pop("none among those tried") < 0.15 * DEFINITIONS
    assert set(counted) <= {
        "a rank is among all contacts",
        "a sample is drawn by the key",
        "it holds for everyone or nobody, or is SQL",
        "it is certain",
        "only the clock decides it",
    }


def kind(found: Found) -> str:
    return "found" if found.edits else found.why_not.partition(": ")[2] or "none among those tried"


CLOCKED = (
    E.opened.within(days=7).count() >= 1,
    E.opened.within(months=1).count() >= 1,
    E.purchased.within(hours=24).sum("amount") > 0,
    E.purchased.window(months=(2, 1)).any(),
    E.opened.in_period("month", -1).count() >= 1,
    E.opened.in_period("week").any(),
    E.opened.last().older_than(days=7),
    E.opened.first().within(days=30, edge=True) | E.purchased.within(days=30).max("rating").is_missing(),
    E["*"].then(E["*"], days=30).count() >= 3,
    F.seen_at.within(days=30),
    F.local_seen.older_than(months=1),
    F.seen_tz.in_next(days=7),
    F.renewal.within(days=30),
    F.renewal.anniversary(within_days=7),
    F.birthday.month() == TODAY.month(),
    (TODAY - F.renewal) > days(30),
    F.seen_at.on(TODAY),
    (F.tier == "USA") | (F.points > 1),
    in_list("VIP"),
    in_segment('It\'s "hot"'),
    F.seen_at + days(7) > NOW,
    E.purchased.where(F.due >= TODAY).count() >= 1,
)


def looked_at(pair: Pair, rng: random.Random) -> str:
    """Whether the result changes by itself: before that instant it does not, at it it does, seen one by one."""
    own = pair.plan
    case = case_of(pair)
    found = course(own, case, by_name(SEGMENTS), lambda then: [then.where], pair.at + dt.timedelta(days=62))
    if found.note:
        return "not foreseen"
    before = sight(answered(own, case), case).member

    def member(at: dt.datetime) -> bool:
        return sight(answered(pair.world.plan(pair.where, at), case), case).member

    end = found.whole or found.until
    near = sorted({at for at in INSTANTS if pair.at < at < end} | {end - MICRO} - {pair.at - MICRO})
    looked = [*rng.sample(near, min(len(near), 8)), end - MICRO, *(pair.at + rng.random() * (end - pair.at) for _ in range(6))]
    assert all(member(at) == before for at in looked if at >= pair.at), (pair, found)
    if found.whole is None:
        return "stays"
    assert member(found.whole) != before, (pair, found)
    return "changes"


@pytest.mark.parametrize("where", CLOCKED, ids=repr)
def test_the_instant_of_a_change_is_exact(where: Predicate) -> None:
    rng = random.Random(repr(where))
    ahead = [(world, at - dt.timedelta(days=before)) for world in worlds() for at in MOMENTS for before in (1, 31)]
    some = [Pair(world, where, at, key) for world, at in ahead for key in range(1, 13) if key in existing(world, at)]
    counted: Counter[str] = Counter()
    for pair in rng.sample(some, len(some)):
        counted[looked_at(pair, rng)] += 1
        if counted.total() >= 14 and counted["changes"]:
            break
    assert counted["changes"] > 0, counted
    assert not counted["not foreseen"]


def test_the_instant_of_a_change_is_exact_for_any_definition() -> None:
    rng = random.Random(8)
    counted = Counter(looked_at(pair, rng) for pair in moving(120, 8))
    assert counted["changes"] + counted["stays"] > 15, counted


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_hands_over_what_belongs_to_a_contact(engine: str) -> None:
    ENGINES[engine].require()
    world = asked(engine, 1, ZONES[0])
    some = (*CLOCKED[::4], F.props.json("plan") == "pro", F.opens.top(n=30), F.price > F.paid, F.vip == True)  # noqa: E712
    for where in map(world.said, some):
        plan = world.plan(where, MOMENTS[0])
        try:
            members = world.members(where, MOMENTS[0])
        except DialectError:
            continue
        for key in (1, 2, 9):
            if key in world.expected(everyone(), MOMENTS[0]):
                case = fetched(world.workspace.engine, plan, key)
                assert sight(answered(plan, case), case).member == (key in members), (where, key)
    whole = world.workspace.explain(world.said(CLOCKED[0] & (F.vip == True)), 2, days=30)  # noqa: E712
    assert whole.member == (2 in world.members(world.said(CLOCKED[0] & (F.vip == True)), MOMENTS[0]))  # noqa: E712
