"""Why contacts came into a segment and left it: which of its conditions turned as they moved.

plans at the points  ->  spells of the segment, and of each of its conditions by itself
                     ->  for each move, what held at the point before and at its own  ->  the reason, as `diff` tells it
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from segkit.engines import Engine
from segkit.measures.difference import Reasons, singles, tree_of
from segkit.measures.spells import Course, Spells, spells
from segkit.plan.tree import Always

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

COLUMNS = ("move", "because", "moves", "contacts", "share")


def reasons(engine: Engine, own: Course) -> pd.DataFrame:
    """Entries and exits by their reason, the commonest first. `Workspace.reasons` says what the columns mean."""
    import pandas as pd

    moved = pd.DataFrame(_because(engine, own), columns=["move", "because", "contact"])
    grouped = moved.groupby(["move", "because"], sort=True)["contact"]
    found = grouped.agg(moves="size", contacts="nunique").reset_index()
    found["share"] = found["moves"] / found.groupby("move")["moves"].transform("sum")
    found = found.sort_values(["move", "moves"], ascending=[True, False], kind="stable", ignore_index=True)
    return found[[*COLUMNS]].astype(dict(zip(COLUMNS, (str, str, int, int, float), strict=True)))


def _because(engine: Engine, own: Course) -> Iterator[tuple[str, str, object]]:
    """Each move with its reason, point by point."""
    import numpy as np
    import pandas as pd

    trees = [tree_of(plan.definition.where, plan.where) for plan in own]
    parts = [[single.condition for single in singles(tree)] for tree in trees]
    exists = [] if own[0].catalog.contacts.created is None else [[replace(plan, where=Always(True)) for plan in own]]
    by_condition = [[replace(plan, where=some[k]) for plan, some in zip(own, parts, strict=True)] for k in range(len(parts[0]))]
    known = spells(engine, [own, *by_condition, *exists])
    codes, contacts = pd.factorize(pd.Series(known.contact))
    inside = [_Inside.of(known, i, codes) for i in range(len(known.names))]
    mine = known.of(0)
    for move, index in (("entry", known.entered), ("exit", known.left)):
        seen = mine & (index > 0) & (index < len(own))
        for i in np.unique(index[seen]).tolist():
            movers = codes[seen & (index == i)]
            reason = Reasons(trees[i - 1], trees[i], False)
            sides = [np.array([each.at(movers, j) for each in inside[1:]]) for j in (i - 1, i)]
            for k, mover in enumerate(movers.tolist()):
                then, now = (
                    None if exists and not holds[-1, k] else dict(zip(parts[j], holds[: len(parts[j]), k].tolist(), strict=True))
                    for j, holds in ((i - 1, sides[0]), (i, sides[1]))
                )
                yield move, reason.of(then, now), contacts[mover]


@dataclass(frozen=True)
class _Inside:
    """Who is inside when: spells by a number for contact and first point, ascending, with their first point outside again."""

    start: np.ndarray
    left: np.ndarray
    width: int

    @classmethod
    def of(cls, known: Spells, segment: int, codes: np.ndarray) -> _Inside:
        import numpy as np

        own, width = known.of(segment), len(known.points) + 1
        start = codes[own].astype(np.int64) * width + known.entered[own]
        order = np.argsort(start)
        return cls(start[order], known.left[own][order], width)

    def at(self, contacts: np.ndarray, point: int) -> np.ndarray:
        """Whether contacts are inside at a point."""
        import numpy as np

        wanted = contacts.astype(np.int64) * self.width + point
        place = np.searchsorted(self.start, wanted, side="right") - 1
        if not len(self.start):
            return np.zeros(len(contacts), dtype=bool)
        here = np.maximum(place, 0)
        found: np.ndarray = (place >= 0) & (self.start[here] // self.width == contacts) & (self.left[here] > point)
        return found
