"""From the grammar's rules to terms, from the inside out: no tree is kept, and nothing recurses into the text."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.resources import files
from typing import Any, cast

from lark import Lark, Token, Transformer, v_args

from segkit import nodes
from segkit.errors import unknown
from segkit.language import meaning
from segkit.language.functions import MEASURES, Call, called
from segkit.language.meaning import condition, value
from segkit.language.terms import (
    TWO_CONDITIONS,
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
    deeper,
    made,
)
from segkit.language.words import length, plain_number, rate_unit, unquoted

STARTS = ("expression", "segment", "assignment")
_SIGNS: dict[str, str] = {"==": "=", "<>": "!=", "≠": "!=", "≤": "<=", "≥": ">="}
_ARITHMETIC = {"−": "-", "×": "*", "÷": "/"}
_SEARCHES: dict[str, Operator] = {"contains": "contains", "starts": "startswith", "ends": "endswith", "matches": "matches"}


@cache
def parser() -> Lark:
    """The parser of the language, built when the first text is read."""
    grammar = files("segkit.language").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", start=list(STARTS), maybe_placeholders=True, transformer=Reader())


def _at(token: Token) -> int:
    return token.start_pos or 0


@v_args(inline=True)
class Reader(Transformer[Token, Any]):
    """A method a rule of the grammar: what the rule's parts make together."""

    # segments and fields
    def segment(self, where: Term, result: Token | None) -> nodes.Definition:
        return _definition(condition(where), result)

    def send_to(self, to: Term, *rest: Any) -> nodes.Definition:
        *excluded, result = rest
        where = condition(to)
        if excluded:
            items = where.items if isinstance(where, nodes.And) else (where,)
            where = nodes.And((*items, *(nodes.Not(condition(term)) for term in excluded)))
        return _definition(where, result)

    def assignment(self, name: Name, sign: Token, formula: Term) -> tuple[str, nodes.Value]:
        if sign != "=":
            raise Refusal(_at(sign), f"a field is defined with =, not {sign}", "write average = total / number")
        if isinstance(formula, Condition | Test | Told):
            raise Refusal(formula.at, "a condition stands where a calculation is expected", "write one field a line: a = b / c")
        return name.text, value(formula)

    # groups
    def disjunction(self, *items: Term) -> Term:
        return Condition(items[0].at, nodes.Or(tuple(map(condition, items))), depth=deeper(items[0].at, *items))

    def conjunction(self, first: Term, *rest: Any) -> Term:
        pairs = list(zip(rest[::2], rest[1::2], strict=True))
        items = [condition(first)]
        items += [condition(item) if word.type == "AND" else nodes.Not(condition(item)) for word, item in pairs]
        return Condition(first.at, nodes.And(tuple(items)), depth=deeper(first.at, first, *(item for _, item in pairs)))

    def negation(self, word: Token, item: Term) -> Term:
        return Condition(_at(word), nodes.Not(condition(item)), depth=deeper(_at(word), item))

    # sentences about events
    def told(self, subject: Term, *tails: tuple[Stretch | Where, ...]) -> Term:
        flat = tuple(part for tail in tails for part in tail)
        return Told(subject.at, subject, flat, depth=deeper(subject.at, subject, *flat))

    def previously(self, word: Token, told: Term) -> Term:
        return Condition(_at(word), meaning.previously(told), depth=told.depth)

    def never(self, word: Token, told: Term) -> Term:
        return Condition(_at(word), meaning.never(told), depth=told.depth)

    def where(self, term: Term) -> tuple[Stretch | Where, ...]:
        """A filter; what the grammar reads as a window of a condition in parentheses is that of the events."""
        if isinstance(term, Test) and meaning.is_window(term) and isinstance(term.left, Condition | Test | Told):
            if term.negated:
                raise Refusal(term.at, "NOT inside a sentence about events", "write NOT before it")
            window = Stretch(term.at, meaning.span_of(term))
            return Where(term.at, condition(term.left), depth=term.depth), window
        return (Where(term.at, condition(term), depth=term.depth),)

    def window(self, period: Stretch) -> tuple[Stretch, ...]:
        return (period,)

    def window_between(self, word: Token, one: Term, _and: Token, other: Term) -> tuple[Stretch, ...]:
        return (Stretch(_at(word), meaning.between_ages(one, other)),)

    # tests
    def compared(self, left: Term, sign: Token, right: Term, ignoring: Token | None) -> Term:
        operator = _SIGNS.get(sign, str(sign))
        if ignoring and operator not in ("=", "!="):
            raise Refusal(_at(ignoring), f"IGNORING CASE behind {sign}", "it goes with = != IN CONTAINS and their like")
        return _test(left, "=" if operator == "!=" else operator, (right,), operator == "!=", ignoring)

    def member(self, left: Term, negated: Token | None, options: tuple[Term, ...] | None, ignoring: Token | None) -> Term:
        if not options:
            raise Refusal(left.at, "an empty list holds nobody", 'name at least one value: State IN ("CA", "NY")')
        return _test(left, "in", options, negated, ignoring)

    def options(self, *options: Term) -> tuple[Term, ...]:
        return _ungrouped(options)

    def between(self, left: Term, negated: Token | None, _between: Token, low: Term, _and: Token, high: Term) -> Term:
        return _test(left, "between", (low, high), negated)

    def text_test(self, left: Term, negated: Token | None, word: Token, text: Term, ignoring: Token | None) -> Term:
        return _test(left, _SEARCHES[word.split()[0].lower()], (text,), negated, ignoring)

    def is_state(self, left: Term, _is: Token, negated: Token | None, word: Token) -> Term:
        match word.lower():
            case "null" | "missing":
                return _test(left, "null", (), negated)
            case "known":
                return _test(left, "null", (), not negated)
            case "true" | "false":
                return _test(left, "=", (Name(_at(word), str(word)),), negated)
        error = unknown("word after IS", str(word), ("NULL", "MISSING", "KNOWN", "TRUE", "FALSE"))
        raise Refusal(_at(word), error.what, f"{error.fix}; to compare write =")

    def during(self, left: Term, negated: Token | None, period: Stretch) -> Term:
        return _test(left, "during", (period,), negated)

    def top(self, left: Term, negated: Token | None, rank: Rank, of: Term | None) -> Term:
        if of is not None:
            rank = Rank(rank.at, rank.n, rank.percent, condition(of), depth=of.depth)
        return _test(left, "top", (rank,), negated)

    def on_day(self, left: Term, negated: Token | None, _on: Token, day: Term) -> Term:
        return _test(left, "on", (day,), negated)

    def on_days(self, left: Term, on: Token, sign: Token, number: Term) -> Term:
        operator = _SIGNS.get(sign, str(sign))
        plain = cast(Operator, "=" if operator == "!=" else operator)
        return meaning.active(_at(on), left, plain, number, operator == "!=")

    def sequence(self, left: Term, _then: Token, right: Term, within: Term | None) -> Term:
        return _test(left, "then", (right, within) if within else (right,), None)

    # spans
    def last_length(self, last: Token, number: Token, word: Token) -> Stretch:
        return Stretch(_at(last), made(_at(number), nodes.Last, length(_quantity(number, word))))

    def next_length(self, following: Token, number: Token, word: Token) -> Stretch:
        return Stretch(_at(following), made(_at(number), nodes.Next, length(_quantity(number, word))))

    def last_period(self, last: Token, unit: Token) -> Stretch:
        return _period(last, unit, -1)

    def next_period(self, following: Token, unit: Token) -> Stretch:
        return _period(following, unit, 1)

    def this_period(self, unit: Token) -> Stretch:
        return _period(unit, unit, 0)

    def later_period(self, unit: Token, _plus: Token, number: Token) -> Stretch:
        return _period(unit, unit, _number(number))

    def earlier_period(self, unit: Token, _minus: Token, number: Token) -> Stretch:
        return _period(unit, unit, -_number(number))

    # ranks and samples
    def places(self, number: Token) -> Rank:
        return Rank(_at(number), _number(number), None)  # type: ignore[arg-type]

    def amount(self, percent: Number) -> Rank:
        return Rank(percent.at, None, percent.value)

    def percent(self, number: Number) -> Number:
        return number

    def sample(self, word: Token, percent: Number, seed: Token | None) -> Term:
        node = made(_at(word), nodes.Sample, percent.value, "" if seed is None else unquoted(seed))
        return Condition(_at(word), node)

    # calculations
    def arithmetic(self, first: Term, *rest: Any) -> Term:
        total = first
        for sign, right in zip(rest[::2], rest[1::2], strict=True):
            total = _calculated(total, sign, right)
        return total

    def negative(self, minus: Token, term: Term) -> Term:
        if isinstance(term, Number):
            number = term.value.copy_negate() if isinstance(term.value, Decimal) else -term.value
            return Number(_at(minus), number, term.grouped)
        node = nodes.Arithmetic("-", nodes.literal(0), value(term))
        return Value(_at(minus), node, depth=deeper(_at(minus), term))

    def call(self, name: Token, arguments: tuple[Term, ...] | None, of: Term | None) -> Term:
        return called(Call(_at(name), str(name), arguments or (), of))

    def arguments(self, *arguments: Term) -> tuple[Term, ...]:
        return _ungrouped(arguments)

    def owned(self, *parts: Any) -> Term:
        *names, owner = parts
        return Owned(names[0].at, tuple(name.text for name in names), owner, depth=owner.depth)

    def parenthesis(self, term: Term) -> Term:
        return term

    def path(self, name: Name, *steps: str | int) -> Term:
        field = made(name.at, nodes.Field, name.text)
        return Value(name.at, made(name.at, nodes.Json, field, steps))

    def step(self, token: Token) -> str | int:
        if token.type == "STRING":
            return unquoted(token)
        return _number(token)  # type: ignore[return-value]

    def measured(self, name: Name, word: Token, of: Name | None = None) -> Term:
        _on_one_line(name.line, word)
        return Measured(name.at, name, MEASURES[word.lower()], None if of is None else of.text)

    # atoms
    def name(self, token: Token) -> Term:
        quoted = token.type == "BACKTICKED"
        return Name(_at(token), unquoted(token) if quoted else str(token), quoted, token.end_line or 1)

    def number(self, token: Token) -> Term:
        return Number(_at(token), _number(token))

    def money(self, token: Token) -> Term:
        digits = "".join(character for character in token if character in "0123456789.")
        number = Decimal(digits) if "." in digits else plain_number(digits)
        return Number(_at(token), number, "," in token)

    def decimal(self, word: Token, text: Token) -> Term:
        return Number(_at(word), _typed(word, text, Decimal))

    def text(self, token: Token) -> Term:
        return Text(_at(token), unquoted(token))

    def quantity(self, number: Token, word: Token) -> Term:
        return _quantity(number, word)

    def age(self, number: Token, word: Token) -> Term:
        return Age(_at(number), _quantity(number, word))

    def typed_text(self, word: Token, text: Token) -> Term:
        return Value(_at(word), made(_at(text), nodes.literal, unquoted(text)))

    def date(self, word: Token, text: Token) -> Term:
        return Value(_at(word), made(_at(text), nodes.literal, _typed(word, text, dt.date.fromisoformat)))

    def timestamp(self, word: Token, text: Token) -> Term:
        return Value(_at(word), made(_at(text), nodes.literal, _typed(word, text, dt.datetime.fromisoformat)))

    def in_list(self, word: Token, name: Token) -> Term:
        return Condition(_at(word), made(_at(name), nodes.InList, unquoted(name)))

    def in_segment(self, word: Token, name: Token) -> Term:
        return Condition(_at(word), made(_at(name), nodes.InSegment, unquoted(name)))

    def in_group(self, word: Token, name: Token) -> Term:
        return Condition(_at(word), made(_at(name), nodes.InGroup, unquoted(name)))


# ---------------------------------------------------------------- what several rules share


def _test(left: Term, operator: str, others: tuple[Term, ...], negated: object, ignoring: object = None) -> Test:
    depth = deeper(left.at, left, *others)
    return Test(left.at, left, cast(Operator, operator), others, bool(negated), bool(ignoring), depth=depth)


def _definition(where: nodes.Predicate, result: Token | None) -> nodes.Definition:
    if result is None:
        return nodes.Definition(None, where)
    name = result.split(":", 1)[1].strip()
    if len(name) > 1 and name[0] in "\"'“„‘" and name[-1] in "\"'“”’":
        name = unquoted(name)
    return made(_at(result), nodes.Definition, name, where)


def _calculated(left: Term, sign: Token, right: Term) -> Term:
    op: Any = _ARITHMETIC.get(sign, str(sign))
    if op == "/" and isinstance(right, Name) and not right.quoted and (unit := rate_unit(right.text)) is not None:
        if not isinstance(left, Number):
            raise Refusal(right.at, f"a rate is a number / {right.text}", f"write 5/{unit}, or the field `{right.text}`")
        return Value(left.at, made(left.at, nodes.Rate, left.value, unit))
    return Value(left.at, nodes.Arithmetic(op, value(left), value(right)), depth=deeper(_at(sign), left, right))


def _quantity(number: Token, word: Token) -> Quantity:
    _on_one_line(number.line, word)
    return Quantity(_at(number), _number(number), str(word))


def _on_one_line(line: int | None, word: Token) -> None:
    """A noun or a measure belongs to what stands before it on the same line."""
    if line != word.line:
        raise Refusal(_at(word), *TWO_CONDITIONS)


def _number(token: Token) -> int | float:
    if len(token) > 400:
        raise Refusal(_at(token), f"a number of {len(token):,} digits", "whole numbers have 64 bits")
    if re.match("0_*[0-9]", token):
        fix = "leave the zeros out; write 1,000 as 1000 or $1,000, and a code such as 00123 in quotes"
        raise Refusal(_at(token), f"a number that begins with a zero: {token:.60}", fix)
    return plain_number(token)


def _period(start: Token, unit: Token, shift: int | float) -> Stretch:
    return Stretch(_at(start), made(_at(unit), nodes.Period, unit.lower(), shift))


def _typed(word: Token, text: Token, read: Callable[[str], Any]) -> Any:
    try:
        return read(unquoted(text))
    except (ValueError, InvalidOperation):
        fix = {"DATE": '"2026-03-31"', "TIMESTAMP": '"2026-03-31T12:00"', "DECIMAL": '"19.99"'}[word.upper()]
        raise Refusal(_at(text), f"{text:.60} is no {word.lower()}", f"write {word.upper()} {fix}") from None


def _ungrouped(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    for term in terms:
        if isinstance(term, Number) and term.grouped:
            fix = f"write ${term.value} for one amount, put a blank behind the comma for two"
            raise Refusal(term.at, "an amount with a comma among values parted by commas", fix)
    return terms
