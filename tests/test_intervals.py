"""Intervals and the correction, against scipy and published figures."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from segkit.statistics.inference import difference, share
from segkit.statistics.intervals import holm, student, two_sided, wilson, z


@pytest.mark.parametrize(
    ("count", "of"), [(0, 1), (1, 1), (0, 20), (20, 20), (1, 29), (15, 148), (81, 263), (500_000, 1_000_000)]
)
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_wilson_is_that_of_scipy(count: int, of: int, level: float) -> None:
    own = stats.binomtest(count, of).proportion_ci(level, method="wilson")
    assert wilson(count, of, level) == pytest.approx((own.low, own.high), abs=1e-12)


def test_newcombe_is_that_of_his_table() -> None:
    """Newcombe 1998, table II, method 10."""
    published = {
        (56, 70, 48, 80): (0.0524, 0.3339),
        (9, 10, 3, 10): (0.1705, 0.8090),
        (6, 7, 2, 7): (0.0582, 0.8062),
        (5, 56, 0, 29): (-0.0381, 0.1926),
        (0, 10, 0, 20): (-0.1611, 0.2775),
        (0, 10, 0, 10): (-0.2775, 0.2775),
        (10, 10, 0, 20): (0.6791, 1.0),
        (10, 10, 0, 10): (0.6075, 1.0),
    }
    for counts, ends in published.items():
        one, of, other, other_of = counts
        found = difference(share(one, of), share(other, other_of), None, 0.95)
        assert (found.low, found.high) == pytest.approx(ends, abs=6e-5), counts


@pytest.mark.parametrize("freedom", [1, 2, 2.5, 3, 4, 7.3, 10, 30, 100, 1e6])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_student_is_that_of_scipy(freedom: float, level: float) -> None:
    assert student(freedom, level) == pytest.approx(stats.t.ppf((1 + level) / 2, freedom), rel=1e-4)


def test_normal_scores_are_those_of_scipy() -> None:
    assert z(0.95) == pytest.approx(stats.norm.ppf(0.975))
    for score in (-3.1, 0.0, 1.96, 20.0):
        assert two_sided(score) == pytest.approx(2 * stats.norm.sf(abs(score)), rel=1e-12)


def test_holm_steps_down_and_leaves_out_what_is_no_test() -> None:
    assert holm([]) == []
    own = holm([0.04, math.nan, 0.01, 0.03, 0.9])
    assert math.isnan(own[1])
    assert [own[i] for i in (0, 2, 3, 4)] == pytest.approx([0.09, 0.04, 0.09, 0.9])
    assert holm([0.6, 0.7]) == [1.0, 1.0]


def test_nobody_has_no_interval() -> None:
    assert all(map(math.isnan, wilson(0, 0)))
    for one, other in ((share(0, 0), share(1, 2)), (share(1, 2), share(0, 0)), (share(0, 0), share(0, 0))):
        found = difference(one, other, None, 0.95)
        assert all(map(math.isnan, (found.value, found.low, found.high, found.p)))
