"""Predicates in the form of JsonLogic (jsonlogic.com): data that a browser or a service evaluates.

JsonLogic takes a missing value for 0 in a comparison; here each comparison asks first whether its fields are known, so
that a missing value is in none, as in segkit. Rules need no operations beyond the standard ones.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, NoReturn, TypeAlias, assert_never

from segkit import nodes
from segkit.errors import DefinitionError
from segkit.spelling import spell

Rule: TypeAlias = dict[str, Any]

LARGEST = 2**53 - 1
"""The largest whole number that JavaScript reads exactly."""


def written(where: nodes.Predicate) -> Rule:
    """The rule of a predicate; what the form has no words for is refused by name."""
    nodes.check_limits(where)
    return _rule(where)


def _rule(node: nodes.Predicate) -> Rule:
    match node:
        case nodes.Everyone():
            return {"!": [False]}
        case nodes.And():
            return {"and": [_rule(item) for item in node.items]}
        case nodes.Or():
            return {"or": [_rule(item) for item in node.items]}
        case nodes.Not():
            return {"!": [_rule(node.item)]}
        case nodes.Compare():
            return _compared(node)
        case nodes.OneOf():
            return {"in": [_var(node, node.value), [_constant(node, option) for option in node.options]]}
        case nodes.TextTest():
            return _text_test(node)
        case nodes.Missing():
            return {"===": [_var(node, node.value), None]}
        case nodes.During():
            _refuse(node, "it has no dates")
        case nodes.InList() | nodes.InSegment() | nodes.InGroup():
            _refuse(node, "it has no lists and segments")
        case nodes.Top() | nodes.Sample():
            _refuse(node, "it has no ranks and samples")
        case nodes.RawSql():
            _refuse(node, "it has no SQL")
    assert_never(node)


def _refuse(node: nodes.Predicate, reason: str) -> NoReturn:
    raise DefinitionError(
        f"JsonLogic cannot say {spell(node):.120}: {reason}", fix="leave that part out, or hand the segment on as JSON or SQL"
    )


def _var(node: nodes.Predicate, value: nodes.Value) -> Rule:
    if not isinstance(value, nodes.Field):
        _refuse(node, "its rules are about fields alone")
    if "." in value.name:
        _refuse(node, "a dot in a name leads inside of a value")
    return {"var": value.name}


def _known(node: nodes.Predicate, *values: nodes.Value) -> list[Rule]:
    return [{"!==": [_var(node, value), None]} for value in values if isinstance(value, nodes.Field)]


def _compared(node: nodes.Compare) -> Rule:
    sides = [_side(node, side) for side in (node.left, node.right)]
    operator = "===" if node.op == "==" else node.op
    return {"and": [*_known(node, node.left, node.right), {operator: sides}]}


def _side(node: nodes.Compare, value: nodes.Value) -> Any:
    if not isinstance(value, nodes.Literal):
        return _var(node, value)
    if node.op != "==" and value.sort != "number":
        _refuse(node, "it has no dates, and no order but that of numbers")
    return _constant(node, value)


def _constant(node: nodes.Predicate, literal: nodes.Literal) -> Any:
    match literal.value:
        case bool() | str() | float() as value:
            return value
        case int() as value:
            if abs(value) > LARGEST:
                _refuse(node, "JavaScript has no whole numbers that large")
            return value
        case Decimal() as value:
            if Decimal(repr(float(value))) != value:
                _refuse(node, "JavaScript has no decimals that long")
            return float(value)
        case dt.date():
            _refuse(node, "it has no dates")
    assert_never(literal.value)


def _text_test(node: nodes.TextTest) -> Rule:
    if node.ignore_case or node.test == "matches":
        _refuse(node, "it has no patterns, and no text tests that ignore case")
    if not isinstance(node.text, str):
        return _contains_value(node, node.text)
    var, text = _var(node, node.value), node.text
    known = _known(node, node.value)
    if not text:
        return known[0]
    if node.test == "contains":
        return {"and": [*known, {"in": [text, var]}]}
    if not all(character <= "\uffff" for character in text):
        _refuse(node, "its engines count characters such as emoji differently")
    place = [0, len(text)] if node.test == "startswith" else [-len(text)]
    return {"and": [*known, {"===": [{"substr": [var, *place]}, text]}]}


def _contains_value(node: nodes.TextTest, text: nodes.Value) -> Rule:
    """A field that holds another one; nothing is `in` an empty text there."""
    if node.test != "contains":
        _refuse(node, "it cannot tell how long a field's text is")
    own, other = _var(node, node.value), _var(node, text)
    return {"and": [*_known(node, node.value, text), {"or": [{"===": [other, ""]}, {"in": [other, own]}]}]}
