"""What a contact may have done, so that an aggregate over its events just reaches what is asked, or just does not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random
from typing import Any

from segkit.catalog import Kind
from segkit.compile.columns import sources
from segkit.evaluate import fits
from segkit.plan import Plan
from segkit.plan.clock import today
from segkit.plan.tree import Bounds, ColumnTerm, Feature, FeatureTerm
from segkit.verification.values import fitting, moved
from segkit.verification.wishes import neighbours, some, wishes

_MOST_EVENTS = 40
_COUNTS = ("count", "distinct", "days", "weeks", "months")
_STEPS = {"days": 1, "weeks": 7, "months": 31}
_TINY = dt.timedelta(microseconds=1)
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Happening:
    """One event: in which table, its name, when, and its properties."""

    table: int
    event: str | None
    time: Any
    properties: Mapping[str, Any] = field(default_factory=dict)


def scenarios(feature: Feature, outcomes: Sequence[Any], plan: Plan, rng: Random) -> list[list[Happening]]:
    """Things that may have happened to a contact, each a list of events.

    Args:
        feature: the aggregate that is asked for.
        outcomes: values of it that make a difference.
        plan: where it stands.
        rng: what draws properties of events.
    """
    own = Stream(feature, plan, rng)
    found = [[], *([own.event(at)] for at in own.edges()), [own.event(own.within(1)[0], fitting=False)]]
    for outcome in outcomes:
        found += own.leading_to(outcome)
    if feature.then is not None:
        found += _sequences(own, Stream(feature.then.event, plan, rng), feature.then.length)
    if feature.measure == "latest":
        found += own.at_once(outcomes)
    if feature.measure == "weeks":
        found += [own.on_days(n) for n in range(2, 9)]
    found.append([own.event(own.within(1)[0], name="something else")])
    mixed = [own.event(rng.choice([*own.edges(), *own.within(3)]), fitting=rng.random() < 0.7) for _ in range(6)]
    return [*found, mixed, [*own.many(2), *mixed]]


def _sequences(first: Stream, second: Stream, length: int | None) -> list[list[Happening]]:
    """Pairs of events: together, just before, just after, and at either side of the longest time between them."""
    unit = _DAY if first.is_date else dt.timedelta(minutes=1)
    tiny = _DAY if first.is_date else _TINY
    apart = (length or 60) * unit
    found = []
    for begin in first.within(3):
        for at in moved(begin, dt.timedelta(), -tiny, tiny, apart - tiny, apart, apart + tiny):
            found += [[first.event(begin), second.event(at)], [first.event(begin), second.event(at, fitting=False)]]
    return [*found, *([first.event(at)] for at in first.within(1)), *([second.event(at)] for at in second.within(1))]


class Stream:
    """The events of a feature."""

    def __init__(self, feature: Feature, plan: Plan, rng: Random) -> None:
        self._feature, self._plan, self._rng = _known(feature, plan), plan, rng
        self.is_date = feature.time.kind is Kind.DATE
        self._wished = _properties(self._feature, today(plan.at))
        rows = [{own.name: rng.choice(values) for own, values in self._wished.items()} for _ in range(60)]
        meets = [row for row in rows if feature.where is None or fits(feature.where, row)]
        self._fitting, self._others = meets or rows[:1], [row for row in rows if row not in meets] or rows[:1]

    def event(self, at: Any, *, of: Any = None, fitting: bool = True, name: str | None = None) -> Happening:
        """An event that passes the feature's filter, or not; `of` is the property measured; `name` another event's."""
        feature, table = self._feature, self._plan.catalog.events[self._feature.tables[0]]
        properties = dict(self._rng.choice(self._fitting if fitting else self._others))
        if of is not None and feature.of is not None:
            properties[feature.of.name] = of
        name = name or feature.event or table.name or next(iter(table.observed or table.names or ()), "anything")
        return Happening(feature.tables[0], name, _at(at, feature.time), properties)

    def edges(self) -> list[Any]:
        """The instants at either side of the window's ends, and of now."""
        bounds, now = self._feature.bounds, self._now()
        ends = [end for end in (bounds.low, bounds.high, now) if end is not None]
        return list(dict.fromkeys(near for end in ends for near in neighbours(end)))

    def within(self, n: int) -> list[Any]:
        """So many different times inside the window."""
        low, high = self._ends(self._feature.bounds)
        step = (high - low) / (n + 1)
        times = [high - (i + 1) * step for i in range(n)]
        return list(dict.fromkeys(times)) or [high]

    def many(self, n: int) -> list[Happening]:
        """So many events inside the window; for a count of different days, weeks or months, each in one of its own."""
        measure, of = self._feature.measure, self._feature.of
        if measure in _STEPS:
            high = self._ends(self._feature.bounds)[1]
            return [self.event(at) for at in moved(high, *(-i * _STEPS[measure] * _DAY - _hour(high) for i in range(n)))]
        times = self.within(n)
        given = [_numbered(i, of) for i in range(n)] if measure == "distinct" and of is not None else [None] * n
        return [self.event(times[i % len(times)], of=value) for i, value in enumerate(given)]

    def at_once(self, outcomes: Sequence[Any]) -> list[list[Happening]]:
        """Two events at the same time, with different properties."""
        at, of = self.within(1)[0], self._feature.of
        assert of is not None
        values = list(dict.fromkeys(fitting(outcome, of.kind, of.clock) for outcome in outcomes))[:6]
        return [[self.event(at, of=a), self.event(at, of=b)] for a in values for b in values if a != b]

    def on_days(self, n: int) -> list[Happening]:
        """Events on so many days in a row."""
        high = self._ends(self._feature.bounds)[1]
        return [self.event(at) for at in moved(high, *(-i * _DAY - _hour(high) for i in range(n)))]

    def leading_to(self, outcome: Any) -> list[list[Happening]]:
        """Events that give the feature a value."""
        measure, of = self._feature.measure, self._feature.of
        if measure in _COUNTS:
            return [self.many(outcome)] if isinstance(outcome, int) and 0 <= outcome <= _MOST_EVENTS else []
        if measure in ("first", "last"):
            later = self.within(1)[0]
            return [[self.event(outcome)], [self.event(outcome), self.event(later)]] if isinstance(outcome, dt.date) else []
        value = None if of is None else fitting(outcome, of.kind, of.clock)
        if value is None:
            return []
        times = self.within(3)
        alone = [self.event(times[0], of=value)]
        beside = [self.event(times[0], of=value), *self.many(1)]
        halves = [self.event(at, of=_half(value)) for at in times[:2]]
        return [alone, beside, halves, [self.event(times[-1], of=value), self.event(times[0], of=_half(value))]]

    def _now(self) -> Any:
        return today(self._plan.at) if self.is_date else self._plan.at.as_of

    def _ends(self, bounds: Bounds) -> tuple[Any, Any]:
        """The window, closed where it is open: at now, or a year before its end."""
        high = min(bounds.high, self._now()) if bounds.high is not None else self._now()
        if bounds.low is not None and bounds.low < high:
            return bounds.low, high
        return next(iter(moved(high, -365 * _DAY)), high), high


def _properties(feature: Feature, day: dt.date) -> dict[ColumnTerm, list[Any]]:
    """The values to try for each property that is filtered by or measured."""
    found: dict[ColumnTerm, dict[Any, None]] = {}
    for place, value in wishes([] if feature.where is None else [feature.where], day):
        if isinstance(place, ColumnTerm) and place != feature.time:
            found.setdefault(place, {})[fitting(value, place.kind, place.clock)] = None
    if feature.of is not None:
        own = found.setdefault(feature.of, {})
        own |= {fitting(near, feature.of.kind, feature.of.clock): None for near in neighbours(some(feature.of.kind, day))}
    return {place: [None, *values] for place, values in found.items()}


def _known(feature: Feature, plan: Plan) -> Feature:
    """A feature that measures a property: where nothing is known of its kind, it has that which the plan agreed on."""
    if feature.of is None or feature.of.kind is not Kind.UNKNOWN:
        return feature
    terms = [own for own in sources((plan.where, *plan.parts)) if isinstance(own, FeatureTerm) and own.feature == feature]
    own = next((term for term in terms if feature.measure not in _COUNTS), None)
    return feature if own is None else replace(feature, of=replace(feature.of, kind=own.kind, clock=own.clock))


def _numbered(i: int, of: ColumnTerm) -> Any:
    base = some(of.kind, dt.date(2000, 1, 1))
    match base:
        case str():
            return f"value {i}"
        case dt.date():
            return fitting(base + i * _DAY, of.kind, of.clock)
        case _:
            return fitting(base + i, of.kind, of.clock)


def _half(value: Any) -> Any:
    return value / 2 if isinstance(value, float | Decimal) else value // 2 if type(value) is int else value


def _hour(at: Any) -> dt.timedelta:
    return dt.timedelta(hours=1) if isinstance(at, dt.datetime) else dt.timedelta()


def _at(at: Any, time: ColumnTerm) -> Any:
    return fitting(at, time.kind, time.clock)
