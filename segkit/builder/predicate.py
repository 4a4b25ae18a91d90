"""Conditions, and how they combine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from segkit import nodes
from segkit.errors import DefinitionError
from segkit.nodes import check_depth
from segkit.spelling import spell


def no_truth_value(self: object) -> NoReturn:
    """Conditions hold for some contacts and not for others: Python may not decide on one."""
    raise DefinitionError(
        f"a condition has no truth value in Python: {self!r:.120}",
        fix="combine conditions with & | ~ in parentheses, not with and / or / not / if / a < x < b; "
        "use .is_in([...]) and .between(a, b)",
    )


class Predicate:
    """A condition on contacts. Two predicates are equal when they are built alike.

    >>> from segkit import F
    >>> (F.country == "USA") & ~(F.opens > 5)
    (F.country == 'USA') & ~(F.opens > 5)
    """

    __slots__ = ("_depth", "node")

    def __init__(self, node: nodes.Predicate, _depth: int | None = None) -> None:
        self.node = node
        self._depth = check_depth(_depth or nodes.depth(node))

    def __and__(self, other: Predicate) -> Predicate:
        return _joined(nodes.And, self, other) if isinstance(other, Predicate) else _refused(other)

    def __or__(self, other: Predicate) -> Predicate:
        return _joined(nodes.Or, self, other) if isinstance(other, Predicate) else _refused(other)

    def __sub__(self, other: Predicate) -> Predicate:
        return _joined(nodes.And, self, ~other) if isinstance(other, Predicate) else _refused(other)

    def __invert__(self) -> Predicate:
        return Predicate(nodes.Not(self.node), self._depth + 1)

    def __rand__(self, other: object) -> NoReturn:
        not_a_predicate(other)

    __ror__ = __rsub__ = __rand__

    def __eq__(self, other: object) -> bool:
        return self.node == other.node if isinstance(other, Predicate) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.node)

    __bool__ = no_truth_value

    def __repr__(self) -> str:
        return spell(self.node)


class Unfinished:
    """A part of a condition that is none yet: a value or a stream of events."""

    __slots__ = ()

    def _not_a_condition(self, *_: object) -> NoReturn:
        raise NotImplementedError


def all_of(*conditions: Predicate) -> Predicate:
    """A group whose conditions must all hold; unlike `&` it keeps groups inside it as they are.

    Raises:
        DefinitionError: one of them is no condition, or there is none.

    >>> from segkit import F
    >>> all_of(F.country == "USA", F.opens > 5)
    (F.country == 'USA') & (F.opens > 5)
    """
    return _group(nodes.And, conditions)


def any_of(*conditions: Predicate) -> Predicate:
    """A group of which at least one condition must hold; unlike `|` it keeps groups inside it as they are.

    Raises:
        DefinitionError: one of them is no condition, or there is none.

    >>> from segkit import F
    >>> any_of(F.country == "USA", F.opens > 5)
    (F.country == 'USA') | (F.opens > 5)
    """
    return _group(nodes.Or, conditions)


def _group(kind: type[nodes.And] | type[nodes.Or], conditions: Sequence[Predicate]) -> Predicate:
    items = tuple(predicate_node(c) for c in conditions)
    return Predicate(kind(items), 1 + max(c._depth for c in conditions))


def _joined(kind: type[nodes.And] | type[nodes.Or], left: Predicate, right: Predicate) -> Predicate:
    if isinstance(left.node, kind):
        return Predicate(kind((*left.node.items, right.node)), max(left._depth, right._depth + 1))
    return Predicate(kind((left.node, right.node)), 1 + max(left._depth, right._depth))


def _refused(other: object) -> Any:
    """Leaves the operation to a class that knows predicates (a segment), and refuses all others by name."""
    if isinstance(getattr(other, "where", None), Predicate):
        return NotImplemented
    return not_a_predicate(other)


def not_a_predicate(other: object) -> NoReturn:
    if isinstance(other, Unfinished):
        other._not_a_condition()
    raise DefinitionError(f"{other!r:.80} is not a condition", fix=_instead(other))


def _instead(other: object) -> str:
    match other:
        case str():
            return f"write in_segment({other!r:.80}) for the segment of that name, or parse(...) for a condition in text"
        case list() | tuple() | set():
            return "pass one of them, or all of them to what takes a list, such as ws.sizes([...])"
        case _:
            return "put each comparison in parentheses: (F.a > 1) & (F.b == 2)"


def predicate_node(condition: object) -> nodes.Predicate:
    return condition.node if isinstance(condition, Predicate) else not_a_predicate(condition)
