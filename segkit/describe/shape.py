"""The shape of a condition before it is put into words: no double negation, no needless groups, and what there is room for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from segkit import nodes

Group: TypeAlias = nodes.And | nodes.Or
CONDITIONS = (*nodes.LEAVES.__args__, nodes.InList, nodes.InSegment, nodes.InGroup, nodes.Everyone)


def plain(node: nodes.Predicate) -> nodes.Predicate:
    """The same condition with every negation at a single condition, and groups of one kind merged into one.

    >>> from segkit import F
    >>> from segkit.spelling import spell
    >>> spell(plain((~((F.a == 1) | (F.b > 2))).node))
    '(F.a != 1) & ~(F.b > 2)'
    """
    match node:
        case nodes.Not(item):
            return _opposite(plain(item))
        case nodes.And(items) | nodes.Or(items) if not is_range(node):
            return _merged(type(node), [plain(item) for item in items])
        case _:
            return node


def _opposite(node: nodes.Predicate) -> nodes.Predicate:
    match node:
        case nodes.Not(item):
            return item
        case nodes.And(items) if not is_range(node):
            return _merged(nodes.Or, [_opposite(item) for item in items])
        case nodes.Or(items):
            return _merged(nodes.And, [_opposite(item) for item in items])
        case _:
            return nodes.Not(node)


def _merged(kind: type[Group], items: Sequence[nodes.Predicate]) -> nodes.Predicate:
    """One group, with the items of inner groups of the same kind; equalities of one value become its options."""
    flat: list[nodes.Predicate] = []
    for item in items:
        inner = isinstance(item, kind) and not is_range(item)
        flat += item.items if inner else [item]  # type: ignore[union-attr]
    if len(flat) == 1:
        return flat[0]
    return _one_of(flat) if kind is nodes.Or and _same_value(flat) else kind(tuple(flat))


def _same_value(items: Sequence[nodes.Predicate]) -> bool:
    first = items[0]
    return isinstance(first, nodes.Compare) and all(
        isinstance(item, nodes.Compare)
        and item.op == "=="
        and isinstance(item.right, nodes.Literal)
        and item.right.sort != "boolean"
        and item.left == first.left
        for item in items
    )


def _one_of(items: Sequence[nodes.Predicate]) -> nodes.OneOf:
    comparisons = [item for item in items if isinstance(item, nodes.Compare)]
    options = tuple(item.right for item in comparisons if isinstance(item.right, nodes.Literal))
    return nodes.OneOf(comparisons[0].left, options)


def is_range(node: nodes.Predicate) -> bool:
    """Whether two comparisons say that one value lies between two others, both included."""
    match node:
        case nodes.And((nodes.Compare(">=", value, _), nodes.Compare("<=", other, _))):
            return value == other
    return False


def is_group(node: nodes.Predicate) -> bool:
    """Whether a plain condition has others as its parts."""
    return isinstance(node, nodes.And | nodes.Or) and not is_range(node)


def below(node: nodes.Node) -> Iterator[nodes.Node]:
    """A node and all below it, depth first and lazily."""
    stack = [iter([node])]
    while stack:
        for found in stack[-1]:
            yield found
            stack.append(nodes.children(found))
            break
        else:
            stack.pop()


def size(node: nodes.Node) -> int:
    """How many conditions a node holds, those of filters and populations too."""
    return sum(isinstance(found, CONDITIONS) for level in nodes.levels(node) for found in level)


def size_up_to(node: nodes.Node, most: int, kinds: tuple[type, ...] = CONDITIONS) -> int:
    """How many nodes of some kinds there are, without counting on beyond `most`."""
    found = 0
    for inner in below(node):
        found += isinstance(inner, kinds)
        if found >= most:
            break
    return found


def shares(needs: Sequence[int], room: int) -> list[int]:
    """What each gets of a room: all it needs where that is little, and at least 1 for each of the first `room`.

    >>> shares([1, 30, 2], 10), shares([1, 1, 1], 2)
    ([1, 7, 2], [1, 1])
    """
    granted = [0] * min(len(needs), room)
    for left, i in zip(range(len(granted), 0, -1), sorted(range(len(granted)), key=needs.__getitem__), strict=True):
        granted[i] = min(max(needs[i], 1), room // left)
        room -= granted[i]
    return granted
