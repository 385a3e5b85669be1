"""Intervals contain their estimate, agree with scipy, and stay honest at the edges."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from sealwright.assurance.bootstrap import centred_interval, replicates
from sealwright.assurance.intervals import (
    agresti_min,
    difference,
    f1_interval,
    mean_of_two,
    on_logit_scale,
    wilson,
    z_of,
)

_COUNTS = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(_COUNTS, st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_wilson_is_the_score_interval_of_scipy(counts: tuple[int, int], confidence: float) -> None:
    k, n = counts
    expected = binomtest(k, n).proportion_ci(confidence, method="wilson")
    assert np.allclose(wilson(k, n, confidence), (expected.low, expected.high), atol=1e-12)


@given(_COUNTS)
def test_wilson_contains_the_share_and_narrows_with_rows(counts: tuple[int, int]) -> None:
    k, n = counts
    low, high = wilson(k, n, 0.95)
    assert 0 <= low <= k / n <= high <= 1
    wider = wilson(k, n, 0.99)
    assert wider[0] <= low
    assert high <= wider[1]
    narrow = wilson(10 * k, 10 * n, 0.95)
    assert narrow[1] - narrow[0] < high - low


def test_a_share_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="n > 0"):
        wilson(0, 0, 0.95)


def test_none_of_thirty_is_not_exactly_zero() -> None:
    low, high = wilson(0, 30, 0.95)
    assert low == 0
    assert high == pytest.approx(0.1135, abs=1e-4)


@given(_COUNTS, _COUNTS)
def test_differences_and_means_contain_their_value_and_mirror(a: tuple[int, int], b: tuple[int, int]) -> None:
    p, q = a[0] / a[1], b[0] / b[1]
    of_p, of_q = wilson(*a, 0.95), wilson(*b, 0.95)
    low, high = difference(p, of_p, q, of_q)
    assert low <= p - q <= high
    assert np.allclose(difference(q, of_q, p, of_p), (-high, -low))
    middle = mean_of_two(p, of_p, q, of_q)
    assert 0 - 1e-12 <= middle[0] <= (p + q) / 2 <= middle[1] <= 1 + 1e-12


@given(st.integers(0, 200), st.integers(0, 200))
def test_f1_lies_in_its_interval(hits: int, misses: int) -> None:
    if hits + misses == 0:
        return
    low, high = f1_interval(hits, misses, 0.95)
    assert 0 <= low <= 2 * hits / (2 * hits + misses) + 1e-12
    assert 2 * hits / (2 * hits + misses) - 1e-12 <= high <= 1


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 100))
def test_a_paired_difference_lies_in_its_interval(first: int, second: int, both: int) -> None:
    n = first + second + both
    if n == 0:
        return
    low, high = agresti_min(first, second, n, 0.95)
    assert -1 <= low <= (first - second) / n <= high <= 1
    assert low < high


@given(st.floats(0, 1), st.floats(0, 0.5), st.integers(1, 1000))
def test_an_area_stays_between_zero_and_one(value: float, error: float, n: int) -> None:
    low, high = on_logit_scale(value, error, n, 0.95)
    assert 0 <= low <= value <= high <= 1


def test_the_usual_quantile() -> None:
    assert z_of(0.95) == pytest.approx(1.959963984540054)


def test_the_bootstrap_of_a_mean_is_its_standard_error(rng: np.random.Generator) -> None:
    values = rng.normal(size=400)
    drawn = replicates(lambda counts: counts @ values / 400, 400, 4000, rng)
    assert drawn.std() == pytest.approx(values.std() / math.sqrt(400), rel=0.05)
    assert drawn.mean() == pytest.approx(values.mean(), abs=0.005)


def test_resamples_do_not_depend_on_how_memory_is_sliced(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw() -> np.ndarray:
        return replicates(lambda counts: counts @ np.arange(50.0), 50, 30, np.random.default_rng(3))

    whole = draw()
    monkeypatch.setattr("sealwright.assurance.bootstrap._CELLS", 120)
    assert np.array_equal(whole, draw())


def test_a_biased_statistic_is_moved_back_and_an_undefined_one_gets_no_interval() -> None:
    drawn = np.linspace(1.0, 2.0, 1001)
    low, high = centred_interval(1.0, drawn, 0.9)
    assert (low, high) == pytest.approx((0.55, 1.45))
    assert centred_interval(1.0, np.where(np.arange(1001) < 200, np.nan, drawn), 0.9) is None
