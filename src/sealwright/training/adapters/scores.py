"""Cross-validation: how rows are parted, and how predictions on unseen parts are scored.

Answers: which folds, and which figures per fold?
Does not answer: how good the model is for its purpose; `assurance` judges it on rows training never saw.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics
from sklearn.model_selection import KFold, StratifiedKFold

__all__ = ["Fold", "Score", "folds_of", "higher_is_better", "metrics_of", "sample_of"]

Fold = tuple[NDArray[np.intp], NDArray[np.intp]]
Score = Callable[[NDArray[Any], NDArray[np.float64]], float]

_LOWER = frozenset({"log_loss", "rmse", "mae", "brier"})


def higher_is_better(metric: str) -> bool:
    return metric not in _LOWER


def metrics_of(task: str, classes: int, positive: int) -> dict[str, Score]:
    """The figures of a task: name to a function of (target, predictions)."""
    if task == "regression":
        return {
            "rmse": lambda y, p: float(np.sqrt(metrics.mean_squared_error(y, p[:, 0]))),
            "mae": lambda y, p: float(metrics.mean_absolute_error(y, p[:, 0])),
            "r2": lambda y, p: float(metrics.r2_score(y, p[:, 0])),
        }
    found: dict[str, Score] = {
        "log_loss": lambda y, p: float(metrics.log_loss(y, _proper(p), labels=list(range(classes)))),
        "accuracy": lambda y, p: float(np.mean(p.argmax(axis=1) == y)),
        "balanced_accuracy": lambda y, p: _mean_recall(y, p.argmax(axis=1)),
    }
    if task == "binary":
        found["roc_auc"] = lambda y, p: float(metrics.roc_auc_score(y == positive, p[:, positive]))
        found["average_precision"] = lambda y, p: float(metrics.average_precision_score(y == positive, p[:, positive]))
        found["brier"] = lambda y, p: float(np.mean((p[:, positive] - (y == positive)) ** 2))
    return found


def _proper(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Away from 0 and 1, rows summing to one: a class missing from a fold must not cost infinity."""
    clipped = np.clip(probabilities, 1e-15, 1.0)
    return np.asarray(clipped / clipped.sum(axis=1, keepdims=True))


def _mean_recall(target: NDArray[Any], chosen: NDArray[Any]) -> float:
    return float(np.mean([np.mean(chosen[target == place] == place) for place in np.unique(target)]))


def folds_of(task: str, target: NDArray[Any], folds: int, seed: int) -> tuple[list[Fold], list[str]]:
    """Folds for cross-validation, stratified for classes; fewer when a class has few rows, which a note says."""
    notes: list[str] = []
    if task == "regression":
        parts = KFold(folds, shuffle=True, random_state=seed)
    else:
        counts = np.bincount(target)
        smallest = int(counts[counts > 0].min())
        if smallest < folds:
            notes.append(
                f"the smallest class has {smallest} training rows: {max(2, smallest)} folds instead of {folds}"
            )
            folds = max(2, smallest)
        parts = StratifiedKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # said by the note
        return list(parts.split(np.zeros(target.size), target)), notes


def sample_of(task: str, target: NDArray[Any], most: int, seed: int) -> NDArray[np.intp]:
    """At most about `most` row numbers, ascending, the same share of every class and at least two rows of each."""
    if target.size <= most:
        return np.arange(target.size)
    random = np.random.default_rng(seed)
    if task == "regression":
        return np.sort(random.permutation(target.size)[:most])
    kept = []
    for place in np.unique(target):
        rows = np.flatnonzero(target == place)
        kept.append(random.permutation(rows)[: max(2, round(most * rows.size / target.size))])
    return np.sort(np.concatenate(kept))
