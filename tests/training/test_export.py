"""What the framework says, the ONNX model says, for every recipe, task and kind of column (O1: within 1e-5)."""

from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.kernel import digest_of
from sealwright.registry import check_structure
from sealwright.training import RECIPES
from sealwright.training.adapters.built_in import train_built_in
from sealwright.training.adapters.onnx_export import _float32_below
from sealwright.training.adapters.onnx_run import differences
from sealwright.training.job import Job, Made
from sealwright.training.packing import pack, read_shape, target_of

from .conftest import make_rows

LIMIT = 1e-5
SETS = {
    "mixed": {},
    "only numbers": {"strings": 0},
    "only text": {"numbers": 0, "strings": 3},
    "one number": {"numbers": 1, "strings": 0},
    "one text": {"numbers": 0, "strings": 1, "missing": 0.0},
    "flags and dates": {"special": True, "numbers": 1},
    "fifty columns": {"numbers": 2, "strings": 48},
    "many words": {"categories": 90, "rows": 500},
    "rounded, so that hold-out rows lie on thresholds": {"numbers": 2, "decimals": 2, "rows": 600, "strings": 0},
    "half missing": {"missing": 0.5},
}


def job_of(recipe: str, task: str = "binary", **changes: Any) -> tuple[Job, dict[str, Any]]:
    table, holdout, interface = make_rows(task=task, **changes)
    shape = read_shape(interface)
    job = Job(
        recipe=recipe,
        task=task,
        classes=shape.classes,
        positive=1 if task == "binary" else 0,
        rows=pack(table, shape),
        target=target_of(table, shape),
        holdout=pack(holdout, shape),
        seed=1,
        folds=3,
        trials=0,
        seconds=60,
        metric=None,
        params={},
        number_names=shape.numbers,
        string_names=shape.strings,
    )
    return job, interface


def made_by(job: Job) -> Made:
    return train_built_in(job, lambda _line, _share: None)


def compared(job: Job, made: Made) -> dict[str, Any]:
    width = max(1, len(job.classes))
    return differences(made.model, job.holdout, made.predictions, job.task, width, 1 if job.task == "binary" else None)


@pytest.mark.parametrize("columns", SETS)
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("recipe", RECIPES)
def test_the_graph_agrees_with_the_framework(recipe: str, task: str, columns: str) -> None:
    job, _ = job_of(recipe, task, **SETS[columns])
    found = compared(job, made_by(replace(job, params={"trees": 20} if recipe != "logistic" else {})))
    assert found["rows"] == 120
    assert found["largest"] <= LIMIT, found
    assert found["flips"] == 0


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_scale_of_a_regression_does_not_matter(recipe: str, scale: float) -> None:
    job, _ = job_of(recipe, "regression", scale=scale)
    assert compared(job, made_by(job))["largest"] <= LIMIT


@given(values=st.lists(st.floats(width=64, allow_nan=False), min_size=1, max_size=20))
def test_a_lowered_threshold_asks_float32_numbers_the_same_question(values: list[float]) -> None:
    exact = np.array(values)
    lowered = _float32_below(exact)
    assert np.isfinite(lowered).all()
    single = lowered.astype(np.float32)
    assert (single.astype(np.float64) == lowered).all()
    largest = np.finfo(np.float32).max
    with np.errstate(over="ignore"):
        above, below = (np.nextafter(single, np.float32(side)) for side in (np.inf, -np.inf))
    for x in (single, above, below):
        usable = np.abs(x.astype(np.float64)) <= largest
        reachable = exact >= -largest  # below every float32 there is nothing to ask
        assert ((x <= exact) == (x <= lowered))[usable & reachable].all()


def test_rows_exactly_on_a_threshold_go_the_same_way() -> None:
    """Features on a coarse grid put hold-out rows on the midpoints trees split at."""
    job, _ = job_of("boosting", numbers=3, strings=0, rows=400)
    grid = replace(job.rows, numbers=np.round(job.rows.numbers * 2) / np.float32(3.0))
    held = replace(job.holdout, numbers=np.round(job.holdout.numbers * 4) / np.float32(6.0))
    job = replace(job, rows=grid, holdout=held)
    found = compared(job, made_by(job))
    assert found["largest"] <= LIMIT
    assert found["flips"] == 0


def test_without_lowering_a_threshold_a_row_does_change_sides() -> None:
    """Why thresholds are lowered: 0.1 in double lies below the nearest float32, and x <= t differs."""
    threshold = np.float64(0.1)
    x = np.float32(0.1)
    assert not float(x) <= threshold
    assert x <= np.float32(threshold)
    assert not float(x) <= float(_float32_below(np.array([threshold]))[0])


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_model_is_plain_onnx_and_tells_nothing_of_where_it_came_from(recipe: str) -> None:
    job, _ = job_of(recipe)
    made = made_by(job)
    model = onnx.load_model_from_string(made.model)
    onnx.checker.check_model(model, full_check=True)
    assert {entry.domain: entry.version for entry in model.opset_import} == {"": 18, "ai.onnx.ml": 3}
    assert {node.domain for node in model.graph.node} <= {"", "ai.onnx.ml"}
    assert (model.graph.name, model.producer_name, model.producer_version) == ("sealwright", "sealwright", "")
    assert not model.doc_string
    assert not model.graph.doc_string
    assert not len(model.metadata_props)
    assert not len(model.functions)
    assert [item.name for item in model.graph.input] == ["numbers", "strings"]
    assert [item.name for item in model.graph.output] == ["probabilities"]
    weights = [value for node in model.graph.node for a in node.attribute for value in a.floats]
    assert np.isfinite(weights).all()


def test_an_input_without_columns_is_absent_and_a_number_comes_out_as_value() -> None:
    job, _ = job_of("logistic", "regression", strings=0)
    graph = onnx.load_model_from_string(made_by(job).model).graph
    assert [item.name for item in graph.input] == ["numbers"]
    assert [(item.name, item.type.tensor_type.shape.dim[1].dim_value) for item in graph.output] == [("value", 1)]


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_same_job_gives_the_same_bytes_and_another_seed_may_not(recipe: str) -> None:
    job, _ = job_of(recipe)
    first, again = made_by(job), made_by(job)
    assert digest_of(first.model) == digest_of(again.model)
    if recipe != "logistic":
        assert digest_of(made_by(replace(job, seed=2)).model) != digest_of(first.model)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_class_without_training_rows_gets_probability_zero(recipe: str) -> None:
    job, _ = job_of(recipe, "multiclass")
    kept = np.flatnonzero(job.target != 1)
    job = replace(job, rows=job.rows.take(kept), target=job.target[kept])
    made = made_by(job)
    assert made.predictions is not None
    assert (made.predictions[:, 1] == 0).all()
    assert compared(job, made)["largest"] <= LIMIT
    assert "the class 'low' has no training row: the model gives it probability 0" in made.notes


@pytest.mark.parametrize("recipe", RECIPES)
def test_columns_that_say_nothing_do_not_stop_a_training(recipe: str) -> None:
    job, _ = job_of(recipe, numbers=3, strings=1)
    numbers = job.rows.numbers.copy()
    numbers[:, 0], numbers[:, 1] = np.nan, 7.0  # all missing, constant
    job = replace(job, rows=replace(job.rows, numbers=numbers))
    assert compared(job, made_by(job))["largest"] <= LIMIT


def test_a_model_that_gives_other_numbers_is_seen() -> None:
    job, _ = job_of("boosting")
    made = made_by(job)
    assert made.predictions is not None
    wrong = made.predictions.copy()
    wrong[7] = wrong[7, ::-1]
    found = differences(made.model, job.holdout, wrong, "binary", 2, 1)
    assert found["largest"] > 1e-3
    assert (found["flips"], found["ties"]) == (1, 0)


def test_a_changed_decision_counts_as_flip_only_where_the_framework_had_decided() -> None:
    job, _ = job_of("logistic")
    made = made_by(job)
    assert made.predictions is not None
    at_the_edge = made.predictions.copy()
    sure = np.argsort(np.abs(at_the_edge[:, 1] - 0.5))[-2:]
    bad = sure[at_the_edge[sure, 1] < 0.5]
    at_the_edge[sure] = [0.5 + 2e-6, 0.5 - 2e-6]  # just below
    at_the_edge[bad] = [0.5 - 2e-6, 0.5 + 2e-6]  # just above
    found = differences(made.model, job.holdout, at_the_edge, "binary", 2, 1)
    assert (found["flips"], found["ties"]) == (0, 2)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("recipe", RECIPES)
def test_the_gate_for_model_files_lets_it_in(recipe: str, task: str) -> None:
    job, interface = job_of(recipe, task, special=True)
    report = check_structure(made_by(job).model, interface)
    assert report.opsets == {"ai.onnx": 18, "ai.onnx.ml": 3}
