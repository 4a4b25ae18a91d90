"""Streams of events: filtered, in a window, followed by others, and what is counted of them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import NoReturn

from segkit import nodes
from segkit.builder.predicate import Predicate, Unfinished, predicate_node
from segkit.builder.spans import distances, duration, period
from segkit.builder.value import Value
from segkit.errors import DefinitionError, unknown
from segkit.spelling import spell


class EventStream(Unfinished):
    """Events of one name: filter them, put a window around them, then take one aggregate.

    >>> from segkit import E
    >>> E.opened.within(days=60).count() < 2
    E.opened.within(days=60).count() < 2
    """

    __slots__ = ("node",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, node: nodes.Events) -> None:
        self.node = node

    def where(self, condition: Predicate) -> EventStream:
        """Only events whose own properties meet the condition: inside it `F.amount` is a property of the event."""
        earlier = self.node.where
        both = condition if earlier is None else Predicate(earlier) & condition
        return EventStream(replace(self.node, where=predicate_node(both)))

    def within(self, length: Value | dt.timedelta | None = None, *, edge: bool = False, **units: int) -> EventStream:
        """Only events in the last stretch of time up to now; with `edge`, one exactly that long ago is in, too."""
        return self._windowed(nodes.Last(duration("within", length, units), edge))

    def window(self, older: Value | None = None, newer: Value | None = None, **units: tuple[int, int]) -> EventStream:
        """Only events between two distances ago: `window(days=(90, 30))` is from 90 days ago, not in, to 30 days ago, in.

        Distances in different units are two lengths: `window(months(3), days(7))`.
        """
        return self._windowed(distances(older, newer, units))

    def in_period(self, unit: nodes.PeriodUnit, shift: int = 0) -> EventStream:
        """Only events in a whole calendar period: this month, or with `shift` -1 the last one."""
        return self._windowed(period(unit, shift))

    def then(self, other: EventStream, length: Value | dt.timedelta | None = None, **units: int) -> EventStream:
        """Only events that another event follows: strictly later, at most that much later (ever, without a length).

        Of a sequence take `.any()` or `.count()`, which counts the earlier events.

        >>> from segkit import E
        >>> E.visited.then(E.purchased, days=7).any()
        E.visited.then(E.purchased, days=7).count() >= 1
        """
        if not isinstance(other, EventStream):
            raise DefinitionError(f"{other!r:.80} is no stream of events", fix="write E.visited.then(E.purchased, days=7)")
        if self.node.then is not None:
            raise DefinitionError(f"{self!r:.80} is a sequence already", fix="combine two sequences with &")
        span = duration("then", length, units) if length is not None or units else None
        return EventStream(replace(self.node, then=nodes.Then(other.node, span)))

    def noun(self, noun: str) -> EventStream:
        """Says what is counted (5 *emails*); the catalog's verbs know which nouns there are."""
        return EventStream(replace(self.node, noun=noun))

    def count(self) -> Value:
        """How many events; 0 for a contact without any."""
        return self._aggregate("count")

    def any(self) -> Predicate:
        """There is at least one: short for `count() >= 1`."""
        return self.count() >= 1

    def sum(self, of: str) -> Value:
        """The sum of a property; 0 where no event has a known value."""
        return self._aggregate("sum", of)

    def avg(self, of: str) -> Value:
        """The mean of the known values of a property; missing where there are none."""
        return self._aggregate("avg", of)

    def min(self, of: str) -> Value:
        """The least known value of a property (a number or a time)."""
        return self._aggregate("min", of)

    def max(self, of: str) -> Value:
        """The greatest known value of a property (a number or a time)."""
        return self._aggregate("max", of)

    def distinct(self, of: str) -> Value:
        """How many different known values a property has."""
        return self._aggregate("distinct", of)

    def first(self) -> Value:
        """When the first event was; missing without events."""
        return self._aggregate("first")

    def last(self) -> Value:
        """When the last event was; missing without events.

        >>> from segkit import E
        >>> E.purchased.last().older_than(months=6)
        E.purchased.last().older_than(months=6)
        """
        return self._aggregate("last")

    def latest(self, of: str) -> Value:
        """A property of the last event (ties: of the greatest event id); missing where that event has none."""
        return self._aggregate("latest", of)

    def active(self, unit: str) -> Value:
        """On how many different local days, ISO weeks or months there were events: `active("day" | "week" | "month")`."""
        measures: dict[str, nodes.Measure] = {"day": "days", "week": "weeks", "month": "months"}
        if not isinstance(unit, str) or unit not in measures:
            raise unknown("unit", str(unit)[:60], measures)
        return self._aggregate(measures[unit])

    def _aggregate(self, measure: nodes.Measure, of: str | None = None) -> Value:
        return Value(nodes.Aggregate(measure, self.node, of))

    def _windowed(self, span: nodes.Span) -> EventStream:
        if self.node.span is not None:
            raise DefinitionError(f"{self!r:.80} already has a window", fix="keep one of them")
        return EventStream(replace(self.node, span=span))

    def _not_a_condition(self, *_: object) -> NoReturn:
        raise DefinitionError(
            f"{self!r:.80} is a stream of events, not a condition",
            fix="take an aggregate: .any(), .count() >= 5, .sum('amount') > 100",
        )

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _not_a_condition
    __and__ = __or__ = __rand__ = __ror__ = __invert__ = __sub__ = __rsub__ = __bool__ = _not_a_condition
    __add__ = __radd__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _not_a_condition

    def __repr__(self) -> str:
        return spell(self.node)
