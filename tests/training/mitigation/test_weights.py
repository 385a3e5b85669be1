"""Weights and repeated rows make group and outcome independent, equal to published numbers."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.training.mitigation.weights import bands_of, independent_weights, resampled

GERMAN = Path(__file__).parents[3] / "examples" / "german-credit" / "german_credit.csv"


def mean_difference(groups: np.ndarray, outcome: np.ndarray, weights: np.ndarray) -> float:
    rates = [np.average(outcome[groups == group], weights=weights[groups == group]) for group in (0, 1)]
    return float(rates[0] - rates[1])


def german() -> tuple[np.ndarray, np.ndarray]:
    """Age from 25 on and good credit, of the 700 rows that the AIF360 tutorial draws (research F2)."""
    with GERMAN.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    old = np.array([int(row["age"]) >= 25 for row in rows], dtype=np.int32)
    good = np.array([row["outcome"] == "good" for row in rows], dtype=np.int64)
    np.random.seed(0)
    drawn = np.random.permutation(1000)[:700]
    return old[drawn], good[drawn]


def test_reweighing_german_credit_gives_the_published_weights() -> None:
    old, good = german()
    plain = np.ones(len(old))
    weights = independent_weights(old, good)
    assert mean_difference(old, good, plain) == pytest.approx(-0.169905, abs=1e-6)
    found = {(a, y): weights[(old == a) & (good == y)][0] for a in (0, 1) for y in (0, 1)}
    expected = {(0, 0): 0.678, (0, 1): 1.255556, (1, 0): 1.100625, (1, 1): 0.962295}
    for cell, weight in expected.items():
        assert found[cell] == pytest.approx(weight, abs=1e-6)
    assert abs(mean_difference(old, good, weights)) < 1e-9


@st.composite
def labelled(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Rows in which every group has every outcome."""
    counts = draw(st.lists(st.integers(1, 30), min_size=6, max_size=6))
    pairs = [(place // 2, place % 2) for place, count in enumerate(counts) for _ in range(count)]
    order = draw(st.randoms(use_true_random=False))
    order.shuffle(pairs)
    groups, outcome = zip(*pairs, strict=True)
    return np.array(groups, dtype=np.int32), np.array(outcome, dtype=np.int64)


@given(labelled())
def test_under_the_weights_every_group_has_the_outcome_equally_often(data: tuple[np.ndarray, np.ndarray]) -> None:
    groups, outcome = data
    weights = independent_weights(groups, outcome)
    rates = [np.average(outcome[groups == g], weights=weights[groups == g]) for g in range(3)]
    assert np.ptp(rates) < 1e-12
    assert weights.mean() == pytest.approx(1.0)
    for g in range(3):  # and no group counts for more than it did
        assert weights[groups == g].sum() == pytest.approx((groups == g).sum())


@given(labelled(), st.floats(0.1, 1.0))
def test_half_the_strength_goes_half_the_way(data: tuple[np.ndarray, np.ndarray], strength: float) -> None:
    groups, outcome = data
    full = independent_weights(groups, outcome)
    assert np.allclose(independent_weights(groups, outcome, strength), 1 - strength + strength * full)


@given(labelled(), st.permutations([0, 1, 2]))
def test_renaming_groups_changes_no_weight_and_no_drawn_row(
    data: tuple[np.ndarray, np.ndarray], names: list[int]
) -> None:
    groups, outcome = data
    renamed = np.array(names, dtype=np.int32)[groups]
    assert np.allclose(independent_weights(renamed, outcome), independent_weights(groups, outcome))
    assert np.array_equal(resampled(renamed, outcome, 1.0, 3), resampled(groups, outcome, 1.0, 3))


def test_resampled_rows_have_the_table_of_the_weights() -> None:
    rng = np.random.default_rng(5)
    groups = rng.integers(0, 2, 4000).astype(np.int32)
    outcome = (rng.random(4000) < 0.3 + 0.3 * groups).astype(np.int64)
    kept = resampled(groups, outcome, 1.0, 1)
    rates = [outcome[kept][groups[kept] == g].mean() for g in (0, 1)]
    assert abs(rates[0] - rates[1]) < 0.001
    assert abs(kept.size - 4000) <= 4
    assert np.array_equal(kept, resampled(groups, outcome, 1.0, 1))


def test_a_number_as_outcome_is_weighed_by_its_fifths() -> None:
    target = np.random.default_rng(0).normal(size=500)
    assert np.bincount(bands_of("regression", target)).tolist() == [100] * 5
