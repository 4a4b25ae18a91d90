"""Intervals, tests and corrections beside scipy and statsmodels, and what they promise, by simulation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from segkit.statistics.inference import Mean, Sums, difference, mean, proportion, share
from segkit.statistics.intervals import holm, wilson

stats = pytest.importorskip("scipy.stats", reason='pip install "scipy>=1.13"')
optimize = pytest.importorskip("scipy.optimize")
proportions = pytest.importorskip("statsmodels.stats.proportion", reason='pip install "statsmodels>=0.14"')
multitest = pytest.importorskip("statsmodels.stats.multitest")
api = pytest.importorskip("statsmodels.api")

COVERS = (0.93, 0.97)


def sums(x: Any, y: Any, highest: int = 3) -> Sums:
    x, y = np.asarray(x, float), np.asarray(y, float)
    return {(i, j): float((x**i * y**j).sum()) for i in range(highest + 1) for j in range(highest + 1 - i)}


def average(values: Any) -> Mean:
    return mean(sums(np.ones(len(values)), values), len(values))


def of_orders(orders: Any, revenue: Any) -> Mean:
    """The average order value of some contacts."""
    return mean(sums(orders, revenue), float((orders > 0).sum()))


# ---------------------------------------------------------------- beside other implementations


@pytest.mark.parametrize(("successes", "count"), [(0, 10), (1, 7), (5, 20), (20, 20), (1200, 4000), (3, 100_000)])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_wilson_is_that_of_statsmodels_and_scipy(successes: int, count: int, confidence: float) -> None:
    found = wilson(successes, count, confidence)
    assert found == pytest.approx(proportions.proportion_confint(successes, count, 1 - confidence, "wilson"), abs=1e-12)
    assert found == pytest.approx(stats.binomtest(successes, count).proportion_ci(confidence, "wilson"), abs=1e-12)
    assert share(successes, count).interval(confidence) == pytest.approx(found, abs=1e-12)
    assert share(successes, count) == proportion(sums(np.ones(count), np.arange(count) < successes, 2), None)


@pytest.mark.parametrize("groups", [(5, 20, 9, 30), (0, 12, 3, 40), (56, 70, 48, 80), (1, 900, 30, 5000), (10, 10, 0, 20)])
def test_differences_of_shares_are_those_of_statsmodels_and_scipy(groups: tuple[int, int, int, int]) -> None:
    a, n, b, m = groups
    found = difference(share(a, n), share(b, m), None, 0.95)
    newcombe = proportions.confint_proportions_2indep(a, n, b, m, method="newcomb", compare="diff")
    assert (found.low, found.high) == pytest.approx(newcombe, abs=1e-12)
    assert found.p == pytest.approx(proportions.proportions_ztest([a, b], [n, m])[1], rel=1e-9)
    assert found.p == pytest.approx(stats.chi2_contingency([[a, n - a], [b, m - b]], correction=False).pvalue, rel=1e-9)


def test_the_error_of_a_clustered_rate_is_that_of_a_regression_with_clusters() -> None:
    rng = np.random.default_rng(11)
    sends = rng.poisson(6, 80) + 1
    opens = rng.binomial(sends, rng.beta(1.2, 3, 80))
    own = proportion(sums(sends, opens), 80)
    mails = np.concatenate([[1.0] * o + [0.0] * (s - o) for s, o in zip(sends, opens, strict=True)])
    groups = np.repeat(np.arange(80), sends)
    robust = {"groups": groups, "use_correction": False}
    fitted = api.OLS(mails, np.ones(len(mails))).fit(cov_type="cluster", cov_kwds=robust)
    assert own.value == pytest.approx(fitted.params[0])
    assert own.variance == pytest.approx(fitted.bse[0] ** 2 * 80 / 79)
    assert own.count == pytest.approx(own.value * (1 - own.value) / own.variance)
    assert own.interval(0.95) == wilson(own.value * own.count, own.count, 0.95)


def test_a_rate_is_never_more_certain_than_independent_sends() -> None:
    alike = proportion(sums(np.full(50, 10), np.full(50, 3)), 50)
    assert alike.interval(0.95) == pytest.approx(wilson(0.3 * 500, 500, 0.95))
    assert proportion(sums(np.full(50, 10), np.zeros(50)), 50).interval(0.95) == pytest.approx(wilson(0, 50, 0.95))
    assert proportion(sums([10], [3]), 1).interval(0.95) == pytest.approx(wilson(0.3, 1, 0.95))


def test_a_difference_of_means_has_the_error_of_welch() -> None:
    rng = np.random.default_rng(5)
    one, other = rng.normal(3, 2, 60), rng.normal(2.5, 5, 90)
    a, b = average(one), average(other)
    welch = stats.ttest_ind(one, other, equal_var=False)
    assert (a.value - b.value) / math.sqrt(a.variance + b.variance) == pytest.approx(welch.statistic)
    assert a.variance == pytest.approx(stats.sem(one) ** 2)
    symmetric = average(np.concatenate([one, 6 - one]))
    assert symmetric.interval(0.95) == pytest.approx(
        stats.t.interval(0.95, 119, symmetric.value, math.sqrt(symmetric.variance)), abs=1e-6
    )


def test_the_interval_of_a_skewed_mean_solves_halls_equation() -> None:
    """The limits are where the transformed error is a quantile of Student's t, found by a root finder."""
    values = np.random.default_rng(2).lognormal(0, 1, 70)
    n, quantile = len(values), stats.t.ppf(0.975, len(values) - 1)
    skew = stats.skew(values) * ((n - 1) / n) ** 1.5  # divided by the deviation with n - 1
    error = values.std(ddof=1) / math.sqrt(n)

    def transformed(mu: float) -> float:
        t = (values.mean() - mu) / error
        return float(t + skew * t**2 / (3 * n**0.5) + skew**2 * t**3 / (27 * n) + skew / (6 * n**0.5))

    wanted = [optimize.brentq(lambda mu, side=side: transformed(mu) - side, -50, 50) for side in (quantile, -quantile)]
    assert average(values).interval(0.95) == pytest.approx(wanted, rel=1e-6)


def test_the_error_of_an_average_order_value_is_that_of_a_regression_with_clusters() -> None:
    """Orders of one contact go together: their mean has the error of a regression whose clusters are contacts."""
    rng = np.random.default_rng(7)
    orders = rng.poisson(0.8, 120)
    amounts = rng.lognormal(3, 0.5, orders.sum()) * np.repeat(rng.lognormal(0, 0.4, 120), orders)
    contacts = np.repeat(np.arange(120), orders)
    own = of_orders(orders, np.bincount(contacts, amounts, 120))
    buyers = int((orders > 0).sum())
    robust = {"groups": contacts, "use_correction": False}
    fitted = api.OLS(amounts, np.ones(len(amounts))).fit(cov_type="cluster", cov_kwds=robust)
    assert own.value == pytest.approx(amounts.mean()) == pytest.approx(fitted.params[0])
    assert own.variance == pytest.approx(fitted.bse[0] ** 2 * buyers / (buyers - 1))
    assert own.freedom == buyers - 1


@pytest.mark.parametrize("seed", range(5))
def test_a_mean_differs_exactly_where_its_interval_leaves_zero_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = average(rng.lognormal(0.3, 1, 80)), average(rng.lognormal(0, 1, 150))
    p = difference(a, b, None, 0.95).p
    at = difference(a, b, None, 1 - p)
    assert min(abs(at.low), abs(at.high)) == pytest.approx(0, abs=1e-6 * abs(at.value))


@pytest.mark.parametrize("kind", ["mean", "proportion"])
def test_contacts_in_both_groups_are_reckoned_with(kind: str) -> None:
    """The error of the difference is that of one sum over all contacts, each with its part in both groups."""
    rng = np.random.default_rng(8)
    n = 400
    in_a, in_b = rng.random(n) < 0.5, rng.random(n) < 0.6
    x = np.ones(n) if kind == "mean" else rng.poisson(4, n).astype(float)
    y = rng.normal(5, 2, n) if kind == "mean" else rng.binomial(x.astype(int), 0.3).astype(float)
    made = mean if kind == "mean" else proportion
    parts = np.zeros(n)
    for members, sign in ((in_a, 1), (in_b, -1)):
        ratio = y[members].sum() / x[members].sum()
        parts[members] += sign * (y - ratio * x)[members] / x[members].sum()
    a, b = (made(sums(x[own], y[own]), float((x[own] > 0).sum())) for own in (in_a, in_b))
    found = difference(a, b, sums(x[in_a & in_b], y[in_a & in_b]), 0.95)
    error = math.sqrt((parts**2).sum())
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * error, rel=0.05)
    apart = difference(a, b, None, 0.95)
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(a.value - b.value) / error), abs=0.05)
    assert found.high - found.low < 0.85 * (apart.high - apart.low)


def test_holm_is_that_of_statsmodels() -> None:
    rng = np.random.default_rng(4)
    values = [*(rng.random(30) ** 3), 0.01, 0.01]
    assert holm(values) == pytest.approx(multitest.multipletests(values, method="holm")[1])
    assert holm([math.nan, 0.02]) == [pytest.approx(math.nan, nan_ok=True), 0.02]
    assert holm([]) == []


def test_where_there_is_nothing_there_is_no_interval() -> None:
    for nothing in (proportion(sums([], []), 0), proportion(sums([0, 0], [0, 0]), 0), proportion(sums([1], [2]), 1)):
        assert all(map(math.isnan, nothing.interval(0.95)))
    for flat in (average([0.0, 0.0]), average([3.0])):
        assert all(map(math.isnan, flat.interval(0.95)))
    assert math.isnan(difference(share(1, 5), proportion(sums([], []), None), None, 0.95).p)
    assert difference(share(0, 5), share(0, 9), None, 0.95).p == 1


# ---------------------------------------------------------------- what they promise, by simulation

SAMPLES = 1500


def covered(intervals: Sequence[tuple[float, float]], truth: float) -> float:
    return sum(low <= truth <= high for low, high in intervals) / len(intervals)


@pytest.mark.parametrize(
    ("contacts", "a", "b"), [(200, 1.2, 3), (1000, 1.2, 3), (200, 0.4, 1.6), (1000, 0.1, 1.9), (1000, 200, 800)]
)
def test_rates_of_sends_cover_although_contacts_open_in_their_own_way(contacts: int, a: float, b: float) -> None:
    """Each contact has eight sends or so, and a chance to open of its own: Beta(a, b). Taken as independent they would cover
    the truth in 60 to 80 of 100 samples."""
    rng = np.random.default_rng(contacts + int(10 * a))
    robust, naive = [], []
    for _ in range(SAMPLES):
        sends = rng.poisson(8, contacts)
        opens = rng.binomial(sends, rng.beta(a, b, contacts))
        own = proportion(sums(sends, opens, 2), float((sends > 0).sum()))
        robust.append(own.interval(0.95))
        naive.append(wilson(own.value * float(sends.sum()), float(sends.sum()), 0.95))
    low, high = COVERS
    assert low <= covered(robust, a / (a + b)) <= high
    assert a > 100 or covered(naive, a / (a + b)) < 0.85


@pytest.mark.parametrize(
    ("contacts", "buyers", "sigma"), [(200, 0.2, 0.8), (200, 0.5, 0.6), (1000, 0.05, 0.8), (1000, 0.2, 1.0), (5000, 0.02, 1.0)]
)
def test_revenue_per_contact_covers_although_it_is_skewed(contacts: int, buyers: float, sigma: float) -> None:
    """Few buy, and what they spend is lognormal: the normal interval misses up to 13 of 100."""
    rng = np.random.default_rng(contacts + int(100 * buyers))
    samples = SAMPLES if contacts < 5000 else 700
    revenue = (rng.random((samples, contacts)) < buyers) * rng.lognormal(0, sigma, (samples, contacts))
    low, high = COVERS
    assert low <= covered([average(own).interval(0.95) for own in revenue], buyers * math.exp(sigma**2 / 2)) <= high


@pytest.mark.parametrize(
    ("contacts", "buyers", "sigma"), [(20, 0.5, 0.4), (50, 0.5, 0.4), (200, 0.2, 0.6), (1000, 0.2, 0.8), (1000, 0.05, 0.5)]
)
def test_average_order_values_cover_although_orders_are_skewed_and_go_together(
    contacts: int, buyers: float, sigma: float
) -> None:
    """Who buys orders once or more, at prices of their own; a normal interval of few buyers misses up to 12 of 100."""
    rng = np.random.default_rng(contacts + int(100 * sigma))
    found, normal = [], []
    for _ in range(SAMPLES):
        orders = (rng.random(contacts) < buyers) * (1 + rng.poisson(0.7, contacts))
        amounts = rng.lognormal(0, sigma, orders.sum()) * np.repeat(rng.lognormal(0, 0.2, contacts), orders)
        own = of_orders(orders, np.bincount(np.repeat(np.arange(contacts), orders), amounts, contacts))
        found.append(own.interval(0.95))
        normal.append(stats.norm.interval(0.95, own.value, math.sqrt(own.variance)))
    truth = math.exp((sigma**2 + 0.2**2) / 2)
    low, high = COVERS
    assert low <= covered(found, truth) <= high
    assert contacts > 20 or covered(normal, truth) < 0.91


@pytest.mark.parametrize("sizes", [(200, 2000), (1000, 1000), (300, 300)])
def test_differences_cover(sizes: tuple[int, int]) -> None:
    rng = np.random.default_rng(sum(sizes))
    shares, means = [], []
    for _ in range(SAMPLES):
        bought = [rng.random(size) < chance for size, chance in zip(sizes, (0.15, 0.1), strict=True)]
        a, b = (proportion(sums(np.ones(len(own)), own, 2), None) for own in bought)
        told = difference(a, b, None, 0.95)
        shares.append((told.low, told.high))
        c, d = (average(own * rng.lognormal(0, 0.8, len(own))) for own in bought)
        told = difference(c, d, None, 0.95)
        means.append((told.low, told.high))
    low, high = COVERS
    assert low <= covered(shares, 0.05) <= high
    assert low <= covered(means, 0.05 * math.exp(0.32)) <= high


def test_among_many_comparisons_without_a_difference_one_in_twenty_finds_any() -> None:
    """Ten segments out of 3,000 contacts against the rest, three rates each, nothing but chance in them: opens that go
    together, conversions, skewed revenue. Uncorrected, most such frames would show a difference."""
    rng = np.random.default_rng(20)
    rounds, found, uncorrected = 300, 0, 0
    ones = np.ones(3000)
    for _ in range(rounds):
        sends = rng.poisson(6, 3000)
        opens = rng.binomial(sends, rng.beta(1.2, 3, 3000))
        bought = rng.random(3000) < 0.15
        revenue = bought * rng.lognormal(0, 0.8, 3000)
        p_values = []
        for size in np.linspace(0.06, 0.5, 10):
            inside = rng.random(3000) < size
            for x, y, made in ((sends, opens, proportion), (ones, bought, proportion), (ones, revenue, mean)):
                groups = [(x[own], y[own]) for own in (inside, ~inside)]
                a, b = (made(sums(*own), float((own[0] > 0).sum())) for own in groups)
                p_values.append(difference(a, b, None, 0.95).p)
        found += min(holm(p_values)) <= 0.05
        uncorrected += min(p_values) <= 0.05
    assert found / rounds <= 0.075  # 0.05, and two standard errors of 300 rounds
    assert found / rounds >= 0.015  # it is not asleep either
    assert uncorrected / rounds > 0.5
