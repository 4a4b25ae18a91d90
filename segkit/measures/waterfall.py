"""What each condition of a segment does to its size: by itself, after those before it, and if it were dropped.

definition, its plan  ->  the tree of its nodes  ->  the signatures of its conditions, in one query  ->  three sizes a node
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate
from operator import and_, or_
from typing import TYPE_CHECKING

from segkit import nodes
from segkit.display import seen
from segkit.engines import Engine
from segkit.errors import DefinitionError
from segkit.measures.overlap import by_region
from segkit.plan import Plan
from segkit.plan.tree import AllOf, AnyOf, Complement, Condition
from segkit.spelling import spell

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

MOST = 500
"""How many different conditions a segment may have."""
COLUMNS = ("path", "condition", "alone", "running", "without", "gain", "share")
_LONGEST = 200
_WORDS = {("and", False): "all of", ("or", False): "any of", ("or", True): "none of", ("and", True): "not all of"}


@dataclass(frozen=True)
class Place:
    """A condition, or a group of `below`; `negated` says that NOT stands before it, and counts as a part of it.

    `node` and `condition` are what NOT stands before.
    """

    path: str
    text: str
    negated: bool
    node: nodes.Predicate
    condition: Condition
    below: tuple[Place, ...] = ()
    is_and: bool = True


def waterfall(engine: Engine, plan: Plan) -> pd.DataFrame:
    """The size at every node of a plan's definition, counted in one query.

    Returns:
        path, condition, alone, running, without, gain, share: each node before those below it.

    Raises:
        DefinitionError: there are too many conditions.
    """
    import pandas as pd

    root = tree(plan)
    leaves = conditions(root)
    found = by_region(engine, [plan], leaves)
    assert found.sizes is not None
    counted = _Counted({leaf: found.holds(i) for i, leaf in enumerate(leaves)}, found.sizes)
    rows = list(counted.rows(root))
    everyone, size = counted.everyone, rows[0][2]
    told = [(*row, row[-1] - size, row[2] / everyone if everyone else float("nan")) for row in rows]
    return pd.DataFrame(told, columns=list(COLUMNS))


# ---------------------------------------------------------------- the tree


def tree(plan: Plan) -> Place:
    """The definition of a plan as a tree, beside what it was resolved to."""
    return place_of("where", plan.definition.where, plan.where)


def conditions(root: Place) -> list[Condition]:
    """The different conditions of a tree.

    Raises:
        DefinitionError: there are too many.
    """
    leaves = list(dict.fromkeys(_leaves(root)))
    if len(leaves) > MOST:
        raise DefinitionError(
            f"{len(leaves):,} conditions are too many",
            fix=f"name parts as segments of their own: at most {MOST} are counted",
        )
    return leaves


def place_of(path: str, where: nodes.Predicate, condition: Condition) -> Place:
    own, whole, negated = path, where, False
    while isinstance(where, nodes.Not) and isinstance(condition, Complement):
        path, where, condition, negated = path + ".item", where.item, condition.item, not negated
    match where, condition:
        case (nodes.And(items), AllOf(resolved)) | (nodes.Or(items), AnyOf(resolved)):
            is_and = isinstance(where, nodes.And)
            pairs = zip(items, resolved, strict=True)
            below = tuple(place_of(f"{path}.items[{i}]", item, one) for i, (item, one) in enumerate(pairs))
            return Place(own, _WORDS["and" if is_and else "or", negated], negated, where, condition, below, is_and)
        case _:
            return Place(own, told(whole), negated, where, condition)


def told(where: nodes.Predicate) -> str:
    """A condition in the text language, or in Python where the language cannot say it."""
    from segkit import language  # its parser is loaded where there is text

    try:
        return seen(language.to_text(where), _LONGEST)
    except DefinitionError:
        return seen(spell(where), _LONGEST)


def _leaves(node: Place) -> Iterator[Condition]:
    if not node.below:
        yield node.condition
    for own in node.below:
        yield from _leaves(own)


# ---------------------------------------------------------------- three sizes


@dataclass(frozen=True)
class _Counted:
    """Which conditions hold, row by row, and how many contacts each row stands for."""

    leaves: Mapping[Condition, np.ndarray]
    sizes: np.ndarray

    @property
    def everyone(self) -> int:
        return int(self.sizes.sum())

    def rows(self, root: Place) -> Iterator[tuple[str, str, int, int, int]]:
        """Path, condition, alone, running and without of each node. Without the root nothing is asked: everyone remains."""
        import numpy as np

        never = np.zeros(len(self.sizes), dtype=bool)
        yield from self._rows(root, self._holds(root), self.everyone, never, ~never)

    def _rows(
        self, node: Place, running: np.ndarray, without: int, low: np.ndarray, high: np.ndarray
    ) -> Iterator[tuple[str, str, int, int, int]]:
        """The rows of a node and of those below it.

        `low` and `high` are the whole segment, were the node false and were it true for everyone: a node is dropped from an
        AND as if it were true, from an OR as if it were false. The only node of a group takes the group with it.
        """
        import numpy as np

        yield node.path, node.text, self._size(self._holds(node)), self._size(running), without
        if node.negated:
            low, high = high, low
        joined = and_ if node.is_and else or_
        holds = [self._holds(own) for own in node.below]
        before = list(accumulate(holds, joined))
        after = list(accumulate(reversed(holds), joined))[::-1]
        for i, own in enumerate(node.below):
            others = [*before[max(i - 1, 0) : i], *after[i + 1 : i + 2]]
            if not others:
                yield from self._rows(own, before[i], without, low, high)
                continue
            rest = np.where(reduce(joined, others), high, low)
            ends = (low, rest) if node.is_and else (rest, high)
            yield from self._rows(own, before[i], self._size(rest), *ends)

    def _holds(self, node: Place) -> np.ndarray:
        own = reduce(and_ if node.is_and else or_, map(self._holds, node.below)) if node.below else self.leaves[node.condition]
        return ~own if node.negated else own

    def _size(self, holds: np.ndarray) -> int:
        return int(self.sizes[holds].sum())
