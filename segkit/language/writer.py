"""Nodes as text. What this writes, the reader reads back equal, groups and kinds of constants included."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import assert_never

from segkit import nodes
from segkit.catalog import VERBS
from segkit.errors import DefinitionError
from segkit.language.functions import MEASURES
from segkit.language.meaning import is_iso
from segkit.language.words import is_bare

_WIDTH = 100
_CALLS = {measure: name.upper() for name, measure in MEASURES.items()}
_TESTS = {"contains": "CONTAINS", "startswith": "STARTS WITH", "endswith": "ENDS WITH", "matches": "MATCHES"}
_UNITS: dict[str, nodes.Unit] = {"days": "days", "weeks": "weeks", "months": "months"}
_SHIFTS = {-1: "LAST", 0: "THIS", 1: "NEXT"}

# ---------------------------------------------------------------- conditions


def condition_text(node: nodes.Predicate) -> str:
    """A condition as text; the items of a long outermost group stand on a line each.

    >>> condition_text(nodes.Not(nodes.Compare("==", nodes.Field("total spent"), nodes.literal(5))))
    '`total spent` != 5'
    """
    text = _condition(node)
    if len(text) > _WIDTH and isinstance(node, nodes.And | nodes.Or) and len(node.items) > 1 and _range(node) is None:
        word = "AND" if isinstance(node, nodes.And) else "OR"
        return f"\n{word} ".join(map(_operand, node.items))
    return text


def _condition(node: nodes.Predicate) -> str:
    match node:
        case nodes.Everyone():
            return "EVERYONE"
        case nodes.And(items) | nodes.Or(items):
            return _group(node, items)
        case nodes.Not(item):
            return _complement(item)
        case nodes.Compare(op, left, right):
            return _comparison("=" if op == "==" else op, left, right)
        case nodes.OneOf() | nodes.TextTest() | nodes.Missing():
            return _test(node, "")
        case nodes.During(value, span):
            if isinstance(span, nodes.Anniversary):
                return _anniversary(value, span)
            return f"{_left(value, 'last')} {_span(span)}"
        case nodes.InList(name):
            return f"LIST {_quoted(name)}"
        case nodes.InSegment(name):
            return f"SEGMENT {_quoted(name)}"
        case nodes.InGroup(name):
            return f"GROUP {_quoted(name)}"
        case nodes.Top(value, n, percent, of):
            amount = f"{_number(percent)}%" if percent is not None else str(n)
            return f"{_left(value)} IN TOP {amount}{_population(of)}"
        case nodes.Sample(percent, seed):
            return f"SAMPLE {_number(percent)}%" + (f" SEED {_quoted(seed)}" if seed else "")
        case nodes.RawSql(sql):
            raise DefinitionError(f"SQL has no form in the text language: {sql:.60}", fix="keep the definition as JSON or Python")
        case _:
            assert_never(node)


def _group(node: nodes.And | nodes.Or, items: tuple[nodes.Predicate, ...]) -> str:
    is_and = isinstance(node, nodes.And)
    if len(items) == 1:
        return f"{'ALL_OF' if is_and else 'ANY_OF'}({_condition(items[0])})"
    return _range(node) or (" AND " if is_and else " OR ").join(map(_operand, items))


def _range(node: nodes.Predicate, negated: str = "") -> str | None:
    """`x BETWEEN 1 AND 5`, if that is what a group says."""
    match node:
        case nodes.And((nodes.Compare(">=", left, low), nodes.Compare("<=", same, high))) if left == same:
            is_counted = all(isinstance(end, nodes.Literal) and end.sort == "number" for end in (low, high))
            return f"{_left(left, 'count' if is_counted else '')} {negated}BETWEEN {_ordered(low)} AND {_ordered(high)}"
    return None


def _operand(node: nodes.Predicate) -> str:
    is_group = isinstance(node, nodes.And | nodes.Or) and len(node.items) > 1 and _range(node) is None
    return f"({_condition(node)})" if is_group else _condition(node)


def _complement(item: nodes.Predicate) -> str:
    match item:
        case nodes.Compare("==", left, right):
            return _comparison("!=", left, right)
        case nodes.OneOf(options=options) if options:
            return _test(item, "NOT ")
        case nodes.TextTest() | nodes.Missing():
            return _test(item, "NOT ")
        case nodes.And() if between := _range(item, "NOT "):
            return between
    return f"NOT {_operand(item)}"


def _test(node: nodes.OneOf | nodes.TextTest | nodes.Missing, negated: str) -> str:
    left = _left(node.value)
    match node:
        case nodes.OneOf(options=()):
            return f"ONE_OF({_value(node.value)})"
        case nodes.OneOf(options=options):
            return f"{left} {negated}IN ({', '.join(map(_value, options))})"
        case nodes.TextTest(test=test, text=text, ignore_case=ignore_case):
            other = _quoted(text) if isinstance(text, str) else _value(text)
            return f"{left} {negated}{_TESTS[test]} {other}{' IGNORING CASE' if ignore_case else ''}"
        case nodes.Missing():
            return f"{left} IS {negated}NULL"
        case _:
            assert_never(node)


def _comparison(sign: str, left: nodes.Value, right: nodes.Value) -> str:
    if isinstance(left, nodes.Aggregate) and (told := _sentence(left, sign, right)):
        return told
    is_number = isinstance(right, nodes.Literal) and right.sort == "number"
    other = _value(right) if sign in ("=", "!=") else _ordered(right)
    return f"{_left(left, 'count' if is_number else '')} {sign} {other}"


def _sentence(left: nodes.Aggregate, sign: str, right: nodes.Value) -> str | None:
    """`opened >= 5 times IN LAST 30 days`, where people would say it so."""
    events = left.events
    if events.noun is not None or not isinstance(right, nodes.Literal):
        return None
    whole = right.value if type(right.value) is int and right.value >= 0 else None
    if events.then is not None:
        return _stream(events) if sign == ">=" and whole == 1 else None
    if isinstance(events.span, nodes.Last) and events.span.edge:
        return None
    name, tails = _event(events.event), _tails(events)
    if left.measure == "count" and whole is not None:
        return f"{name} {sign} {whole} time{'' if whole == 1 else 's'}{tails}"
    if left.measure in _UNITS and whole is not None:
        return f"{name} ON {sign} {_many(whole, _UNITS[left.measure])}{tails}"
    if left.measure in ("sum", "avg", "min", "max", "distinct") and left.of is not None and right.sort == "number":
        return f"{name} {left.measure}({_name(left.of)}) {sign} {_value(right)}{tails}"
    return None


def _anniversary(value: nodes.Value, span: nodes.Anniversary) -> str:
    when = "= TODAY" if span.within == 0 else f"IN NEXT {_many(span.within, 'days')}"
    return f"ANNIVERSARY({_value(value)}) {when}"


def _population(of: nodes.Predicate | None) -> str:
    return "" if of is None else f" OF ({_condition(of)})"


# ---------------------------------------------------------------- values


def value_text(node: nodes.Value) -> str:
    """A value as text.

    >>> value_text(nodes.Arithmetic("/", nodes.Field("total_revenue"), nodes.Field("order_count")))
    'total_revenue / order_count'
    """
    return _value(node)


def _left(node: nodes.Value, measure: str = "") -> str:
    """The left side of a test. A word that means a field or an event is bare where the reader takes it for that."""
    match node:
        case nodes.Word(name, own) if own == measure and name.lower() in VERBS:
            return name
        case nodes.Literal(value=str(text)):
            return f"TEXT {_quoted(text)}"
    return _value(node)


def _ordered(node: nodes.Value) -> str:
    if isinstance(node, nodes.Literal) and isinstance(node.value, str) and not is_iso(node.value):
        raise DefinitionError(f"text such as {node.value!r:.40} has no order", fix="compare it with == or .is_in([...])")
    return _value(node)


def _value(node: nodes.Value) -> str:
    match node:
        case nodes.Field(name):
            return _name(name)
        case nodes.Literal(value):
            return _constant(value)
        case nodes.Today():
            return "TODAY"
        case nodes.Now():
            return "NOW"
        case nodes.Duration(amount, unit):
            return _many(amount, unit)
        case nodes.Rate(amount, unit):
            return f"{_number(amount)}/{unit}"
        case nodes.Arithmetic(op, left, right):
            return f"{_term(left, op, is_right=False)} {op} {_term(right, op, is_right=True)}"
        case nodes.Part(part, value):
            return f"{part.upper()}({_value(value)})"
        case nodes.Function(name, arguments):
            return f"{name.upper()}({', '.join(map(_value, arguments))})"
        case nodes.Json(field, path):
            return " -> ".join([_name(field.name), *(str(step) if isinstance(step, int) else _quoted(step) for step in path)])
        case nodes.Elements(field, path, where):
            return f"ELEMENTS({_value(nodes.Json(field, path) if path else field)}{_where(where)})"
        case nodes.Quantile(value, parts, of):
            return f"QUANTILE({_value(value)}, {parts}){_population(of)}"
        case nodes.Word(name, measure):
            return f"WORD({_name(name)}{', last' if measure == 'last' else ''})"
        case nodes.Aggregate(measure, events, of):
            return f"{_CALLS[measure]}({'' if of is None else f'{_name(of)} OF '}{_stream(events)})"
        case _:
            assert_never(node)


def _term(node: nodes.Value, op: str, *, is_right: bool) -> str:
    """An operand of arithmetic, in parentheses where the reader would take it otherwise."""
    text = _value(node)
    if isinstance(node, nodes.Rate):
        return f"({text})"
    if not isinstance(node, nodes.Arithmetic):
        return text
    is_weaker = node.op in "+-" and op in "*/"
    is_same = (node.op in "+-") == (op in "+-")
    return f"({text})" if is_weaker or (is_right and is_same) else text


def _constant(value: nodes.Scalar) -> str:
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case str():
            return _quoted(value)
        case dt.datetime():
            return f"TIMESTAMP {_quoted(value.isoformat())}"
        case dt.date():
            return f"DATE {_quoted(value.isoformat())}"
        case _:
            return _number(value)


def _number(number: int | float | Decimal) -> str:
    return f"DECIMAL {_quoted(str(number))}" if isinstance(number, Decimal) else repr(number)


def _many(amount: int, unit: nodes.Unit) -> str:
    return f"{amount} {unit.removesuffix('s') if amount == 1 else unit}"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _name(name: str) -> str:
    return name if is_bare(name) else "`" + name.replace("`", "``") + "`"


# ---------------------------------------------------------------- events and spans


def _event(name: str) -> str:
    """The name of an event; a verb in lower case is bare."""
    return name if name in VERBS else _name(name)


def _stream(events: nodes.Events) -> str:
    noun = "" if events.noun is None else f"{_name(events.noun)} OF "
    span = "" if events.span is None else f" {_span(events.span)}"
    own = f"{_event(events.event)}{span}{_where(events.where)}"
    if events.then is None:
        return noun + own
    within = "" if events.then.length is None else f" WITHIN {_value(events.then.length)}"
    after = _stream(events.then.events)
    return f"{noun}{_enclosed(own)} THEN {_enclosed(after)}{within}"


def _enclosed(text: str) -> str:
    return f"({text})" if " " in text else text


def _tails(events: nodes.Events) -> str:
    """Window and filter behind a sentence."""
    return ("" if events.span is None else f" {_span(events.span)}") + _where(events.where)


def _where(where: nodes.Predicate | None) -> str:
    match where:
        case None:
            return ""
        case nodes.Compare(left=nodes.Field()) | nodes.OneOf(value=nodes.Field()) | nodes.TextTest(value=nodes.Field()) as simple:
            return f" WHERE {_condition(simple)}"
        case other:
            return f" WHERE ({_condition(other)})"


def _span(span: nodes.Span) -> str:
    match span:
        case nodes.Last(length, False):
            return f"IN LAST {_value(length)}"
        case nodes.Last(length):
            return f"<= {_value(length)} ago"
        case nodes.Before(length, edge):
            return f"{'>=' if edge else '>'} {_value(length)} ago"
        case nodes.Next(length):
            return f"IN NEXT {_value(length)}"
        case nodes.Between(older, newer) if older.unit == newer.unit:
            return f"BETWEEN {older.amount} AND {_value(newer)} ago"
        case nodes.Between(older, newer):
            return f"BETWEEN {_value(older)} AND {_value(newer)} ago"
        case nodes.Period(unit, shift) if shift in _SHIFTS:
            return f"IN {_SHIFTS[shift]} {unit.upper()}"
        case nodes.Period(unit, shift):
            return f"IN {unit.upper()} {'+' if shift > 0 else '-'} {abs(shift)}"
        case nodes.OnDay(day):
            return f"ON {_value(day)}"
        case nodes.Anniversary():
            raise DefinitionError("an anniversary of a stream of events", fix="take .first() or .last() of it")
        case _:
            assert_never(span)
