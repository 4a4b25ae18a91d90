"""What a condition reads of a contact or an event that can be changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from segkit.evaluate.terms import value_of
from segkit.evaluate.world import World
from segkit.explanation.case import below
from segkit.plan.tree import ColumnTerm, Constant, ElementCount, FeatureTerm, JsonTerm, PastColumn
from segkit.plan.walk import rebuilt
from segkit.verification.wishes import Place


def places(node: object) -> Iterator[Place]:
    """What a condition reads that can be changed."""
    match node:
        case ColumnTerm() | PastColumn() | JsonTerm() | ElementCount() | FeatureTerm():
            yield node
        case _:
            for part in below(node):
                yield from places(part)


def bound(node: Any, place: Place, world: World) -> Any:
    """A condition in which all but one of what it reads is what it is."""
    match node:
        case _ if node == place:
            return node
        case ColumnTerm() | PastColumn() | JsonTerm() | ElementCount() | FeatureTerm():
            value = value_of(node, world)
            return node if value is None else Constant(value, node.kind)
        case _:
            return rebuilt(node, lambda part: bound(part, place, world))
