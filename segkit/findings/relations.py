"""How the aggregates of a question bear on each other: fewer events in a narrower window, none counted where none was last."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from segkit.findings.facts import COUNTS, bounded
from segkit.findings.value_sets import ALL, Values, between, ordered
from segkit.plan.tree import Always, Bounds, Condition, Feature, FeatureTerm, Following

Implies: TypeAlias = Callable[[Condition, Condition], bool]
_TIMES = frozenset({"first", "last"})
_OF_EVENTS = frozenset({"count", "days", "weeks", "months"}) | _TIMES
"""Measures that know a stream to be empty from having no event, not from having no value."""
_OF_VALUES = frozenset({"distinct", "avg", "min", "max"})
_FEWER = {
    ("days", "count"),
    ("weeks", "count"),
    ("months", "count"),
    ("distinct", "count"),
    ("weeks", "days"),
    ("months", "days"),
}


@dataclass(frozen=True, slots=True)
class AtMost:
    """Where both are known, the one is at most the other."""

    low: FeatureTerm
    high: FeatureTerm


@dataclass(frozen=True, slots=True)
class Follows:
    """Where the one value is among some, the other is among some."""

    of: FeatureTerm
    values: Values
    other: FeatureTerm
    others: Values


Relation: TypeAlias = AtMost | Follows


def relations(terms: Iterable[FeatureTerm], implies: Implies) -> Iterator[Relation]:
    """What is so between each two aggregates in every world; `implies` answers for their filters."""
    own = [term for term in terms if term.feature.nth == 1]
    for one in own:
        for other in own:
            if one.feature.tables == other.feature.tables:
                yield from _between(one, other, implies)


def _between(one: FeatureTerm, other: FeatureTerm, implies: Implies) -> Iterator[Relation]:
    a, b = one.feature, other.feature
    if b.measure in _OF_EVENTS and a.measure in _TIMES and a.bounds != b.bounds:
        inside = replace(a, bounds=b.bounds)
        if narrower(inside, b, implies):
            yield Follows(one, bounded(b.bounds, one.clock), other, _some(b))
    if one == other or not narrower(a, b, implies):
        return
    same_property = a.of == b.of
    if a.measure == b.measure and same_property and (a.zone == b.zone or a.measure not in ("days", "weeks", "months")):
        if a.measure in COUNTS or a.measure in ("max", "last"):
            yield AtMost(one, other)
        elif a.measure in ("min", "first"):
            yield AtMost(other, one)
    elif (a.measure, b.measure) in _FEWER and (a.zone == b.zone or b.measure == "count"):
        yield AtMost(one, other)
    if b.measure in _OF_EVENTS or (b.measure in _OF_VALUES and a.measure in _OF_VALUES and same_property):
        yield Follows(one, _some(a), other, _some(b))
    if b.measure == "last" and a.measure in _OF_EVENTS and a.bounds.low is not None:
        yield Follows(one, _some(a), other, bounded(replace(a.bounds, high=None), other.clock))
    if b.measure == "first" and a.measure in _OF_EVENTS:
        yield Follows(one, _some(a), other, bounded(replace(a.bounds, low=None), other.clock))
    if a.measure == "first" and b.measure == "last":
        yield AtMost(one, other)


def _some(feature: Feature) -> Values:
    """The outcomes of a feature that there are for no contact without events."""
    if feature.measure in COUNTS:
        return between(1, None)
    return ~ordered("==", 0) & ALL if feature.measure == "sum" else ALL


def narrower(a: Feature, b: Feature, implies: Implies) -> bool:
    """Whether each event that counts for one feature counts for the other, in every world."""
    return (
        a.tables == b.tables
        and a.time == b.time
        and (b.event is None or a.event == b.event)
        and _is_within(a.bounds, b.bounds, a.time.clock)
        and (b.where is None or a.where == b.where or implies(a.where or Always(True), b.where))
        and _is_followed(a.then, b.then, implies)
    )


def _is_within(a: Bounds, b: Bounds, clock: str | None) -> bool:
    is_time = isinstance(a.low or a.high or b.low or b.high, dt.datetime)
    return bounded(a, clock if is_time else None) <= bounded(b, clock if is_time else None)


def _is_followed(a: Following | None, b: Following | None, implies: Implies) -> bool:
    if b is None:
        return True
    if a is None or not narrower(a.event, b.event, implies):
        return False
    return b.length is None or (a.length is not None and a.length <= b.length)
