"""Cross-validation of one setting, with every figure of the task."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.kernel import InvalidInput
from sealwright.training.adapters.scores import folds_of, metrics_of, sample_of
from sealwright.training.job import Job
from sealwright.training.packed import Packed
from sealwright.training.recipes import default_metric

__all__ = ["cross_validated", "metric_of"]

_CHECK_ROWS = 20_000


def cross_validated(
    job: Job,
    fit_rows: Callable[[Packed, NDArray[Any]], Callable[[Packed], NDArray[np.float64]]],
    notes: list[str],
    progress: Callable[[str, float], None],
) -> dict[str, Any]:
    """Scores on folds the search did not use, each figure with its mean and standard deviation over folds."""
    kept = sample_of(job.task, job.target, _CHECK_ROWS, job.seed + 1)
    if kept.size < job.rows.rows:
        notes.append(f"cross-validation used {kept.size:,} of {job.rows.rows:,} training rows")
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
