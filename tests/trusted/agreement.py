"""Random definitions: the members that an engine finds, and those that the evaluator finds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from itertools import count
from typing import TypeAlias

import pytest
from engine_world import Asked
from engines import ENGINES
from hypothesis import HealthCheck, Phase, given, seed, settings
from sqlglot import exp
from strategies import MOMENTS, World, definitions, moments
from test_laws import ZONES

from segkit.builder import Predicate
from segkit.compile import conditions
from segkit.measures import spells
from trusted.figure import Figure, titled

BATCH = 100
"""How many definitions are asked of the same rows, and at most in one statement."""
FEW = 60
Question: TypeAlias = tuple[Predicate, dt.datetime]
Ask: TypeAlias = Callable[[Asked, list[Question]], list[list[int]]]


def random_definitions(wanted: int, engines: list[str]) -> Iterator[Figure]:
    """So many definitions on each engine, half of them in a zone with summer time, over new rows for every `BATCH`.

    An engine that takes long to answer anything is asked in one statement only.
    """
    for engine in engines:
        is_slow = ENGINES[engine].asks_together or ENGINES[engine].is_slow
        for way, ask in [*WAYS.items()][is_slow:]:
            tried, wrong = compared(engine, ask, wanted)
            with careless():
                _, caught = compared(engine, ask, FEW)
            yield Figure(
                f"Random definitions{way}: the engine's members are the evaluator's",
                titled(engine),
                tried,
                len(wrong),
                f">= compiled to > and <= to <, {FEW} definitions",
                len(caught),
            )


@contextmanager
def careless() -> Iterator[None]:
    """The control: edges are compiled as if they were open."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(conditions._COMPARISONS, ">=", exp.GT)
        patch.setitem(conditions._COMPARISONS, "<=", exp.LT)
        yield


def compared(engine: str, ask: Ask, wanted: int) -> tuple[int, list[Question]]:
    """How many definitions the engine was asked, and those of which it found other members; none of JSON where it has none."""
    tried, wrong, own = 0, [], ENGINES[engine]
    for number in count(1):
        members = expected(number, is_binary="decimals" in own.lacks)
        asked = [question for question in drawn(number) if "json" not in own.lacks or "props" not in repr(question)]
        asked = asked[: wanted - tried]
        if not asked:
            return tried, wrong
        with closing(Asked(world_of(number), engine)) as world:
            answers = ask(world, [(world.said(where), at) for where, at in asked])
        tried += len(asked)
        wrong += [question for question, found in zip(asked, answers, strict=True) if found != members[question]]
    raise AssertionError


def alone(world: Asked, questions: list[Question]) -> list[list[int]]:
    """The members of each, asked in a statement of its own."""
    return [world.members(where, at) for where, at in questions]


def together(world: Asked, questions: list[Question]) -> list[list[int]]:
    """The members of each, asked in one statement for each instant."""
    found: dict[int, list[int]] = {}
    for moment in MOMENTS:
        plans = {i: world.plan(where, at) for i, (where, at) in enumerate(questions) if at == moment}
        moves = spells.asked(world.workspace.engine, [[plan] for plan in plans.values()])
        found |= {i: sorted(own.contact.tolist()) for i, own in zip(plans, moves, strict=True)}
    return [found[i] for i in range(len(questions))]


WAYS: dict[str, Ask] = {"": alone, " in one statement": together}


# ---------------------------------------------------------------- definitions, rows, and what the evaluator says of them


@cache
def drawn(number: int) -> list[Question]:
    """A batch of definitions with their instants: the same for the same number."""
    found: list[Question] = []

    @seed(number)
    @settings(
        max_examples=BATCH,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(definitions(), moments())
    def draw(where: Predicate, at: dt.datetime) -> None:
        found.append((where, at))

    draw()
    return list(dict.fromkeys(found))


def world_of(number: int) -> World:
    return World(number, [*ZONES][number % len(ZONES)])


@cache
def expected(number: int, *, is_binary: bool) -> dict[Question, list[int]]:
    """The members of a batch; the rows and constants are exact in binary where an engine has nothing else."""
    with closing(Asked(world_of(number), "sqlite" if is_binary else "duckdb")) as world:
        return {(where, at): world.expected(world.said(where), at) for where, at in drawn(number)}
