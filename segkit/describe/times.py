"""Time in words: what kind of time a value is, constants folded, and the spans that dates are asked for."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TypeAlias, assert_never
from zoneinfo import ZoneInfo

from segkit import nodes
from segkit.catalog import Kind
from segkit.describe import shape, words
from segkit.errors import DefinitionError
from segkit.plan import clock
from segkit.plan.scope import Found, Scope, event_source, has_event, has_field
from segkit.plan.terms import term
from segkit.plan.tree import Bounds, Constant, Moment, Term

LONG = 200
Stretch: TypeAlias = nodes.Last | nodes.Before | nodes.Next | nodes.Between | nodes.Period


def is_time(kind: Kind) -> bool:
    """Whether a value of that kind comes before or after others."""
    return kind is Kind.DATE or kind.is_timestamp


def meant(node: nodes.Value, scope: Scope) -> nodes.Value:
    """A word as the field or the event that it stands for here; any other value as it is."""
    match node:
        case nodes.Word(name) if scope.of_element:
            return nodes.Field(name)
        case nodes.Word(name, measure):
            is_event = has_event(name, scope)
            if has_field(name, scope) or (measure == "last" and not is_event):
                return nodes.Field(name)
            return nodes.Aggregate(measure, nodes.Events(name)) if is_event or scope.catalog.assumed else nodes.Field(name)
        case _:
            return node


def kind_of(node: nodes.Value, scope: Scope) -> Kind:
    """The kind of a value; unknown where it means nothing here, as does a name that does not exist."""
    own = _term(node, scope)
    return Kind.UNKNOWN if own is None else own.kind


def _term(node: nodes.Value, scope: Scope) -> Term | None:
    """A value resolved, without the filter of its events, which does not change its kind; None where that fails or is long."""
    if isinstance(node, nodes.Aggregate):
        node = nodes.Aggregate(node.measure, nodes.Events(node.events.event), node.of)
    if shape.size_up_to(node, LONG, (nodes.Node,)) >= LONG:
        return None
    try:
        return term(node, replace(scope, found=Found()))
    except DefinitionError:
        return None


def inside(events: nodes.Events, scope: Scope) -> Scope:
    """The scope of a filter on events; one that knows nothing for an event that does not exist."""
    try:
        return scope.inside_events(event_source(events.event, scope)[0], events.event)
    except DefinitionError:
        return replace(scope, columns={}, what=f"property of {events.event}")


def folded(node: nodes.Value, scope: Scope) -> dt.date | dt.datetime | None:
    """The point of time that a value is for everybody, None where it depends on the contact or is none."""
    if not isinstance(node, nodes.Today | nodes.Now | nodes.Literal | nodes.Arithmetic):
        return None
    match _term(node, scope):
        case Constant(dt.date() as at):
            return at
    return None


def read(node: nodes.Literal, kind: Kind, scope: Scope) -> str | None:
    """A constant beside a date or a timestamp in words: ISO text is a time, a date beside a timestamp its midnight."""
    at = clock.iso_time(node.value) if isinstance(node.value, str) else node.value
    if not is_time(kind) or not isinstance(at, dt.date):
        return None
    if isinstance(at, dt.datetime):
        return words.instant(at, scope.at.zone)
    return words.day(at) + (" 00:00" if kind.is_timestamp else "")


def part(own: nodes.DatePart, at: dt.date, zone: str) -> str:
    """A part of a point of time: months and weekdays by their names."""
    wall = at.astimezone(ZoneInfo(zone)) if isinstance(at, dt.datetime) else at
    match own:
        case "year" | "day":
            return str(getattr(wall, own))
        case "month":
            return words.MONTHS[wall.month - 1]
        case "weekday":
            return words.WEEKDAYS[wall.weekday()]
        case "quarter":
            return str((wall.month + 2) // 3)
        case "week":
            return str(wall.isocalendar().week)
        case "hour":
            return str(wall.hour) if isinstance(wall, dt.datetime) else "0"
        case _:
            assert_never(own)


# ---------------------------------------------------------------- spans


def when(span: Stretch) -> str:
    """A stretch of time relative to now.

    >>> when(nodes.Last(nodes.Duration(30, "days"))), when(nodes.Period("month", -1))
    ('in the last 30 days', 'in the last calendar month')
    """
    match span:
        case nodes.Last(length):
            return f"in the last {_stretch(length)}"
        case nodes.Before(length, edge):
            return f"{'at least' if edge else 'more than'} {words.length(length)} ago"
        case nodes.Next(length):
            return f"in the next {_stretch(length)}"
        case nodes.Between(older, newer):
            first = str(older.amount) if older.unit == newer.unit else words.length(older)
            return f"between {first} and {words.length(newer)} ago"
        case nodes.Period(unit, shift):
            return _period(unit, shift)
        case _:
            assert_never(span)


def _stretch(length: nodes.Duration) -> str:
    return words.singular(length.unit) if length.amount == 1 else words.length(length)


def _period(unit: nodes.PeriodUnit, shift: int) -> str:
    match unit, shift:
        case "day", (-1 | 0 | 1):
            return ("today", "tomorrow", "yesterday")[shift]
        case _, 0:
            return f"in this calendar {unit}"
        case _, (-1 | 1):
            return f"in the {'last' if shift < 0 else 'next'} calendar {unit}"
        case _:
            distance = words.counted(abs(shift), f"{unit}s")
            return f"in the calendar {unit} {distance} {'ago' if shift < 0 else 'ahead'}"


def bounds(span: Stretch, kind: Kind, at: Moment) -> Bounds:
    """The points of time that a stretch lies between, next to dates or to timestamps."""
    return (clock.date_bounds if kind is Kind.DATE else clock.instant_bounds)(span, at)


def bounds_of_events(events: nodes.Events, scope: Scope) -> Bounds | None:
    """The points of time that events lie between: a period that has begun ends now."""
    if not isinstance(events.span, nodes.Last | nodes.Between | nodes.Period):
        return None
    kind = kind_of(nodes.Aggregate("last", nodes.Events(events.event)), scope)
    own = bounds(events.span, kind, scope.at)
    now = clock.today(scope.at) if kind is Kind.DATE else scope.at.as_of
    begun = own.low is not None and own.high is not None and own.low <= now < own.high
    return Bounds(own.low, own.low_in, now, True) if begun else own


def outside(span: Stretch) -> tuple[str, str]:
    """What known dates the complement of a stretch holds."""
    match span:
        case nodes.Last():
            return "older", "future"
        case nodes.Before():
            return "newer", "future"
        case nodes.Next():
            return "past", "later"
        case nodes.Between():
            return "older", "newer"
        case nodes.Period():
            return "earlier", "later"
        case _:
            assert_never(span)
