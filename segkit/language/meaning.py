"""What a term means where it stands: a value, a condition, or a stream of events."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from string import ascii_lowercase, ascii_uppercase
from typing import assert_never

from segkit import nodes, operators
from segkit.language.terms import (
    Age,
    Condition,
    Measured,
    Name,
    Number,
    Operator,
    Owned,
    Quantity,
    Rank,
    Refusal,
    Stretch,
    Term,
    Test,
    Text,
    Told,
    Value,
    Where,
    Yearly,
    made,
)
from segkit.language.words import NULLS, everyone, length, noun, unit, verb

_FOLDED = str.maketrans(ascii_uppercase, ascii_lowercase)
_CONSTANTS: dict[str, nodes.Value] = {
    "today": nodes.Today(),
    "now": nodes.Now(),
    "true": nodes.literal(True),
    "false": nodes.literal(False),
}

# ---------------------------------------------------------------- values


def value(term: Term) -> nodes.Value:
    """The value a term is; a condition or half of one is refused."""
    match term:
        case Name(at, text, quoted):
            if not quoted and text.lower() in NULLS:
                raise Refusal(at, f"{text} is no value to reckon or compare with", "write x = NULL, or x IS NULL")
            constant = None if quoted else _CONSTANTS.get(text.lower())
            return constant or made(at, nodes.Field, text)
        case Number(at, number):
            return made(at, nodes.literal, number)
        case Text(at, text):
            return made(at, nodes.literal, text)
        case Quantity():
            return length(term)
        case Value(node=node):
            return node
        case Measured(at, name, measure, of):
            return nodes.Aggregate(measure, made(at, nodes.Events, event_name(name)), of)
        case Age(at):
            raise Refusal(at, "an age stands only behind < > <= >= or BETWEEN", "for a date write TODAY - 30 days")
        case Yearly(at):
            raise Refusal(at, "an anniversary stands alone", "write ANNIVERSARY(x) = TODAY, or ANNIVERSARY(x) IN NEXT 7 days")
        case Owned(at):
            raise Refusal(at, "OF stands only in a measure of events", "write SUM(amount OF purchased)")
        case _:
            raise Refusal(term.at, "a condition stands where a value is expected", "compare values; join conditions with AND, OR")


def _left_value(test: Test) -> nodes.Value:
    """The left side of a test; a verb next to a number or an age may be a field as well as an event."""
    left = test.left
    match left:
        case Text(at, text):
            fix = f"write a name in backticks: `{text:.60}`, or TEXT before text"
            raise Refusal(at, f'"{text:.60}" in quotes is text, not a field', fix)
        case Name(at, text, False) if verb(left) is not None:
            if _is_of_numbers(test):
                return made(at, nodes.Word, text, "count")
            if is_window(test) or test.operator in ("during", "on"):
                return made(at, nodes.Word, text, "last")
    return value(left)


def _is_of_numbers(test: Test) -> bool:
    return bool(test.others) and all(isinstance(other, Number) for other in test.others)


# ---------------------------------------------------------------- conditions


def condition(term: Term) -> nodes.Predicate:
    """The condition a term is; a value is refused."""
    match term:
        case Condition(node=node):
            return node
        case Test(left=Yearly()):
            return _anniversary(term)
        case Test(operator="then"):
            return at_least_one(term)
        case Test(left=Name()) if _nouns(term):
            return counted(term, ())
        case Test():
            return _tested(term, _left_value(term))
        case Told():
            return _told(term)
        case Text(at, text):
            return nodes.Everyone() if everyone(text) else made(at, nodes.InGroup, text)
        case Name(text=text, quoted=False) if everyone(text):
            return nodes.Everyone()
        case Name(at, text, False) if text.lower() in _CONSTANTS:
            raise Refusal(at, f"{text} alone is no condition", "compare it with a field; EVERYONE holds for all contacts")
        case Name(at, text):
            fix = f"write {text:.60} >= 1 times" if verb(term) else f"compare it: {text:.60} = TRUE, or {text:.60} IS NOT NULL"
            raise Refusal(at, f"{text:.60} alone is no condition", fix)
        case _:
            raise Refusal(term.at, "a value stands where a condition is expected", "compare it with something")


def _tested(test: Test, left: nodes.Value) -> nodes.Predicate:
    if test.ignore_case and test.operator in ("=", "in"):
        left = nodes.Function("lower", (left,))
    built = made(test.at, _positive, test, left)
    return nodes.Not(built) if test.negated else built


def _positive(test: Test, left: nodes.Value) -> nodes.Predicate:
    match test.operator:
        case "=":
            return _equal(test, left)
        case "<" | "<=" | ">" | ">=":
            if is_window(test):
                return nodes.During(left, span_of(test))
            return nodes.Compare(test.operator, left, _ordered(test.others[0]))
        case "between":
            if is_window(test):
                return nodes.During(left, span_of(test))
            return operators.between(left, *map(_ordered, test.others))
        case "in":
            return nodes.OneOf(left, tuple(_constant(other, test) for other in test.others))
        case "contains" | "startswith" | "endswith" | "matches":
            return nodes.TextTest(test.operator, left, _searched(test.operator, test.others[0]), test.ignore_case)
        case "null":
            return nodes.Missing(left)
        case "during":
            return nodes.During(left, span_of(test))
        case "on":
            return nodes.During(left, nodes.OnDay(value(test.others[0])))
        case "top":
            rank = test.others[0]
            assert isinstance(rank, Rank)
            return made(rank.at, nodes.Top, left, rank.n, rank.percent, rank.of)
        case "then":
            raise Refusal(test.at, "a sequence of events is no left side", "write Visited THEN purchased WITHIN 7 days")
        case _:
            assert_never(test.operator)


def _equal(test: Test, left: nodes.Value) -> nodes.Predicate:
    other = test.others[0]
    if isinstance(other, Age):
        fix = "write < 30 days ago, > 30 days ago, or ON TODAY - 30 days"
        raise Refusal(other.at, "nothing is exactly so long ago, to the microsecond", fix)
    if is_null(other):
        return operators.equals(left, None)
    return operators.equals(left, _constant(other, test) if test.ignore_case else value(other))


def is_null(term: Term) -> bool:
    """Whether a term is NULL, or the word missing."""
    return isinstance(term, Name) and not term.quoted and term.text.lower() in NULLS


def _constant(term: Term, test: Test) -> nodes.Literal:
    if is_null(term):
        raise Refusal(term.at, "NULL in a list of values", "write OR x IS NULL behind it to include missing values")
    node = value(term)
    if not isinstance(node, nodes.Literal):
        fix = "write text in quotes, numbers and dates; use = and OR for the rest"
        raise Refusal(term.at, "only constants stand in a list", fix)
    if not test.ignore_case:
        return node
    if not isinstance(node.value, str):
        raise Refusal(term.at, "IGNORING CASE is for text", "leave it out")
    return nodes.literal(node.value.translate(_FOLDED))


def _searched(operator: Operator, term: Term) -> str | nodes.Value:
    """The text that is looked for: a constant, or a value that is one; a pattern is in quotes."""
    if isinstance(term, Text):
        return term.text
    node = value(term)
    if operator == "matches":
        raise Refusal(term.at, "a pattern is a constant text", 'write it in quotes: Code MATCHES "^[A-Z]+$"')
    if not isinstance(node, nodes.Literal):
        return node
    if isinstance(node.value, str):
        return node.value
    raise Refusal(term.at, "only text can be searched for", 'write it in quotes: Email CONTAINS "@company.com"')


def _ordered(term: Term) -> nodes.Value:
    """A value that has an order: text has none, unless it is a date."""
    node = value(term)
    if isinstance(node, nodes.Literal) and isinstance(node.value, str) and not is_iso(node.value):
        fix = "compare text with =, IN or CONTAINS; write dates like 2026-03-31"
        raise Refusal(term.at, f'text such as "{node.value:.40}" has no order', fix)
    return node


def is_iso(text: str) -> bool:
    """Whether text is a date or a timestamp in ISO form."""
    try:
        dt.datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _anniversary(test: Test) -> nodes.Predicate:
    left = test.left
    assert isinstance(left, Yearly)
    match test.operator, test.others:
        case (("=" | "on"), (Name(text=text, quoted=False),)) if text.lower() == "today":
            within = 0
        case "during", (Stretch(span=nodes.Next(nodes.Duration(amount, "days"))),):
            within = amount
        case "during", (Stretch(span=nodes.Next(nodes.Duration(amount, "weeks"))),):
            within = 7 * amount
        case _:
            raise Refusal(test.at, "an anniversary is today or in the next days", "write ANNIVERSARY(x) IN NEXT 7 days")
    built = nodes.During(left.of, made(test.at, nodes.Anniversary, within))
    return nodes.Not(built) if test.negated else built


# ---------------------------------------------------------------- spans


def is_window(test: Test) -> bool:
    """Whether a test says when: in a span, or against an age."""
    return test.operator == "during" or any(isinstance(other, Age) for other in test.others)


def span_of(test: Test) -> nodes.Span:
    """When a test says that something was."""
    match test.operator, test.others:
        case "during", (Stretch(span=span),):
            return span
        case "between", (older, newer):
            return between_ages(older, newer)
        case ("<" | "<=" | ">" | ">=") as operator, (Age(at, quantity),):
            edge = operator in ("<=", ">=")
            if operator in ("<", "<="):
                return made(at, nodes.Last, length(quantity), edge)
            return made(at, nodes.Before, length(quantity), edge)
    raise Refusal(test.at, "an age stands only behind < > <= >= or BETWEEN", "write < 30 days ago")


def between_ages(one: Term, other: Term) -> nodes.Between:
    """From one distance ago to another: the nearer one may come first, a number borrows the unit of the other."""
    if not isinstance(other, Age):
        raise Refusal(other.at, "a window between two ages ends with ago", "write BETWEEN 60 AND 30 days ago")
    newer = length(other.length)
    match one:
        case Age(length=quantity) | (Quantity() as quantity):
            older = length(quantity)
        case Number(at, amount):
            older = made(at, nodes.Duration, amount, newer.unit)
        case _:
            raise Refusal(one.at, "a window between two ages begins with a length", "write BETWEEN 60 AND 30 days ago")
    if older.unit == newer.unit and older.amount < newer.amount:
        older, newer = newer, older
    return made(one.at, nodes.Between, older, newer)


# ---------------------------------------------------------------- events


def event_name(name: Name) -> str:
    """The event a name stands for: a verb in lower case, any other name as written."""
    return name.text.lower() if verb(name) is not None else name.text


def stream(term: Term) -> nodes.Events:
    """The events a term speaks of."""
    match term:
        case Name(at):
            return made(at, nodes.Events, event_name(term))
        case Owned(at, (one,), owner):
            return made(at, lambda: replace(stream(owner), noun=one))
        case Test(operator="then", left=left, others=(right, *within)):
            limit = _length(within[0]) if within else None
            then = made(right.at, nodes.Then, stream(right), limit)
            return made(term.at, lambda: replace(stream(left), then=then))
        case Test(negated=False) if is_window(term):
            return _windowed(stream(term.left), Stretch(term.at, span_of(term)))
        case Told(subject=subject, tails=tails):
            return _told_of(stream(subject), tails)
        case _:
            fix = "write its name, then its window and WHERE: opened IN LAST 30 days"
            raise Refusal(term.at, "an event is expected here", fix)


def _told_of(events: nodes.Events, tails: tuple[Stretch | Where, ...]) -> nodes.Events:
    for tail in tails:
        events = _windowed(events, tail) if isinstance(tail, Stretch) else _filtered(events, tail)
    return events


def _windowed(events: nodes.Events, window: Stretch) -> nodes.Events:
    if events.span is not None:
        raise Refusal(window.at, "two windows for the same events", "keep one of them")
    if not isinstance(window.span, nodes.Last | nodes.Between | nodes.Period):
        raise Refusal(window.at, "events lie in the past", "write IN LAST 30 days, or BETWEEN 60 AND 30 days ago")
    return replace(events, span=window.span)


def _filtered(events: nodes.Events, where: Where) -> nodes.Events:
    if events.then is not None:
        fix = 'write (visited WHERE page = "/") THEN (purchased WHERE amount > 50)'
        raise Refusal(where.at, "WHERE behind two events may be about either", fix)
    both = where.node if events.where is None else nodes.And((events.where, where.node))
    return replace(events, where=both)


def _length(term: Term) -> nodes.Duration:
    if isinstance(term, Quantity):
        return length(term)
    raise Refusal(term.at, "a length of time is expected", "write WITHIN 7 days")


def at_least_one(term: Term) -> nodes.Predicate:
    """There is such an event."""
    return nodes.Compare(">=", nodes.Aggregate("count", stream(term)), nodes.literal(1))


def never(term: Term) -> nodes.Predicate:
    """There is no such event."""
    return nodes.Compare("==", nodes.Aggregate("count", stream(term)), nodes.literal(0))


def previously(term: Term) -> nodes.Predicate:
    """A sentence about all events so far: a window would contradict it."""
    match term:
        case Told(tails=tails) if any(isinstance(tail, Stretch) for tail in tails):
            raise Refusal(term.at, "PREVIOUSLY means all the time so far", "leave it out, or leave the window out")
        case Test(left=Name() | Measured()) if not is_window(term) and term.operator != "then":
            return counted(term, ())
        case Name():
            return at_least_one(term)
        case Told():
            return _told(term)
    raise Refusal(term.at, "PREVIOUSLY goes with a number of events", "write PREVIOUSLY opened > 5 emails")


def _told(told: Told) -> nodes.Predicate:
    match told.subject:
        case Test(negated=True) as test if is_window(test):
            raise Refusal(test.at, "NOT inside a sentence about events", "write NOT before it")
        case Name():
            return at_least_one(told)
        case Test() as test if test.operator == "then" or (is_window(test) and isinstance(test.left, Name)):
            return at_least_one(told)
        case Test(left=Name() | Measured()) as test:
            return counted(test, told.tails)
    fix = "name the event first: Opened >= 5 emails IN LAST 30 days"
    raise Refusal(told.tails[0].at, "a window or WHERE goes with an event", fix)


def counted(test: Test, tails: tuple[Stretch | Where, ...]) -> nodes.Predicate:
    """A test of a measure of events; without a measure, of their number."""
    left = test.left
    assert isinstance(left, Name | Measured)
    name, measure, of = (left.name, left.measure, left.of) if isinstance(left, Measured) else (left, "count", None)
    if measure == "count":
        words = [noun(name, other) for other in test.others if isinstance(other, Quantity)]
        if len({word for word in words if word}) > 1:
            raise Refusal(test.at, "two nouns", "keep one of them")
        counting = next((word for word in words if word), None)
        test = replace(test, others=tuple(map(_bare_number, test.others)))
    else:
        counting = None
    events = _told_of(made(name.at, nodes.Events, event_name(name), None, None, None, counting), tails)
    return _tested(test, made(left.at, nodes.Aggregate, measure, events, of))


def _bare_number(term: Term) -> Term:
    match term:
        case Quantity(at, amount):
            return Number(at, amount)
        case Age(at):
            raise Refusal(at, "a number of events is no age", "write LAST(opened) < 30 days ago, or opened IN LAST 30 days")
    return term


def _nouns(test: Test) -> bool:
    """Whether a number is followed by a word that is no unit of time."""
    return any(isinstance(other, Quantity) and unit(other.word) is None for other in test.others)


def active(at: int, left: Term, operator: Operator, other: Term, negated: bool) -> Test:
    """`Opened on >= 3 days`: a test of the number of days with events."""
    measures: dict[str, nodes.Measure] = {"days": "days", "weeks": "weeks", "months": "months"}
    if not isinstance(left, Name):
        raise Refusal(left.at, "ON >= 3 days goes with an event", "name the event first: Opened ON >= 3 days")
    if not isinstance(other, Quantity) or unit(other.word) not in measures:
        raise Refusal(other.at, "a number of days, weeks or months is expected", "write Opened ON >= 3 days")
    measured = Measured(left.at, left, measures[unit(other.word) or ""])
    return Test(at, measured, operator, (Number(other.at, other.amount),), negated)
