"""Whether a condition holds for the row at hand."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any, assert_never

from segkit import patterns
from segkit.errors import DefinitionError
from segkit.evaluate.terms import LOWER, paired, value_of
from segkit.evaluate.world import World
from segkit.plan.tree import (
    AllOf,
    Always,
    Among,
    AnyOf,
    Comparison,
    Complement,
    Condition,
    Constant,
    Drawn,
    IsMissing,
    OnList,
    Raw,
    Reference,
    Term,
    TextSearch,
)


def true(condition: Condition, world: World) -> bool:
    match condition:
        case Always(truth):
            return truth
        case AllOf(items):
            return all(true(item, world) for item in items)
        case AnyOf(items):
            return any(true(item, world) for item in items)
        case Complement(item):
            return not true(item, world)
        case Comparison(op, left, right):
            pair = _comparable(left, right, world)
            return pair is not None and _ORDER[op](*pair)
        case Among(term, options):
            return _is_one_of(value_of(term, world), term, options, world)
        case TextSearch(test, term, text, ignore_case):
            value, other = value_of(term, world), text if isinstance(text, str) else value_of(text, world)
            return isinstance(value, str) and isinstance(other, str) and _found(test, value, other, ignore_case)
        case IsMissing(term):
            return value_of(term, world) is None
        case OnList(name):
            return name in world.lists
        case Reference(name):
            if name not in world.known:
                world.known[name] = true(world.segments[name], world)
            return world.known[name]
        case Drawn(seed, below):
            digest = hashlib.md5(f"{seed}:{world.key}".encode(), usedforsecurity=False).hexdigest()
            return int(digest[:8], 16) < below
        case Raw():
            raise DefinitionError("raw SQL means nothing without a database", fix="run it on data: ws.members(segment)")
        case _:
            assert_never(condition)


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


_MANY = 100


def _is_one_of(value: Any, term: Term, options: tuple[Constant, ...], world: World) -> bool:
    """Many options are looked up in sets, made once: exact ones, and as floats for a float."""
    if value is None:
        return False
    if len(options) < _MANY or isinstance(value, dt.datetime):
        return any(true(Comparison("==", term, option), world) for option in options)
    if id(options) not in world.options:
        values = [option.value for option in options]
        numbers = [number for number in values if isinstance(number, int | float | Decimal)]
        floats = frozenset(map(float, numbers))
        world.options[id(options)] = (frozenset(values), floats, any(isinstance(number, float) for number in numbers))
    exact, floats, some_are_floats = world.options[id(options)]
    if isinstance(value, float):
        return value in floats
    return value in exact or (some_are_floats and isinstance(value, int | Decimal) and float(value) in floats)


def _found(test: str, value: str, text: str, ignore_case: bool) -> bool:
    if test == "matches":
        pattern = patterns.folded(text) if ignore_case else text
        return patterns.python(pattern).search(value.translate(LOWER) if ignore_case else value) is not None
    if ignore_case:
        value, text = value.translate(LOWER), text.translate(LOWER)
    match test:
        case "contains":
            return text in value
        case "startswith":
            return value.startswith(text)
        case _:
            return value.endswith(text)


def _comparable(left: Term, right: Term, world: World) -> tuple[Any, Any] | None:
    """Both values, made alike; None if one is missing."""
    a, b = value_of(left, world), value_of(right, world)
    if a is None or b is None:
        return None
    if isinstance(a, dt.datetime) and isinstance(b, dt.datetime):
        return _on_wall_of(left, a, b) if isinstance(right, Constant) else _on_wall_of(right, b, a)[::-1]
    return paired(a, b)


def _on_wall_of(term: Term, value: dt.datetime, other: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """A value written by a wall clock is compared on that wall clock, as Python does for one and the same tzinfo."""
    return (value, other) if term.clock is None else (value, other.astimezone(value.tzinfo))
