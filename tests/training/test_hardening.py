"""Hardened models: the graph says what the framework says, held numbers push one way, odd inputs are brought back."""

from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import pytest
from pydantic import ValidationError

from sealwright.kernel import InvalidInput, digest_of
from sealwright.pipeline.variants_hardening import hardening_variants
from sealwright.registry import check_structure
from sealwright.training import TrainingSpec, learn_anew
from sealwright.training.adapters.hardening import Sanitiser, fit_hardened
from sealwright.training.hardening_spec import HardeningSpec
from sealwright.training.packed import Packed

from .conftest import make_rows
from .test_export import LIMIT, compared, job_of, made_by

_ALL = {"adversarial": {"rounds": 1}, "ensemble": 2, "smoothing": {"copies": 1, "offsets": 4}, "sanitise": 0.01}
_KINDS: dict[str, dict[str, Any]] = {
    "adversarial": {"adversarial": {}},
    "ensemble": {"ensemble": 3},
    "smoothing": {"smoothing": {}},
    "sanitise": {"sanitise": 0.0},
    "together": _ALL,
}


def hardened(recipe: str, task: str, asked: dict[str, Any], **changes: Any) -> Any:
    job, interface = job_of(recipe, task, **({"rows": 150} | changes))
    few = {} if recipe == "logistic" else {"trees": 8}
    return replace(job, hardening=HardeningSpec.model_validate(asked), params=few, folds=2), interface


@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize("recipe", ["logistic", "boosting"])
def test_the_graph_of_a_hardened_model_agrees_with_the_framework(recipe: str, kind: str) -> None:
    job, interface = hardened(recipe, "binary", _KINDS[kind], special=True)
    made = made_by(job)
    found = compared(job, made)
    assert found["largest"] <= LIMIT, found
    assert found["flips"] == 0
    onnx.checker.check_model(onnx.load_from_string(made.model), full_check=True)
    check_structure(made.model, interface=interface)


@pytest.mark.parametrize(
    ("recipe", "task"), [("forest", "multiclass"), ("forest", "regression"), ("boosting", "regression")]
)
def test_it_agrees_for_every_task(recipe: str, task: str) -> None:
    job, _ = hardened(recipe, task, _ALL)
    assert compared(job, made_by(job))["largest"] <= LIMIT


@pytest.mark.parametrize("changes", [{"strings": 0}, {"numbers": 0, "strings": 2}, {"numbers": 1, "strings": 1}])
def test_it_agrees_for_every_kind_of_column(changes: dict[str, int]) -> None:
    job, _ = hardened("logistic", "binary", _ALL, **changes)
    assert compared(job, made_by(job))["largest"] <= LIMIT


def test_the_same_rows_and_seed_give_the_same_bytes() -> None:
    job, _ = hardened("boosting", "binary", _ALL)
    assert digest_of(made_by(job).model) == digest_of(made_by(job).model)
    assert digest_of(made_by(replace(job, seed=2)).model) != digest_of(made_by(job).model)


@pytest.mark.parametrize("recipe", ["logistic", "forest", "boosting"])
@pytest.mark.parametrize("positive", [0, 1])
def test_a_number_held_to_one_direction_never_pushes_the_other_way(recipe: str, positive: int) -> None:
    """n0 raises the signal, and is held to lowering it: the hardest case."""
    job, _ = hardened(recipe, "binary", {"monotone": {"n0": "down"}}, missing=0.0)
    model = _fitted(job, positive)
    steps = np.linspace(-3, 3, 25, dtype=np.float32)
    for row in range(5):
        moved = job.holdout.take(np.full(25, row))
        chance = model.predict(replace(moved, numbers=_with(moved.numbers, 0, steps)))[:, positive]
        assert (np.diff(chance) <= 1e-12).all()


def _fitted(job: Any, positive: int) -> Any:
    from sealwright.training.recipes import parameters_of

    parameters = {one.name: one.default for one in parameters_of(job.recipe, job.task, 150)} | dict(job.params)
    return fit_hardened(
        job.recipe,
        job.task,
        job.rows,
        job.target,
        classes=len(job.classes),
        positive=positive,
        parameters=parameters,
        seed=1,
        spec=job.hardening,
        number_names=job.number_names,
    )


def _with(numbers: np.ndarray, place: int, values: np.ndarray) -> np.ndarray:
    changed = numbers.copy()
    changed[:, place] = values
    return changed


def test_a_monotone_model_agrees_with_its_graph() -> None:
    for recipe in ("logistic", "boosting"):
        job, _ = hardened(recipe, "binary", {"monotone": {"n0": "down", "n1": "up"}})
        assert compared(job, made_by(job))["largest"] <= LIMIT


def test_sanitising_brings_back_what_training_never_saw() -> None:
    rows = Packed(
        numbers=np.array([[1e30], [np.nan], [-5.0], [2.0]], dtype=np.float32),
        codes=np.array([[0], [1], [0], [1]], dtype=np.int32),
        levels=(("evil", "known"),),
    )
    clean = Sanitiser(
        low=np.array([0.0], dtype=np.float32), high=np.array([3.0], dtype=np.float32), known=(("known",),)
    ).apply(rows)
    assert clean.numbers[:, 0].tolist() == pytest.approx([3.0, np.nan, 0.0, 2.0], nan_ok=True)
    assert clean.strings()[:, 0].tolist() == ["", "known", "", "known"]


def test_an_extreme_number_cannot_carry_a_sanitised_model_away() -> None:
    job, _ = hardened("logistic", "binary", {"sanitise": 0.01}, missing=0.0)
    model = _fitted(job, 1)
    far, farther = (
        replace(job.holdout, numbers=_with(job.holdout.numbers, 0, np.full(job.holdout.rows, value, dtype=np.float32)))
        for value in (1e4, 1e30)
    )
    assert (model.predict(far) == model.predict(farther)).all()


def test_offsets_cancel_and_leave_flags_alone() -> None:
    job, _ = hardened("logistic", "binary", {"smoothing": {"offsets": 6}}, special=True)
    offsets = _fitted(job, 1).offsets
    assert offsets.shape == (6, len(job.number_names))
    assert offsets.sum(axis=0) == pytest.approx(0, abs=1e-3)
    assert (offsets[:, job.number_names.index("flag")] == 0).all()
    assert (offsets[:, 0] != 0).all()


def test_adversarial_training_makes_moved_rows_cost_less() -> None:
    """Within its own budget: probability of the true class, after the worst of the moves."""
    job, _ = hardened("boosting", "binary", {"adversarial": {"budget": 0.5, "rounds": 3}}, rows=400, missing=0.0)
    plain, hard = (
        _fitted(replace(job, hardening=HardeningSpec.model_validate(one)), 1)
        for one in ({}, {"adversarial": {"budget": 0.5, "rounds": 3}})
    )
    rng = np.random.default_rng(0)
    moves = [0.5 * job.rows.numbers.std(axis=0) * rng.integers(-1, 2, job.rows.numbers.shape) for _ in range(15)]

    def worst(model: Any) -> float:
        own = np.arange(job.rows.rows)
        tried = [replace(job.rows, numbers=(job.rows.numbers + one).astype(np.float32)) for one in moves]
        return float(np.min([model.predict(one)[own, job.target] for one in tried], axis=0).mean())

    assert worst(hard) > worst(plain) + 0.01


def test_training_anew_hardens_as_the_project_does() -> None:
    table, holdout, interface = make_rows(150, strings=0, missing=0.0, holdout=30)
    numbers = np.column_stack([holdout.column(f"n{place}").to_numpy() for place in range(3)]).astype(np.float32)
    none = np.empty((30, 0), dtype=object)
    parameters = {"c": 1.0, "balanced": False}
    spec = HardeningSpec.model_validate({"monotone": {"n0": "down"}})
    held = learn_anew(table, interface, "logistic", parameters, 0, spec)(numbers, none)
    free = learn_anew(table, interface, "logistic", parameters, 0)(numbers, none)
    assert np.abs(held - free).max() > 0.01


@pytest.mark.parametrize(
    ("asked", "task", "words"),
    [
        ({"monotone": {"s0": "up"}}, "binary", "monotone names s0, which is no number"),
        ({"adversarial": {"fixed": ["age"]}}, "binary", "fixed names age"),
        ({"monotone": {"n0": "up"}}, "multiclass", "with several classes there is none"),
    ],
)
def test_hardening_that_does_not_fit_is_refused(asked: dict[str, Any], task: str, words: str) -> None:
    job, _ = hardened("logistic", task, asked)
    with pytest.raises(InvalidInput, match=words):
        made_by(job)


@pytest.mark.parametrize(
    "wrong", [{"ensemble": 0}, {"smoothing": {"offsets": 3}}, {"monotone": {"a": "left"}}, {"x": 1}]
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TrainingSpec.model_validate({"hardening": wrong})


def test_your_own_code_hardens_itself() -> None:
    with pytest.raises(ValidationError, match="your own code hardens its model itself"):
        TrainingSpec.model_validate({"recipe": "mine:train", "hardening": {}})


def test_every_variant_is_a_training_section_and_expectations_become_constraints(tmp_path: Any) -> None:
    from pathlib import Path

    from sealwright.pipeline.project import load_project

    example = Path(__file__).parents[2] / "examples" / "german-credit"
    project = load_project(example)
    plain = hardening_variants(project)
    assert [one.name for one in plain][:4] == ["adversarial training", "ensemble", "smoothing", "sanitised inputs"]
    for one in plain:
        TrainingSpec.model_validate(project.spec.training.model_dump() | dict(one.training))
