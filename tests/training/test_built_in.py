"""Searching and cross-validating: the same trials for the same seed, thin data said, hopeless data refused."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sealwright.kernel import InvalidInput
from sealwright.training import UntrainableData
from sealwright.training.adapters.built_in import train_built_in
from sealwright.training.adapters.scores import folds_of, metrics_of, sample_of
from sealwright.training.job import Job, Made
from sealwright.training.teachable import check_target

from .test_export import job_of


def made_by(job: Job) -> tuple[Made, list[tuple[str, float]]]:
    told: list[tuple[str, float]] = []
    return train_built_in(job, lambda line, share: told.append((line, share))), told


def test_a_search_is_repeated_exactly_and_never_ends_below_the_defaults() -> None:
    job, _ = job_of("boosting", rows=200)
    job = replace(job, trials=8)
    (first, told), (again, _) = made_by(job), made_by(job)
    assert first.search == again.search
    assert first.model == again.model
    complete = [trial for trial in first.search if trial["state"] == "complete"]
    best = max(complete, key=lambda trial: trial["score"])
    assert dict(first.parameters) == best["parameters"]
    assert best["score"] >= first.search[0]["score"]
    assert first.search[0]["parameters"]["trees"] == 60
    assert [trial["number"] for trial in first.search] == list(range(8))
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert any(line.startswith("search: trial 8 of 8, best roc_auc 0.") for line, _ in told)


def test_a_search_that_runs_out_of_time_says_so() -> None:
    job, _ = job_of("forest")
    made, _ = made_by(replace(job, trials=50, seconds=0.001))
    assert len(made.search) < 50
    assert any("search stopped after 1 of 50 trials" in note for note in made.notes)


def test_fixed_parameters_are_kept_and_the_rest_is_searched() -> None:
    job, _ = job_of("boosting")
    made, _ = made_by(replace(job, trials=3, params={"trees": 7, "max_leaf_nodes": 3}))
    assert {(trial["parameters"]["trees"], trial["parameters"]["max_leaf_nodes"]) for trial in made.search} == {(7, 3)}
    assert len({trial["parameters"]["learning_rate"] for trial in made.search}) == 3
    job, _ = job_of("logistic")
    made, _ = made_by(replace(job, trials=5, params={"c": 0.5}))
    assert made.parameters["c"] == 0.5
    assert "every parameter is fixed, so there was nothing to search" in made.notes


@pytest.mark.parametrize(
    ("task", "metric"), [("binary", "rmse"), ("multiclass", "roc_auc"), ("regression", "accuracy")]
)
def test_a_metric_that_does_not_fit_the_task_is_refused(task: str, metric: str) -> None:
    job, _ = job_of("logistic", task)
    with pytest.raises(InvalidInput, match=f"{metric} does not fit a {task} target"):
        made_by(replace(job, metric=metric))


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_cross_validation_gives_every_figure_with_its_spread(task: str) -> None:
    job, _ = job_of("logistic", task)
    made, _ = made_by(job)
    assert made.cv["folds"] == 3
    for figure in made.cv["scores"].values():
        assert len(figure["per_fold"]) == 3
        assert figure["mean"] == pytest.approx(sum(figure["per_fold"]) / 3)
        assert figure["sd"] == pytest.approx(float(np.std(figure["per_fold"], ddof=1)))
    name, least = {"binary": ("roc_auc", 0.7), "multiclass": ("balanced_accuracy", 0.4), "regression": ("r2", 0.3)}[
        task
    ]
    assert made.cv["scores"][name]["mean"] > least  # the rows do carry a signal


def test_every_recipe_finds_a_signal_that_is_there() -> None:
    for recipe in ("logistic", "forest", "boosting"):
        job, _ = job_of(recipe, rows=500, missing=0.0)
        made, _ = made_by(job)
        assert made.cv["scores"]["roc_auc"]["mean"] > 0.8, recipe


def test_a_rare_class_gets_fewer_folds_and_a_note() -> None:
    job, _ = job_of("logistic", rows=200)
    target = np.zeros(200, dtype=np.int32)
    target[:3] = 1
    made, _ = made_by(replace(job, target=target, folds=5))
    assert made.cv["folds"] == 3
    assert "the smallest class has 3 training rows: 3 folds instead of 5" in made.notes


def test_every_fold_of_an_unbalanced_target_has_both_classes() -> None:
    target = np.array([0] * 95 + [1] * 5, dtype=np.int32)
    folds, notes = folds_of("binary", target, 5, 0)
    assert notes == []
    assert [int(target[check].sum()) for _, check in folds] == [1] * 5
    together = np.sort(np.concatenate([check for _, check in folds]))
    assert together.tolist() == list(range(100))


def test_a_class_with_one_row_among_several_is_noted_and_does_not_stop_the_training() -> None:
    job, _ = job_of("boosting", "multiclass")
    target = (np.arange(300) % 2).astype(np.int32)
    target[17] = 2
    made, _ = made_by(replace(job, target=target))
    assert any("'middle' has one training row" in note for note in made.notes)
    assert np.isfinite(made.cv["scores"]["log_loss"]["mean"])


@pytest.mark.parametrize(
    ("task", "target", "words"),
    [
        ("binary", [1] * 50, "All 50 training rows have the class 'good'"),
        ("binary", [1] * 49 + [0], "Only one training row has the class 'bad'"),
        ("binary", [0, 1] * 9, "There are 18 training rows; at least 20"),
        ("multiclass", [2] * 50, "at least two classes"),
        ("regression", [4.5] * 50, "same value in every training row"),
        ("regression", [], "There are 0 training rows"),
    ],
)
def test_rows_that_teach_nothing_are_refused(task: str, target: list[float], words: str) -> None:
    with pytest.raises(UntrainableData, match=words):
        check_target(task, np.array(target, dtype=float if task == "regression" else int), ["bad", "good", "middle"])


def test_balanced_weights_move_the_probabilities_of_the_rare_class_up() -> None:
    job, _ = job_of("logistic", rows=300)
    target = ((np.arange(300) % 10) == 0).astype(np.int32)
    plain, _ = made_by(replace(job, target=target, params={"balanced": False}))
    weighed, _ = made_by(replace(job, target=target, params={"balanced": True}))
    assert plain.predictions is not None
    assert weighed.predictions is not None
    assert weighed.predictions[:, 1].mean() > 0.4 > 0.2 > plain.predictions[:, 1].mean()


def test_a_sample_keeps_the_shares_of_classes_and_is_repeatable() -> None:
    target = np.array([0] * 9_000 + [1] * 990 + [2] * 10, dtype=np.int32)
    kept = sample_of("multiclass", target, 1_000, 3)
    assert kept.tolist() == sample_of("multiclass", target, 1_000, 3).tolist()
    assert np.bincount(target[kept]).tolist() == [900, 99, 2]
    assert (np.diff(kept) > 0).all()
    assert sample_of("regression", np.arange(5000.0), 100, 0).size == 100


def test_the_figures_agree_with_their_definitions() -> None:
    """By hand: four rows, positive class 1."""
    target = np.array([0, 0, 1, 1])
    found = np.array([[0.9, 0.1], [0.4, 0.6], [0.35, 0.65], [0.8, 0.2]])
    scores: dict[str, Any] = {name: score(target, found) for name, score in metrics_of("binary", 2, 1).items()}
    assert scores["accuracy"] == 0.5
    assert scores["balanced_accuracy"] == 0.5
    assert scores["roc_auc"] == 0.75  # of four pairs, only (0.6, 0.2) stands the wrong way
    assert scores["brier"] == pytest.approx((0.1**2 + 0.6**2 + 0.35**2 + 0.8**2) / 4)
    assert scores["log_loss"] == pytest.approx(-np.log([0.9, 0.4, 0.65, 0.2]).mean())
    other = metrics_of("binary", 2, 0)
    assert other["roc_auc"](target, found) == 0.75
    values = metrics_of("regression", 0, 0)
    truth, guess = np.array([1.0, 2.0, 3.0]), np.array([[1.0], [2.0], [6.0]])
    assert values["rmse"](truth, guess) == pytest.approx(np.sqrt(3.0))
    assert values["mae"](truth, guess) == pytest.approx(1.0)
    assert values["r2"](truth, guess) == pytest.approx(1 - 9 / 2)
