"""The search for slices: it finds what brute force finds, tests it honestly, and rarely cries wolf."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.tree import DecisionTreeRegressor

from sealwright.assurance.error_tree import grow
from sealwright.assurance.lattice import search
from sealwright.assurance.slice_tests import (
    adjusted_p,
    mean_gap_interval,
    mean_gap_p,
    selected_confidence,
    share_gap_interval,
    share_gap_p,
)

_MANY = 10**12


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[np.ndarray], list[int], np.ndarray]:
    """Codes of two to four columns, their numbers of levels, and a loss per row."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, width = draw(st.integers(30, 120)), draw(st.integers(2, 4))
    levels = [draw(st.integers(1, 4)) for _ in range(width)]
    codes = [rng.integers(0, size + 1, n) for size in levels]  # the last code is of no level
    loss = (rng.random(n) < 0.3).astype(float) if draw(st.booleans()) else rng.exponential(size=n)
    return codes, levels, loss


def _brute_force(codes: list[np.ndarray], levels: list[int], loss: np.ndarray, smallest: int) -> list[float]:
    scores = []
    for depth in (1, 2, 3):
        for columns in combinations(range(len(codes)), depth):
            for cell in product(*(range(levels[column]) for column in columns)):
                rows = np.all([codes[column] == level for column, level in zip(columns, cell, strict=True)], axis=0)
                s = rows.sum()
                if smallest <= s < loss.size:
                    spread = loss.std() * np.sqrt(s * (1 - s / loss.size))
                    scores.append((loss[rows].sum() - loss.mean() * s) / spread)
    return sorted((score for score in scores if score > 0), reverse=True)


@settings(max_examples=60, deadline=None)
@given(tables(), st.integers(1, 30))
def test_leaving_out_what_cannot_win_never_loses_a_winner(data, most: int) -> None:
    codes, levels, loss = data
    if loss.std() == 0:
        return
    found = search(codes, levels, loss, 5, most, _MANY)
    assert found.complete
    assert [cell.score for cell in found.cells] == pytest.approx(_brute_force(codes, levels, loss, 5)[:most])


@settings(max_examples=30, deadline=None)
@given(tables(), st.randoms(use_true_random=False))
def test_renaming_levels_and_moving_columns_changes_nothing_but_names(data, shuffler) -> None:
    codes, levels, loss = data
    order = list(range(len(codes)))
    shuffler.shuffle(order)
    renamed = []
    for column in order:
        names = list(range(levels[column]))
        shuffler.shuffle(names)
        renamed.append(np.array([*names, levels[column]])[codes[column]])
    one = search(codes, levels, loss, 5, 10, _MANY)
    other = search(renamed, [levels[column] for column in order], loss, 5, 10, _MANY)
    assert [(cell.rows, cell.first, len(cell.columns)) for cell in one.cells] == [
        (cell.rows, cell.first, len(cell.columns)) for cell in other.cells
    ]


def test_a_search_that_ran_out_of_its_budget_says_so() -> None:
    rng = np.random.default_rng(1)
    codes = [rng.integers(0, 3, 200) for _ in range(6)]
    loss = (rng.random(200) < 0.3).astype(float)
    assert not search(codes, [3] * 6, loss, 5, 5, 200 * 10).complete


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 3))
def test_the_tree_is_that_of_scikit_learn(seed: int, depth: int) -> None:
    rng = np.random.default_rng(seed)
    columns = [rng.integers(0, 30, 300).astype(float) for _ in range(3)]
    loss = rng.random(300) + (columns[0] > 12) * 0.3
    ours = grow(columns, loss, 20, depth)
    theirs = DecisionTreeRegressor(max_depth=depth, min_samples_leaf=20, random_state=0).fit(np.array(columns).T, loss)
    predicted = np.sum([leaf.belongs(columns) * leaf.mean for leaf in ours.leaves()], axis=0)
    assert predicted == pytest.approx(theirs.predict(np.array(columns).T))


def test_the_leaves_of_a_tree_share_out_the_rows_missing_values_too() -> None:
    rng = np.random.default_rng(3)
    number = np.where(rng.random(400) < 0.2, np.nan, rng.random(400))
    word = rng.integers(0, 4, 400)
    loss = rng.random(400) + np.isnan(number) + (word == 2)
    tree = grow([number, word], loss, 20, 3)
    assert np.sum([leaf.belongs([number, word]) for leaf in tree.leaves()], axis=0).tolist() == [1] * 400
    assert all(node.rows == node.belongs([number, word]).sum() >= 20 for node in tree.parts())


@given(st.integers(1, 40), st.integers(1, 200), st.data())
def test_p_values_and_adjustment_are_those_of_scipy(n: int, other_n: int, data) -> None:
    hits, other_hits = data.draw(st.integers(0, n)), data.draw(st.integers(0, other_n))
    table = [[hits, n - hits], [other_hits, other_n - other_hits]]
    assert share_gap_p(hits, n, other_hits, other_n) == pytest.approx(stats.fisher_exact(table, "greater").pvalue)
    p = np.array(data.draw(st.lists(st.floats(0, 1), min_size=1, max_size=30)))
    assert adjusted_p(p) == pytest.approx(stats.false_discovery_control(p))


def test_the_test_of_means_is_welchs() -> None:
    rng = np.random.default_rng(2)
    inside, outside = rng.exponential(1.3, 40), rng.exponential(1.0, 300)
    told = stats.ttest_ind(inside, outside, equal_var=False, alternative="greater")
    assert mean_gap_p(inside, outside) == pytest.approx(told.pvalue)
    low, high = mean_gap_interval(inside, outside, 0.95)
    assert low < inside.mean() - outside.mean() < high
    assert mean_gap_p(np.ones(3), np.ones(4)) == 1.0
    assert mean_gap_p(np.full(3, 2.0), np.ones(4)) == 0.0


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_the_interval_of_a_gap_contains_it_and_widens_with_selection(n: int, other_n: int, data) -> None:
    hits, other_hits = data.draw(st.integers(0, n)), data.draw(st.integers(0, other_n))
    low, high = share_gap_interval(hits, n, other_hits, other_n, selected_confidence(0.95, 3, 3))
    wide = share_gap_interval(hits, n, other_hits, other_n, selected_confidence(0.95, 1, 20))
    assert wide[0] <= low <= hits / n - other_hits / other_n <= high <= wide[1]
