"""A definition as the Python that builds it: what `repr` shows, and evaluates to an equal object."""

from __future__ import annotations

import datetime as dt
import keyword
from decimal import Decimal
from typing import assert_never

from segkit import nodes


def spell(node: nodes.Predicate | nodes.Value | nodes.Events) -> str:
    """The Python spelling of a predicate, a value or a stream of events.

    >>> spell(nodes.Not(nodes.Compare("==", nodes.Field("total spent"), nodes.literal(5))))
    "F['total spent'] != 5"
    """
    match node:
        case nodes.Events():
            return _events(node)
        case (
            nodes.Field() | nodes.Literal() | nodes.Today() | nodes.Now() | nodes.Duration() | nodes.Rate()
            | nodes.Arithmetic() | nodes.Part() | nodes.Function() | nodes.Json() | nodes.Elements() | nodes.Aggregate()
            | nodes.Quantile() | nodes.Word()
        ):  # fmt: skip
            return _value(node)
        case _:
            return _predicate(node)


def named(prefix: str, name: str) -> str:
    """`F.opens`, or `F['total spent']` where the name is no plain identifier."""
    plain = name.isidentifier() and name.isascii() and not name.startswith("_") and not keyword.iskeyword(name)
    return f"{prefix}.{name}" if plain else f"{prefix}[{name!r}]"


def _predicate(node: nodes.Predicate) -> str:
    match node:
        case nodes.Everyone():
            return "everyone()"
        case nodes.And(items):
            return _group(items, nodes.And, " & ", "all_of")
        case nodes.Or(items):
            return _group(items, nodes.Or, " | ", "any_of")
        case nodes.Not(nodes.Compare("==", left, right)):
            return _comparison(left, "!=", right)
        case nodes.Not(item):
            return f"~{_operand(item)}"
        case nodes.Compare(op, left, right):
            return _comparison(left, op, right)
        case nodes.OneOf(value, options):
            return f"{_receiver(value)}.is_in([{', '.join(map(_literal, options))}])"
        case nodes.TextTest(test, value, text, ignore_case):
            other = repr(text) if isinstance(text, str) else _value(text)
            return f"{_receiver(value)}.{test}({other}{', ignore_case=True' if ignore_case else ''})"
        case nodes.Missing(value):
            return f"{_receiver(value)}.is_missing()"
        case nodes.During(value, span):
            return f"{_receiver(value)}{_span(span)}"
        case nodes.InList(name):
            return f"in_list({name!r})"
        case nodes.InSegment(name):
            return f"in_segment({name!r})"
        case nodes.InGroup(name):
            return f"in_group({name!r})"
        case nodes.Top(value, n, percent, of):
            amount = f"percent={percent!r}" if n is None else f"n={n}"
            return f"{_receiver(value)}.top({amount}{_population(of)})"
        case nodes.Sample(percent, seed):
            return f"sample(percent={percent!r}, seed={seed!r})"
        case nodes.RawSql(sql, dialect):
            return f"raw_sql({sql!r}, dialect={dialect!r})"
        case _:
            assert_never(node)


def _population(of: nodes.Predicate | None) -> str:
    return "" if of is None else f", of={_predicate(of)}"


def _group(items: tuple[nodes.Predicate, ...], kind: type, sign: str, function: str) -> str:
    if len(items) == 1 or isinstance(items[0], kind):
        return f"{function}({', '.join(map(_predicate, items))})"
    return sign.join(map(_operand, items))


def _operand(node: nodes.Predicate) -> str:
    text = _predicate(node)
    bare = not isinstance(node, nodes.And | nodes.Or | nodes.Not | nodes.Compare)
    return text if bare or text.startswith(("~", "all_of(", "any_of(")) else f"({text})"


def _comparison(left: nodes.Value, op: str, right: nodes.Value) -> str:
    return f"{_operated(left)} {op} {_value(right)}"


def _operated(node: nodes.Value) -> str:
    """A left side that is not a plain Python constant, so that the operator is ours."""
    return f"constant({_literal(node)})" if isinstance(node, nodes.Literal) else _value(node)


def _value(node: nodes.Value) -> str:
    match node:
        case nodes.Field(name):
            return named("F", name)
        case nodes.Literal():
            return _literal(node)
        case nodes.Today():
            return "TODAY"
        case nodes.Now():
            return "NOW"
        case nodes.Duration(amount, unit):
            return f"{unit}({amount})"
        case nodes.Rate(amount, unit):
            return f"per({amount!r}, {unit!r})"
        case nodes.Arithmetic(op, left, right):
            return f"{_term(left, right)} {op} {_term(right, left)}"
        case nodes.Part(part, value):
            return f"{_receiver(value)}.{part}()"
        case nodes.Function(name, arguments):
            first, *rest = arguments
            return f"{_receiver(first)}.{name}({', '.join(map(_value, rest))})"
        case nodes.Json(field, path):
            return f"{_value(field)}.json({', '.join(map(_step, path))})"
        case nodes.Elements(field, path, where):
            array = _value(nodes.Json(field, path) if path else field)
            return f"{array}.elements({'' if where is None else _predicate(where)})"
        case nodes.Quantile(value, parts, of):
            return f"{_receiver(value)}.quantile({parts}{_population(of)})"
        case nodes.Word(name, measure):
            return f"word({name!r}{'' if measure == 'count' else f', {measure!r}'})"
        case nodes.Aggregate(measure, events, of):
            units = {"days": "day", "weeks": "week", "months": "month"}
            call = f"active({units[measure]!r})" if measure in units else f"{measure}({'' if of is None else repr(of)})"
            return f"{_events(events)}.{call}"
        case _:
            assert_never(node)


def _step(step: str | int) -> str:
    """A key or position; a key that would be read as a path stands in double quotes."""
    plain = isinstance(step, int) or not any(character in step for character in ".[]")
    return repr(step) if plain else repr(f'"{step}"')


def _term(node: nodes.Value, other: nodes.Value) -> str:
    if isinstance(node, nodes.Literal):
        return _operated(node) if isinstance(other, nodes.Literal) else _literal(node)
    return f"({_value(node)})" if isinstance(node, nodes.Arithmetic) else _value(node)


def _receiver(node: nodes.Value) -> str:
    return f"({_value(node)})" if isinstance(node, nodes.Arithmetic) else _operated(node)


def _events(node: nodes.Events) -> str:
    noun = f".noun({node.noun!r})" if node.noun is not None else ""
    where = f".where({_predicate(node.where)})" if node.where is not None else ""
    span = _span(node.span) if node.span is not None else ""
    return named("E", node.event) + noun + where + span + (_then(node.then) if node.then is not None else "")


def _then(then: nodes.Then) -> str:
    return f".then({_events(then.events)}{'' if then.length is None else f', {_length(then.length)}'})"


def _span(span: nodes.Span) -> str:
    match span:
        case nodes.Last(length, edge):
            return f".within({_length(length)}{', edge=True' if edge else ''})"
        case nodes.Before(length, edge):
            return f".older_than({_length(length)}{', edge=True' if edge else ''})"
        case nodes.Next(length):
            return f".in_next({_length(length)})"
        case nodes.Between(older, newer) if older.unit == newer.unit:
            return f".window({older.unit}=({older.amount}, {newer.amount}))"
        case nodes.Between(older, newer):
            return f".window({_value(older)}, {_value(newer)})"
        case nodes.Period(unit, shift):
            return f".in_period({unit!r}{f', {shift}' if shift else ''})"
        case nodes.OnDay(day):
            return f".on({_value(day)})"
        case nodes.Anniversary(within):
            return f".anniversary({f'within_days={within}' if within else ''})"
        case _:
            assert_never(span)


def _length(length: nodes.Duration) -> str:
    return f"{length.unit}={length.amount}"


def _literal(node: nodes.Literal) -> str:
    match node.value:
        case dt.datetime() as moment:
            if moment.tzinfo is not None:
                moment = moment.replace(tzinfo=None)
                return f"datetime.fromisoformat({moment.isoformat() + '+00:00'!r})"
            return f"datetime.fromisoformat({moment.isoformat()!r})"
        case dt.date() as day:
            return f"date({day.year}, {day.month}, {day.day})"
        case Decimal() as number:
            return f"Decimal({str(number)!r})"
        case other:
            return repr(other)
