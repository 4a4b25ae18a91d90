"""How sure a share, a difference of shares or a mean is: intervals with their sources, and the correction for many tests.

It stands on the lowest floor and needs nothing but arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc, expm1, nan, pi, sqrt, tan
from statistics import NormalDist

LEVEL = 0.95
"""How often an interval holds what it is about."""


def z(level: float = LEVEL) -> float:
    """The normal quantile of a two-sided level.

    >>> round(z(0.95), 4)
    1.96
    """
    return NormalDist().inv_cdf((1 + level) / 2)


def wilson(count: float, of: float, level: float = LEVEL) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927, "Probable inference, the law of succession, and statistical inference").

    Args:
        count: how many have it; no whole number where trials are weighed.
        of: out of how many.
        level: the confidence, 0 to 1.

    Returns:
        The ends, 0 to 1; not a number where there is nobody.

    >>> [round(end, 4) for end in wilson(81, 263)]
    [0.2553, 0.3662]
    """
    if not of:
        return nan, nan
    share, square = count / of, z(level) ** 2
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = z(level) * sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return (max(0.0, middle - half) if count else 0.0), (min(1.0, middle + half) if count < of else 1.0)


def student(freedom: float, level: float = LEVEL) -> float:
    """The quantile of Student's t for a two-sided level (Hill 1970, "Algorithm 396: Student's t-quantiles"): right to four digits
    from two degrees of freedom on, and a little large between one and two.

    >>> round(student(10), 3), round(student(1), 3)
    (2.228, 12.706)
    """
    return student_beyond(freedom, 1 - level)


def student_beyond(freedom: float, p: float) -> float:
    """The quantile of Student's t that so small a part lies beyond, both sides together, as `student` finds it.

    >>> round(student_beyond(10, 0.05), 3), round(student_beyond(1, 0.05), 3)
    (2.228, 12.706)
    """
    if freedom == 1:
        return 1 / tan(p * pi / 2)
    if freedom == 2:
        return sqrt(2 / (p * (2 - p)) - 2)
    a = 1 / (freedom - 0.5)
    b = 48 / a**2
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * sqrt(a * pi / 2) * freedom
    y = float((d * p) ** (2 / freedom))
    if y > 0.05 + a:
        x = NormalDist().inv_cdf(p / 2)
        y = x * x
        if freedom < 5:
            c += 0.3 * (freedom - 4.5) * (x + 0.6)
        c += (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b
        y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
        y = expm1(a * y * y)
    else:
        below = ((freedom + 6) / (freedom * y) - 0.089 * d - 0.822) * (freedom + 2) * 3
        y = ((1 / below + 0.5 / (freedom + 4)) * y - 1) * (freedom + 1) / (freedom + 2) + 1 / y
    return sqrt(freedom * y)


def two_sided(score: float) -> float:
    """The probability of a normal score at least so far from zero.

    >>> round(two_sided(-1.96), 3)
    0.05
    """
    return erfc(abs(score) / sqrt(2))


def holm(probabilities: Sequence[float]) -> list[float]:
    """Probabilities of several tests, so that at a limit of 0.05 one in twenty such families holds any false finding
    (Holm 1979, "A simple sequentially rejective multiple test procedure"). Not a number is no test, and stays.

    >>> [round(p, 4) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    order = sorted((p, i) for i, p in enumerate(probabilities) if p == p)
    adjusted, running = list(probabilities), 0.0
    for place, (p, i) in enumerate(order):
        running = max(running, min(1.0, (len(order) - place) * p))
        adjusted[i] = running
    return adjusted
