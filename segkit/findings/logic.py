"""What follows from conditions alone, whatever the data: which never hold, always hold, or hold wherever others do.

    conditions  ->  facts about values (`facts`), and how aggregates bear on each other (`relations`)
                ->  a search for a contact that meets them all: one alternative after another, until each contradicts itself

What is claimed is so for every contact of every world at the moment of the plan. The converse is not: where the search
gives up, or two values are related in a way that no rule says, nothing is claimed. A missing value is a value of its own:
a comparison with it is false.

The conditions of one question are resolved against one catalog at one moment. `segments` are the conditions of the segments
that they refer to, by name (`segments_of`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from segkit.catalog import Kind
from segkit.evaluate import fits
from segkit.findings.facts import FALSE, TRUE, Key, domain, fact, operands
from segkit.findings.relations import AtMost, Relation, relations
from segkit.findings.value_sets import ALL, MISSING, Values, among
from segkit.plan import Plan
from segkit.plan.tree import (
    AllOf,
    Always,
    AnyOf,
    Complement,
    Condition,
    Constant,
    FeatureTerm,
    Named,
    Reference,
    TextSearch,
)

Segments: TypeAlias = Mapping[str, Condition]
_Goal: TypeAlias = tuple[Condition, bool]
_Known: TypeAlias = dict[Key, Values]
_MOST_STEPS = 300
"""How many alternatives are tried before nothing is claimed."""
_MOST_DEPTH = 100
_MOST_RELATED = 60
"""Of how many aggregates in one question it is looked at how they are related."""
_NONE: Segments = {}


def segments_of(plans: Iterable[Plan]) -> dict[str, Condition]:
    """The conditions of the segments that some plans refer to, by name."""
    return {part.name: part.where for plan in plans for part in plan.parts if isinstance(part, Named)}


def never(condition: Condition, segments: Segments = _NONE) -> bool:
    """Whether a condition holds for nobody."""
    return _contradictory([(condition, True)], segments)


def always(condition: Condition, segments: Segments = _NONE) -> bool:
    """Whether a condition holds for everyone."""
    return _contradictory([(condition, False)], segments)


def implies(a: Condition, b: Condition, segments: Segments = _NONE) -> bool:
    """Whether the second condition holds wherever the first one does."""
    return a == b or _contradictory([(a, True), (b, False)], segments)


def equivalent(a: Condition, b: Condition, segments: Segments = _NONE) -> bool:
    """Whether two conditions hold for the same contacts."""
    return implies(a, b, segments) and implies(b, a, segments)


def excludes(a: Condition, b: Condition, segments: Segments = _NONE) -> bool:
    """Whether two conditions never hold together."""
    return _contradictory([(a, True), (b, True)], segments)


def subjects(condition: Condition, segments: Segments = _NONE) -> frozenset[object]:
    """What a condition is about, roughly: of two conditions that share nothing neither implies the other, unless it is
    one that never or always holds."""
    found: set[object] = set()
    todo = list(_keys([(condition, True)], segments))
    while todo:
        key = todo.pop()
        about = key.feature.tables if isinstance(key, FeatureTerm) else key
        if about not in found:
            found.add(about)
            todo.extend(operands(key))
    return frozenset(found)


def _contradictory(goals: list[_Goal], segments: Segments) -> bool:
    """Whether no contact meets all goals: each says of a condition that it holds, or that it does not."""
    features = list(dict.fromkeys(key for key in _keys(goals, segments) if isinstance(key, FeatureTerm)))
    related = list(relations(features, implies)) if len(features) <= _MOST_RELATED else []
    return _Search(segments, related).closes({}, goals, [], 0)


def _keys(goals: Iterable[_Goal], segments: Segments) -> Iterator[Key]:
    """What the conditions are about."""
    todo, referred = [condition for condition, _ in goals], set()
    while todo:
        condition = todo.pop()
        match condition:
            case AllOf(items) | AnyOf(items):
                todo.extend(items)
            case Complement(item):
                todo.append(item)
            case Reference(name):
                if name in segments and name not in referred:
                    referred.add(name)
                    todo.append(segments[name])
            case _:
                yield fact(condition)[0]


class _Search:
    """A search for a contact, with what is left of its steps."""

    def __init__(self, segments: Segments, related: list[Relation]) -> None:
        self._segments, self._related, self._left = segments, related, _MOST_STEPS

    def closes(self, known: _Known, goals: list[_Goal], choices: list[list[_Goal]], depth: int) -> bool:
        """Whether no contact of whom some facts are known meets the goals, and one of each choice."""
        self._left -= 1
        if self._left < 0 or depth > _MOST_DEPTH:
            return False
        known, goals, choices = dict(known), list(goals), list(choices)
        while goals:
            if not self._meet(known, goals, choices) or not self._settle(known):
                return True
            still = []
            for choice in choices:
                left = _left_of(choice, known)
                if left is None:
                    continue
                if not left:
                    return True
                if len(left) == 1:
                    goals += left
                else:
                    still.append(left)
            choices = still
        if not choices:
            return False
        choice = min(choices, key=len)
        choices.remove(choice)
        for i, goal in enumerate(choice):
            before = [(condition, not truth) for condition, truth in choice[:i]]
            if not self.closes(known, [goal, *before], choices, depth + 1):
                return False
        return True

    def _meet(self, known: _Known, goals: list[_Goal], choices: list[list[_Goal]]) -> bool:
        """Takes the goals apart, into facts that are known and choices; False if one contradicts what is known."""
        while goals:
            condition, truth = goals.pop()
            match condition:
                case Always(own):
                    if own != truth:
                        return False
                case Complement(item):
                    goals.append((item, not truth))
                case AllOf(items) | AnyOf(items):
                    parts = [(item, truth) for item in items]
                    if isinstance(condition, AllOf) == truth:
                        goals += parts
                    else:
                        choices.append(parts)
                case Reference(name) if name in self._segments:
                    goals.append((self._segments[name], truth))
                case _:
                    if not _learn(known, *_fact((condition, truth))):
                        return False
        return True

    def _settle(self, known: _Known) -> bool:
        """Learns what follows from what is known; False if that is a contradiction."""
        if not all(_search_texts(known, key) for key in list(known) if isinstance(key, TextSearch)):
            return False
        before = None
        while before != (before := {key: own for key, own in known.items() if isinstance(key, FeatureTerm)}):
            if not all(_relate(known, relation) for relation in self._related):
                return False
        return True


def _fact(goal: _Goal) -> tuple[Key, Values]:
    condition, truth = goal
    key, values = fact(condition)
    return key, values if truth else ~values


def _of(known: _Known, key: Key) -> Values:
    return known[key] if key in known else domain(key)


def _learn(known: _Known, key: Key, values: Values) -> bool:
    """Notes that a value is among some; False if it cannot be."""
    own = known[key] = _of(known, key) & values
    if not own:
        return False
    is_known = own <= TRUE if isinstance(key, TextSearch) else not own.missing
    return not is_known or all(_learn(known, part, ALL) for part in operands(key) if not isinstance(part, Constant))


def _left_of(choice: list[_Goal], known: _Known) -> list[_Goal] | None:
    """The goals of a choice that can still be met, None if one of them is."""
    left: list[_Goal] = []
    for goal in choice:
        condition, truth = goal
        while isinstance(condition, Complement):
            condition, truth = condition.item, not truth
        if isinstance(condition, Always):
            if condition.truth == truth:
                return None
            continue
        if not isinstance(condition, AllOf | AnyOf | Reference):
            key, values = _fact((condition, truth))
            own = _of(known, key)
            if own <= values:
                return None
            if not own & values:
                continue
        left.append((condition, truth))
    return left


def _relate(known: _Known, relation: Relation) -> bool:
    if isinstance(relation, AtMost):
        low, high = _of(known, relation.low), _of(known, relation.high)
        if low.missing or high.missing:
            return True
        return _learn(known, relation.high, low.not_below()) and _learn(known, relation.low, high.not_above())
    if _of(known, relation.of) <= relation.values:
        return _learn(known, relation.other, relation.others)
    if not _of(known, relation.other) & relation.others:
        return _learn(known, relation.of, ~relation.values)
    return True


# ---------------------------------------------------------------- texts


def _search_texts(known: _Known, own: TextSearch) -> bool:
    """What a search in a text says of the text, where few are left, and of other searches in it."""
    truth = known[own] == TRUE
    if known[own] not in (TRUE, FALSE):
        return True
    texts = _of(known, own.term).single_points()
    if isinstance(own.text, str) and texts is not None:
        left = among(text for text in texts if fits(_in(own, text), {}) == truth)
        return _learn(known, own.term, left if truth else left | MISSING)
    if not truth:
        return True
    others = [key for key in known if isinstance(key, TextSearch) and key != own and key.term == own.term]
    return all(not _finds(own, other) or _learn(known, other, TRUE) for other in others)


def _in(own: TextSearch, text: object) -> TextSearch:
    assert isinstance(text, str)
    return TextSearch(own.test, Constant(text, Kind.TEXT), own.text, own.ignore_case)


def _finds(a: TextSearch, b: TextSearch) -> bool:
    """Whether what is found by one search is found by the other."""
    if not isinstance(a.text, str) or not isinstance(b.text, str) or "matches" in (a.test, b.test):
        return False
    if a.ignore_case and not b.ignore_case:
        return False
    inside = TextSearch(b.test, Constant(a.text, Kind.TEXT), b.text, b.ignore_case)
    return (b.test == "contains" or b.test == a.test) and fits(inside, {})
