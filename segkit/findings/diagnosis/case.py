"""A segment under examination: where its conditions stand, and what the data says of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from segkit.display import number, percent
from segkit.findings.diagnosis import asking, spots
from segkit.findings.diagnosis.seen import Seen, shown
from segkit.findings.diagnosis.spots import Spot
from segkit.findings.finding import Finding, Severity
from segkit.plan import Plan
from segkit.plan.tree import Condition, IsMissing, Term

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Case:
    """A plan, its tree, and what was seen. `is_present` says that the data knows nothing later than the plan's moment."""

    name: str
    plan: Plan
    root: Spot
    seen: Seen
    is_present: bool

    def found(self, spot: Spot, kind: str, severity: Severity, what: str, evidence: str, fix: str) -> Finding:
        return spot.finding(self.name, kind, severity, what, evidence, fix)

    @property
    def leaves(self) -> Iterator[Spot]:
        return spots.leaves(self.root)

    @cached_property
    def member(self) -> np.ndarray:
        return self.seen.holds(self.root)

    @cached_property
    def size(self) -> int:
        return self.seen.size(self.member)

    @property
    def everyone(self) -> int:
        return self.seen.everyone

    @cached_property
    def asked_for_missing(self) -> set[Term]:
        """The values whose absence the definition itself speaks of."""
        return {own.condition.term for own in self.leaves if isinstance(own.condition, IsMissing)}

    def missing(self, condition: Condition) -> int:
        """How many contacts lack a value that a condition is about."""
        return max((self.seen.count(IsMissing(term)) for term in asking.terms(condition)), default=0)

    def shown(self, value: Any) -> str:
        return shown(value, self.plan.at.zone)


def of(count: int, everyone: int) -> str:
    """A count of contacts with its share.

    >>> of(1, 4)
    '1 of 4 contacts (25.0%)'
    """
    return f"{number(count)} of {number(everyone)} contacts ({percent(count / everyone if everyone else float('nan'))})"


def contacts(count: int, verb: str = "") -> str:
    """So many contacts, and what they do.

    >>> contacts(1, "meet"), contacts(1200)
    ('1 contact meets', '1,200 contacts')
    """
    is_one = count == 1
    return f"{number(count)} contact{'' if is_one else 's'}" + (f" {verb}{'s' if is_one else ''}" if verb else "")
