"""Values, resolved: nodes in, terms out."""

from __future__ import annotations

import datetime as dt
import functools
from typing import Any, assert_never

from segkit import nodes
from segkit.catalog import Kind, find
from segkit.errors import DefinitionError
from segkit.plan import agree, clock
from segkit.plan.agree import Operand
from segkit.plan.scope import Scope, column, has_event, has_field, past_column
from segkit.plan.scope import term as column_term
from segkit.plan.streams import aggregate
from segkit.plan.tree import (
    Applied,
    Calculation,
    ColumnTerm,
    Constant,
    DayCount,
    ElementCount,
    ElementTerm,
    JsonTerm,
    LocalDate,
    LocalTime,
    Moment,
    Moved,
    PartOf,
    PastColumn,
    Rank,
    Standing,
    Term,
)
from segkit.plan.walk import step
from segkit.spelling import spell

ELEMENT = "element"
"""The field that is, in a condition on the elements of an array, the element itself."""


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
            return part_of(part, agree.as_time(step(".value", term, value, scope), scope, value), scope)
        case nodes.Function():
            return _function(node, scope)
        case nodes.Json(field, path):
            return _inside_element(field, path) if scope.of_element else JsonTerm(_json_column(field, scope), path)
        case nodes.Elements():
            return _elements(node, scope)
        case nodes.Aggregate():
            only_for_contacts(scope, node)
            return aggregate(node, scope)
        case nodes.Quantile(value, parts, of):
            return Standing(rank_of(value, of, scope, tiles=parts), "tile")
        case nodes.Word():
            return _word(node, scope)
        case _:
            assert_never(node)


def _field(name: str, scope: Scope) -> Term:
    if scope.of_element:
        return _inside_element(nodes.Field(name), ())
    calculated = scope.catalog.calculated if scope.of_contact else {}
    if calculated:
        exact = (
            name if scope.catalog.assumed and name not in calculated else find(scope.what, name, (*scope.columns, *calculated))
        )
        if exact in calculated:
            own = calculated[exact]
            value = step(f" in the formula of {exact}", _formula, own) if isinstance(own, str) else own
            scope.unfold(exact, sum(map(len, nodes.levels(value))))
            return step(f" in {exact}", term, value, scope.below(exact, nodes.depth(value)))
    return _column(name, scope)


@functools.lru_cache(maxsize=256)
def _formula(text: str) -> nodes.Value:
    from segkit.language import formula  # its parser is loaded where there is text to read

    return formula(text)


def _column(name: str, scope: Scope) -> ColumnTerm | PastColumn:
    """A column of the contact (as it was, where its history is known) or of the event."""
    past = past_column(name, scope)
    if past is not None:
        return past
    try:
        own = column_term(column(name, scope))
    except DefinitionError as error:
        if scope.of_contact and has_event(name, scope):
            error.fix = f"{name!r:.60} is an event: write E[{name!r:.60}].count(), in text: {name:.60} >= 1 times; or {error.fix}"
        raise
    if scope.of_contact:
        scope.found.fields[own.name] = None
    return own


def _word(node: nodes.Word, scope: Scope) -> Term:
    """The field of that name if there is one, else how often, or when last, the event of that name happened."""
    if scope.of_element:
        return _field(node.name, scope)
    only_for_contacts(scope, node)
    is_field, is_event = has_field(node.name, scope), has_event(node.name, scope)
    if is_field and is_event and node.measure == "count":
        raise DefinitionError(
            f"{node.name!r:.60} is both a field and an event",
            fix=f"write `{node.name:.60}` in backticks for the field, {node.name:.60} >= 1 times for the event",
        )
    if is_field or (node.measure == "last" and scope.catalog.assumed and not is_event):
        return _field(node.name, scope)
    return aggregate(nodes.Aggregate(node.measure, nodes.Events(node.name)), scope)


def _json_column(field: nodes.Field, scope: Scope) -> ColumnTerm | PastColumn:
    own = _column(field.name, scope)
    if own.kind not in (Kind.JSON, Kind.UNKNOWN):
        raise DefinitionError(
            f"{spell(field)} is {own.kind}, not JSON", fix="name a JSON field, or declare its kind in the catalog"
        )
    return own


def _inside_element(field: nodes.Field, path: tuple[str | int, ...]) -> JsonTerm:
    """The element itself, what a key of it holds, or what a path from there leads to."""
    steps = path if field.name == ELEMENT else (field.name, *path)
    return JsonTerm(ElementTerm(), nodes.Json(nodes.Field(ELEMENT), steps).path if steps else ())


def _elements(node: nodes.Elements, scope: Scope) -> ElementCount:
    if scope.of_element:
        raise DefinitionError(
            f"{spell(node):.120} asks about the elements of an element", fix="ask about one of them: F.element.json('items[0]')"
        )
    where = step(".where", scope.resolve, node.where, scope.inside_elements()) if node.where is not None else None
    return ElementCount(_json_column(node.field, scope), node.path, where)


def rank_of(value: nodes.Value, of: nodes.Predicate | None, scope: Scope, *, tiles: int | None) -> Rank:
    """The contacts in the order of a value, which must have one."""
    only_for_contacts(scope, "a rank")
    own = step(".value", term, value, scope)
    own = agree.typed(own, Kind.NUMBER, scope)
    if not own.kind.is_number and not _is_time(own):
        raise DefinitionError(f"{spell(value)} is {own.kind}, which has no order everywhere", fix="rank by a number or a time")
    population = step(".of", scope.resolve, of, scope) if of is not None else None
    rank = Rank(own, population, tiles is None, tiles)
    scope.found.parts[rank] = None
    return rank


def only_for_contacts(scope: Scope, own: nodes.Value | str) -> None:
    if scope.of_contact:
        return
    what = own if isinstance(own, str) else spell(own)
    if scope.of_element:
        raise DefinitionError(f"{what} is about contacts, not an element", fix="put it outside of .elements(...)")
    raise DefinitionError(
        f"{what} is about contacts, not events", fix="put it outside of .where(...): a filter sees the event's own properties"
    )


def _function(node: nodes.Function, scope: Scope) -> Term:
    arguments = [step(f".arguments[{i}]", term, value, scope) for i, value in enumerate(node.arguments)]
    match node.name:
        case "abs" | "round":
            own = agree.typed(arguments[0], Kind.NUMBER, scope)
            _needs(own.kind.is_number, node, own, "a number")
            digits = arguments[1].value if len(arguments) > 1 and isinstance(arguments[1], Constant) else 0
            assert isinstance(digits, int)
            return Applied(node.name, (own,), own.kind, digits=digits)
        case "lower" | "upper" | "length":
            own = agree.typed(arguments[0], Kind.TEXT, scope)
            _needs(own.kind is Kind.TEXT, node, own, "text")
            return Applied(node.name, (own,), Kind.INTEGER if node.name == "length" else Kind.TEXT)
        case "coalesce":
            return _coalesce(node, arguments, scope)
        case _:
            assert_never(node.name)


def _needs(fits: bool, node: nodes.Function, own: Term, wanted: str) -> None:
    if not fits:
        raise DefinitionError(f"{node.name} of {spell(node.arguments[0])}, which is {own.kind}", fix=f"give it {wanted}")


def _coalesce(node: nodes.Function, arguments: list[Term], scope: Scope) -> Term:
    """The first known value; all of one kind."""
    known = next((own for own in arguments if own.kind is not Kind.UNKNOWN), None)
    kind = Kind.TEXT if known is None else known.kind
    read = [
        agree.as_time(own, scope, side) if kind is Kind.DATE or kind.is_timestamp else agree.typed(own, kind, scope)
        for own, side in zip(arguments, node.arguments, strict=True)
    ]
    for own, side in zip(read, node.arguments, strict=True):
        alike = own.kind is kind or (own.kind.is_number and kind.is_number) or (own.kind.is_timestamp and kind.is_timestamp)
        if not alike or kind is Kind.JSON:
            raise DefinitionError(f"{spell(side)} is {own.kind}, beside {kind}", fix="give coalesce values of one kind")
    if kind.is_number:
        return Applied("coalesce", tuple(read), functools.reduce(_wider, (own.kind for own in read)))
    if kind.is_timestamp:
        walls = tuple(own if isinstance(own, Constant) else LocalTime(own, "UTC") for own in read)
        return Applied("coalesce", walls, Kind.TIMESTAMP, "UTC")
    return Applied("coalesce", tuple(read), kind)


def _arithmetic(node: nodes.Arithmetic, scope: Scope) -> Term:
    left, right = step(".left", operand, node.left, scope), step(".right", operand, node.right, scope)
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


def part_of(part: Any, own: Term, scope: Scope) -> Term:
    if own.kind is Kind.DATE:
        if part == "hour":
            raise DefinitionError("a date has no hour", fix="use a timestamp")
        return PartOf(part, own)
    return PartOf(part, LocalTime(own, scope.at.zone))


def _wider(left: Kind, right: Kind) -> Kind:
    """The kind of a result of two numbers."""
    for kind in (Kind.FLOAT, Kind.DECIMAL, Kind.NUMBER):
        if kind in (left, right):
            return kind
    return Kind.INTEGER
