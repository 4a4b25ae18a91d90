"""The row at hand, and what is known around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from segkit.plan.tree import Condition, Feature, Rank

Row = Mapping[str, Any]
Options = tuple[frozenset[Any], frozenset[float], bool]
"""The options of a long list: as they are, as floats, and whether some are floats."""


@dataclass(frozen=True)
class World:
    """The row at hand and what is known around it.

    `decide` says whether a condition holds for another row: terms hold conditions, which hold terms.
    `past` are the valid rows of the tables of history; `standings` the place,
    total and group in each rank; `known` which segments were found to hold; `options` the sets of long lists of options.
    """

    row: Row
    decide: Callable[[Condition, World], bool]
    lists: frozenset[str] = frozenset()
    outcomes: Mapping[Feature, Any] = field(default_factory=dict)
    key: Any = None
    past: Mapping[int, Row] = field(default_factory=dict)
    segments: Mapping[str, Condition] = field(default_factory=dict)
    standings: dict[Rank, Mapping[str, int]] = field(default_factory=dict)
    known: dict[str, bool] = field(default_factory=dict)
    options: dict[int, Options] = field(default_factory=dict)
