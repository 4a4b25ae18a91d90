"""Values in words: `total spent`, `opens plus clicks`, `last opened event`. Each is a noun without an article."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import assert_never

from segkit import nodes
from segkit.catalog import VERBS, find
from segkit.describe import shape, times, words
from segkit.errors import DefinitionError
from segkit.plan.scope import Scope

TERMS = 12
QUOTES = "'\""
_OF_CONTACTS = (nodes.Field, nodes.Json, nodes.Elements, nodes.Aggregate, nodes.Quantile, nodes.Word)
_SIGNS = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}
_PARTS = {"day": "day of the month", "week": "ISO week"}
_QUANTILES = {4: "quartile", 5: "quintile", 10: "decile", 100: "percentile"}


@dataclass(frozen=True)
class Phrase:
    """A condition in words, after `contacts` (whose country is 'USA') and by itself (their country is 'USA')."""

    relative: str
    main: str


@dataclass(frozen=True)
class Telling:
    """How to tell a part of a definition: its scope, what puts conditions into words, the room there is for conditions and
    for the terms of a value, and the number that the part itself has."""

    scope: Scope
    condition: Callable[[nodes.Predicate, Telling], Phrase]
    room: int
    terms: int = TERMS
    label: str = ""

    @property
    def zone(self) -> str:
        return self.scope.at.zone


def value(node: nodes.Value, telling: Telling) -> str:
    """A value as a noun."""
    match times.meant(node, telling.scope):
        case nodes.Field(name) | nodes.Word(name):
            return _field(name, telling)
        case nodes.Literal() as constant:
            return words.constant(constant, telling.zone)
        case nodes.Today() | nodes.Now() as now:
            at = times.folded(now, telling.scope)
            assert at is not None
            return f"{'today' if isinstance(now, nodes.Today) else 'now'} ({point(at, telling)})"
        case nodes.Duration() as length:
            return words.length(length)
        case nodes.Rate(amount, per):
            return f"{words.number(amount)} per {per}"
        case nodes.Arithmetic() as own:
            return _arithmetic(own, telling)
        case nodes.Part() as own:
            return _part(own, telling)
        case nodes.Function() as own:
            return _function(own, telling)
        case nodes.Json(field, path):
            return _json(field, path)
        case nodes.Elements() as own:
            return words.noted(f"number of elements of {array(own)}", [of_elements(own, telling)])
        case nodes.Aggregate() as own:
            return _aggregate(own, telling)
        case nodes.Quantile() as own:
            return _quantile(own, telling)
        case other:
            assert_never(other)


def owned(node: nodes.Value) -> bool:
    """Whether a value is one of the contact's, not the same for everybody."""
    return any(isinstance(inner, _OF_CONTACTS) for inner in shape.below(node))


def their(node: nodes.Value, telling: Telling) -> str:
    """A value after a comparison: `their clicks`, `today (30 November 2025)`."""
    text = value(node, telling)
    return f"their {text}" if telling.scope.of_contact and owned(node) and not starts_apart(node) else text


def starts_apart(node: nodes.Value) -> bool:
    """Whether a value does not begin with what is the contact's: `30 days after their renewal`, `2 times their clicks`."""
    if not isinstance(node, nodes.Arithmetic):
        return False
    is_moved = isinstance(node.right if node.op == "-" else _length(node), nodes.Duration)
    return is_moved or _is_number(node.left) or starts_apart(node.left)


def _is_number(node: nodes.Value) -> bool:
    return isinstance(node, nodes.Literal) and node.sort == "number"


def _length(node: nodes.Arithmetic) -> nodes.Value:
    return node.right if isinstance(node.right, nodes.Duration) else node.left


def point(at: dt.date, telling: Telling) -> str:
    """A date, or a time on the wall clock of the definition's zone."""
    return words.instant(at, telling.zone) if isinstance(at, dt.datetime) else words.day(at)


def _field(name: str, telling: Telling) -> str:
    own = formula_of(name, telling.scope)
    if own is None:
        return words.name(name)
    if isinstance(own, str):
        return f"{words.name(name)} ({words.seen(own.strip(), 200)})"
    return f"{words.name(name)} ({value(own, replace(telling, scope=uncalculated(telling.scope)))})"


def formula_of(name: str, scope: Scope) -> nodes.Value | str | None:
    """What a calculated field is: a value, text that cannot be read, None for a field that is not calculated."""
    calculated = scope.catalog.calculated if scope.of_contact else {}
    try:
        own = calculated[find("field", name, calculated)] if calculated else None
    except DefinitionError:
        return None
    if not isinstance(own, str):
        return own
    from segkit.language import formula  # its parser is loaded where there is text to read

    try:
        return formula(own)
    except DefinitionError:
        return own


def uncalculated(scope: Scope) -> Scope:
    """The scope inside a calculated field, where others are not told again."""
    return replace(scope, catalog=replace(scope.catalog, calculated={}))


def _json(field: nodes.Field, path: tuple[str | int, ...]) -> str:
    steps, left_out = words.told(path)
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{words.name(step)}" for step in steps)
    return words.noted(words.name(field.name) + text, [f"and {more} steps" for more in left_out])


def array(node: nodes.Elements) -> str:
    """The array whose elements are counted."""
    return _json(node.field, node.path)


def of_elements(node: nodes.Elements, telling: Telling) -> str:
    """Which elements count; nothing for all of them."""
    return "" if node.where is None else _only(node.where, replace(telling, scope=telling.scope.inside_elements()))


# ---------------------------------------------------------------- calculations


def _arithmetic(node: nodes.Arithmetic, telling: Telling) -> str:
    at = times.folded(node, telling.scope)
    if at is not None:
        return f"{_moved(node, telling)} ({point(at, telling)})"
    if isinstance(node.left, nodes.Duration) or isinstance(node.right, nodes.Duration):
        return _moved(node, telling)
    granted = _terms([node.left, node.right], telling)
    if len(granted) < 2:
        return "a longer calculation"
    left, right = (operand(side, own) for side, own in zip((node.left, node.right), granted, strict=True))
    if node.op == "-" and any(times.is_time(times.kind_of(side, telling.scope)) for side in (node.left, node.right)):
        return f"number of days from {right} to {left}"
    is_theirs = telling.scope.of_contact and owned(node.right) and _is_number(node.left) and not starts_apart(node.right)
    return f"{left} {_SIGNS[node.op]} {'their ' if is_theirs else ''}{right}"


def operand(node: nodes.Value, telling: Telling) -> str:
    """A value inside a calculation: one that is calculated itself stands in parentheses."""
    text = value(node, telling)
    is_calculated = isinstance(node, nodes.Arithmetic) and times.folded(node, telling.scope) is None
    return f"({text})" if is_calculated else text


def _terms(values: list[nodes.Value], telling: Telling) -> list[Telling]:
    """The tellings of the terms of a value, which share the room for terms."""
    needs = [shape.size_up_to(own, telling.terms, (nodes.Node,)) for own in values]
    return [replace(telling, terms=share) for share in shape.shares(needs, telling.terms)]


def _moved(node: nodes.Arithmetic, telling: Telling) -> str:
    if isinstance(node.left, nodes.Duration) and node.op == "+":
        node = nodes.Arithmetic("+", node.right, node.left)
    if node.op not in ("+", "-"):
        return f"{operand(node.left, telling)} {_SIGNS[node.op]} {operand(node.right, telling)}"
    start = "today" if isinstance(node.left, nodes.Today) else "now" if isinstance(node.left, nodes.Now) else None
    return f"{operand(node.right, telling)} {'after' if node.op == '+' else 'before'} {start or their(node.left, telling)}"


def _part(node: nodes.Part, telling: Telling) -> str:
    name = _PARTS.get(node.part, node.part)
    if isinstance(node.value, nodes.Today | nodes.Now):
        at = times.folded(node.value, telling.scope)
        assert at is not None
        return f"the current {name} ({times.part(node.part, at, telling.zone)})"
    if isinstance(node.value, nodes.Field | nodes.Json | nodes.Word):
        return f"{value(node.value, telling)} {name}"
    return f"{name} of {their(node.value, telling)}"


def _function(node: nodes.Function, telling: Telling) -> str:
    granted = _terms(list(node.arguments), telling)
    arguments = [operand(own, inner) for own, inner in zip(node.arguments, granted, strict=False)]
    if not arguments:
        return "a longer calculation"
    first = arguments[0]
    match node.name:
        case "abs":
            return f"absolute value of {first}"
        case "round":
            digits = node.arguments[1] if len(node.arguments) > 1 else None
            decimals = digits.value if isinstance(digits, nodes.Literal) and isinstance(digits.value, int) else 0
            return f"{first} rounded to {words.counted(decimals, 'decimals') if decimals else 'a whole number'}"
        case "lower" | "upper":
            return f"{first} in {node.name} case"
        case "length":
            return f"length of {first}"
        case "coalesce":
            shown, _ = words.told(arguments)
            left_out = len(node.arguments) - len(shown)
            return f"first known of {words.listed([*shown, *([f'{left_out:,} more'] if left_out else [])], 'and')}"
        case _:
            assert_never(node.name)


def _quantile(node: nodes.Quantile, telling: Telling) -> str:
    name = f"{operand(node.value, telling)} {_QUANTILES.get(node.parts, 'group')}"
    return words.noted(name, [f"from 1, the lowest, to {node.parts}, the highest", population(node.of, telling)])


def population(of: nodes.Predicate | None, telling: Telling) -> str:
    """Among which contacts a rank is; nothing for all of them."""
    if of is None:
        return ""
    if telling.room < 2:
        return f"among contacts for whom {words.more_conditions(shape.size(of), 'hold')}"
    own = telling.condition(shape.plain(of), replace(telling, room=telling.room - 1))
    return f"among contacts {own.relative}"


# ---------------------------------------------------------------- events


def verb(name: str, scope: Scope) -> str | None:
    """The event's name where people say it as a verb (`opened`), None for any other."""
    known = {word.casefold() for verbs in (VERBS, scope.catalog.verbs) for word in verbs}
    said = words.name(name.lower())
    return said if name.casefold() in known and not said.startswith(tuple(QUOTES)) else None


def things(events: nodes.Events, scope: Scope) -> str:
    """Events in the plural: `opened events`, `opened emails`, `'app_start' events`."""
    noun = "events" if events.noun is None else words.name(events.noun)
    if events.event == "*":
        return f"{noun} of any kind"
    return f"{verb(events.event, scope) or words.quoted(events.event)} {noun}"


def thing(events: nodes.Events, scope: Scope) -> str:
    """One event: `opened event`."""
    return words.singular(things(events, scope))


def window(events: nodes.Events) -> str:
    """When events happened, with a blank in front; nothing for all time."""
    in_past = isinstance(events.span, nodes.Last | nodes.Between | nodes.Period)
    return f" {times.when(events.span)}" if in_past else ""  # type: ignore[arg-type]


def notes(events: nodes.Events, telling: Telling) -> list[str]:
    """What stands in parentheses after events: the points of time they lie between, and which of them count."""
    own = times.bounds_of_events(events, telling.scope)
    return [words.bounds(own, telling.zone) if own is not None else "", _filter(events, telling)]


def _filter(events: nodes.Events, telling: Telling) -> str:
    return "" if events.where is None else _only(events.where, replace(telling, scope=times.inside(events, telling.scope)))


def _only(where: nodes.Predicate, inner: Telling) -> str:
    """What a filter says, told in its own scope."""
    if inner.room < 2:
        return f"only where {words.more_conditions(shape.size(where), 'hold')}"
    return f"only where {inner.condition(shape.plain(where), replace(inner, room=inner.room - 1)).main}"


def _aggregate(node: nodes.Aggregate, telling: Telling) -> str:
    scope = telling.scope
    several = words.noted(things(node.events, scope) + window(node.events), notes(node.events, telling))
    one = words.noted(thing(node.events, scope) + window(node.events), notes(node.events, telling))
    of = words.name(node.of or "")
    match node.measure:
        case "count":
            return f"number of {several}{_followed(node.events, telling)}"
        case "sum":
            return f"total {of} across {several}"
        case "avg":
            return f"average {of} across {several}"
        case "min" | "max":
            is_time = times.is_time(times.kind_of(node, scope))
            kinds = {"min": ("lowest", "earliest"), "max": ("highest", "latest")}
            return f"{kinds[node.measure][is_time]} {of} across {several}"
        case "distinct":
            return f"number of different values of {of} across {several}"
        case "first" | "last":
            return f"{node.measure} {one}"
        case "latest":
            return f"{of} of the last {one}"
        case "days" | "weeks" | "months":
            return f"number of different {node.measure} with {several}"
        case _:
            assert_never(node.measure)


def _followed(events: nodes.Events, telling: Telling) -> str:
    if events.then is None:
        return ""
    then = events.then
    length = "" if then.length is None else f" within {words.length(then.length)}"
    return words.noted(f" followed{length} by {an(thing(then.events, telling.scope))}", notes(then.events, telling))


def an(noun: str) -> str:
    """A noun with its article."""
    return f"{'an' if noun.lstrip(QUOTES)[:1].lower() in 'aeiou' else 'a'} {noun}"
