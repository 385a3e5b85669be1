"""A training with one of our recipes, from rows to ONNX bytes: search, cross-validation, final fit, export."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.kernel import InvalidInput
from sealwright.training.adapters.estimators import fit
from sealwright.training.adapters.onnx_export import export
from sealwright.training.adapters.scores import check_target, folds_of, metrics_of, sample_of
from sealwright.training.adapters.search import search
from sealwright.training.packed import Packed
from sealwright.training.recipes import Value, default_metric, fixed_parameters, parameters_of

__all__ = ["Job", "Made", "cross_validated", "metric_of", "train_built_in"]

_SEARCH_ROWS, _CHECK_ROWS = 10_000, 50_000
_SEARCH_TREES = 40  # enough to rank the settings of a forest; the final one grows all of its trees


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to train, as it came down the pipe."""

    recipe: str
    task: str
    classes: tuple[str, ...]
    positive: int
    rows: Packed
    target: NDArray[Any]
    holdout: Packed
    seed: int
    folds: int
    trials: int
    seconds: float
    metric: str | None
    params: Mapping[str, Value]
    number_names: tuple[str, ...]
    string_names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What came of it. `predictions` is None when the recipe made ONNX itself and there is nothing to compare with."""

    model: bytes
    predictions: NDArray[np.float64] | None
    parameters: Mapping[str, Value]
    cv: Mapping[str, Any]
    search: list[dict[str, Any]]
    notes: list[str]


def metric_of(job: Job) -> str:
    """What is searched for.

    Raises
    ------
    InvalidInput
        The chosen metric does not fit the task.
    """
    metric = job.metric or default_metric(job.task)
    known = metrics_of(job.task, len(job.classes), job.positive)
    if metric not in known:
        raise InvalidInput(f"search.metric {metric} does not fit a {job.task} target; use one of {', '.join(known)}.")
    return metric


def train_built_in(job: Job, progress: Callable[[str, float], None]) -> Made:
    """Train one of our recipes.

    Raises
    ------
    UntrainableData, InvalidInput
        The rows or the settings do not allow it.
    """
    metric = metric_of(job)
    fixed = fixed_parameters(job.recipe, job.task, job.params)
    notes = check_target(job.task, job.target, job.classes)
    parameters, trials = _searched(job, fixed, metric, notes, progress)

    def fit_rows(rows: Packed, target: NDArray[Any]) -> Any:
        return fit(
            job.recipe, job.task, rows, target, classes=len(job.classes), parameters=parameters, seed=job.seed
        ).predict

    cv = cross_validated(job, fit_rows, notes, progress)
    progress("training on every row", 0.9)
    fitted = fit(
        job.recipe, job.task, job.rows, job.target, classes=len(job.classes), parameters=parameters, seed=job.seed
    )
    predictions = fitted.predict(job.holdout)
    progress("writing the model as ONNX", 0.96)
    model = export(fitted, len(job.number_names), len(job.string_names))
    return Made(model=model, predictions=predictions, parameters=parameters, cv=cv, search=trials, notes=notes)


def _searched(
    job: Job, fixed: dict[str, Value], metric: str, notes: list[str], progress: Callable[[str, float], None]
) -> tuple[dict[str, Value], list[dict[str, Any]]]:
    known = parameters_of(job.recipe, job.task, job.rows.rows)
    if job.trials == 0:
        return {parameter.name: parameter.default for parameter in known} | fixed, []
    kept = sample_of(job.task, job.target, _SEARCH_ROWS, job.seed)
    if kept.size < job.rows.rows:
        notes.append(f"parameters were searched on {kept.size:,} of {job.rows.rows:,} training rows")
    rows, target = job.rows.take(kept), job.target[kept]
    folds, thin = folds_of(job.task, target, job.folds, job.seed)
    notes += thin
    score = metrics_of(job.task, len(job.classes), job.positive)[metric]
    few = {"trees": min(_SEARCH_TREES, int(fixed.get("trees", _SEARCH_TREES)))} if job.recipe == "forest" else {}

    def judge(setting: dict[str, Value], fold: int) -> float:
        learn, check = folds[fold]
        fitted = fit(
            job.recipe,
            job.task,
            rows.take(learn),
            target[learn],
            classes=len(job.classes),
            parameters=setting | few,
            seed=job.seed,
        )
        return score(target[check], fitted.predict(rows.take(check)))

    best, trials, said = search(
        known,
        fixed,
        judge,
        folds=len(folds),
        metric=metric,
        trials=job.trials,
        seconds=job.seconds,
        seed=job.seed,
        progress=lambda line, share: progress(line, 0.05 + 0.75 * share),
    )
    notes += said
    return best, trials


def cross_validated(
    job: Job,
    fit_rows: Callable[[Packed, NDArray[Any]], Callable[[Packed], NDArray[np.float64]]],
    notes: list[str],
    progress: Callable[[str, float], None],
) -> dict[str, Any]:
    """Scores on folds the search did not use, each figure with its mean and standard deviation over folds."""
    kept = sample_of(job.task, job.target, _CHECK_ROWS, job.seed + 1)
    rows, target = job.rows.take(kept), job.target[kept]
    folds, thin = folds_of(job.task, target, job.folds, job.seed + 1)
    notes += [note for note in thin if note not in notes]
    known = metrics_of(job.task, len(job.classes), job.positive)
    found: dict[str, list[float]] = {name: [] for name in known}
    for number, (learn, check) in enumerate(folds):
        progress(f"cross-validation: fold {number + 1} of {len(folds)}", 0.8 + 0.1 * number / len(folds))
        predictions = fit_rows(rows.take(learn), target[learn])(rows.take(check))
        for name, score in known.items():
            found[name].append(score(target[check], predictions))
    return {
        "metric": metric_of(job),
        "folds": len(folds),
        "rows": int(kept.size),
        "scores": {
            name: {"per_fold": values, "mean": float(np.mean(values)), "sd": float(np.std(values, ddof=1))}
            for name, values in found.items()
        },
    }
