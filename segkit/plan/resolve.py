"""A definition, resolved: nodes in, the tree of `plan.tree` out. Errors carry the path to the part they are about."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import Any, TypeAlias, assert_never

from segkit import nodes, patterns
from segkit.catalog import Column, Kind, find
from segkit.errors import DefinitionError, unknown
from segkit.plan import agree, clock
from segkit.plan.agree import Operand
from segkit.plan.rules import rule_of
from segkit.plan.scope import Scope, anniversary_of, column, known_lists, list_name
from segkit.plan.scope import term as column_term
from segkit.plan.terms import only_for_contacts, operand, part_of, rank_of, term
from segkit.plan.tree import (
    AllOf,
    Always,
    Among,
    AnyOf,
    Calculation,
    ColumnTerm,
    Comparison,
    Complement,
    Condition,
    Constant,
    Drawn,
    IsMissing,
    Named,
    OnList,
    Rank,
    Raw,
    Reference,
    Standing,
    Term,
    TextSearch,
)
from segkit.plan.walk import step
from segkit.spelling import spell

_Leaf: TypeAlias = (
    nodes.Compare
    | nodes.OneOf
    | nodes.TextTest
    | nodes.Missing
    | nodes.During
    | nodes.InList
    | nodes.InSegment
    | nodes.InGroup
    | nodes.Top
    | nodes.Sample
    | nodes.RawSql
)


_YEAR = 365
"""Days within which every day of the year returns."""


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
            return Complement(step(".item", condition, item, scope))
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
            own = step(".value", term, value, scope)
            return Among(*agree.options(own, options, scope, value)) if options else Always(False)
        case nodes.TextTest():
            return _text_search(node, scope)
        case nodes.Missing(value):
            return IsMissing(step(".value", term, value, scope))
        case nodes.During(value, span):
            own = agree.as_time(step(".value", term, value, scope), scope, value)
            own = _noted(own, scope)
            return step(".span", _during, own, span, node, scope)
        case nodes.InList(name):
            only_for_contacts(scope, f"list {name!r}")
            return _list(name, scope)
        case nodes.InSegment(name):
            only_for_contacts(scope, f"segment {name!r}")
            return _segment(name, scope)
        case nodes.InGroup(name):
            only_for_contacts(scope, f"group {name!r}")
            return _group(name, scope)
        case nodes.Top(value, n, percent, of):
            return _top(rank_of(value, of, scope, tiles=None), n, percent)
        case nodes.Sample(percent, seed):
            return _sample(Fraction(str(percent)), seed, scope)
        case nodes.RawSql(sql, dialect):
            only_for_contacts(scope, "raw SQL")
            scope.found.fields[f"raw_sql({sql:.40})"] = None
            return Raw(sql, dialect)
        case _:
            assert_never(node)


# ---------------------------------------------------------------- conditions


def _conditions(items: tuple[nodes.Predicate, ...], scope: Scope) -> tuple[Condition, ...]:
    return tuple(step(f".items[{i}]", condition, item, scope) for i, item in enumerate(items))


def _comparison(op: nodes.Ordering, left: nodes.Value, right: nodes.Value, scope: Scope) -> Condition:
    if op == "==" and isinstance(right, nodes.Today) and (date := anniversary_of(left, scope)) is not None:
        return condition(nodes.During(date, nodes.Anniversary()), scope)
    a, b = step(".left", operand, left, scope), step(".right", operand, right, scope)
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


def _text_search(node: nodes.TextTest, scope: Scope) -> Condition:
    own = step(".value", _text, node.value, scope, "use ==, < or .between on it")
    if not isinstance(node.text, str):
        other = step(".text", _text, node.text, scope, "look for a text")
        text = other.value if isinstance(other, Constant) and isinstance(other.value, str) else other
        return TextSearch(node.test, own, text, node.ignore_case)
    if node.test == "matches":
        patterns.check(node.text)
        if node.ignore_case:
            patterns.folded(node.text)
    return TextSearch(node.test, own, node.text, node.ignore_case)


def _text(node: nodes.Value, scope: Scope, fix: str) -> Term:
    """A value that must be text."""
    own = agree.typed(term(node, scope), Kind.TEXT, scope)
    if own.kind is not Kind.TEXT:
        raise DefinitionError(f"{spell(node)} is {own.kind}, not text", fix=fix)
    return own


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
            day_of_year = _day_of_year(own, scope)
            if rule_of(scope.at.as_of) is not None and within < _YEAR:
                return _returning(day_of_year, within, scope)
            days = clock.anniversary_days(within, scope.at)
            return Among(day_of_year, tuple(Constant(day, Kind.INTEGER) for day in days))
        case _:
            bounds = (clock.date_bounds if is_date else clock.instant_bounds)(span, scope.at)
    scope.found.spans.append((node, bounds))
    return agree.inside(own, bounds)


def _returning(day_of_year: Term, within: int, scope: Scope) -> Condition:
    """A day of the year lies between today and the day after the last one, where the year may turn: an evergreen anniversary.

    So 29 February returns on the 28th in common years, the day before 1 March.
    """
    today = clock.today(scope.at)
    ends = [Constant(day, Kind.DATE) for day in (today, clock.shifted_date(today, nodes.Duration(within + 1, "days"), 1))]
    first, after = (_day_of_year(own, scope) for own in ends)
    year, next_year = (part_of("year", own, scope) for own in ends)
    since, until = Comparison(">=", day_of_year, first), Comparison("<", day_of_year, after)
    return AnyOf((AllOf((since, until)), AllOf((Comparison("<", year, next_year), AnyOf((since, until))))))


def _day_of_year(own: Term, scope: Scope) -> Term:
    """Month x 100 + day."""
    month, day_of_month = (part_of(part, own, scope) for part in ("month", "day"))
    hundreds = Calculation("*", month, Constant(100, Kind.INTEGER), Kind.INTEGER)
    return Calculation("+", hundreds, day_of_month, Kind.INTEGER)


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
        where = step(f".{exact}", condition, scope.segments[exact], below)
        scope.found.segments.add(exact)
        scope.found.parts[Named(exact, where)] = None
    return Reference(exact)


def _group(name: str, scope: Scope) -> Condition:
    """A list or a segment of that name, whichever there is."""
    is_segment = any(name.casefold() == other.casefold() for other in scope.segments)
    lists = known_lists(scope)
    is_list = any(name.casefold() == other.casefold() for other in lists or ())
    if is_segment and is_list:
        raise DefinitionError(
            f"{name!r:.80} is both a list and a segment", fix=f'write List "{name:.80}" or Segment "{name:.80}"'
        )
    if is_segment:
        return _segment(name, scope)
    if not is_list and lists is not None:
        raise unknown("list or segment", name, (*lists, *scope.segments))
    return _list(name, scope)


def _list(name: str, scope: Scope) -> Condition:
    exact = list_name(name, scope)
    scope.found.lists[exact] = None
    return OnList(exact)


def _top(rank: Rank, n: int | None, percent: Any) -> Condition:
    """The first places. Percent of a total, rounded up, is `place - 1 < total x percent / 100`, in whole numbers."""
    place = Standing(rank, "place")
    if n is not None:
        return Comparison("<=", place, Constant(n, Kind.INTEGER))
    share = Fraction(str(percent)) / 100
    one, over, under = (Constant(number, Kind.INTEGER) for number in (1, share.numerator, share.denominator))
    before = Calculation("*", Calculation("-", place, one, Kind.INTEGER), under, Kind.INTEGER)
    return Comparison("<", before, Calculation("*", Standing(rank, "total"), over, Kind.INTEGER))


def _sample(percent: Fraction, seed: str, scope: Scope) -> Condition:
    only_for_contacts(scope, "a sample")
    contacts = scope.catalog.contacts
    key = contacts.fields.get(contacts.key)
    if key is not None and key.kind not in (Kind.INTEGER, Kind.TEXT, Kind.UNKNOWN):
        raise DefinitionError(
            f"a sample needs a key of whole numbers or text, but {contacts.key} is {key.kind}", fix="name another key"
        )
    below = int(-(-percent * 2**32 // 100))
    return Drawn(seed, below) if below < 2**32 else Always(True)


def _declared(node: nodes.Value, scope: Scope) -> Column | None:
    """The column that a value is, None for one that is calculated."""
    if isinstance(node, nodes.Field) and any(node.name.casefold() == name.casefold() for name in scope.columns):
        return column(node.name, scope)
    return None
