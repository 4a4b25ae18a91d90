"""What the conditions of one segment do to each other, whatever the data: contradictions, and conditions without effect.

A claim is made of all moments that the segment was resolved at: what is so only because of where today lies is no mistake
(a birthday in the next 30 days and in this year), but that nobody can be a member today is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

from segkit import nodes
from segkit.findings.finding import Finding, Severity
from segkit.findings.logic import Segments, always, excludes, implies, never, segments_of
from segkit.findings.places import Place, root
from segkit.plan import Plan

MOST = 100
"""Of a segment with more conditions it is not looked at what each does to the others."""


def effects(name: str, plans: Sequence[Plan]) -> list[Finding]:
    """What is wrong with a segment, resolved at several moments of which the first is that of the evaluation."""
    own = root(plans)
    if sum(1 for _ in own.leaves()) > MOST:
        return []
    return list(_Effects(name, own, [segments_of([plan]) for plan in plans]).found())


class _Effects:
    def __init__(self, name: str, whole: Place, segments: list[Segments]) -> None:
        self._name, self._whole, self._segments = name, whole, segments
        self._dropped: set[str] = set()

    def found(self) -> Iterator[Finding]:
        whole = self._whole
        if never(whole.conditions[0], self._segments[0]):
            yield self._contradiction()
        elif not isinstance(whole.node, nodes.Everyone) and self._holds(always, whole):
            what = "it holds for everyone"
            yield self._finding("always true", Severity.WARNING, whole, what, _FOLLOWS, "drop it, or join its conditions by AND")
        else:
            yield from self._idle(whole, True)

    def _holds(self, claim: Callable[..., bool], *places: Place) -> bool:
        """Whether a claim about places is so at every moment."""
        return all(claim(*(own.conditions[k] for own in places), segments) for k, segments in enumerate(self._segments))

    def _contradiction(self) -> Finding:
        place = self._whole
        while place.joined == "and" and (inner := [own for own in place.below if never(own.conditions[0], self._segments[0])]):
            place = inner[0]
        pairs = combinations(place.below, 2) if place.joined == "and" else ()
        pair = next((two for two in pairs if excludes(two[0].conditions[0], two[1].conditions[0], self._segments[0])), None)
        what = f"{pair[0].text()} and {pair[1].text()} exclude one another" if pair else "its conditions exclude one another"
        if self._holds(never, place):
            return self._finding("contradiction", Severity.ERROR, place, what, f"{_FOLLOWS}: nobody can be a member", _DROP)
        evidence = "nobody can be a member at this instant; at others it may hold"
        return self._finding("contradiction", Severity.WARNING, place, what, evidence, "check its dates")

    def _idle(self, group: Place, is_positive: bool) -> Iterator[Finding]:
        """The conditions that can be dropped, one after another, the last ones first."""
        for own in reversed(group.below):
            if group.joined != "not" and self._can_go(own, group, is_positive):
                yield self._without_effect(own, group)
                self._dropped.add(own.path)
            else:
                yield from self._idle(own, is_positive != (group.joined == "not"))

    def _can_go(self, own: Place, group: Place, is_positive: bool) -> bool:
        if not self._beside(own, group):
            return False
        less, more = self._dropped, self._dropped | {own.path}
        wide, narrow = (more, less) if (group.joined == "and") == is_positive else (less, more)
        return all(
            implies(self._whole.without(wide, k), self._whole.without(narrow, k), segments)
            for k, segments in enumerate(self._segments)
        )

    def _beside(self, own: Place, group: Place) -> list[Place]:
        return [other for other in group.below if other is not own and other.path not in self._dropped]

    def _without_effect(self, own: Place, group: Place) -> Finding:
        def ordered(a: Place, b: Place) -> tuple[Place, Place]:
            return (b, a) if group.joined == "and" else (a, b)

        beside = self._beside(own, group)
        reason = next((other for other in beside if self._holds(implies, *ordered(own, other))), None)
        if self._holds(never, own):
            kind, what = "without effect", "it holds for nobody"
        elif self._holds(always, own):
            kind, what = "without effect", "it holds for everyone"
        elif reason is None:
            kind, what = "without effect", "the other conditions decide without it"
        elif self._holds(implies, *ordered(reason, own)):
            kind, what = "duplicate condition", f"it is the same as {reason.text()}"
        elif group.joined == "and":
            kind, what = "without effect", f"whoever meets {reason.text()} meets it"
        else:
            kind, what = "without effect", f"whoever meets it meets {reason.text()}"
        return self._finding(kind, Severity.WARNING, own, what, f"{_FOLLOWS}: the members are the same without it", "drop it")

    def _finding(self, kind: str, severity: Severity, place: Place, what: str, evidence: str, fix: str) -> Finding:
        return Finding(self._name, kind, severity, place.path, place.text(), what, evidence, fix)


_FOLLOWS = "it follows from the conditions, whatever the data"
_DROP = "drop one of them, or join them by OR if that is meant"
