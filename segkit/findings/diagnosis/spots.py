"""The conditions of a segment where they stand: what each means for the whole, negations reckoned with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from segkit import nodes
from segkit.display import seen
from segkit.findings.finding import Finding, Severity
from segkit.measures.waterfall import Place, told
from segkit.plan.agree import FLIPPED
from segkit.plan.clock import iso_time
from segkit.plan.tree import (
    AllOf,
    Applied,
    Calculation,
    ColumnTerm,
    Comparison,
    Condition,
    Constant,
    FeatureTerm,
    JsonTerm,
    LocalDate,
    LocalTime,
    PartOf,
    PastColumn,
    Term,
)

_LONGEST = 160
_UPWARD = {">": True, ">=": True, "<": False, "<=": False}


@dataclass(frozen=True)
class Spot:
    """A place of the tree. `negated` says that NOT stands before it or before a group that it is in, an odd number of times;
    `required` that nobody is a member for whom it, with that NOT, does not hold."""

    place: Place
    negated: bool
    required: bool
    above: Spot | None = None

    @property
    def path(self) -> str:
        return self.place.path

    @property
    def node(self) -> nodes.Predicate:
        return self.place.node

    @property
    def condition(self) -> Condition:
        return self.place.condition

    @property
    def is_all(self) -> bool:
        """Whether, of a group, all items must hold, each with the NOT that is meant for it."""
        return self.place.is_and != self.negated

    @property
    def below(self) -> tuple[Spot, ...]:
        required = self.required and self.is_all
        return tuple(Spot(own, self.negated != own.negated, required, self) for own in self.place.below)

    @property
    def severity(self) -> Severity:
        """How much it matters that nobody meets it."""
        return Severity.ERROR if self.required else Severity.WARNING

    def finding(self, segment: str, kind: str, severity: Severity, what: str, evidence: str, fix: str) -> Finding:
        text = self.place.text if not self.place.below else seen(told(self.node), _LONGEST)
        return Finding(segment, kind, severity, self.path, text, what, evidence, fix)


def root(place: Place) -> Spot:
    return Spot(place, place.negated, True)


def walk(spot: Spot) -> Iterator[Spot]:
    """A place, and those below it."""
    yield spot
    for own in spot.below:
        yield from walk(own)


def leaves(spot: Spot) -> Iterator[Spot]:
    return (own for own in walk(spot) if not own.place.below)


def together(spot: Spot) -> tuple[Spot, ...]:
    """The conditions that must hold together with one: those of the AND it stands in."""
    return spot.above.below if spot.above is not None and spot.above.is_all else (spot,)


# ---------------------------------------------------------------- what a condition compares


@dataclass(frozen=True)
class Sided:
    """A value compared with a constant."""

    term: Term
    op: str
    constant: Constant


def comparisons(condition: Condition) -> tuple[Comparison, ...]:
    """The comparisons of a condition that is none but them: of a window, both of its ends."""
    match condition:
        case Comparison():
            return (condition,)
        case AllOf(items) if all(isinstance(own, Comparison) for own in items):
            return tuple(own for own in items if isinstance(own, Comparison))
        case _:
            return ()


def sided(own: Comparison) -> Sided | None:
    """A comparison with the value on the left and the constant on the right, None for two values."""
    match own:
        case Comparison(op, Constant() as constant, right) if not isinstance(right, Constant):
            return Sided(right, FLIPPED[op], constant)
        case Comparison(op, left, Constant() as constant) if not isinstance(left, Constant):
            return Sided(left, op, constant)
        case _:
            return None


def all_sided(condition: Condition) -> list[Sided]:
    return [own for own in map(sided, comparisons(condition)) if own is not None]


def pinned(node: nodes.Predicate) -> dt.date | None:
    """The date or instant that a comparison names, as written; None where it follows the clock or is no date."""
    if not isinstance(node, nodes.Compare):
        return None
    for side in (node.left, node.right):
        if isinstance(side, nodes.Literal):
            value = iso_time(side.value) if isinstance(side.value, str) else side.value
            return value if isinstance(value, dt.date) else None
    return None


def is_time(term: Term) -> bool:
    return term.kind.is_timestamp or term.kind.value == "date"


def named(term: Term) -> str:
    """What a value is called where it is told."""
    match term:
        case ColumnTerm(name) | PastColumn(_, name):
            return name
        case JsonTerm(ColumnTerm(name) | PastColumn(_, name), path):
            return ".".join([name, *map(str, path)])
        case FeatureTerm(feature):
            of = "" if feature.of is None else f" of {feature.of.name}"
            return f"{feature.measure}{of} of {feature.event or 'all'} events"
        case PartOf(part, moment):
            return f"{part} of {named(moment)}"
        case LocalTime(moment) | LocalDate(moment):
            return named(moment)
        case Applied(function, arguments):
            return f"{function} of {', '.join(named(own) for own in arguments)}"
        case Calculation(op, left, right):
            return f"{named(left)} {op} {named(right)}"
        case Constant(value):
            return f"{value!r:.40}"
        case _:
            return "value"


def is_half_of_a_range(spot: Spot) -> bool:
    """Whether another condition of its AND bounds the same value from the other side."""
    own = {(side.term, _UPWARD.get(side.op)) for side in all_sided(spot.condition)}
    others = (side for other in together(spot) if other.path != spot.path for side in all_sided(other.condition))
    return any((side.term, not _UPWARD[side.op]) in own for side in others if side.op in _UPWARD)
