"""Events, resolved: from an aggregate over a stream to a feature."""

from __future__ import annotations

import datetime as dt
from typing import assert_never

from segkit import nodes
from segkit.catalog import Column, Kind
from segkit.errors import DefinitionError
from segkit.plan import clock
from segkit.plan.scope import Scope, check_noun, column, event_source, time_column
from segkit.plan.scope import term as column_term
from segkit.plan.tree import Bounds, ColumnTerm, Feature, FeatureTerm, Following
from segkit.plan.walk import step

_MINUTES = {"minutes": 1, "hours": 60, "days": 1440, "weeks": 10080}


def aggregate(node: nodes.Aggregate, scope: Scope) -> FeatureTerm:
    """The outcome of an aggregate."""
    own = node.events
    tables, event = event_source(own.event, scope)
    if own.noun is not None:
        check_noun(own.noun, own.event, scope)
    inner = scope.inside_events(tables, own.event)
    time = time_column(scope.catalog, tables)
    where = step(".events.where", scope.resolve, own.where, inner) if own.where is not None else None
    of = step(".of", _property, node, inner) if node.of is not None else None
    bounds = step(".events.span", _bounds, own.span, time.kind, scope)
    if own.span is not None:
        scope.found.spans.append((node, bounds))
    then = step(".events.then", _following, own.then, time, scope) if own.then is not None else None
    feature = Feature(tables, event, time, where, bounds, node.measure, of, scope.at.zone, then)
    scope.found.features[feature] = None
    return FeatureTerm(feature, *_outcome(feature))


def _following(then: nodes.Then, earlier: ColumnTerm, scope: Scope) -> Following:
    own = then.events
    tables, event = event_source(own.event, scope)
    if own.noun is not None:
        check_noun(own.noun, own.event, scope)
    time = time_column(scope.catalog, tables)
    if (time.kind is Kind.DATE) != (earlier.kind is Kind.DATE):
        raise DefinitionError("one of the two events has dates, the other has times", fix="declare one kind for both")
    where = step(".where", scope.resolve, own.where, scope.inside_events(tables, own.event)) if own.where is not None else None
    length = None if then.length is None else _length(then.length, time.kind)
    bounds = _bounds(None, time.kind, scope)
    return Following(Feature(tables, event, time, where, bounds, "count", None, scope.at.zone), length)


def _length(length: nodes.Duration, kind: Kind) -> int:
    """Minutes, or days where events have dates."""
    if kind is Kind.DATE:
        return clock.date_steps(length, 1)[0]
    return length.amount * _MINUTES[length.unit]


def _bounds(span: nodes.Span | None, kind: Kind, scope: Scope) -> Bounds:
    """When the events of a feature may lie: never after the evaluation."""
    if span is None:
        return Bounds(high=clock.today(scope.at) if kind is Kind.DATE else scope.at.as_of)
    assert isinstance(span, nodes.Last | nodes.Between | nodes.Period)
    bounds = (clock.date_bounds if kind is Kind.DATE else clock.instant_bounds)(span, scope.at)
    if isinstance(span, nodes.Period):
        return _up_to_now(bounds, scope)
    return bounds


def _up_to_now(bounds: Bounds, scope: Scope) -> Bounds:
    """A period, cut off at the evaluation."""
    now = scope.at.as_of if isinstance(bounds.high, dt.datetime) else clock.today(scope.at)
    assert bounds.high is not None
    return Bounds(bounds.low, bounds.low_in, now, True) if bounds.high > now else bounds


def _property(node: nodes.Aggregate, inner: Scope) -> ColumnTerm:
    assert node.of is not None
    own: Column = column(node.of, inner)
    is_number = own.kind.is_number or own.kind is Kind.UNKNOWN
    if node.measure in ("sum", "avg") and not is_number:
        raise DefinitionError(f"{node.measure} of {node.of!r}, which is {own.kind}", fix="use a number")
    if node.measure in ("min", "max") and not (is_number or own.kind is Kind.DATE or own.kind.is_timestamp):
        raise DefinitionError(
            f"{node.measure} of {node.of!r}, which is {own.kind}",
            fix="use a number or a time: only they have an order everywhere",
        )
    if own.kind is Kind.JSON:
        raise DefinitionError(f"{node.measure} of {node.of!r}, which is json", fix="use a plain property")
    return column_term(own)


def _outcome(feature: Feature) -> tuple[Kind, str | None]:
    """The kind and clock of a feature's outcome."""
    match feature.measure:
        case "count" | "distinct" | "days" | "weeks" | "months":
            return Kind.INTEGER, None
        case "avg":
            return Kind.FLOAT, None
        case "first" | "last":
            return feature.time.kind, feature.time.clock
        case "sum":
            assert feature.of is not None
            return (Kind.NUMBER if feature.of.kind is Kind.UNKNOWN else feature.of.kind), None
        case "min" | "max" | "latest":
            assert feature.of is not None
            return feature.of.kind, feature.of.clock
        case _:
            assert_never(feature.measure)
