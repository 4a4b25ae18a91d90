"""What to ask the data about a condition, beside whether it holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

from segkit import nodes
from segkit.catalog import Kind
from segkit.findings.diagnosis.spots import Sided, Spot, all_sided, is_time, pinned
from segkit.plan import Plan, clock
from segkit.plan.tree import (
    AllOf,
    Among,
    Bounds,
    Comparison,
    Condition,
    Constant,
    Feature,
    FeatureTerm,
    IsMissing,
    Standing,
    Term,
    TextSearch,
)
from segkit.plan.walk import leaves

MOST_OPTIONS = 50
"""A list of more values is not looked at value by value."""


def terms(condition: Condition) -> tuple[Term, ...]:
    """The values that a condition is about."""
    match condition:
        case AllOf(items):
            return tuple(dict.fromkeys(term for item in items for term in terms(item)))
        case Comparison(_, left, right):
            return tuple(own for own in (left, right) if not isinstance(own, Constant))
        case Among(term) | TextSearch(term=term) | IsMissing(term):
            return (term,)
        case _:
            return ()


def ordered(condition: Condition) -> tuple[Term, ...]:
    """Those whose ends can be told."""
    is_ordered = (Comparison, AllOf, Among)
    found = terms(condition) if isinstance(condition, is_ordered) else ()
    return tuple(own for own in found if (own.kind.is_number or is_time(own)) and not isinstance(own, Standing))


def features(condition: Condition) -> tuple[Feature, ...]:
    """The aggregates over events that a condition compares, and what follows their events."""
    found = [own.feature for own in terms(condition) if isinstance(own, FeatureTerm)]
    return tuple(dict.fromkeys([*found, *(own.then.event for own in found if own.then is not None)]))


def options(condition: Condition) -> tuple[Comparison, ...]:
    """Each value that a condition on a text names, as a condition of its own."""
    match condition:
        case Among(term, several) if term.kind is Kind.TEXT and len(several) <= MOST_OPTIONS:
            return tuple(Comparison("==", term, own) for own in several)
        case Comparison("=="):
            return tuple(Comparison("==", own.term, own.constant) for own in all_sided(condition) if own.term.kind is Kind.TEXT)
        case _:
            return ()


def in_any_case(condition: Condition) -> TextSearch | None:
    """A search for a text, whatever the case of letters."""
    match condition:
        case TextSearch(test, _, str(), False) if test != "matches":
            return replace(condition, ignore_case=True)
        case _:
            return None


def until_midnight(spot: Spot, plan: Plan) -> tuple[Sided, Comparison] | None:
    """An instant compared with a day by `<=`, which means its first moment; and the same with the whole of the day."""
    node = spot.node
    if not isinstance(node, nodes.Compare) or len(found := all_sided(spot.condition)) != 1:
        return None
    [own] = found
    if own.op != "<=" or not own.term.kind.is_timestamp or not isinstance(own.constant.value, dt.datetime):
        return None
    is_day = isinstance(node.right, nodes.Today) or isinstance(node.left, nodes.Today)
    if not is_day and (day := pinned(node)) is not None:
        is_day = not isinstance(day, dt.datetime)
    if not is_day:
        return None
    day = clock.today(replace(plan.at, as_of=own.constant.value))
    after = clock.midnight(day + dt.timedelta(days=1), plan.at.zone)
    return own, Comparison("<", own.term, Constant(after, Kind.TIMESTAMPTZ))


def beyond(spot: Spot) -> Comparison | None:
    """Later than the end of a window, None for what is no window with an end."""
    if not isinstance(spot.node, nodes.During) or not isinstance(spot.node.span, nodes.Last | nodes.Before | nodes.Between):
        return None
    ends = [own for own in all_sided(spot.condition) if own.op in ("<", "<=")]
    return Comparison(">" if ends[0].op == "<=" else ">=", ends[0].term, ends[0].constant) if ends else None


def ever(feature: Feature, plan: Plan) -> Comparison:
    """There is an event of that name, whatever else it is."""
    return _some(replace(_plain(feature), bounds=_up_to_now(feature, plan)))


def passing(feature: Feature, part: Condition, plan: Plan) -> Comparison:
    """There is an event that meets a part of a filter."""
    return _some(replace(_plain(feature), bounds=_up_to_now(feature, plan), where=part))


def filters(feature: Feature) -> Iterator[tuple[Condition, bool]]:
    """The conditions of a filter on events, and whether they are negated."""
    return ((own, not truth) for own, truth in (leaves(feature.where) if feature.where is not None else ()))


def _plain(feature: Feature) -> Feature:
    return replace(feature, where=None, measure="count", of=None, then=None, nth=1)


def _up_to_now(feature: Feature, plan: Plan) -> Bounds:
    return Bounds(high=clock.today(plan.at) if feature.time.kind is Kind.DATE else plan.at.as_of)


def _some(feature: Feature) -> Comparison:
    return Comparison(">=", FeatureTerm(feature, Kind.INTEGER), Constant(1, Kind.INTEGER))


def asked(spot: Spot, plan: Plan) -> Iterator[Condition]:
    """All that is counted for a condition."""
    own = spot.condition
    yield own
    yield from (IsMissing(term) for term in terms(own))
    yield from options(own)
    if (search := in_any_case(own)) is not None:
        yield search
    if (both := until_midnight(spot, plan)) is not None:
        yield both[1]
    if (later := beyond(spot)) is not None:
        yield later
    for feature in features(own):
        yield ever(feature, plan)
        yield from (passing(feature, part, plan) for part, _ in filters(feature))
