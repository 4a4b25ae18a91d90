"""Metrics, resolved: what each counts of a contact in a period, and which definitions read the same events."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from segkit import nodes
from segkit.catalog import METRICS, Catalog, Kind, Metric
from segkit.errors import DefinitionError
from segkit.plan import Plan, clock
from segkit.plan.resolve import condition
from segkit.plan.scope import Scope, event_source, has_event, outermost, properties
from segkit.plan.streams import aggregate
from segkit.plan.tree import Bounds, Feature, Moment


def figures(
    catalog: Catalog, until: Moment, start: dt.datetime, end: dt.datetime
) -> tuple[Mapping[str, Feature], tuple[str, ...]]:
    """The metrics that this catalog has events for, each over the events from `start` until before `end`, and warnings.

    Args:
        catalog: whose metrics, events and properties.
        until: the instant after which events are not known.
        start: an instant; where events have dates, its day.
        end: an instant after it.

    Raises:
        DefinitionError: a metric of the catalog names an event or a property that does not exist.
    """
    scope = outermost(catalog, until, {}, condition)
    found: dict[str, Feature] = {}
    for name, metric in {**METRICS, **_followers(catalog), **catalog.metrics}.items():
        if metric.ratio is None and (name in catalog.metrics or _is_there(metric, scope)):
            try:
                found[name] = _over(_feature(metric, scope), until, start, end)
            except DefinitionError as error:
                error.where = f"catalog.metrics.{name}{error.where}"
                raise
    return found, tuple(scope.found.warnings)


def reads(own: Plan, feature: Feature) -> bool:
    """Whether a definition reads events that a figure counts: the same ones, up to its period or within it."""
    both = [*own.features, *(read.then.event for read in own.features if read.then is not None)]
    return any(_is_same(read, feature) and _meet(read.bounds, feature.bounds) for read in both)


def _followers(catalog: Catalog) -> dict[str, Metric]:
    """Revenue comes from the events that the catalog calls conversions."""
    own = catalog.metrics.get("conversions")
    revenue = METRICS["revenue"]
    return {} if own is None else {"revenue": Metric(own.events, "sum", revenue.of, own.where)}


def _is_there(metric: Metric, scope: Scope) -> bool:
    """Whether a usual metric has an event, and its property."""
    if not scope.catalog.events or not any(has_event(name, scope) for name in metric.events):
        return False
    tables, _ = event_source(_first_event(metric, scope), scope)
    return not metric.of or _first_property(metric, tables, scope) is not None


def _first_event(metric: Metric, scope: Scope) -> str:
    return next((name for name in metric.events if has_event(name, scope)), metric.events[0])


def _first_property(metric: Metric, tables: tuple[int, ...], scope: Scope) -> str | None:
    known = {name.casefold() for name in properties(scope.catalog, tables)}
    return next((name for name in metric.of if name.casefold() in known), None)


def _feature(metric: Metric, scope: Scope) -> Feature:
    event = _first_event(metric, scope)
    tables, _ = event_source(event, scope)
    of = None if not metric.of else _first_property(metric, tables, scope) or metric.of[0]
    where = None if metric.where is None else _condition(metric.where)
    return aggregate(nodes.Aggregate(metric.measure, nodes.Events(event, where), of), scope).feature  # type: ignore[arg-type]


def _condition(text: str) -> nodes.Predicate:
    from segkit.language import parse  # its parser is loaded where there is text to read

    return parse(text).node


def _over(feature: Feature, until: Moment, start: dt.datetime, end: dt.datetime) -> Feature:
    """The figure from a start until before an end, and not after what is known."""
    zone = until.zone
    low: dt.date = start
    high: dt.date = end
    known: dt.date = until.as_of
    if feature.time.kind is Kind.DATE:
        low, high, known = (clock.today(Moment(at, zone)) for at in (start, end, until.as_of))
    bounds = Bounds(low, True, high, False) if high <= known else Bounds(low, True, known, True)
    return Feature(feature.tables, feature.event, feature.time, feature.where, bounds, feature.measure, feature.of, feature.zone)


def _is_same(read: Feature, counted: Feature) -> bool:
    is_named = None in (read.event, counted.event) or read.event == counted.event
    return is_named and bool(set(read.tables) & set(counted.tables))


def _meet(read: Bounds, counted: Bounds) -> bool:
    """Whether what is read reaches what is counted: it may end as that begins."""
    starts_before = read.low is None or counted.high is None or read.low < counted.high
    return starts_before and (read.high is None or counted.low is None or read.high >= counted.low)
