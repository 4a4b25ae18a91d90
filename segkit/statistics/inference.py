"""Intervals, differences and tests of rates and means of contacts, from sums over the contacts.

Contacts are independent of each other, what one contact does is not: a rate of sends or opens is therefore a ratio of two
sums over contacts, and its error comes from how contacts differ.

- interval of a proportion: Wilson's (`intervals`).
- the same over sends: with the number of independent sends that would be as uncertain, Kish (1965), "Survey sampling", 8.2,
  from the linearised ratio, Woodruff (1971), JASA 66; never more than there are sends: Korn and Graubard (1998), "Confidence
  intervals for proportions with small expected number of positive counts", Survey Methodology 24.
- interval of a mean, or of a ratio of two means, of amounts, which are skewed: Hall (1992), "On the removal of skewness by
  transformation", JRSS B 54, with the quantile of Student's t for as many contacts as have some x, and the error of a ratio by
  the delta method: Woodruff (1971).
- interval of a difference, from both intervals: Newcombe (1998), "Interval estimation for the difference between independent
  proportions", Statistics in Medicine 17, method 10; of other intervals, Zou and Donner (2008), "Construction of confidence
  limits about effect measures: a general approach", Statistics in Medicine 27; with the correlation of groups that share
  contacts, Zou (2007), "Toward using confidence intervals to compare correlations", Psychological Methods 12.
- test of a difference of proportions: the score test, which pools both (its square is Pearson's chi-square); of amounts: the
  level at which the interval begins to leave zero out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb, copysign, nan, sqrt
from typing import TypeAlias

from segkit.statistics.intervals import student, student_beyond, two_sided, wilson

Sums = Mapping[tuple[int, int], float]
"""Sums over contacts: at (i, j) that of x to the power of i times y to the power of j."""

_ROUNDING = 1e-12
_FARTHEST = 37.0
"""Standard errors, beyond which no chance is left in double precision."""


@dataclass(frozen=True)
class Difference:
    """A difference with its interval and the p-value of there being none."""

    value: float
    low: float
    high: float
    p: float


# ---------------------------------------------------------------- estimates


@dataclass(frozen=True)
class Proportion:
    """A share y of x, as certain as one of `count` independent trials.

    `weights` times x and y are a contact's part in its error, and `variance` the sum of their squares.
    """

    value: float
    count: float
    weights: tuple[float, float]
    variance: float

    def interval(self, confidence: float) -> tuple[float, float]:
        if not 0 <= self.value <= 1:
            return nan, nan
        return wilson(self.value * self.count, self.count, confidence)


@dataclass(frozen=True)
class Mean:
    """A ratio of sums y / x, such as a mean, with the second and third moment of its error.

    `weights` times x and y are a contact's part in that error, and `freedom` is how many contacts have some x, less one.
    """

    value: float
    variance: float
    third: float
    weights: tuple[float, float]
    freedom: float

    def interval(self, confidence: float) -> tuple[float, float]:
        if self.is_certain():
            return nan, nan
        t = student(self.freedom, confidence)
        return self._limit(t), self._limit(-t)

    def distances(self, p: float) -> tuple[float, float]:
        """How far the limits lie below and above that leave out so small a part."""
        t = student_beyond(self.freedom, p)
        return max(self.value - self._limit(t), 0.0), max(self._limit(-t) - self.value, 0.0)

    def is_certain(self) -> bool:
        """Whether nothing tells how far it may be off: contacts do not differ, or there are too few."""
        return not self.variance > _ROUNDING**2 * self.value * self.value

    def _limit(self, t: float) -> float:
        """Where Hall's transformation takes the error to t."""
        error = sqrt(self.variance)
        skew = self.third / error**3
        if abs(skew) < 1e-8:
            return self.value - error * t
        inner = 1 + skew * (t - skew / 6)
        return self.value - error * 3 / skew * (copysign(abs(inner) ** (1 / 3), inner) - 1)


Estimate: TypeAlias = Proportion | Mean


def share(count: float, of: float) -> Proportion:
    """The share of contacts that `count` of them are."""
    return proportion({(1, 0): of, (2, 0): of, (0, 1): count, (1, 1): count, (0, 2): count}, None)


def proportion(sums: Sums, reached: float | None) -> Proportion:
    """The share y of x.

    Args:
        sums: up to the second power.
        reached: how many contacts have some x; None where x is 1 for every contact, so that y is a share of contacts.
    """
    x, y = sums[1, 0], sums[0, 1]
    if not x:
        return Proportion(nan, 0, (nan, nan), nan)
    value = y / x
    weights = (-value / x, 1 / x)
    variance = max(_power(sums, weights, 2), 0.0)
    if reached is None:
        return Proportion(value, x, weights, variance)
    if reached < 2:
        return Proportion(value, reached, weights, variance)
    variance *= reached / (reached - 1)
    return Proportion(value, _independent(value, variance, x, reached), weights, variance)


def _independent(share: float, variance: float, trials: float, contacts: float) -> float:
    """How many independent trials would be as uncertain; where all agree, nothing tells, and each contact is taken for one."""
    spread = share * (1 - share)
    if spread <= 0:
        return contacts
    return min(spread / variance, trials) if variance > _ROUNDING * spread / trials else trials


def mean(sums: Sums, reached: float) -> Mean:
    """The ratio of y to x, from sums up to the third power; `reached` is how many contacts have some x."""
    x = sums[1, 0]
    if not x:
        return Mean(nan, nan, nan, (nan, nan), 0)
    value = sums[0, 1] / x
    weights = (-value / x, 1 / x)
    variance = _power(sums, weights, 2) * reached / (reached - 1) if reached > 1 else nan
    return Mean(value, variance, _power(sums, weights, 3), weights, reached - 1)


# ---------------------------------------------------------------- differences


def difference(one: Estimate, other: Estimate, shared: Sums | None, confidence: float) -> Difference:
    """One estimate less another of its kind.

    Args:
        one: of a group of contacts.
        other: of another group.
        shared: the sums over the contacts that are in both groups; None where no contact is.
        confidence: of the interval.
    """
    value = one.value - other.value
    (low, high), (other_low, other_high) = one.interval(confidence), other.interval(confidence)
    r = _correlation(one, other, shared)
    return Difference(
        value,
        value - _side(one.value - low, other_high - other.value, r),
        value + _side(high - one.value, other.value - other_low, r),
        _p_of_difference(one, other, r),
    )


def _p_of_difference(one: Estimate, other: Estimate, r: float) -> float:
    match one, other:
        case Proportion(), Proportion():
            return _pooled_p(one, other, r)
        case Mean(), Mean():
            return _inverted_p(one, other, r)
    raise TypeError("a proportion and a mean have no difference")


def _pooled_p(one: Proportion, other: Proportion, r: float) -> float:
    if not (0 <= one.value <= 1 and 0 <= other.value <= 1):
        return nan
    pooled = (one.value * one.count + other.value * other.count) / (one.count + other.count)
    own, others = (sqrt(pooled * (1 - pooled) / each.count) for each in (one, other))
    error = _side(own, others, r)
    if error <= _ROUNDING:
        return 1.0 if abs(one.value - other.value) <= _ROUNDING else nan
    return two_sided((one.value - other.value) / error)


def _inverted_p(one: Mean, other: Mean, r: float) -> float:
    """Where the interval of the difference begins to leave zero out."""
    if one.is_certain() or other.is_certain():
        return nan
    value = one.value - other.value
    nearest, farthest = 0.0, _FARTHEST
    for _ in range(60):
        z = (nearest + farthest) / 2
        (below, above), (other_below, other_above) = (each.distances(two_sided(z)) for each in (one, other))
        reach = _side(below, other_above, r) if value > 0 else _side(above, other_below, r)
        nearest, farthest = (z, farthest) if reach < abs(value) else (nearest, z)
    return two_sided(nearest)


def _correlation(one: Estimate, other: Estimate, shared: Sums | None) -> float:
    """The correlation of the estimates of two groups, which comes from the contacts that are in both."""
    spread = sqrt(one.variance * other.variance) if one.variance > 0 and other.variance > 0 else 0.0
    if shared is None or not spread:
        return 0.0
    return max(-1.0, min(1.0, _product(shared, one.weights, other.weights) / spread))


# ---------------------------------------------------------------- sums


def _power(sums: Sums, weights: tuple[float, float], power: int) -> float:
    """The sum over contacts of (a x + b y) to a power."""
    a, b = weights
    return sum(comb(power, i) * a**i * b ** (power - i) * sums[i, power - i] for i in range(power + 1))


def _product(sums: Sums, one: tuple[float, float], other: tuple[float, float]) -> float:
    """The sum over contacts of (a x + b y) (c x + d y)."""
    (a, b), (c, d) = one, other
    return a * c * sums[2, 0] + (a * d + b * c) * sums[1, 1] + b * d * sums[0, 2]


def _side(one: float, other: float, r: float) -> float:
    """The distance of a difference from its limit."""
    return sqrt(max(one * one + other * other - 2 * r * one * other, 0.0))
