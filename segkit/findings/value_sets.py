"""A set of values of one line (numbers, days, instants, texts), and whether "no value" is one of them.

A set is where it begins and the cuts at which it changes between out and in. A cut lies just before a point, `(5, 0)`, or
just after it, `(5, 1)`; on a line of whole numbers every cut lies before one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from operator import and_, or_
from typing import TypeAlias

Point: TypeAlias = int | Fraction | str
Cut: TypeAlias = "tuple[Point, int]"


@dataclass(frozen=True, slots=True)
class Values:
    """The values between cuts: those before the first one if `first`; with `missing`, also no value at all."""

    first: bool
    cuts: tuple[Cut, ...] = ()
    missing: bool = False

    def __and__(self, other: Values) -> Values:
        return self._joined(other, and_)

    def __or__(self, other: Values) -> Values:
        return self._joined(other, or_)

    def __invert__(self) -> Values:
        return Values(not self.first, self.cuts, not self.missing)

    def __le__(self, other: Values) -> bool:
        """Whether each of these values is one of the others."""
        return not self & ~other

    def __bool__(self) -> bool:
        return self.first or self.missing or bool(self.cuts)

    def _joined(self, other: Values, join: Callable[[bool, bool], bool]) -> Values:
        missing = join(self.missing, other.missing)
        if not self.cuts and not other.cuts:
            return Values(join(self.first, other.first), (), missing)
        here, there = self.first, other.first
        first = inside = join(here, there)
        mine, its = set(self.cuts), set(other.cuts)
        cuts = []
        for cut in sorted(mine | its):
            here ^= cut in mine
            there ^= cut in its
            if join(here, there) != inside:
                cuts.append(cut)
                inside = not inside
        return Values(first, tuple(cuts), missing)

    @property
    def last(self) -> bool:
        """Whether the values after the last cut are in."""
        return self.first ^ bool(len(self.cuts) % 2)

    def not_below(self) -> Values:
        """Everything from the lowest of these values on."""
        return ALL if self.first or not self.cuts else Values(False, self.cuts[:1])

    def not_above(self) -> Values:
        """Everything up to the highest of these values."""
        return ALL if self.last or not self.cuts else Values(True, self.cuts[-1:])

    def single_points(self) -> list[Point] | None:
        """The values one by one, None where they are no single ones (of texts: not finitely many)."""
        if self.first or len(self.cuts) % 2:
            return None
        ends = list(zip(self.cuts[::2], self.cuts[1::2], strict=True))
        return [low[0] for low, _ in ends] if all(low[0] == high[0] for low, high in ends) else None

    def moved(self, to: Callable[[Cut], Cut]) -> Values:
        """The same set on another line; `to` keeps the order of the cuts."""
        return Values(self.first, tuple(map(to, self.cuts)), self.missing)

    def mirrored(self, to: Callable[[Cut], Cut]) -> Values:
        """The same set on a line that runs the other way; `to` reverses the order of the cuts."""
        return Values(self.last, tuple(to(cut) for cut in reversed(self.cuts)), self.missing)


ALL, ANY, MISSING = Values(True), Values(True, (), True), Values(False, (), True)
"""Every known value; any value or none; no value."""


def ordered(op: str, point: Point) -> Values:
    """The values that compare with a point as `op` says."""
    match op:
        case "<":
            return Values(True, ((point, 0),))
        case "<=":
            return Values(True, ((point, 1),))
        case ">":
            return Values(False, ((point, 1),))
        case ">=":
            return Values(False, ((point, 0),))
        case _:
            return Values(False, ((point, 0), (point, 1)))


def among(points: Iterable[Point]) -> Values:
    """Just these points."""
    own: Sequence[Point] = sorted(set(points))
    return Values(False, tuple((point, side) for point in own for side in (0, 1)))


def between(low: int | None, high: int | None) -> Values:
    """The whole numbers from `low` to `high`, either of which may be open."""
    after = () if low is None else ((low, 0),)
    before = () if high is None else ((high + 1, 0),)
    return Values(low is None, after + before)


def whole(own: Values) -> Values:
    """A set on a line of whole numbers: what lies between two of them falls away."""
    cuts: list[Cut] = []
    for point, side in own.cuts:
        assert not isinstance(point, str)
        cut = (math.floor(point) + 1 if side else math.ceil(point), 0)
        if cuts and cuts[-1] == cut:
            cuts.pop()
        else:
            cuts.append(cut)
    return Values(own.first, tuple(cuts), own.missing)
