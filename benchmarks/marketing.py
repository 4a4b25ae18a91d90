"""The data, the features and the segments of the sizes benchmark, written in nobody's language.

Two years of events of six types; 23 features over them (counts, sums, last times, several windows); 50 segments that
combine features and contact fields with and, or, not. The same seedless hash makes the same data every time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import duckdb

AS_OF = dt.datetime(2025, 11, 30)
BEGIN = dt.datetime(2023, 12, 10)
SHARES = {"sent": 35, "opened": 25, "visited": 20, "clicked": 10, "carted": 6, "purchased": 4}


# ---------------------------------------------------------------- features


@dataclass(frozen=True)
class Feature:
    """An aggregate over the events of one type, in the last `days` up to AS_OF, or ever."""

    name: str
    event: str
    measure: Literal["count", "sum", "last"]
    days: int | None = None

    @property
    def since(self) -> dt.datetime | None:
        """Events count after this time."""
        return None if self.days is None else AS_OF - dt.timedelta(days=self.days)


FEATURES = (
    Feature("sent_30", "sent", "count", 30),
    Feature("sent_90", "sent", "count", 90),
    Feature("opened_7", "opened", "count", 7),
    Feature("opened_30", "opened", "count", 30),
    Feature("opened_90", "opened", "count", 90),
    Feature("last_opened", "opened", "last", 365),
    Feature("clicked_30", "clicked", "count", 30),
    Feature("clicked_90", "clicked", "count", 90),
    Feature("last_clicked", "clicked", "last", 180),
    Feature("visited_7", "visited", "count", 7),
    Feature("visited_30", "visited", "count", 30),
    Feature("visited_180", "visited", "count", 180),
    Feature("last_visited", "visited", "last"),
    Feature("carted_14", "carted", "count", 14),
    Feature("carted_30", "carted", "count", 30),
    Feature("carted_worth_90", "carted", "sum", 90),
    Feature("last_carted", "carted", "last", 90),
    Feature("purchased_90", "purchased", "count", 90),
    Feature("purchased_365", "purchased", "count", 365),
    Feature("spent_90", "purchased", "sum", 90),
    Feature("spent_365", "purchased", "sum", 365),
    Feature("spent_ever", "purchased", "sum"),
    Feature("last_purchased", "purchased", "last"),
)
BY_NAME = {feature.name: feature for feature in FEATURES}


def by_event(features: tuple[Feature, ...] = FEATURES) -> dict[str, list[Feature]]:
    """Features by the type of their events."""
    groups: dict[str, list[Feature]] = {}
    for feature in features:
        groups.setdefault(feature.event, []).append(feature)
    return groups


def widest(features: list[Feature]) -> dt.datetime | None:
    """Since when events matter to any of the features; None: since ever."""
    starts = [feature.since for feature in features]
    return None if None in starts else min(start for start in starts if start is not None)


# ---------------------------------------------------------------- rules


@dataclass(frozen=True)
class Has:
    """A feature or contact field compared. `older` takes days: a time longer ago than that; a missing one is not."""

    what: str
    op: Literal["==", ">=", "<", ">", "older"]
    value: str | float | bool


@dataclass(frozen=True)
class Group:
    """Rules of which all, or any, must hold."""

    how: Literal["all", "any"]
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Not:
    """Holds for everyone else, those with missing values too."""

    rule: Rule


Rule: TypeAlias = Has | Group | Not


def every(*rules: Rule) -> Group:
    """All must hold."""
    return Group("all", rules)


def some(*rules: Rule) -> Group:
    """At least one must hold."""
    return Group("any", rules)


def features_of(rule: Rule) -> Iterator[Feature]:
    """The features that a rule reads."""
    match rule:
        case Has(what):
            if what in BY_NAME:
                yield BY_NAME[what]
        case Group(_, rules):
            for inner in rules:
                yield from features_of(inner)
        case Not(inner):
            yield from features_of(inner)


def segments() -> dict[str, Rule]:
    """Fifty segments: ten kinds, five thresholds each."""
    named: dict[str, Rule] = {}
    for k in range(1, 6):
        named |= {f"{name} {k}": rule for name, rule in _ten(k).items()}
    return named


def _ten(k: int) -> dict[str, Rule]:
    country = Has("country", "==", ("USA", "Germany", "France", "Spain", "Canada")[k - 1])
    opted_in = Has("opted_in", "==", True)
    opener = some(Has("opened_7", ">=", 1), Has("opened_30", ">=", k), Has("opened_90", ">=", 2 * k))
    idle = some(Has("last_opened", "older", 30 * k), Has("opened_90", "<", 1))
    return {
        "engaged": every(country, opener, Not(Has("plan", "==", "free"))),
        "lapsed": every(Has("last_purchased", "older", 60 * k), Has("spent_ever", ">", 100), opted_in),
        "big spender": some(Has("spent_365", ">", 100 * k), every(Has("spent_90", ">", 50 * k), Has("age", ">=", 30))),
        "tired": every(Has("sent_30", ">=", k), Has("opened_30", "<", 1), Has("clicked_30", "<", 1)),
        "sunset": every(Has("sent_90", ">=", k), idle, Not(Has("last_clicked", "older", 7 * k))),
        "browsing": every(
            some(Has("visited_7", ">=", k), Has("visited_30", ">=", k)), Has("purchased_90", "<", 1), Has("score", ">", 10 * k)
        ),
        "left cart": every(Has("carted_14", ">=", 1), Has("last_carted", "older", k), Not(Has("purchased_90", ">=", k))),
        "worth a call": every(some(Has("carted_worth_90", ">", 50 * k), Has("carted_30", ">=", k)), Not(country)),
        "fading": every(Has("visited_180", ">=", 2 * k), Not(Has("visited_30", ">=", k)), Has("last_visited", "older", 7 * k)),
        "loyal": every(
            Has("purchased_365", ">=", k), some(Has("clicked_90", ">=", k), country), Has("signed_up", "older", 90 * k)
        ),
    }


# ---------------------------------------------------------------- data


def load(connection: duckdb.DuckDBPyConnection, contacts: int, events: int) -> None:
    """Makes `contacts` and `events`: a few contacts do much, amounts are quarters (sums are exact), times ascend."""
    connection.execute(f"""
        CREATE TABLE contacts AS SELECT
          i AS contact_id,
          ['USA', 'Germany', 'France', 'Spain', 'Canada', 'Italy', NULL][(1 + hash(i, 1) % 7)::BIGINT] AS country,
          CASE WHEN hash(i, 2) % 10 > 0 THEN (18 + hash(i, 3) % 60)::INTEGER END AS age,
          ['free', 'pro', 'team', NULL][(1 + hash(i, 4) % 4)::BIGINT] AS plan,
          (hash(i, 5) % 400)::DOUBLE / 4 AS score,
          hash(i, 6) % 3 > 0 AS opted_in,
          TIMESTAMP '{AS_OF}' - to_hours((hash(i, 7) % 30000)::INTEGER) AS signed_up
        FROM range(1, {contacts} + 1) AS r(i)""")
    steps = 1_000_003 * max(1, contacts // 1_000_000)
    step = int(dt.timedelta(days=730).total_seconds() * 1e6) // events
    connection.execute(f"""
        CREATE TABLE events AS SELECT
          i AS event_id,
          1 + floor({contacts} * power((hash(i, 11) % {steps}) / {steps}.0, 1.6))::BIGINT AS contact_id,
          CASE {_event_cases()} END AS event,
          TIMESTAMP '{BEGIN}' + to_microseconds((i * {step} + hash(i, 12) % {step})::BIGINT) AS occurred_at,
          CASE WHEN hash(i, 10) % 100 >= 90 THEN (1 + hash(i, 13) % 1200)::DOUBLE / 4 END AS amount
        FROM range({events}) AS r(i)""")


def _event_cases() -> str:
    cases, upto = [], 0
    for event, share in SHARES.items():
        upto += share
        cases.append(f"WHEN hash(i, 10) % 100 < {upto} THEN '{event}'")
    return " ".join(cases)
