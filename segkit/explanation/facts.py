"""What was found where a condition looks: its value, what it asks for, and the events behind it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Context, localcontext
from typing import Any, assert_never

from segkit.evaluate.events import Event, counted, counts
from segkit.evaluate.reading import read
from segkit.evaluate.terms import value_of
from segkit.explanation.case import Sight, below, parts_of
from segkit.explanation.edits import told
from segkit.plan import Plan
from segkit.plan.agree import FLIPPED
from segkit.plan.tree import (
    AllOf,
    Always,
    Among,
    AnyOf,
    Bounds,
    Comparison,
    Complement,
    Condition,
    Constant,
    Drawn,
    Feature,
    FeatureTerm,
    IsMissing,
    OnList,
    Raw,
    Reference,
    Standing,
    TextSearch,
)

_MOST_OPTIONS = 5
_AT_EACH_END = 2
_MOST_TEXT = 300


@dataclass(frozen=True)
class Shown:
    """One event, and whether the condition counts it."""

    event: str
    at: Any
    counted: bool
    properties: str


@dataclass(frozen=True)
class Behind:
    """How many events a feature counts, and those at the edges. `is_total` says that the number is of the condition's first."""

    count: int
    shown: tuple[Shown, ...]
    is_total: bool


def facts(condition: Condition, at: Sight, raw: Plan) -> tuple[Any, str, str]:
    """The value found, what is asked for in words, and a note."""
    with localcontext(Context(prec=100)):
        value, asked = _facts(condition, at)
    stack: list[object] = [condition]
    while stack:
        node = stack.pop()
        match node:
            case Standing():
                return value, asked, "told by the engine: a rank is among all contacts"
            case Always() if any(isinstance(part, Raw) for part in parts_of(raw)):
                return value, asked, "told by the engine: SQL, or always so"
        stack += below(node)
    return value, asked, ""


def _facts(condition: Condition, at: Sight) -> tuple[Any, str]:
    world = at.world
    match condition:
        case Comparison(op, left, right):
            if isinstance(left, Constant) and not isinstance(right, Constant):
                op, left, right = FLIPPED[op], right, left
            return value_of(left, world), f"{op} {told(value_of(right, world))}"
        case Among(term, options):
            shown = ", ".join(told(option.value) for option in options[:_MOST_OPTIONS])
            more = f" and {len(options) - _MOST_OPTIONS:,} more" if len(options) > _MOST_OPTIONS else ""
            return value_of(term, world), f"one of {shown}{more}" if options else "one of nothing"
        case TextSearch(test, term, text, ignore_case):
            other = text if isinstance(text, str) else value_of(text, world)
            return value_of(term, world), f"{test} {told(other)}{' in any case' if ignore_case else ''}"
        case IsMissing(term):
            return value_of(term, world), "missing"
        case OnList(name):
            return at.holds(condition), f"on the list {name!r:.60}"
        case Reference(name):
            return at.holds(condition), f"in the segment {name!r:.60}"
        case Drawn():
            return at.holds(condition), "in the sample"
        case Always() | Raw():
            return at.holds(condition), "told by itself"
        case Complement(item):
            value, asked = _facts(item, at)
            return value, _opposite(item, asked)
        case AllOf(items) | AnyOf(items):
            own = [_facts(item, at) for item in items]
            joined = " and " if isinstance(condition, AllOf) else " or "
            return (own[0][0] if own else None), joined.join(dict.fromkeys(asked for _, asked in own)) or "nothing"
        case _:
            assert_never(condition)


def _opposite(condition: Condition, asked: str) -> str:
    match condition:
        case Comparison("=="):
            return asked.replace("==", "!=", 1)
        case AllOf() | AnyOf():
            return f"not ({asked})"
        case _:
            return f"not {asked}"


def behind(condition: Condition, at: Sight) -> Iterator[Behind]:
    """The events behind each feature of a condition: how many, the oldest and newest counted, the nearest that are not."""
    features: dict[Feature, None] = {}
    stack: list[object] = [condition]
    while stack:
        node = stack.pop()
        if isinstance(node, FeatureTerm):
            features[node.feature] = None
        else:
            stack += below(node)
    for i, feature in enumerate(features):
        yield _behind(feature, at, i == 0)


def _behind(feature: Feature, at: Sight, is_total: bool) -> Behind:
    with localcontext(Context(prec=100)):
        own = sorted(counted(feature, at.streams), key=lambda event: event.at)
        anywhen = replace(feature, bounds=Bounds(), then=None)
        others = [event for event in at.streams[feature.tables] if counts(event, anywhen) and event not in own]
    edges = own if len(own) <= 2 * _AT_EACH_END else [*own[:_AT_EACH_END], *own[-_AT_EACH_END:]]
    before = sorted((event for event in others if not own or event.at <= own[0].at), key=lambda event: event.at)[-1:]
    after = sorted((event for event in others if own and event.at > own[-1].at), key=lambda event: event.at)[:1]
    shown = [*((event, False) for event in before), *((event, True) for event in edges), *((event, False) for event in after)]
    return Behind(len(own), tuple(_shown(event, is_counted, feature, at) for event, is_counted in shown), is_total)


def _shown(event: Event, is_counted: bool, feature: Feature, at: Sight) -> Shown:
    own = [at.plan.catalog.events[i] for i in feature.tables]
    named = {field: column for table in own for field, column in table.properties.items()}
    skipped = {name for table in own for name in (table.time, table.contact, table.event)}
    pairs = [
        f"{field} {told(value)}"
        for field, column in named.items()
        if column.name not in skipped and (value := read(event.row.get(column.name), column.kind, column.zone)) is not None
    ]
    when = event.at.astimezone(dt.UTC) if isinstance(event.at, dt.datetime) else event.at
    return Shown(str(event.name), when, is_counted, ", ".join(pairs)[:_MOST_TEXT])
