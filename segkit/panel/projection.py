"""From a definition to the rows of a draft, and back: `made(drafted(definition))` is the definition again.

What the panel has no row for is kept as it is, as JSON, and shown as text.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace

from segkit import codec, nodes
from segkit.errors import DefinitionError
from segkit.panel.choices import OPPOSITES
from segkit.panel.draft import (
    Draft,
    Entry,
    Group,
    Kept,
    Logic,
    OfEvents,
    OfField,
    OfMembers,
    OfValue,
    Reference,
    Row,
    Rule,
    Stretch,
    Subject,
)
from segkit.spelling import spell

_COMPARISONS: dict[str, str] = {
    "==": "equals",
    "<": "less_than",
    "<=": "less_than_or_equal",
    ">": "greater_than",
    ">=": "greater_than_or_equal",
}
_TESTS = {"contains": "contains", "startswith": "starts_with", "endswith": "ends_with", "matches": "matches"}
_SPANS = {"last": "within", "before": "older_than", "next": "in_next", "between": "window", "period": "in_period"}


def drafted(definition: nodes.Definition, revision: int = 0) -> Draft:
    """The draft of a definition.

    >>> from segkit import F
    >>> draft = drafted(nodes.Definition("VIP", ((F.country == "USA") & (F.opens > 5)).node))
    >>> [(row.subject.name, row.operator, row.values[0].text) for row in draft.root.items]
    [('country', 'equals', 'USA'), ('opens', 'greater_than', '5')]
    """
    nodes.check_limits(definition.where)
    ids = map(str, itertools.count(1))
    return Draft(
        _root(definition.where, ids), definition.name or "", definition.notes, definition.owner, definition.tags, revision
    )


def _root(where: nodes.Predicate, ids: Iterator[str]) -> Group:
    own = next(ids)
    if isinstance(where, nodes.Everyone):
        return Group(own)
    row = _row(where, ids)
    return replace(row, id=own) if isinstance(row, Group) else Group(own, items=(row,))


def _row(node: nodes.Predicate, ids: Iterator[str]) -> Row:
    own = next(ids)
    match node:
        case nodes.Not(item):
            return _negated(_row(item, ids), own)
        case nodes.And((nodes.Compare(">=", value, low), nodes.Compare("<=", other, high))) if value == other:
            return Rule(own, subject_of(value, ids), "between", (entry(low), entry(high)))
        case nodes.And(items) | nodes.Or(items):
            logic: Logic = "and" if isinstance(node, nodes.And) else "or"
            return Group(own, logic, tuple(_row(item, ids) for item in items), bare=False)
        case _:
            return _rule(node, ids, own) or Kept(own, json_of(node), shown(node))


def _negated(row: Row, own: str) -> Row:
    if row.negated:
        return Group(own, items=(row,), negated=True)
    if isinstance(row, Rule) and row.operator in OPPOSITES:
        return replace(row, operator=OPPOSITES[row.operator])
    return replace(row, negated=True)


def _rule(node: nodes.Predicate, ids: Iterator[str], own: str) -> Rule | None:
    match node:
        case nodes.Compare("==", value, nodes.Literal(bool() as truth)):
            return Rule(own, subject_of(value, ids), "is_true" if truth else "is_false")
        case nodes.Compare(op, value, other):
            return Rule(own, subject_of(value, ids), _COMPARISONS[op], (entry(other),))
        case nodes.OneOf(value, options):
            return Rule(own, subject_of(value, ids), "in", tuple(map(entry, options)))
        case nodes.TextTest(test, value, text, ignore_case):
            searched = Entry("text", text) if isinstance(text, str) else entry(text)
            return Rule(own, subject_of(value, ids), _TESTS[test], (searched,), ignore_case=ignore_case)
        case nodes.Missing(value):
            return Rule(own, subject_of(value, ids), "is_null")
        case nodes.During(value, nodes.OnDay(day)):
            return Rule(own, subject_of(value, ids), "on", (entry(day),))
        case nodes.During(value, nodes.Anniversary(within)):
            return Rule(own, subject_of(value, ids), "anniversary", span=Stretch("anniversary", str(within)))
        case nodes.During(value, span):
            typed = stretch(span)
            return Rule(own, subject_of(value, ids), _SPANS[typed.kind], span=typed)
        case nodes.InList(name):
            return _member(own, "list", name)
        case nodes.InSegment(name):
            return _member(own, "segment", name)
        case nodes.InGroup(name):
            return _member(own, "either", name)
        case _:
            return None


def _member(own: str, reference: Reference, name: str) -> Rule:
    return Rule(own, OfMembers(reference, name), "is_member")


# ---------------------------------------------------------------- values


def subject_of(value: nodes.Value, ids: Iterator[str]) -> Subject:
    """What a condition is about: a field, events, or a calculation that is kept."""
    match value:
        case nodes.Field(name):
            return OfField(name)
        case nodes.Aggregate(measure, nodes.Events(event, where, span, None, noun), of):
            rules = _filter(where, ids)
            if rules is not None:
                return OfEvents(event, measure, of or "", rules, stretch(span) if span is not None else None, noun or "")
    return OfValue(json_of_value(value), shown(value))


def _filter(where: nodes.Predicate | None, ids: Iterator[str]) -> tuple[Rule, ...] | None:
    """The conditions of a filter one by one; None where they do not simply all have to hold."""
    if where is None:
        return ()
    row = _row(where, ids)
    several = row.items if isinstance(row, Group) and row.logic == "and" and len(row.items) > 1 else (row,)
    if isinstance(row, Group) and (row.negated or several == (row,)):
        return None
    simple = [item for item in several if isinstance(item, Rule) and isinstance(item.subject, OfField | OfValue)]
    return tuple(simple) if len(simple) == len(several) else None


def entry(value: nodes.Value) -> Entry:
    """A constant as it is typed.

    >>> entry(nodes.literal(5.0)), entry(nodes.Today()).label
    (Entry(sort='number', text='5.0', label=''), 'TODAY')
    """
    match value:
        case nodes.Literal(constant, sort):
            match constant:
                case bool():
                    return Entry("boolean", "true" if constant else "false")
                case str():
                    return Entry("text", constant)
                case int() | float():
                    return Entry("number", repr(constant))
                case _ if sort == "number":
                    return Entry("decimal", str(constant))
                case _:
                    return Entry("timestamp" if sort == "timestamp" else "date", constant.isoformat())  # type: ignore[union-attr]
        case _:
            return Entry("value", json_of_value(value), shown(value))


def stretch(span: nodes.Last | nodes.Before | nodes.Next | nodes.Between | nodes.Period | nodes.Span) -> Stretch:
    """A stretch of time as it is typed."""
    match span:
        case nodes.Last(length, edge):
            return Stretch("last", str(length.amount), length.unit, edge=edge)
        case nodes.Before(length, edge):
            return Stretch("before", str(length.amount), length.unit, edge=edge)
        case nodes.Next(length):
            return Stretch("next", str(length.amount), length.unit)
        case nodes.Between(older, newer):
            return Stretch("between", str(older.amount), older.unit, str(newer.amount), newer.unit)
        case nodes.Period(unit, shift):
            return Stretch("period", str(shift), unit)
        case nodes.Anniversary(within):
            return Stretch("anniversary", str(within))
        case nodes.OnDay():
            raise DefinitionError("a day is no stretch of time", fix="keep it as a value")


# ---------------------------------------------------------------- what is kept


def json_of(node: nodes.Predicate) -> str:
    """A condition as JSON text, which passes through a browser unchanged."""
    return json.dumps(codec.to_dict(nodes.Definition(None, node))["where"], ensure_ascii=False)


def json_of_value(value: nodes.Value) -> str:
    """A value as JSON text."""
    return json.dumps(codec.to_dict(nodes.Definition(None, nodes.Missing(value)))["where"]["value"], ensure_ascii=False)


def shown(node: nodes.Predicate | nodes.Value) -> str:
    """A condition or a value in the text language, or in Python where the language cannot say it."""
    from segkit import language  # its parser is loaded where there is text

    return _or_python(node, language.to_text)


def _or_python(node: nodes.Predicate | nodes.Value, told: Callable[[nodes.Predicate | nodes.Value], str]) -> str:
    try:
        return told(node)
    except DefinitionError:
        return spell(node)
