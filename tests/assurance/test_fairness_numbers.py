"""Predicted numbers: crossed groups that stand apart are found, and a difference that strata explain is said to vanish."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from .conftest import Trained, interface_of, number

ROWS = 1200


def judged(predict: Callable[[np.ndarray], np.ndarray], columns: dict[str, Any], groups: list[str]) -> Any:
    """Judge a model that answers with `predict(first feature)`."""
    table = pa.table(columns)
    interface = interface_of("regression", [number("a"), number("b")], [], [], None)
    model = Trained(lambda features: predict(features.numbers), interface, table, table)
    return model.judge("fairness", groups=groups)


def rows(seed: int) -> tuple[np.random.Generator, dict[str, Any]]:
    rng = np.random.default_rng(seed)
    columns = {
        "a": rng.normal(size=ROWS),
        "b": rng.integers(0, 4, ROWS).astype(float),
        "sex": rng.choice(["f", "m"], ROWS),
        "town": rng.choice(["north", "south"], ROWS),
    }
    return rng, columns


def test_a_crossed_group_that_alone_is_predicted_lower_is_found() -> None:
    rng, columns = rows(0)
    apart = (columns["sex"] == "f") & (columns["town"] == "south")
    columns["b"] = -0.8 * apart
    columns["outcome"] = columns["a"] + rng.normal(size=ROWS)
    found = judged(lambda x: x[:, 0] + x[:, 1], columns, ["sex", "town"])
    gap = found.one("fairness.crossed_prediction_gap")
    spread = float(np.std(columns["outcome"]))
    predicted = columns["a"] + columns["b"]
    assert gap.value == pytest.approx(abs(predicted[apart].mean() - predicted[~apart].mean()) / spread, rel=1e-5)
    assert gap.low is not None
    assert gap.low > 0.2
    assert "f × south" in gap.note
    assert "f × south" in found.one("fairness.crossed_groups_apart").note
    assert found.one("fairness.crossed_residual_gap").value > 0.3


def test_with_nothing_planted_few_groups_are_called_apart() -> None:
    counts = []
    for seed in range(12):
        rng, columns = rows(100 + seed)
        columns["outcome"] = columns["a"] + rng.normal(size=ROWS)
        found = judged(lambda x: x[:, 0], columns, ["sex", "town"])
        counts.append(found.one("fairness.crossed_groups_apart").value > 0)
    assert sum(counts) <= 3  # 5 % wanted; 4 or more of 12 has a chance of 1 in 400


def test_a_difference_that_one_feature_explains_vanishes_within_its_strata() -> None:
    rng, columns = rows(2)
    columns["b"] = np.where(columns["sex"] == "m", rng.choice([1.0, 2.0, 3.0], ROWS), rng.choice([0.0, 1.0, 2.0], ROWS))
    columns["outcome"] = columns["b"] + rng.normal(size=ROWS)
    found = judged(lambda x: x[:, 1] + 0.3 * x[:, 0], columns, ["sex"])
    gap = found.one("fairness.conditional_prediction_gap", attribute="sex")
    assert gap.low is not None
    assert gap.low < 0 < gap.high
    assert "strata of b" in gap.note
    assert "+0." in gap.note
    assert found.one("fairness.mean_prediction_gap", attribute="sex").value > 0.5


def test_a_difference_that_turns_round_is_called_simpsons() -> None:
    rng, columns = rows(3)
    men = columns["sex"] == "m"
    columns["b"] = np.where(men, rng.choice([2.0, 3.0], ROWS, p=[0.1, 0.9]), rng.choice([2.0, 3.0], ROWS, p=[0.9, 0.1]))
    columns["a"] = np.where(men, -0.4, 0.0)
    columns["outcome"] = 2 * columns["b"] + rng.normal(size=ROWS)
    found = judged(lambda x: 2 * x[:, 1] + x[:, 0] + 0.01 * (x[:, 1] > 2), columns, ["sex"])
    gap = found.one("fairness.conditional_prediction_gap", attribute="sex")
    assert gap.value < 0
    assert "reverses" in gap.note


def test_renaming_groups_changes_no_number() -> None:
    rng, columns = rows(4)
    columns["outcome"] = columns["a"] + rng.normal(size=ROWS)
    one = judged(lambda x: x[:, 0], columns, ["sex", "town"])
    swapped = {**columns, "sex": np.where(columns["sex"] == "f", "z", "a")}
    other = judged(lambda x: x[:, 0], swapped, ["sex", "town"])
    for check in ("fairness.crossed_prediction_gap", "fairness.crossed_residual_gap", "fairness.crossed_groups_apart"):
        assert one.one(check).value == pytest.approx(other.one(check).value)
