"""Intervals, differences and tests of rates and means of contacts, from sums over the contacts.

Contacts are independent of each other, what one contact does is not: a rate of sends or opens is therefore a ratio of two
sums over contacts, and its error comes from how contacts differ.

- interval of a proportion: Wilson (1927), "Probable inference, the law of succession, and statistical inference", JASA 22.
- the same over sends: with the number of independent sends that would be as uncertain, Kish (1965), "Survey sampling", 8.2,
  from the linearised ratio, Woodruff (1971), JASA 66; never more than there are sends: Korn and Graubard (1998), "Confidence
  intervals for proportions with small expected number of positive counts", Survey Methodology 24.
- interval of a difference of proportions: Newcombe (1998), "Interval estimation for the difference between independent
  proportions", Statistics in Medicine 17, method 10; where groups share contacts, with their correlation: Zou (2007), "Toward
  using confidence intervals to compare correlations", Psychological Methods 12.
- test of a difference of proportions: the score test, which pools both (its square is Pearson's chi-square).
- interval and test of means and ratios of money, which are skewed: Hall (1992), "On the removal of skewness by
  transformation", JRSS B 54.
- correction for many comparisons: Holm (1979), "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb, copysign, isnan, nan, sqrt
from statistics import NormalDist
from typing import Protocol

Sums = Mapping[tuple[int, int], float]
"""Sums over contacts: at (i, j) that of x to the power of i times y to the power of j."""

_NORMAL = NormalDist()
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Difference:
    """A difference with its interval and the p-value of there being none."""

    value: float
    low: float
    high: float
    p: float


class Estimate(Protocol):
    """A figure of a group of contacts: `value`, and what is known of its error."""

    @property
    def value(self) -> float: ...

    def interval(self, confidence: float) -> tuple[float, float]: ...

    def minus(self, other: Estimate, shared: Sums, confidence: float) -> Difference: ...


def normal_quantile(confidence: float) -> float:
    """How many standard errors lie at either side.

    >>> round(normal_quantile(0.95), 3)
    1.96
    """
    return _NORMAL.inv_cdf((1 + confidence) / 2)


def wilson(share: float, count: float, confidence: float) -> tuple[float, float]:
    """The interval of a proportion of so many independent trials.

    >>> low, high = wilson(0.25, 20, 0.95)
    >>> round(low, 4), round(high, 4)
    (0.1119, 0.4687)
    """
    if not 0 <= share <= 1 or count <= 0:
        return nan, nan
    z = normal_quantile(confidence)
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return (0.0 if share == 0 else middle - half), (1.0 if share == 1 else middle + half)


# ---------------------------------------------------------------- proportions


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
        return wilson(self.value, self.count, confidence)

    def minus(self, other: Estimate, shared: Sums, confidence: float) -> Difference:
        """This proportion less another one; `shared` are the sums over the contacts that are in both groups."""
        assert isinstance(other, Proportion)
        value = self.value - other.value
        (low, high), (other_low, other_high) = self.interval(confidence), other.interval(confidence)
        if isnan(low) or isnan(other_low):
            return Difference(value, nan, nan, nan)
        r = self._correlation(other, shared)
        below, above = self.value - low, high - self.value
        other_below, other_above = other.value - other_low, other_high - other.value
        return Difference(
            value,
            value - _side(below, other_above, r),
            value + _side(above, other_below, r),
            self._p(other, r),
        )

    def _correlation(self, other: Proportion, shared: Sums) -> float:
        spread = sqrt(self.variance * other.variance)
        if not shared or not spread:
            return 0.0
        return max(-1.0, min(1.0, _product(shared, self.weights, other.weights) / spread))

    def _p(self, other: Proportion, r: float) -> float:
        pooled = (self.value * self.count + other.value * other.count) / (self.count + other.count)
        own, others = (sqrt(max(pooled * (1 - pooled), 0.0) / each) for each in (self.count, other.count))
        error = _side(own, others, r)
        if error <= _ROUNDING:
            return 1.0 if abs(self.value - other.value) <= _ROUNDING else nan
        return _two_sided((self.value - other.value) / error)


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
    spread = value * (1 - value)
    count = min(spread / variance, x) if spread > 0 and variance > spread * _ROUNDING / x else reached if spread <= 0 else x
    return Proportion(value, count, weights, variance)


# ---------------------------------------------------------------- means and ratios


@dataclass(frozen=True)
class Mean:
    """A ratio of sums y / x, such as a mean, with the second and third moment of its error.

    `weights` times x and y are a contact's part in that error.
    """

    value: float
    variance: float
    third: float
    weights: tuple[float, float]

    def interval(self, confidence: float) -> tuple[float, float]:
        return _unskewed_interval(self.value, self.variance, self.third, confidence)

    def minus(self, other: Estimate, shared: Sums, confidence: float) -> Difference:
        """This mean less another one; `shared` are the sums over the contacts that are in both groups."""
        assert isinstance(other, Mean)
        value = self.value - other.value
        variance, third = self.variance + other.variance, self.third - other.third
        if shared:
            both = (self.weights[0] - other.weights[0], self.weights[1] - other.weights[1])
            variance -= 2 * _product(shared, self.weights, other.weights)
            third += _power(shared, both, 3) - _power(shared, self.weights, 3) + _power(shared, other.weights, 3)
        low, high = _unskewed_interval(value, variance, third, confidence)
        return Difference(value, low, high, _unskewed_p(value, variance, third))


def mean(sums: Sums, reached: float) -> Mean:
    """The ratio of y to x, from sums up to the third power; `reached` is how many contacts have some x."""
    x = sums[1, 0]
    if not x:
        return Mean(nan, nan, nan, (nan, nan))
    value = sums[0, 1] / x
    weights = (-value / x, 1 / x)
    variance = _power(sums, weights, 2) * reached / (reached - 1) if reached > 1 else nan
    return Mean(value, variance, _power(sums, weights, 3), weights)


def _unskewed_interval(value: float, variance: float, third: float, confidence: float) -> tuple[float, float]:
    if isnan(variance) or variance <= _ROUNDING * value * value or variance <= 0:
        return nan, nan
    error, skew, z = sqrt(variance), third / variance**1.5, normal_quantile(confidence)
    return value - error * _skewed(z, skew), value - error * _skewed(-z, skew)


def _unskewed_p(value: float, variance: float, third: float) -> float:
    if isnan(variance) or variance <= 0:
        return 1.0 if variance == 0 and value == 0 else nan
    t, skew = value / sqrt(variance), third / variance**1.5
    return _two_sided(t + skew * t * t / 3 + skew * skew * t**3 / 27 + skew / 6)


def _skewed(z: float, skew: float) -> float:
    """The studentised error that Hall's transformation takes to z."""
    if abs(skew) < 1e-8:
        return z
    inner = 1 + skew * (z - skew / 6)
    return 3 / skew * (copysign(abs(inner) ** (1 / 3), inner) - 1)


# ---------------------------------------------------------------- many comparisons


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values, adjusted so that the chance of any false finding among all of them stays below the level that each is
    compared with, however they depend on each other. Missing ones are no comparisons.

    >>> holm([0.01, 0.04, float("nan"), 0.03])
    [0.03, 0.06, nan, 0.06]
    """
    known = sorted((p, i) for i, p in enumerate(p_values) if not isnan(p))
    adjusted, highest = [nan] * len(p_values), 0.0
    for rank, (p, i) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - rank) * p))
        adjusted[i] = highest
    return adjusted


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


def _two_sided(z: float) -> float:
    return 2 * _NORMAL.cdf(-abs(z))
