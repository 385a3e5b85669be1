"""Intervals, tests and indices agree with what others compute."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sealwright.data.diversity.chance import (
    benjamini_hochberg,
    chi_square,
    evenness,
    exact_interval,
    fewer_than,
    holm,
    independence,
    psi,
    psi_by_chance,
)

P = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_exact_interval_is_that_of_scipy(case: tuple[int, int]) -> None:
    rows, n = case
    low, high = exact_interval(np.array([rows]), n, 0.95)
    want = stats.binomtest(rows, n).proportion_ci(0.95, method="exact")
    assert (low[0], high[0]) == pytest.approx((want.low, want.high), abs=1e-9)
    assert low[0] <= rows / n <= high[0]


def test_the_test_for_too_few_rows_is_the_exact_binomial_one() -> None:
    want = stats.binomtest(310, 1000, 0.51, alternative="less").pvalue
    assert fewer_than(np.array([310]), 1000, np.array([0.51]))[0] == pytest.approx(want, rel=1e-9)


def test_the_fit_is_pearsons_where_groups_are_large_and_drawn_where_they_are_small() -> None:
    rng = np.random.default_rng(1)
    rows, shares = np.array([310, 690]), np.array([0.35, 0.65])
    statistic, p, how = chi_square(rows, shares, rng)
    want = stats.chisquare(rows, shares * 1000)
    assert (statistic, p) == pytest.approx((want.statistic, want.pvalue))
    assert how == "chi-square distribution"
    few, even = np.array([3, 1, 0]), np.array([0.5, 0.25, 0.25])
    _, drawn, how = chi_square(few, even, rng)
    cells = [(a, b, 4 - a - b) for a in range(5) for b in range(5 - a)]  # the exact multinomial test, by listing
    odds = {one: stats.multinomial.pmf(one, 4, even) for one in cells}
    far = {one: sum((np.array(one) - even * 4) ** 2 / (even * 4)) for one in cells}
    exact = sum(odds[one] for one in cells if far[one] >= far[tuple(few.tolist())] - 1e-9)
    assert drawn == pytest.approx(exact, abs=0.02)
    assert "drawn" in how


def test_independence_is_that_of_scipy_without_its_correction() -> None:
    table = np.array([[109, 201], [191, 499], [0, 0]])
    want = stats.chi2_contingency(table[:2], correction=False)
    assert independence(table) == pytest.approx((want.statistic, want.pvalue))
    assert np.isnan(independence(np.array([[5, 0], [7, 0]]))[1])


@given(P)
def test_adjusted_values_are_those_of_the_textbooks(values: list[float]) -> None:
    p = np.array(values)
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p, method="bh"))
    order, want, worst = np.argsort(p, kind="stable"), np.empty(len(p)), 0.0
    for place, which in enumerate(order):
        worst = max(worst, min(1.0, p[which] * (len(p) - place)))
        want[which] = worst
    assert holm(p) == pytest.approx(want)


def test_the_index_of_a_sample_of_the_reference_stays_below_its_chance_limit() -> None:
    rng, shares = np.random.default_rng(3), np.array([0.2, 0.3, 0.1, 0.4])
    found = [psi(rng.multinomial(2000, shares), shares) for _ in range(2000)]
    assert np.mean(np.array(found) <= psi_by_chance(4, 2000, 0.95)) == pytest.approx(0.95, abs=0.02)
    assert psi(np.array([31, 69]), np.array([0.51, 0.49])) == pytest.approx(
        (0.31 - 0.51) * np.log(0.31 / 0.51) + (0.69 - 0.49) * np.log(0.69 / 0.49)
    )


def test_evenness_is_one_for_equal_groups_and_falls_with_one_large_group() -> None:
    assert evenness(np.array([5, 5, 5, 5])) == pytest.approx((1.0, 4.0))
    assert evenness(np.array([20, 0])) == pytest.approx((0.0, 1.0))
    assert evenness(np.array([18, 1, 1]))[0] < evenness(np.array([8, 6, 6]))[0]
    share = np.array([0.31, 0.69])
    assert evenness(np.array([310, 690]))[0] == pytest.approx(-(share * np.log(share)).sum() / np.log(2))
