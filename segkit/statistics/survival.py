"""How long something lasts where some of it is not over yet: the product-limit estimate, its intervals, its mean and median."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log, nan, sqrt

from segkit.statistics.intervals import LEVEL, z


@dataclass(frozen=True)
class Step:
    """How many lasted as long as a length, ended then, or were last seen then; and the share that lasts longer."""

    length: float
    at_risk: int
    ended: int
    unended: int
    survival: float
    low: float
    high: float


def kaplan_meier(lengths: Sequence[tuple[float, int, int]], level: float = LEVEL) -> list[Step]:
    """The share that lasts longer than each length (Kaplan and Meier 1958, "Nonparametric estimation from incomplete
    observations"), with Greenwood's variance on the log(-log) scale, which keeps intervals inside 0 to 1 (Kalbfleisch and
    Prentice 2002, "The statistical analysis of failure time data", 1.4).

    Args:
        lengths: length, how many ended then, how many were last seen then and are not over; ascending, each length once.
        level: the confidence, 0 to 1.

    Returns:
        A step for each length. What was last seen at a length is at risk there. The interval is not a number where nothing
        has ended yet, or all has.

    >>> [(own.length, own.at_risk, round(own.survival, 3)) for own in kaplan_meier([(6, 3, 1), (7, 1, 0), (9, 0, 1), (10, 1, 1)])]
    [(6, 8, 0.625), (7, 4, 0.469), (9, 3, 0.469), (10, 2, 0.234)]
    """
    steps: list[Step] = []
    at_risk = sum(ended + unended for _, ended, unended in lengths)
    survival, variance, normal = 1.0, 0.0, z(level)
    for length, ended, unended in lengths:
        survival *= 1 - ended / at_risk
        variance += ended / (at_risk * (at_risk - ended)) if at_risk > ended else 0.0
        low, high = _interval(survival, variance, normal)
        steps.append(Step(length, at_risk, ended, unended, survival, low, high))
        at_risk -= ended + unended
    return steps


def _interval(survival: float, variance: float, normal: float) -> tuple[float, float]:
    if not 0 < survival < 1:
        return nan, nan
    width = normal * sqrt(variance) / -log(survival)
    return survival ** exp(width), survival ** exp(-width)


def median(steps: Sequence[Step]) -> tuple[float, float, float]:
    """The length that half does not outlast, and its interval: the lengths at which a half lies within that of the estimate
    (Brookmeyer and Crowley 1982, "A confidence interval for the median survival time"); not a number where never met.

    >>> median(kaplan_meier([(1, 1, 0), (2, 1, 0), (3, 1, 0)]))[0]
    2
    """
    middle, low, high = (
        next((own.length for own in steps if getattr(own, name) <= 0.5), nan) for name in ("survival", "low", "high")
    )
    return middle, low, high


def restricted_mean(steps: Sequence[Step]) -> float:
    """The mean length up to the longest one seen: the area below the estimate (Irwin 1949, "The standard error of an estimate
    of expectation of life"). It is the whole mean where the last one seen has ended, else less than that.

    >>> restricted_mean(kaplan_meier([(1, 1, 0), (2, 1, 0), (3, 1, 0)]))
    2.0
    """
    if not steps:
        return nan
    return steps[0].length + sum(own.survival * (after.length - own.length) for own, after in pairwise(steps))
