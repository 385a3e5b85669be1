"""The largest gap between groups: laws it obeys, and an interval that keeps its promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.assurance.gaps import mean_gap, rate_gap, rate_ratio


@st.composite
def groups(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Successes and rows of two to six groups."""
    rows = np.array(draw(st.lists(st.integers(2, 200), min_size=2, max_size=6)))
    return np.array([draw(st.integers(0, int(n))) for n in rows]), rows


def _generator() -> np.random.Generator:
    return np.random.default_rng(5)


@given(groups())
def test_the_gap_is_the_range_of_rates_and_lies_in_its_interval(data: tuple[np.ndarray, np.ndarray]) -> None:
    hits, rows = data
    gap = rate_gap(hits[None], rows[None], 50, 0.95, _generator())
    assert gap.value == pytest.approx(np.ptp(hits / rows))
    assert 0 <= gap.interval[0] <= gap.value <= gap.interval[1] <= 1
    assert (hits / rows)[gap.higher] - (hits / rows)[gap.lower] == pytest.approx(gap.value)


@given(groups())
def test_swapping_good_and_bad_outcomes_keeps_the_gap(data: tuple[np.ndarray, np.ndarray]) -> None:
    hits, rows = data
    one, other = (rate_gap(counts[None], rows[None], 50, 0.95, _generator()).value for counts in (hits, rows - hits))
    assert one == pytest.approx(other)


@given(groups(), st.randoms(use_true_random=False))
def test_renaming_groups_changes_nothing(data: tuple[np.ndarray, np.ndarray], shuffler) -> None:
    hits, rows = data
    order = list(range(len(rows)))
    shuffler.shuffle(order)
    one = rate_gap(hits[None], rows[None], 50, 0.95, _generator())
    other = rate_gap(hits[order][None], rows[order][None], 50, 0.95, _generator())
    assert other.value == pytest.approx(one.value)
    assert other.interval == pytest.approx(one.interval)
    ratios = (
        rate_ratio(hits, rows, 50, 0.95, _generator()),
        rate_ratio(hits[order], rows[order], 50, 0.95, _generator()),
    )
    if ratios[0] is not None:
        assert ratios[1].value == pytest.approx(ratios[0].value)
        assert ratios[1].interval == pytest.approx(ratios[0].interval)


@given(groups())
def test_the_ratio_is_lowest_by_highest_and_lies_in_its_interval(data: tuple[np.ndarray, np.ndarray]) -> None:
    hits, rows = data
    ratio = rate_ratio(hits, rows, 50, 0.95, _generator())
    if hits.sum() == 0:
        assert ratio is None
        return
    assert ratio.value == pytest.approx((hits / rows).min() / (hits / rows).max())
    assert 0 <= ratio.interval[0] <= ratio.value <= ratio.interval[1] <= 1


def test_of_two_kinds_of_rate_the_wider_counts() -> None:
    hits, rows = np.array([[50, 52], [10, 40]]), np.array([[100, 100], [50, 50]])
    gap = rate_gap(hits, rows, 200, 0.95, _generator())
    assert (gap.kind, gap.higher, gap.lower) == (1, 1, 0)
    assert gap.value == pytest.approx(0.6)


def test_a_small_group_of_all_yes_is_not_taken_for_certain() -> None:
    gap = rate_gap(np.array([[30, 190]]), np.array([[30, 200]]), 1000, 0.95, _generator())
    assert gap.interval[0] == 0
    assert gap.interval[1] > 0.08


def test_means_have_a_gap_too(rng: np.random.Generator) -> None:
    values = [rng.normal(mean, 1, size=n) for mean, n in ((0, 200), (0.1, 60), (1, 90))]
    gap = mean_gap(values, 400, 0.95, _generator())
    means = [one.mean() for one in values]
    assert gap.value == pytest.approx(max(means) - min(means))
    assert 0 < gap.interval[0] <= gap.value <= gap.interval[1]
    renamed = mean_gap(values[::-1], 400, 0.95, _generator())
    assert renamed.interval == pytest.approx(gap.interval)


@pytest.mark.parametrize(
    ("rates", "rows"),
    [([0.7, 0.7], [80, 160]), ([0.7, 0.5], [80, 160]), ([0.7] * 4, [66, 77, 51, 56]), ([0.95, 0.95], [30, 200])],
)
def test_nineteen_of_twenty_intervals_hold_the_true_gap(rates: list[float], rows: list[int]) -> None:
    rng, n = np.random.default_rng(0), np.array(rows)
    trials, held = 400, 0
    for _ in range(trials):
        low, high = rate_gap(rng.binomial(n, rates)[None], n[None], 300, 0.95, rng).interval
        held += low <= max(rates) - min(rates) <= high
    assert held / trials >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / trials)
