"""Long rows of AND and OR in groups, for SQLite."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from segkit.rendering.forms import LEAVES

_DEEPEST = 5  # 2**5 conditions in a row


def grouped(tree: exp.Expression) -> None:
    """Long rows of AND and OR in groups: SQLite takes a row for as deep as it is long, and allows a depth of 1000."""
    stack: list[Any] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, exp.Connector) and type(node.parent) is not type(node):
            _group(node)
        for value in node.args.values():
            below = value if isinstance(value, list) else (value,)
            stack += [child for child in below if isinstance(child, exp.Expr) and type(child) not in LEAVES]


def _group(node: exp.Connector) -> int:
    """How deep a row is, its deep parts put in parentheses."""
    deepest = 0
    for side in (node.this, node.expression):
        if type(side) is type(node):
            depth = _group(side)
            if depth == _DEEPEST:
                group = exp.Paren()
                side.replace(group)
                group.set("this", side)
            deepest = max(deepest, depth % _DEEPEST)
    return deepest + 1
