"""Dittofeed's test cases of segments, and Mautic's relative dates, said in segkit's words.

The cases are facts taken from their public test suites and docs (Dittofeed: MIT, (c) 2023 Idea Market inc.; Mautic: facts
restated). They are not in this repository: `SEGKIT_CASES` names the folder that holds `dittofeed_members.json` and
`mautic_relative_dates.json`.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from engines import ENGINES, without_json
from outside import NotOurs, On, World, evaluated, instant, predicates, stretched, trees, world

from segkit import TODAY, E, F, days, months, weeks, years
from segkit.builder import Predicate, Value

FOLDER = os.environ.get("SEGKIT_CASES", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="SEGKIT_CASES names no folder with dittofeed_members.json")
Members = Callable[[Predicate, World], set[str]]
everywhere = pytest.mark.parametrize("members", [evaluated, *map(On, ENGINES)], ids=["evaluator", *ENGINES])


@cache
def document(name: str) -> dict[str, Any]:
    if not FOLDER:
        return {"cases": [], "functional": [], "documented_examples": []}
    return json.loads((Path(FOLDER) / name).read_text(encoding="utf-8"))


# ---------------------------------------------------------------- Dittofeed

DITTOFEED = document("dittofeed_members.json")["cases"]
WEEK = 7 * 24 * 60 * 60
"""A week of theirs, a second of which is a minute here."""
TOLD = E.identify.where(~F.status.is_missing())
STUCK = (TOLD.window(minutes=(10_000_000, WEEK)).latest("status") == "onboarding") & (
    TOLD.where(F.status != "onboarding").within(minutes=WEEK).count() == 0
)
BEGUN = (F.status == "onboarding") & ~STUCK

THEIRS: dict[str, tuple[str, Predicate | None]] = {
    **dict.fromkeys((f"df-022-{i}" for i in (1, 2, 3, 4)), ("how long a value has stood", STUCK)),
    **dict.fromkeys((f"df-023-{i}" for i in (1, 2, 3, 4)), ("how long a value has stood", BEGUN)),
    "df-036-1": ("event names that begin alike", E["*"].where(F.event.startswith("TEST_")).count() >= 2),
    "df-044-1": (
        "event names that begin alike",
        ~E["*"].where(F.event.startswith("eventNamespace.") & ~F.kind.is_missing()).latest("group").is_missing(),
    ),
    "df-039-1": ("'' is a value", F.email.is_missing() | (F.email == "")),
    "df-039-2": ("'' is a value", F.email.is_missing() | (F.email == "")),
    "df-065-1": ("the elements of a list", None),
    "df-065-2": ("the elements of a list", None),
    "df-070-1": ("the path '!*(_.$%' to nowhere", None),
}
"""Cases in words or meanings that are not ours, why, and how segkit says the same at greater length, where it can."""

OF_JSON = ("df-013-1", "df-040-1", "df-048-1")
"""Cases that ask for paths inside JSON."""


def answers(case: dict[str, Any], found: dict[str, set[str]]) -> bool:
    """All of the members they expect are found, and none of the others."""
    return all(
        found[name] >= set(case["members"][name]) and not found[name] & set(case["non_members"][name])
        for name in case["segments"]
    )


@everywhere
@pytest.mark.parametrize("case", [case for case in DITTOFEED if case["id"] not in THEIRS], ids=lambda case: case["id"])
def test_dittofeed(case: dict[str, Any], members: Members) -> None:
    known = world(case)
    with without_json(ENGINES[members.engine]) if isinstance(members, On) and case["id"] in OF_JSON else nullcontext():
        found = {name: members(where, known) for name, where in predicates(case).items()}
        assert answers(case, found), found


@everywhere
@pytest.mark.parametrize("case", [case for case in DITTOFEED if case["id"] in THEIRS], ids=lambda case: case["id"])
def test_what_is_theirs(case: dict[str, Any], members: Members) -> None:
    reason, otherwise = THEIRS[case["id"]]
    known, [name] = world(case), case["segments"]
    if reason == "'' is a value":
        assert not answers(case, {name: members(predicates(case)[name], known)})
    else:
        with pytest.raises(NotOurs) as told:
            predicates(case)
        assert str(told.value) == reason
    if otherwise is not None:
        assert answers(case, {name: members(otherwise, known)})


def test_how_many_of_dittofeed_are_theirs() -> None:
    assert len(DITTOFEED) == 88
    assert sum(case["id"] not in THEIRS for case in DITTOFEED) == 73
    assert Counter((reason, otherwise is not None) for reason, otherwise in THEIRS.values()) == {
        ("how long a value has stood", True): 8,
        ("event names that begin alike", True): 2,
        ("'' is a value", True): 2,
        ("the elements of a list", False): 2,
        ("the path '!*(_.$%' to nowhere", False): 1,
    }


def test_no_case_of_dittofeed_tells_open_windows_from_closed_ones() -> None:
    """Their windows hold an event exactly as long ago as the window, ours do not."""
    for case in DITTOFEED:
        at = instant(case["as_of"])
        lengths = {tree[key] for tree in trees(case) for key in ("within_last_seconds", "window_seconds") if key in tree}
        edges = {at - dt.timedelta(seconds=length) for length in lengths}
        assert not edges & {instant(event["at"]) for event in case["events"]}, case["id"]


def test_stretching_keeps_the_instant_and_the_order_of_times() -> None:
    at = dt.datetime(2024, 6, 1)
    times = ["2024-05-31T23:59:59.900Z", "2024-06-01T00:00:00.000Z", "2024-06-01T00:00:05.000Z"]
    assert stretched({"at": times, "n": 5, "event": "test"}, at) == {
        "at": [dt.datetime(2024, 5, 31, 23, 59, 54), at, dt.datetime(2024, 6, 1, 0, 5)],
        "n": 5,
        "event": "test",
    }


# ---------------------------------------------------------------- Mautic

FUNCTIONAL = document("mautic_relative_dates.json")["functional"]
DOCUMENTED = document("mautic_relative_dates.json")["documented_examples"]
NOWS = ["2022-03-05T10:00", "2024-02-29T23:59:59", "2024-12-30T00:00", "2023-01-01T00:00:05", "2022-10-31T12:00"]
"""A Saturday, a leap day, a Monday of the next year's first week, a Sunday on New Year, the end of a long month."""


def months_ahead(day: Value) -> Value:
    """How many calendar months after this one: segkit has no value for the first day of a period."""
    return (day.year() - TODAY.year()) * 12 + day.month() - TODAY.month()


SAID: dict[tuple[str, str], Callable[[Value], Predicate]] = {
    ("eq", "today"): lambda day: day.in_period("day"),
    ("eq", "tomorrow"): lambda day: day.in_period("day", 1),
    ("eq", "yesterday"): lambda day: day.in_period("day", -1),
    ("eq", "last week"): lambda day: day.in_period("week", -1),
    ("eq", "this week"): lambda day: day.in_period("week"),
    ("eq", "next week"): lambda day: day.in_period("week", 1),
    ("eq", "last month"): lambda day: day.in_period("month", -1),
    ("eq", "this month"): lambda day: day.in_period("month"),
    ("eq", "next month"): lambda day: day.in_period("month", 1),
    ("eq", "last year"): lambda day: day.in_period("year", -1),
    ("eq", "next year"): lambda day: day.in_period("year", 1),
    ("eq", "+5 days"): lambda day: day.on(TODAY + days(5)),
    ("eq", "-4 days"): lambda day: day.on(TODAY - days(4)),
    ("eq", "-1 week"): lambda day: day == TODAY - weeks(1),
    ("lt", "-1 week"): lambda day: day < TODAY - weeks(1),
    ("eq", "-1 month"): lambda day: day == TODAY - months(1),
    ("ge", "-1 year"): lambda day: day >= TODAY - years(1),
    ("gt", "-1 year"): lambda day: day > TODAY - years(1),
    ("lt", "last week"): lambda day: TODAY - day > TODAY.weekday() - 1 + 7,
    ("ge", "last year"): lambda day: day.year() >= TODAY.year() - 1,
    ("gt", "last year"): lambda day: day.year() > TODAY.year() - 1,
    ("gt", "first day of previous month"): lambda day: (months_ahead(day) >= 0) | day.in_period("month", -1) & (day.day() > 1),
    ("gt", "last day of previous month"): lambda day: months_ahead(day) >= 0,
    ("eq", "birthday -1 day"): lambda day: (day + days(1)).anniversary(),
    ("eq", "anniversary -1 month"): lambda day: (day + months(1)).anniversary(),
}
"""What an operator and an expression of theirs mean for a date, or for a timestamp where a case has one."""
DAY = dt.timedelta(days=1)
LENGTHS = {"week": 7 * DAY, "month": 31 * DAY, "year": 366 * DAY}


def midnight(day: dt.datetime) -> dt.datetime:
    return day.replace(hour=0, minute=0, second=0, microsecond=0)


def monday(now: dt.datetime, ahead: int) -> dt.datetime:
    return midnight(now) - now.weekday() * DAY + ahead * 7 * DAY


def first(now: dt.datetime, ahead: int) -> dt.datetime:
    year, month = divmod(now.year * 12 + now.month - 1 + ahead, 12)
    return midnight(now).replace(year=year, month=month + 1, day=1)


INSTANTS: dict[str, Callable[[dt.datetime], dt.datetime]] = {
    "today 00:00:00 UTC + 10 s": lambda now: midnight(now) + dt.timedelta(seconds=10),
    "tomorrow 00:00:00 UTC + 10 s": lambda now: midnight(now) + DAY + dt.timedelta(seconds=10),
    "today 00:00:00 UTC - 10 s": lambda now: midnight(now) - dt.timedelta(seconds=10),
    "Monday 00:00 of previous Monday-based week + 2 days": lambda now: monday(now, -1) + 2 * DAY,
    "Monday 00:00 of next week + 2 days": lambda now: monday(now, 1) + 2 * DAY,
    "Monday 00:00 of this week + 2 days": lambda now: monday(now, 0) + 2 * DAY,
    "first day of previous month 00:00 + 2 days": lambda now: first(now, -1) + 2 * DAY,
    "first day of next month 00:00 + 2 days": lambda now: first(now, 1) + 2 * DAY,
    "first day of this month 00:00 + 2 days": lambda now: first(now, 0) + 2 * DAY,
    '"first day of last year" (PHP: day 1 of the current month, one year back) + 2 days': lambda now: first(now, -12) + 2 * DAY,
    '"first day of next year" (PHP: day 1 of the current month, one year on) + 2 days': lambda now: first(now, 12) + 2 * DAY,
    "now + 5 days": lambda now: now + 5 * DAY,
    "now - 4 days": lambda now: now - 4 * DAY,
}


@everywhere
@pytest.mark.parametrize("now", NOWS)
@pytest.mark.parametrize("case", FUNCTIONAL, ids=lambda case: case["expression"])
def test_mautic(case: dict[str, Any], now: str, members: Members) -> None:
    """Their instant is in; one period earlier and one later are not."""
    as_of = dt.datetime.fromisoformat(now)
    inside = INSTANTS[case["test_instant"]](as_of)
    length = LENGTHS.get(case["expression"].split()[-1], DAY)
    instants = {"in": inside, "earlier": inside - length, "later": inside + length}
    rows = [{"contact_id": key, "seen": at} for key, at in instants.items()]
    known = World(as_of, {"contact_id": "text", "seen": "timestamp"}, rows)
    assert case["expected_member"]
    assert members(SAID[case["op"], case["expression"]](F.seen), known) == {"in"}


EVERY_DAY = [dt.date(2020, 1, 1) + i * DAY for i in range(4 * 366)]


def days_of(text: str) -> set[dt.date]:
    """The days that an answer of theirs names: a day, `A..B`, `before A`, `after A`, `A and after`, `03-04 every year`.

    >>> sorted(map(str, days_of("2022-02-27..2022-03-01")))
    ['2022-02-27', '2022-02-28', '2022-03-01']
    """
    match text.removesuffix(" (Monday weeks)").replace("..", " ").split():
        case [month_and_day, "every", "year"]:
            return {day for day in EVERY_DAY if day.isoformat().endswith(month_and_day)}
        case ["before", day]:
            return {own for own in EVERY_DAY if own < dt.date.fromisoformat(day)}
        case ["after", day]:
            return {own for own in EVERY_DAY if own > dt.date.fromisoformat(day)}
        case [day, "and", "after"]:
            return {own for own in EVERY_DAY if own >= dt.date.fromisoformat(day)}
        case [*ends]:
            low, high = dt.date.fromisoformat(ends[0]), dt.date.fromisoformat(ends[-1])
            return {own for own in EVERY_DAY if low <= own <= high}
    raise AssertionError(text)


@everywhere
@pytest.mark.parametrize("case", DOCUMENTED, ids=lambda case: f"{case['op']} {case['expression']}")
def test_mautics_documented_examples(case: dict[str, Any], members: Members) -> None:
    """Out of every day of four years, those that they document, or that follow where they miscounted."""
    rows = [{"contact_id": day.isoformat(), "day": day} for day in EVERY_DAY]
    known = World(instant(case["today"]), {"contact_id": "text", "day": "date"}, rows)
    found = {dt.date.fromisoformat(key) for key in members(SAID[case["op"], case["expression"]](F.day), known)}
    if case["arithmetically_consistent"]:
        assert found == days_of(case["documented"])
    else:
        assert found == days_of(case["consistent_answer"]) != days_of(case["documented"])


def test_every_relative_date_of_mautic_can_be_said() -> None:
    assert {(case["op"], case["expression"]) for case in FUNCTIONAL + DOCUMENTED} == set(SAID)
    assert len(FUNCTIONAL) == 13
    assert Counter(case["arithmetically_consistent"] for case in DOCUMENTED) == {True: 11, False: 3}
