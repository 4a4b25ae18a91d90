"""How often contacts did something: `opened at least 5 emails in the last 30 days`, `never opened`."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from segkit import nodes
from segkit.describe import words
from segkit.describe.values import Telling, an, notes, thing, things, verb, window

_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_AMOUNTS = {"==": "exactly", "<": "fewer than", "<=": "at most", ">": "more than", ">=": "at least"}
_OPPOSITE = {"==": "fewer or more than", "<": "at least", "<=": "more than", ">": "at most", ">=": "fewer than"}
_DIFFERENT = {"days": "on", "weeks": "in", "months": "in"}


def compared(left: Any, op: nodes.Ordering, right: Any) -> bool:
    """Whether two numbers stand in an order."""
    return _COMPARED[op](left, right)


def told(op: nodes.Ordering, node: nodes.Aggregate, amount: nodes.Literal, holds: bool, telling: Telling) -> str | None:
    """A count compared with a number as what the contact did, None for anything else."""
    number = amount.value
    if node.measure not in ("count", *_DIFFERENT) or isinstance(number, bool) or not isinstance(number, int | float | Decimal):
        return None
    how_often = often(op, number, holds)
    return _sequence(how_often, node.events, telling) if node.events.then else _counted(how_often, node, telling)


@dataclass(frozen=True)
class Often:
    """How often: `at least`, 5, and whether that is nothing but never, nothing but ever, or includes never."""

    quantifier: str
    amount: int | float | Decimal
    never: bool
    ever: bool
    or_never: bool


def often(op: nodes.Ordering, amount: int | float | Decimal, holds: bool) -> Often:
    """What a number compared with an amount, or the complement of that, says of how often."""
    zero, one, many = (compared(count, op, amount) is holds for count in (0, 1, float("inf")))
    quantifier = (_AMOUNTS if holds else _OPPOSITE)[op]
    return Often(quantifier, amount, zero and not one and not many, not zero and one and many, zero)


def _times(often: Often) -> str:
    """As an adverb: `never`, `at least once`, `fewer than 2 times (or never)`."""
    if often.never or often.ever:
        return "never" if often.never else "at least once"
    times = f"{often.quantifier} {'once' if often.amount == 1 else words.counted(often.amount, 'times')}"
    return f"{times} (or never)" if often.or_never else times


def _several(often: Often, things: str) -> str:
    """As an amount: `no emails`, `at least 1 email`, `fewer than 2 emails (or none)`."""
    if often.never or often.ever:
        return f"no {things}" if often.never else f"at least {words.counted(1, things)}"
    amount = f"{often.quantifier} {words.counted(often.amount, things)}"
    return f"{amount} (or none)" if often.or_never else amount


def _counted(often: Often, node: nodes.Aggregate, telling: Telling) -> str:
    events = node.events
    done = verb(events.event, telling.scope)
    if node.measure in _DIFFERENT and not often.never:
        said = f"{done or f'had {things(events, telling.scope)}'} {_on_days(often, node.measure)}"
    elif done and events.noun is None:
        said = f"never {done}" if often.never else f"{done} {_times(often)}"
    elif done:
        said = f"{done} {_several(often, words.name(events.noun or ''))}"
    else:
        said = f"had {_several(often, things(events, telling.scope))}"
    when = window(events) or ("" if often.never or often.ever else " in all")
    return words.noted(said + when, notes(events, telling))


def _on_days(often: Often, measure: str) -> str:
    amount = words.counted(1, measure) if often.ever or often.amount == 1 else words.counted(often.amount, f"different {measure}")
    said = f"{_DIFFERENT[measure]} {'at least' if often.ever else often.quantifier} {amount}"
    return f"{said} (or never)" if often.or_never else said


def _sequence(often: Often, events: nodes.Events, telling: Telling) -> str:
    then = events.then
    assert then is not None
    within = "" if then.length is None else f", within {words.length(then.length)},"
    first = words.noted(_did(events, telling) + window(events), notes(events, telling))
    again = "never did this" if often.never else f"did this {_times(often)}"
    return f"{again}: {first} and then{within} {words.noted(_did(then.events, telling), notes(then.events, telling))}"


def _did(events: nodes.Events, telling: Telling) -> str:
    """`visited`, or `had an 'app_start' event`."""
    return verb(events.event, telling.scope) or f"had {an(thing(events, telling.scope))}"
