"""A predicate as a rule group of react-querybuilder."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from itertools import chain
from typing import Any, NoReturn, TypeAlias, assert_never

from segkit import nodes
from segkit.errors import DefinitionError
from segkit.react_querybuilder import matching
from segkit.react_querybuilder.words import NEGATIVE, NUMBER, ORDERS, PLACEHOLDER, SPACE, TEXTS
from segkit.spelling import spell

Document: TypeAlias = dict[str, Any]

LARGEST = 2**53 - 1
"""The largest whole number that JavaScript reads exactly."""

_OPERATORS = {order: name for name, order in ORDERS.items()}
_TEXTS = {test: name for name, test in TEXTS.items()}
_NEGATED = {positive: negative for negative, positive in NEGATIVE.items()}
_FLIPPED: dict[nodes.Ordering, nodes.Ordering] = {"==": "==", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def written(where: nodes.Predicate) -> Document:
    """The rule group of a predicate; what the form has no words for is refused by name."""
    nodes.check_limits(where)
    item = _item(where)
    return item if "rules" in item else _group("and", [item])


def _group(combinator: str, rules: list[Document]) -> Document:
    return {"combinator": combinator, "rules": rules}


def _item(node: nodes.Predicate) -> Document:
    match node:
        case nodes.Everyone():
            return _group("and", [])
        case nodes.And():
            return _between(node) or _group("and", [_item(item) for item in node.items])
        case nodes.Or():
            return _group("or", [_item(item) for item in node.items])
        case nodes.Not():
            return _negated(node, _item(node.item))
        case nodes.Compare():
            return _compared(node)
        case nodes.OneOf():
            return _one_of(node)
        case nodes.TextTest():
            return _text_test(node)
        case nodes.Missing():
            return _rule(node, node.value, "null", None)
        case nodes.During():
            return _during(node)
        case nodes.InList() | nodes.InSegment() | nodes.InGroup():
            _refuse(node, "it has no lists and segments")
        case nodes.Top() | nodes.Sample():
            _refuse(node, "it has no ranks and samples")
        case nodes.RawSql():
            _refuse(node, "it has no SQL")
    assert_never(node)


def _refuse(node: nodes.Predicate, reason: str) -> NoReturn:
    raise DefinitionError(
        f"react-querybuilder cannot say {spell(node):.120}: {reason}",
        fix="leave that part out, or hand the segment on as JSON or SQL",
    )


def _rule(node: nodes.Predicate, field: nodes.Value, operator: str, value: Any) -> Document:
    if not isinstance(field, nodes.Field):
        _refuse(node, "its rules are about fields alone")
    return {"field": _name(node, field), "operator": operator, "value": value}


def _name(node: nodes.Predicate, field: nodes.Field) -> str:
    if field.name == PLACEHOLDER:
        _refuse(node, "a field ~ is one that is not chosen yet")
    return field.name


def _negated(node: nodes.Not, item: Document) -> Document:
    if "match" not in item and item.get("operator") in _NEGATED:
        return {**item, "operator": _NEGATED[item["operator"]]}
    if item.get("rules") == []:
        _refuse(node, "it has no word for nobody")
    if "rules" in item and "not" not in item:
        return {"combinator": item["combinator"], "not": True, "rules": item["rules"]}
    return {"combinator": "and", "not": True, "rules": [item]}


def _compared(node: nodes.Compare) -> Document:
    if (found := matching.matched(node)) is not None:
        return _matched(node, *found)
    if isinstance(node.left, nodes.Elements | nodes.Arithmetic) and any(isinstance(own, nodes.Elements) for own in _within(node)):
        _refuse(node, "of elements it knows all, none, some, at least, at most and exactly so many, or such a share")
    op, left, right = node.op, node.left, node.right
    if isinstance(right, nodes.Field) and not isinstance(left, nodes.Field):
        op, left, right = _FLIPPED[op], right, left
    if isinstance(right, nodes.Field):
        return _against_field(node, left, _OPERATORS[op], right)
    return _rule(node, left, _OPERATORS[op], _operand(node, op, right))


def _within(node: nodes.Node) -> Iterator[nodes.Node]:
    return chain.from_iterable(nodes.levels(node))


def _matched(node: nodes.Compare, own: nodes.Elements, match: Document) -> Document:
    if own.path:
        _refuse(node, "its lists are fields, not what a path leads to")
    if own.where is not None and any(isinstance(below, nodes.Elements | nodes.During) for below in _within(own.where)):
        _refuse(node, "an element has no times there, and no elements of elements")
    if "threshold" in match and isinstance(node.right, nodes.Literal):
        match = {**match, "threshold": _constant(node, node.right)}
    rules = matching.without_name(written(own.where or nodes.Everyone()))
    return {"field": _name(node, own.field), "operator": "=", "match": match, "value": rules}


def _text_test(node: nodes.TextTest) -> Document:
    if node.test == "matches" or node.ignore_case:
        _refuse(node, "it has no patterns, and no text tests that ignore case")
    operator = _TEXTS[node.test]
    if isinstance(node.text, nodes.Field):
        return _against_field(node, node.value, operator, node.text)
    if not isinstance(node.text, str):
        _refuse(node, "it looks for constants and other fields")
    return _rule(node, node.value, operator, node.text)


def _against_field(node: nodes.Predicate, field: nodes.Value, operator: str, other: nodes.Field) -> Document:
    return {**_rule(node, field, operator, _name(node, other)), "valueSource": "field"}


def _operand(node: nodes.Predicate, op: nodes.Ordering, value: nodes.Value) -> Any:
    match value:
        case nodes.Literal():
            if op != "==" and value.sort == "text" and (not value.value or NUMBER.fullmatch(str(value.value).strip(SPACE))):
                _refuse(node, "it reads digits in quotes as a number")
            return _constant(node, value)
        case nodes.Today():
            return _relative("startOfDay", 0, nodes.Duration(0, "days"))
        case nodes.Arithmetic(op="+" | "-" as sign, left=nodes.Today(), right=nodes.Duration() as length):
            return _relative("startOfDay", 1 if sign == "+" else -1, length)
        case nodes.Now() | nodes.Arithmetic(left=nodes.Now()):
            _refuse(node, "beside a date it takes now for today; write .within(...), .older_than(...) or .in_next(...)")
    _refuse(node, "its values are constants, other fields and times relative to today")


def _relative(anchor: str, sign: int, length: nodes.Duration) -> Document:
    """A time `length` before (-1) or after (1) the anchor, or the anchor itself (0)."""
    return {"mode": "relative", "anchor": anchor, "offset": sign * length.amount, "unit": length.unit[:-1]}


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
        case dt.date() as value:
            return value.isoformat()
    assert_never(literal.value)


def _one_of(node: nodes.OneOf) -> Document:
    if not node.options:
        _refuse(node, "it has no word for nobody")
    values = [_constant(node, option) for option in node.options]
    if any(isinstance(value, str) and value != value.strip(SPACE) for value in values):
        return _group("or", [_rule(node, node.value, "=", value) for value in values])
    return _rule(node, node.value, "in", values)


def _between(node: nodes.And) -> Document | None:
    """One rule for the two ends of a range, where it reads them in that order."""
    match node.items:
        case (
            nodes.Compare(op=">=", left=nodes.Field() as field, right=nodes.Literal() as low),
            nodes.Compare(op="<=", left=other, right=nodes.Literal() as high),
        ) if field == other:
            ends = [_operand(node, ">=", low), _operand(node, "<=", high)]
            if any(isinstance(end, str) and end != end.strip(SPACE) for end in ends):
                return None
            if low.sort == high.sort == "number" and ends[1] < ends[0]:
                return None
            return _rule(node, field, "between", ends)
    return None


def _during(node: nodes.During) -> Document:
    """A stretch of time as its ends, relative to now."""
    match node.span:
        case nodes.Last(length, edge):
            ends = [(">=" if edge else ">", -1, length), ("<=", 0, length)]
        case nodes.Before(length, edge):
            ends = [("<=" if edge else "<", -1, length)]
        case nodes.Next(length):
            ends = [(">", 0, length), ("<=", 1, length)]
        case nodes.Between(older, newer):
            ends = [(">", -1, older), ("<=", -1, newer)]
        case nodes.Period() | nodes.OnDay() | nodes.Anniversary():
            _refuse(node, "its times are relative to now and to the start of today")
        case _:
            assert_never(node.span)
    rules = [_rule(node, node.value, op, _relative("now", sign, length)) for op, sign, length in ends]
    return rules[0] if len(rules) == 1 else _group("and", rules)
