"""Walks down a definition, or down what it was resolved to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, get_args

from segkit.errors import DefinitionError
from segkit.plan.tree import AllOf, Among, AnyOf, Complement, Condition, Term

_NODES = (*get_args(Term), *get_args(Condition))
_Out = TypeVar("_Out")


def step(where: str, read: Callable[..., _Out], *arguments: Any) -> _Out:
    """What `read` gives; an error of it says that it lies under `where`."""
    try:
        return read(*arguments)
    except DefinitionError as error:
        error.under(where)
        raise


def rebuilt(node: Any, change: Callable[[Any], Any]) -> Any:
    """A condition or term, or several, each part of which is what `change` makes of it; anything else as it is."""
    match node:
        case Among(term, options):
            return Among(change(term), options)
        case tuple():
            return tuple(change(part) for part in node)
        case _ if isinstance(node, _NODES):
            return type(node)(*(change(getattr(node, slot)) for slot in node.__slots__))
        case _:
            return node


def every_node(tree: object, closed: tuple[type, ...] = ()) -> Iterator[object]:
    """The conditions, terms, parts and features of a tree; what stands inside of nodes of the `closed` types is left out."""
    stack: list[object] = [tree]
    while stack:
        match stack.pop():
            case tuple() as several:
                stack.extend(several)
            case Among(own) as node:
                yield node
                stack.append(own)
            case node if (slots := getattr(node, "__slots__", None)) and not isinstance(node, dt.date):
                yield node
                if not isinstance(node, closed):
                    stack.extend(getattr(node, slot) for slot in slots)


def leaves(where: Condition, truth: bool = True) -> Iterator[tuple[Condition, bool]]:
    """The conditions that are joined by and, or and not; with each, whether the whole would have it hold."""
    match where:
        case AllOf(items) | AnyOf(items):
            for item in items:
                yield from leaves(item, truth)
        case Complement(item):
            yield from leaves(item, not truth)
        case _:
            yield where, truth
