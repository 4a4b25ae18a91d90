"""The places of a definition: each condition and group where it stands, beside what it was resolved to at some moments."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from segkit import nodes
from segkit.measures.waterfall import told
from segkit.plan import Plan
from segkit.plan.tree import AllOf, AnyOf, Complement, Condition

_STEP = re.compile(r"(\.items?(?:\[(\d+)\])?)(?![a-z])")


@dataclass(frozen=True)
class Place:
    """A condition, or a group of those `below`; `conditions` is what it means at each of some moments."""

    path: str
    node: nodes.Predicate
    conditions: tuple[Condition, ...]
    joined: Literal["", "and", "or", "not"] = ""
    below: tuple[Place, ...] = ()

    def leaves(self) -> Iterator[Place]:
        if not self.below:
            yield self
        for own in self.below:
            yield from own.leaves()

    def text(self) -> str:
        """The condition as text."""
        return told(self.node)

    def without(self, dropped: Collection[str], moment: int) -> Condition:
        """What remains at a moment where some of those below, by their paths, are left out; of a group not all."""
        kept = [own for own in self.below if own.path not in dropped]
        match self.joined:
            case "and":
                return AllOf(tuple(own.without(dropped, moment) for own in kept))
            case "or":
                return AnyOf(tuple(own.without(dropped, moment) for own in kept))
            case "not":
                return Complement(kept[0].without(dropped, moment))
            case _:
                return self.conditions[moment]


def root(plans: Sequence[Plan]) -> Place:
    """The places of a definition that was resolved at several moments."""
    return _place("where", plans[0].definition.where, tuple(plan.where for plan in plans))


def _place(path: str, node: nodes.Predicate, conditions: tuple[Condition, ...]) -> Place:
    match node:
        case nodes.And(items) | nodes.Or(items):
            resolved = [own.items for own in conditions if isinstance(own, AllOf | AnyOf)]
            below = tuple(_place(f"{path}.items[{i}]", item, tuple(own[i] for own in resolved)) for i, item in enumerate(items))
            return Place(path, node, conditions, "and" if isinstance(node, nodes.And) else "or", below)
        case nodes.Not(item):
            inner = tuple(own.item for own in conditions if isinstance(own, Complement))
            return Place(path, node, conditions, "not", (_place(path + ".item", item, inner),))
        case _:
            return Place(path, node, conditions)


def levels(place: Place) -> int:
    """How many groups stand in each other at most; NOT is none."""
    return (place.joined in ("and", "or")) + max(map(levels, place.below), default=0)


def node_at(where: nodes.Predicate, path: str) -> tuple[str, nodes.Predicate]:
    """The innermost condition or group on a path from `where` on, with the NOT before it, and the path to that."""
    node, reached = where, "where"
    own = node, reached
    for step, place in _STEP.findall(path):
        is_negated = isinstance(node, nodes.Not)
        match node:
            case nodes.And(items) | nodes.Or(items) if place and int(place) < len(items):
                node = items[int(place)]
            case nodes.Not(item) if not place:
                node = item
            case _:
                break
        reached += step
        if not is_negated:
            own = node, reached
    return own[1], own[0]
