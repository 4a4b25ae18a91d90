"""A definition, resolved: nodes in, the tree of `plan.tree` out. Errors carry the path to the part they are about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, assert_never

from segkit import nodes, patterns
from segkit.catalog import Column, Kind, find
from segkit.errors import DefinitionError
from segkit.plan import agree, clock
from segkit.plan.agree import Operand
from segkit.plan.scope import Scope, column, event_source, list_name, time_column
from segkit.plan.scope import term as column_term
from segkit.plan.tree import (
    AllOf,
    Always,
    Among,
    AnyOf,
    Bounds,
    Calculation,
    ColumnTerm,
    Comparison,
    Complement,
    Condition,
    Constant,
    DayCount,
    Feature,
    FeatureTerm,
    IsMissing,
    LocalDate,
    LocalTime,
    Moment,
    Moved,
    OnList,
    PartOf,
    Term,
    TextSearch,
)
from segkit.spelling import spell

_Out = TypeVar("_Out")
_Leaf: TypeAlias = nodes.Compare | nodes.OneOf | nodes.TextTest | nodes.Missing | nodes.During | nodes.InList | nodes.InSegment


def condition(node: nodes.Predicate, scope: Scope) -> Condition:
    """What a predicate means for a contact (or, inside a filter, for an event)."""
    match node:
        case nodes.Everyone():
            return Always(True)
        case nodes.And(items):
            return AllOf(_conditions(items, scope))
        case nodes.Or(items):
            return AnyOf(_conditions(items, scope))
        case nodes.Not(item):
            return Complement(_step(".item", condition, item, scope))
        case _:
            return _leaf(node, scope)


def _leaf(node: _Leaf, scope: Scope) -> Condition:
    """A condition that is no group; its errors show its Python."""
    try:
        return _resolved(node, scope)
    except DefinitionError as error:
        if " in " not in error.where:
            error.where += f" in {spell(node):.160}"
        raise


def _resolved(node: _Leaf, scope: Scope) -> Condition:
    match node:
        case nodes.Compare(op, left, right):
            return _comparison(op, left, right, scope)
        case nodes.OneOf(value, options):
            own = _step(".value", term, value, scope)
            return Among(*agree.options(own, options, scope, value)) if options else Always(False)
        case nodes.TextTest(value=value):
            return _text_search(node, _step(".value", term, value, scope), scope)
        case nodes.Missing(value):
            return IsMissing(_step(".value", term, value, scope))
        case nodes.During(value, span):
            own = agree.as_time(_step(".value", term, value, scope), scope, value)
            own = _noted(own, scope)
            return _step(".span", _during, own, span, node, scope)
        case nodes.InList(name):
            _only_for_contacts(scope, f"list {name!r}")
            exact = list_name(name, scope)
            scope.found.lists[exact] = None
            return OnList(exact)
        case nodes.InSegment(name):
            _only_for_contacts(scope, f"segment {name!r}")
            return _segment(name, scope)
        case _:
            assert_never(node)


def term(node: nodes.Value, scope: Scope) -> Term:
    """The value of a node; a length of time or a rate by itself is none."""
    found = operand(node, scope)
    if isinstance(found, nodes.Duration | nodes.Rate):
        raise DefinitionError(f"{spell(node)} has no meaning here", fix="compare a field with it")
    return found


def operand(node: nodes.Value, scope: Scope) -> Operand:
    """A term, or a length of time or rate that only the other operand can make sense of."""
    match node:
        case nodes.Field(name):
            return _field(name, scope)
        case nodes.Literal():
            return agree.constant(node, scope)
        case nodes.Today():
            return Constant(clock.today(scope.at), Kind.DATE)
        case nodes.Now():
            return Constant(scope.at.as_of, Kind.TIMESTAMPTZ)
        case nodes.Duration() | nodes.Rate():
            return node
        case nodes.Arithmetic():
            return _arithmetic(node, scope)
        case nodes.Part(part, value):
            return _part(part, agree.as_time(_step(".value", term, value, scope), scope, value), scope)
        case nodes.Aggregate():
            return _aggregate(node, scope)
        case _:
            assert_never(node)


# ---------------------------------------------------------------- conditions


def _conditions(items: tuple[nodes.Predicate, ...], scope: Scope) -> tuple[Condition, ...]:
    return tuple(_step(f".items[{i}]", condition, item, scope) for i, item in enumerate(items))


def _comparison(op: nodes.Ordering, left: nodes.Value, right: nodes.Value, scope: Scope) -> Condition:
    a, b = _step(".left", operand, left, scope), _step(".right", operand, right, scope)
    a, b = _measured(a, b, right, scope), _measured(b, a, left, scope)
    return agree.compared(op, a, b, scope, (left, right))


def _measured(own: Operand, other: Operand, other_node: nodes.Value, scope: Scope) -> Operand:
    """A length of time or a rate as a number, next to a number."""
    if isinstance(own, nodes.Duration | nodes.Rate) and not isinstance(other, nodes.Duration | nodes.Rate):
        other = agree.typed(other, Kind.NUMBER, scope)
        if other.kind.is_number:
            declared = _declared(other_node, scope)
            if isinstance(own, nodes.Duration):
                return agree.length_as_number(own, other, declared, other_node)
            return agree.rate_as_number(own, declared, scope, other_node)
    return own


def _declared(node: nodes.Value, scope: Scope) -> Column | None:
    """The column that a value is, None for one that is calculated."""
    if isinstance(node, nodes.Field) and any(node.name.casefold() == name.casefold() for name in scope.columns):
        return column(node.name, scope)
    return None


def _text_search(node: nodes.TextTest, own: Term, scope: Scope) -> Condition:
    own = agree.typed(own, Kind.TEXT, scope)
    if own.kind is not Kind.TEXT:
        raise DefinitionError(f"{spell(node.value)} is {own.kind}, not text", fix="use ==, < or .between on it")
    if node.test == "matches":
        patterns.check(node.text)
        if node.ignore_case:
            patterns.folded(node.text)
    return TextSearch(node.test, own, node.text, node.ignore_case)


def _noted(own: Term, scope: Scope) -> Term:
    """A window over an unknown column says that it is a timestamp."""
    if scope.catalog.assumed and isinstance(own, ColumnTerm):
        declared = column(own.name, scope)
        if declared.kind is Kind.UNKNOWN:
            return agree.typed(column_term(declared), Kind.TIMESTAMP, scope)
    return own


def _during(own: Term, span: nodes.Span, node: nodes.During, scope: Scope) -> Condition:
    is_date = own.kind is Kind.DATE
    match span:
        case nodes.OnDay(day):
            date = _day(day, scope)
            if is_date:
                return Comparison("==", own, Constant(date, Kind.DATE))
            bounds = clock.day_bounds(date, scope.at.zone)
        case nodes.Anniversary(within):
            month, day_of_month = (_part(part, own, scope) for part in ("month", "day"))
            hundreds = Calculation("*", month, Constant(100, Kind.INTEGER), Kind.INTEGER)
            day_of_year = Calculation("+", hundreds, day_of_month, Kind.INTEGER)
            days = clock.anniversary_days(within, scope.at)
            return Among(day_of_year, tuple(Constant(day, Kind.INTEGER) for day in days))
        case _:
            bounds = (clock.date_bounds if is_date else clock.instant_bounds)(span, scope.at)
    scope.found.windows[spell(node)] = clock.told(bounds)
    return agree.inside(own, bounds)


def _day(node: nodes.Value, scope: Scope) -> dt.date:
    own = agree.as_time(term(node, scope), scope, node)
    if not isinstance(own, Constant) or not isinstance(own.value, dt.date) or isinstance(own.value, dt.datetime):
        raise DefinitionError(f"{spell(node)} is not one date", fix="use a date, '2025-03-31', TODAY or TODAY - days(1)")
    return own.value


def _segment(name: str, scope: Scope) -> Condition:
    exact = find("segment", name, scope.segments)
    below = scope.below(
        f"segment {exact}" if exact in scope.catalog.calculated else exact, nodes.check_limits(scope.segments[exact])
    )
    if exact not in scope.found.segments:
        scope.found.segments[exact] = _step(f".{exact}", condition, scope.segments[exact], below)
    return scope.found.segments[exact]


def _only_for_contacts(scope: Scope, what: str) -> None:
    if scope.in_events:
        raise DefinitionError(
            f"{what} is about contacts, not events", fix="put it outside of .where(...): a filter sees the event's own properties"
        )


# ---------------------------------------------------------------- terms


def _field(name: str, scope: Scope) -> Term:
    calculated = {} if scope.in_events else scope.catalog.calculated
    if calculated:
        exact = (
            name if scope.catalog.assumed and name not in calculated else find(scope.what, name, (*scope.columns, *calculated))
        )
        if exact in calculated:
            below = scope.below(exact, nodes.depth(calculated[exact]))
            return _step(f" in {exact}", term, calculated[exact], below)
    own = column_term(column(name, scope))
    if not scope.in_events:
        scope.found.fields[own.name] = None
    return own


def _arithmetic(node: nodes.Arithmetic, scope: Scope) -> Term:
    left, right = _step(".left", operand, node.left, scope), _step(".right", operand, node.right, scope)
    if isinstance(left, nodes.Rate) or isinstance(right, nodes.Rate):
        raise DefinitionError(f"{spell(node)} reckons with a rate", fix="compare a field with the rate instead")
    if isinstance(left, nodes.Duration) or isinstance(right, nodes.Duration):
        return _moved(node, left, right, scope)
    if node.op == "-" and (_is_time(left) or _is_time(right)):
        later, earlier = (
            _local_date(agree.as_time(own, scope, side), scope) for own, side in ((left, node.left), (right, node.right))
        )
        return DayCount(later, earlier)
    left, right = (agree.typed(own, Kind.NUMBER, scope) for own in (left, right))
    for own, side in ((left, node.left), (right, node.right)):
        if not own.kind.is_number:
            raise DefinitionError(f"{spell(side)} is {own.kind}, not a number", fix="reckon with numbers only")
    kind = Kind.FLOAT if node.op == "/" else _wider(left.kind, right.kind)
    return Calculation(node.op, left, right, kind)


def _moved(node: nodes.Arithmetic, left: Operand, right: Operand, scope: Scope) -> Term:
    """A date or a timestamp moved by a length of time; folded where it is a constant."""
    if isinstance(left, nodes.Duration) and node.op == "+":
        left, right = right, left
    if isinstance(left, nodes.Duration | nodes.Rate) or not isinstance(right, nodes.Duration) or node.op not in ("+", "-"):
        raise DefinitionError(f"{spell(node)} has no meaning", fix="add a length of time to a date: F.renewal + days(30)")
    own = agree.as_time(left, scope, node.left)
    sign = 1 if node.op == "+" else -1
    match own:
        case Constant(dt.datetime() as instant):
            return Constant(clock.shifted_instant(instant, right, sign, scope.at.zone), Kind.TIMESTAMPTZ)
        case Constant(dt.date() as day):
            return Constant(clock.shifted_date(day, right, sign), Kind.DATE)
    if own.kind is Kind.DATE:
        return Moved(own, *clock.date_steps(right, sign), Kind.DATE)
    amount, unit = clock.instant_steps(right, sign)
    wall = LocalTime(own, scope.at.zone) if unit == "months" else own if own.clock in (None, "UTC") else LocalTime(own, "UTC")
    return Moved(wall, amount, unit, wall.kind, wall.clock)


def _is_time(own: Term) -> bool:
    return own.kind is Kind.DATE or own.kind.is_timestamp


def _local_date(own: Term, scope: Scope) -> Term:
    if own.kind is Kind.DATE:
        return own
    if isinstance(own, Constant):
        assert isinstance(own.value, dt.datetime)
        return Constant(clock.today(Moment(own.value, scope.at.zone)), Kind.DATE)
    return LocalDate(own, scope.at.zone)


def _part(part: Any, own: Term, scope: Scope) -> Term:
    if own.kind is Kind.DATE:
        if part == "hour":
            raise DefinitionError("a date has no hour", fix="use a timestamp")
        return PartOf(part, own)
    return PartOf(part, LocalTime(own, scope.at.zone))


def _wider(left: Kind, right: Kind) -> Kind:
    for kind in (Kind.FLOAT, Kind.DECIMAL, Kind.NUMBER):
        if kind in (left, right):
            return kind
    return Kind.INTEGER


def _aggregate(node: nodes.Aggregate, scope: Scope) -> FeatureTerm:
    _only_for_contacts(scope, f"{spell(node)}")
    tables, event = event_source(node.events.event, scope)
    inner = scope.inside_events(tables, node.events.event)
    time = time_column(scope.catalog, tables)
    where = _step(".events.where", condition, node.events.where, inner) if node.events.where is not None else None
    of = _step(".of", _property, node, inner) if node.of is not None else None
    bounds = _bounds(node.events.span, time.kind, scope)
    if node.events.span is not None:
        scope.found.windows[spell(node)] = clock.told(bounds)
    feature = Feature(tables, event, time, where, bounds, node.measure, of, scope.at.zone)
    scope.found.features[feature] = None
    return FeatureTerm(feature, *_outcome(feature))


def _bounds(span: nodes.Span | None, kind: Kind, scope: Scope) -> Bounds:
    """When the events of a feature may lie: never after the evaluation."""
    if span is None:
        return Bounds(high=clock.today(scope.at) if kind is Kind.DATE else scope.at.as_of)
    assert isinstance(span, nodes.Last | nodes.Between)
    return (clock.date_bounds if kind is Kind.DATE else clock.instant_bounds)(span, scope.at)


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


def _step(step: str, read: Callable[..., _Out], *arguments: Any) -> _Out:
    """What `read` gives; an error of it says that it lies under `step`."""
    try:
        return read(*arguments)
    except DefinitionError as error:
        error.under(step)
        raise
