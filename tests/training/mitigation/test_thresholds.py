"""Thresholds by group leave a gap that the rows allow, with no dice, and cost no more accuracy than they must."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.training.adapters.reductions import gap_of
from sealwright.training.mitigation.thresholds import choose_thresholds

CONSTRAINTS = ("demographic_parity", "equal_opportunity", "equalised_odds")


def biased(seed: int, n: int = 600) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, truth and groups; the second group is scored lower."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 2, n).astype(np.int32)
    positive = rng.random(n) < 0.5 - 0.15 * groups
    scores = 1 / (1 + np.exp(-(rng.normal(size=n) + 1.6 * positive - 0.8 - 0.9 * groups)))
    return scores, positive, groups


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.sampled_from(["demographic_parity", "equal_opportunity"]))
def test_the_gap_on_the_rows_they_were_chosen_on_is_within_what_is_allowed(seed: int, constraint: str) -> None:
    scores, positive, groups = biased(seed)
    chosen = choose_thresholds(scores, positive, groups, constraint, 0.02)
    decided = (scores >= chosen.thresholds[groups]).astype(float)
    left = gap_of(decided, positive, groups, constraint)
    assert left == pytest.approx(chosen.gap)
    assert left <= 0.02 + 1e-9
    assert np.mean(decided == positive) == pytest.approx(chosen.accuracy)


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_no_pair_of_thresholds_within_the_allowed_gap_is_much_more_accurate(constraint: str) -> None:
    """Held against every pair of thresholds on a grid."""
    scores, positive, groups = biased(7, 300)
    allowed = 0.06
    chosen = choose_thresholds(scores, positive, groups, constraint, allowed)
    best = 0.0
    for pair in itertools.product(np.linspace(0.02, 0.98, 49), repeat=2):
        decided = (scores >= np.array(pair)[groups]).astype(float)
        if gap_of(decided, positive, groups, constraint) <= allowed:
            best = max(best, float(np.mean(decided == positive)))
    assert chosen.gap <= allowed
    assert chosen.accuracy >= best - 0.02


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_renaming_groups_only_renames_their_thresholds(constraint: str) -> None:
    scores, positive, groups = biased(3)
    one = choose_thresholds(scores, positive, groups, constraint, 0.02)
    other = choose_thresholds(scores, positive, 1 - groups, constraint, 0.02)
    assert np.array_equal(one.thresholds, other.thresholds[::-1])


def test_a_group_with_too_few_rows_keeps_the_common_threshold() -> None:
    scores, positive, groups = biased(4)
    groups = groups.copy()
    groups[:3] = 2
    chosen = choose_thresholds(scores, positive, groups, "demographic_parity", 0.02)
    assert np.isnan(chosen.thresholds[2])
    assert np.isfinite(chosen.thresholds[:2]).all()
