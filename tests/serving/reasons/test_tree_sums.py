"""Contributions of trees are Shapley values by the definition, and come in time."""

import math
import time
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import shap
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.serving.reasons.tree_sums import TreeSums, leaf_of_rows, leaves_in


def _tree(rng: np.random.Generator, columns: int, leaves: int, scores: int) -> dict[str, Any]:
    """A random tree, whose nodes ask any column, the same one twice on a path as well."""
    left, right, features, limits = [-1], [-1], [-2], [0.0]
    open_ = [0]
    while len(open_) < leaves:
        node = open_.pop(int(rng.integers(len(open_))))
        features[node], limits[node] = int(rng.integers(columns)), float(np.float32(rng.normal()))
        left[node], right[node] = len(left), len(left) + 1
        open_ += [left[node], right[node]]
        for one, value in ((left, -1), (right, -1), (features, -2), (limits, 0.0)):
            one += [value, value]  # type: ignore[list-item]
    near, far = np.array(left), np.array(right)
    return {
        "children_left": near,
        "children_right": far,
        "children_default": np.where(rng.random(near.size) < 0.5, near, far),
        "features": np.array(features),
        "thresholds": np.array(limits),
        "values": np.where(near[:, None] < 0, rng.normal(size=(near.size, scores)), 0.0),
    }


def _model(rng: np.random.Generator, columns: int, trees: int, leaves: int, scores: int = 1) -> dict[str, Any]:
    return {
        "trees": [_tree(rng, columns, leaves, scores) for _ in range(trees)],
        "base_offset": rng.normal(size=scores),
    }


def _weights(tree: dict[str, Any], counts: list[int]) -> np.ndarray:
    """Rows in each node."""
    rows = np.zeros(tree["children_left"].size)
    rows[leaves_in(tree)] = counts
    for node in reversed(range(rows.size)):  # children come after their parents here
        if tree["children_left"][node] >= 0:
            rows[node] = rows[tree["children_left"][node]] + rows[tree["children_right"][node]]
    return rows


def _worth(model: Any, counts: list[list[int]], row: np.ndarray, owners: np.ndarray, known: tuple[int, ...]) -> Any:
    """What the trees give if only some features are known, word for word as path-dependent Tree SHAP defines it."""
    total = model["base_offset"].copy()
    for tree, rows_in in zip(model["trees"], counts, strict=True):
        rows = _weights(tree, rows_in)

        def below(node: int, tree: Any = tree, rows: np.ndarray = rows) -> Any:
            near, far = tree["children_left"][node], tree["children_right"][node]
            if near < 0:
                return tree["values"][node]
            column = tree["features"][node]
            if owners[column] in known:
                gone = np.isnan(row[column])
                to = (
                    tree["children_default"][node] if gone else near if row[column] <= tree["thresholds"][node] else far
                )
                return below(to)
            share = rows[near] / rows[node] if rows[node] else 0.5
            return share * below(near) + (1 - share) * below(far)

        total = total + below(0)
    return total


def _by_definition(model: Any, counts: Any, row: np.ndarray, owners: np.ndarray, players: int) -> np.ndarray:
    phi = np.zeros((players, model["base_offset"].size))
    for player in range(players):
        others = [one for one in range(players) if one != player]
        for size in range(players):
            weight = math.factorial(size) * math.factorial(players - size - 1) / math.factorial(players)
            for known in combinations(others, size):
                with_, without = (_worth(model, counts, row, owners, one) for one in ((*known, player), known))
                phi[player] += weight * (with_ - without)
    return phi


def _compiled(model: Any, counts: Any, owners: np.ndarray, players: int) -> TreeSums:
    flat = [one for part in counts for one in part]
    return TreeSums(model, flat, flat, owners, np.zeros(owners.size), players)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_they_are_shapley_values_by_enumeration_of_all_coalitions_with_columns_grouped(seed: int) -> None:
    rng = np.random.default_rng(seed)
    players, columns = int(rng.integers(2, 6)), 7
    owners = np.concatenate([np.arange(players), rng.integers(players, size=columns - players)])
    model = _model(rng, columns, 2, int(rng.integers(2, 9)), int(rng.integers(1, 3)))
    counts = [rng.integers(0, 5, len(leaves_in(tree))).tolist() for tree in model["trees"]]  # some leaves hold no row
    row = np.where(rng.random(columns) < 0.2, np.nan, rng.normal(size=columns))
    sums = _compiled(model, counts, owners, players)
    expected = _by_definition(model, counts, row, owners, players)
    for score in range(model["base_offset"].size):
        phi, total = sums.explain(row, score)
        assert phi == pytest.approx(expected[:, score], abs=1e-9)
        assert total == pytest.approx(_worth(model, counts, row, owners, tuple(range(players))), abs=1e-9)
    assert sums.base == pytest.approx(_worth(model, counts, row, owners, ()), abs=1e-9)


def test_without_grouped_columns_they_are_what_shap_says() -> None:
    rng = np.random.default_rng(3)
    model = _model(rng, 9, 20, 31)
    matrix = rng.normal(size=(300, 9)).astype(np.float32).astype(np.float64)
    # shap asks for a row in every leaf
    counts = [(np.bincount(leaf_of_rows(tree, matrix), minlength=31) + 1).tolist() for tree in model["trees"]]
    sums = _compiled(model, counts, np.arange(9), 9)
    told = [
        {**tree, "node_sample_weight": _weights(tree, one)} for tree, one in zip(model["trees"], counts, strict=True)
    ]
    seen = {"tree_output": "raw_value", "input_dtype": np.float64, "internal_dtype": np.float64}
    oracle = shap.TreeExplainer({**model, **seen, "trees": told}, feature_perturbation="tree_path_dependent")
    expected = oracle.shap_values(matrix[:25], check_additivity=False).reshape(25, 9)
    found = np.array([sums.explain(row, 0)[0] for row in matrix[:25]])
    assert np.abs(found - expected).max() < 1e-9
    assert np.abs(expected).max() > 0.1


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_base_and_contributions_give_the_sum_of_the_leaves_the_row_falls_into(seed: int) -> None:
    rng = np.random.default_rng(seed)
    owners = rng.integers(-1, 12, 20)
    constants = np.where(owners < 0, rng.normal(size=20), 0.0)
    model = _model(rng, 20, 6, 40)
    matrix = np.where(rng.random((50, 20)) < 0.1, np.nan, rng.normal(size=(50, 20)))
    matrix[:, owners < 0] = constants[owners < 0]
    fallen = [leaf_of_rows(tree, matrix) for tree in model["trees"]]
    counts = [one for leaf in fallen for one in np.bincount(leaf[:20], minlength=40).tolist()]
    everyone = [one for leaf in fallen for one in np.bincount(leaf, minlength=40).tolist()]
    sums = TreeSums(model, counts, everyone, owners, constants, 12)
    direct = model["base_offset"][0] + sum(
        tree["values"][leaves_in(tree)[leaf], 0] for tree, leaf in zip(model["trees"], fallen, strict=True)
    )
    for row, value in zip(matrix, direct, strict=True):
        phi, total = sums.explain(row, 0)
        assert sums.base[0] + phi.sum() == pytest.approx(value, abs=1e-9)
        assert total[0] == pytest.approx(value, abs=1e-9)
    assert sums.base[0] == pytest.approx(direct[:20].mean(), abs=1e-9)  # the mean of the rows that were counted


def test_a_hundred_trees_of_thirty_one_leaves_take_at_most_two_milliseconds_of_a_processor() -> None:
    rng = np.random.default_rng(5)
    model = _model(rng, 60, 100, 31)
    owners = np.concatenate([np.arange(20), rng.integers(8, 20, 40)])
    counts = rng.integers(1, 200, 3100).tolist()
    sums = TreeSums(model, counts, counts, owners, np.zeros(60), 20)
    rows = rng.normal(size=(20, 60))
    spent = []
    for _ in range(5):
        start = time.process_time()
        for row in rows:
            sums.explain(row, 0)
        spent.append((time.process_time() - start) / len(rows))
    assert min(spent) <= 0.002, f"{min(spent) * 1e3:.2f} ms for each row"
