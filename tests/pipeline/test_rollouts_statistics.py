"""The numbers that decide about a rollout are those of the papers, and hold however often somebody looks."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.pipeline.rollouts_statistics import (
    Sample,
    always_valid_p,
    difference,
    distance,
    half_width,
    impact_ratio,
    mixture_p,
    percentile,
    share,
    split_p,
    stability_index,
)

ALPHA = 0.05


def test_the_confidence_sequence_is_that_of_growthbooks_code() -> None:
    """Its own test of sequential relative uplift: 3,000 and 3,461 values, tuned for 1,000: 0.50336 (-0.55844 to 1.56516)."""
    one, other = Sample(3000, 1396.87, 52377.9767), Sample(3461, 2422.7, 134698.29)
    uplift = other.mean / one.mean - 1
    variance = other.variance / (other.n * one.mean**2) + one.variance * other.mean**2 / (one.n * one.mean**4)
    half = half_width(variance, one.n + other.n, alpha=ALPHA, planned=1000)
    assert (round(uplift, 5), round(math.sqrt(variance), 5)) == (0.50336, 0.33341)
    assert (round(uplift - half, 5), round(uplift + half, 5)) == (-0.55844, 1.56516)
    assert always_valid_p(uplift, variance, one.n + other.n, alpha=ALPHA, planned=1000) == 1.0


def test_the_formula_that_is_printed_wrongly_elsewhere_is_not_ours() -> None:
    """Without the factor n the interval would shrink below that of a single look, which no valid one can."""
    variance, n = 0.02**2, 10_000
    assert half_width(variance, n, alpha=ALPHA, planned=n) > 1.96 * math.sqrt(variance)


def test_thirty_looks_at_no_difference_are_wrong_in_fewer_than_one_case_in_twenty() -> None:
    """As fixed intervals they would be wrong in nearly three of ten: counted beside it, so that this test can fail."""
    rng, rounds, looks, step = np.random.default_rng(7), 400, 30, 100
    wrong = fixed = 0
    for _ in range(rounds):
        one, other = rng.normal(size=(2, looks * step))
        sums = [np.cumsum(some)[step - 1 :: step] for some in (one, other)]
        squares = [np.cumsum(some**2)[step - 1 :: step] for some in (one, other)]
        seen = was = False
        for at in range(looks):
            n = (at + 1) * step
            a, b = (Sample(n, sums[k][at], squares[k][at]) for k in (0, 1))
            found = difference(a, b, alpha=ALPHA, planned=looks * step)
            assert found is not None
            seen |= not found.low <= 0 <= found.high
            was |= abs(found.value) > 1.96 * math.sqrt((a.variance + b.variance) / n)
        wrong, fixed = wrong + seen, fixed + was
    assert wrong / rounds <= 0.05
    assert fixed / rounds > 0.2


@given(
    st.floats(-5, 5), st.floats(1e-4, 10), st.integers(10, 100_000), st.integers(10, 100_000), st.sampled_from([0.01, 0.05, 0.2])
)  # fmt: skip
def test_the_p_value_is_below_alpha_exactly_where_the_interval_leaves_out_zero(
    value: float, variance: float, n: int, planned: int, alpha: float
) -> None:
    half = half_width(variance, n, alpha=alpha, planned=planned)
    p = always_valid_p(value, variance, n, alpha=alpha, planned=planned)
    if abs(abs(value) - half) > 1e-9 * half:
        assert (p < alpha) == (abs(value) > half)


def test_the_mixture_test_is_that_of_its_paper() -> None:
    n, tau2, value, v = 500, 0.04, 0.2, 1.0
    ratio = math.sqrt(2 * v / (2 * v + n * tau2)) * math.exp(n**2 * tau2 * value**2 / (4 * v * (2 * v + n * tau2)))
    assert mixture_p(value, v, n, tau2=tau2) == pytest.approx(1 / ratio)
    assert mixture_p(value, v, n, tau2=tau2) == pytest.approx(0.0353, abs=5e-4)
    assert mixture_p(0.0, v, n, tau2=tau2) == 1.0


def test_one_failure_in_one_is_not_certainty_and_twenty_in_twenty_are() -> None:
    def found(failed: int, of: int) -> float:
        got = difference(Sample.of_share(0, 20), Sample.of_share(failed, of), alpha=ALPHA, planned=1000)
        assert got is not None
        return got.low

    assert found(1, 1) < 0.01 < found(20, 20)


def test_wilsons_interval_is_that_of_the_textbook() -> None:
    """Newcombe (1998), example 81 of 263: 0.2553 to 0.3662."""
    found = share(81, 263, alpha=ALPHA)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)


def test_distances_of_the_same_scores_are_covered_and_of_others_are_seen() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        same = rng.beta(2, 5, size=(2, 2_000))
        assert stability_index(*same, alpha=0.01).low == 0.0
        assert distance(*same, alpha=0.01).low == 0.0
    moved = rng.beta(2, 5, 2_000), rng.beta(5, 2, 2_000)
    assert stability_index(*moved, alpha=0.01).low > 0.25
    assert distance(*moved, alpha=0.01).low > 0.4


def test_the_interval_of_the_stability_index_covers_what_is_true() -> None:
    """Of two normal distributions half a deviation apart; what is true is taken from 400,000 scores of each."""
    rng, inside = np.random.default_rng(5), 0
    large = rng.normal(size=400_000), rng.normal(0.5, size=400_000)
    true = stability_index(*large, alpha=ALPHA).value
    for _ in range(100):
        found = stability_index(rng.normal(size=3_000), rng.normal(0.5, size=3_000), alpha=ALPHA)
        inside += found.low <= true <= found.high
    assert inside >= 90


def test_impact_ratio_is_the_rule_of_four_fifths_with_an_interval() -> None:
    found = impact_ratio({"a": (480, 1000), "b": (300, 1000), "few": (0, 29)}, alpha=ALPHA)
    assert found is not None
    assert found.value == pytest.approx(0.6253, abs=1e-3)
    assert 0.55 < found.low < found.value < found.high < 0.71
    assert impact_ratio({"a": (1, 40), "few": (0, 29)}, alpha=ALPHA) is None


def test_percentiles_need_twenty_times_and_lie_within_their_interval() -> None:
    assert percentile(Counter({5: 19}), 0.95, alpha=ALPHA) is None
    times = Counter(dict.fromkeys(range(100), 10))
    value, low, high = percentile(times, 0.95, alpha=ALPHA) or (0, 0, 0)
    assert low <= value <= high
    assert value == 94
    assert (low, high) == (93, 96)


def test_a_draw_that_is_not_as_signed_is_seen() -> None:
    assert split_p([9_000, 1_000], [9_000, 1_000]) == 1.0
    assert split_p([9_200, 800], [9_000, 1_000]) < 1e-9
    assert split_p([50, 50, 0], [5_000, 5_000, 0]) == 1.0
    assert split_p([0, 0], [5_000, 5_000]) == 1.0
    assert split_p([400, 300, 300], [4_000, 3_000, 3_000]) == 1.0
