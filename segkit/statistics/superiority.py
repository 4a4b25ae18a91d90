"""How often one of a group is higher than one of another: the effect that needs no unit and no bell curve.

It is the area under the ROC curve, the share of pairs in which the first is higher, equal ones counting half; two times it
less one is Cliff's delta (Cliff 1993, "Dominance statistics: ordinal analyses to answer ordinal questions"), which for two
shares is their difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, nan, sqrt

from segkit.statistics.intervals import LEVEL, student, two_sided, z

_NOTHING = 1e-12


@dataclass(frozen=True)
class Pairs:
    """Two groups, compared pair by pair.

    Args:
        first, second: how many are in each group.
        twice_higher: in how many pairs the first is higher, times two, and once how many are equal.
        squares_first: the squares of the share of the second group that each of the first exceeds, added up.
        squares_second: the squares of the share of the first group that each of the second exceeds, added up.
        ties: t**3 - t, added up over how many share each value.
    """

    first: int
    second: int
    twice_higher: float
    squares_first: float
    squares_second: float
    ties: float

    @property
    def superiority(self) -> float:
        """The share of pairs in which the first is higher, equal ones counting half."""
        return self.twice_higher / (2 * self.first * self.second) if self.first and self.second else nan

    @property
    def delta(self) -> float:
        """Cliff's delta, -1 to 1."""
        return 2 * self.superiority - 1

    @property
    def _is_constant(self) -> bool:
        both = float(self.first + self.second)
        return self.ties >= both**3 - both

    def probability(self) -> float:
        """That groups alike would differ as much (Mann and Whitney 1947, corrected for ties, without continuity)."""
        both = self.first + self.second
        if not self.first or not self.second or self._is_constant:
            return nan
        spread = self.first * self.second / 12 * (both + 1 - self.ties / (both * (both - 1)))
        return two_sided((self.superiority - 0.5) * self.first * self.second / sqrt(spread))

    def delta_interval(self, level: float = LEVEL) -> tuple[float, float]:
        """The interval of Cliff's delta: of the area (DeLong, DeLong and Clarke-Pearson 1988) by its logit, with
        the degrees of freedom of Welch and Satterthwaite; where all of a
        group are higher than all of the other, or a group is of one, that of Newcombe 2006 ("Confidence intervals for an
        effect size measure based on the Mann-Whitney statistic", part 2, method 5). Not a number where nothing differs."""
        if not self.first or not self.second or self._is_constant:
            return nan, nan
        area = self.superiority
        of_first, of_second = self._variances()
        variance = of_first + of_second
        if variance > _NOTHING:
            freedom = variance**2 / (of_first**2 / (self.first - 1) + of_second**2 / (self.second - 1))
            middle, half = log(area / (1 - area)), student(freedom, level) * sqrt(variance) / (area * (1 - area))
            low, high = (1 / (1 + exp(-end)) for end in (middle - half, middle + half))
        else:
            low, high = self._end(area, -1, level), self._end(area, 1, level)
        return 2 * low - 1, 2 * high - 1

    def _variances(self) -> tuple[float, float]:
        """What each group adds to the variance of the area."""
        if self.first < 2 or self.second < 2:
            return 0.0, 0.0
        area = self.superiority
        of_first = max(0.0, self.squares_first / self.first - area**2) / (self.first - 1)
        return of_first, max(0.0, self.squares_second / self.second - (1 - area) ** 2) / (self.second - 1)

    def _end(self, area: float, side: int, level: float) -> float:
        """Where the distance to the area is that of the level, by halving."""
        near, far = area, 1.0 if side > 0 else 0.0
        for _ in range(60):
            middle = (near + far) / 2
            pairs = (self.first + self.second) / 2 - 1
            shape = 1 + pairs * ((1 - middle) / (2 - middle) + middle / (1 + middle))
            reach = z(level) * sqrt(middle * (1 - middle) * shape / (self.first * self.second))
            near, far = (middle, far) if abs(middle - area) < reach else (near, middle)
        return (near + far) / 2
