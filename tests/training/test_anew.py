"""Training anew on the same rows is the training of before; on other rows it is another model."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from sealwright.training import TrainingSpec, UntrainableData, learn_anew, train

from .conftest import make_rows


def _asked(table: pa.Table, interface: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    numbers = [table.column(one["name"]).to_numpy(zero_copy_only=False) for one in interface["numbers"]]
    strings = [
        np.array([word or "" for word in table.column(one["name"]).to_pylist()], dtype=object)
        for one in interface["strings"]
    ]
    return np.column_stack(numbers).astype(np.float32), np.column_stack(strings)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("recipe", ["logistic", "boosting"])
def test_the_same_rows_and_parameters_give_the_answers_of_the_confined_training(recipe: str, task: str) -> None:
    table, holdout, interface = make_rows(150, task=task, holdout=40)
    spec = TrainingSpec.model_validate({"recipe": recipe, "search": {"trials": 0}, "seed": 5})
    made = train(table, holdout, interface, spec)
    answers = learn_anew(table, interface, recipe, made.parameters, 5)(*_asked(holdout, interface))
    assert made.framework_predictions is not None
    wanted = made.framework_predictions
    assert answers == pytest.approx(wanted[:, 0] if task == "regression" else wanted, abs=1e-9)


def test_other_rows_give_another_model() -> None:
    table, holdout, interface = make_rows(200, holdout=40)
    parameters = {"c": 1.0, "balanced": False}
    whole, half = (
        learn_anew(part, interface, "logistic", parameters, 0)(*_asked(holdout, interface))
        for part in (table, table.slice(0, 100))
    )
    assert np.abs(whole - half).max() > 0.01


def test_one_outcome_cannot_be_learned_from() -> None:
    table, _, interface = make_rows(200, holdout=40)
    only = table.filter(pc.equal(table.column("target"), table.column("target")[0]))
    with pytest.raises(UntrainableData):
        learn_anew(only, interface, "logistic", {"c": 1.0, "balanced": False}, 0)
