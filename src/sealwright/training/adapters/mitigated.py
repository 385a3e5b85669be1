"""A recipe trained with a mitigation: which arithmetic is done before, around or after it.

Answers: what model do these rows and groups give with this method?
Does not answer: whether it is fair enough; assurance measures on rows held out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.training.adapters.estimators import Fitted, Model, build, fit, matrix_of
from sealwright.training.adapters.lines import LinearModel
from sealwright.training.adapters.put_together import ByGroup, Mixture
from sealwright.training.adapters.reductions import gap_of, reduce
from sealwright.training.adapters.scores import folds_of
from sealwright.training.encoding import fit_encoding
from sealwright.training.job import Job
from sealwright.training.mitigation.adversary import Line, learn_against_adversary
from sealwright.training.mitigation.erasure import erasure
from sealwright.training.mitigation.thresholds import choose_thresholds
from sealwright.training.mitigation.weights import bands_of, independent_weights, resampled
from sealwright.training.mitigation_spec import MitigationSpec
from sealwright.training.packed import Packed
from sealwright.training.recipes import Value, style_of

__all__ = ["fit_job"]

_INNER_FOLDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """One training of a job: on these rows, with these parameters."""

    job: Job
    spec: MitigationSpec
    rows: Packed
    target: NDArray[Any]
    groups: NDArray[np.int32]
    parameters: Mapping[str, Value]
    notes: list[str]

    @property
    def positive(self) -> NDArray[np.bool_]:
        return np.asarray(self.target == self.job.positive)

    def plain(self, rows: Packed, target: NDArray[Any], weights: NDArray[np.float64] | None = None) -> Fitted:
        job = self.job
        return fit(
            job.recipe,
            job.task,
            rows,
            target,
            classes=len(job.classes),
            parameters=self.parameters,
            seed=job.seed,
            weights=weights,
        )


def fit_job(
    job: Job, rows: Packed, target: NDArray[Any], parameters: Mapping[str, Value], notes: list[str] | None = None
) -> Model:
    """Train the recipe of a job on rows, with its mitigation where it has one.

    Parameters
    ----------
    rows : Packed
        With groups where the job has a mitigation.
    notes : list of str, optional
        Gets a line for whatever the reader of the evidence must know.
    """
    if job.mitigation is None:
        return fit(job.recipe, job.task, rows, target, classes=len(job.classes), parameters=parameters, seed=job.seed)
    assert rows.groups is not None
    task = _Task(
        job=job,
        spec=job.mitigation,
        rows=rows,
        target=target,
        groups=rows.groups,
        parameters=parameters,
        notes=[] if notes is None else notes,
    )
    return _METHODS[job.mitigation.method](task)


def _reweighed(task: _Task) -> Model:
    weights = independent_weights(task.groups, bands_of(task.job.task, task.target), task.spec.strength)
    task.notes.append(f"reweighing: rows weigh from {weights.min():.3f} to {weights.max():.3f}")
    return task.plain(task.rows, task.target, weights)


def _resampled(task: _Task) -> Model:
    kept = resampled(task.groups, bands_of(task.job.task, task.target), task.spec.strength, task.job.seed)
    task.notes.append(
        f"resampling: {np.unique(kept).size:,} of {task.rows.rows:,} training rows were used, {kept.size:,} with repeats"
    )
    return task.plain(task.rows.take(kept), task.target[kept])


def _decorrelated(task: _Task) -> Model:
    """The projection is folded into the weights of the line, so the model has no step more than before."""
    job = task.job
    encoding = fit_encoding(task.rows, task.target, style_of(job.recipe), ordered=job.task != "multiclass")
    matrix = matrix_of(job.recipe, encoding, task.rows)
    project, shift = erasure(matrix, task.groups, task.spec.strength)
    line = build(job.recipe, job.task, task.parameters, job.seed, task.rows.rows)
    line.fit(matrix @ project + shift, task.target)
    present = () if job.task == "regression" else tuple(int(place) for place in line.classes_)
    folded = LinearModel(
        coef_=line.coef_ @ project.T,
        intercept_=np.asarray(line.intercept_ + line.coef_ @ shift),
        classes_=np.asarray(present, dtype=np.int64),
    )
    task.notes.append(
        f"decorrelate: {np.linalg.matrix_rank(project - np.eye(len(project)))} of {len(project)} directions of the features"
        " were projected out; the group is not asked for when the model answers"
    )
    return Fitted(
        task=job.task,
        recipe=job.recipe,
        classes=len(job.classes),
        encoding=encoding,
        estimator=folded,
        present=present,
    )


def _adversarial(task: _Task) -> Model:
    plain = task.plain(task.rows, task.target)
    sign = 1.0 if task.job.positive == 1 else -1.0  # scikit-learn's score is that of the second class
    matrix = matrix_of(task.job.recipe, plain.encoding, task.rows)
    start = Line(sign * plain.estimator.coef_[0], sign * float(plain.estimator.intercept_[0]))
    found = learn_against_adversary(
        matrix,
        task.positive,
        task.groups,
        start,
        constraint=task.spec.constraint,
        strength=task.spec.strength,
        penalty=1.0 / (float(task.parameters["c"]) * len(matrix)),
    )
    line = LinearModel(
        coef_=sign * found.weights[None],
        intercept_=np.array([sign * found.intercept]),
        classes_=np.asarray(plain.present, dtype=np.int64),
    )
    return replace(plain, estimator=line)


def _reduced(task: _Task) -> Model:
    job = task.job
    encoding = fit_encoding(task.rows, task.target, style_of(job.recipe), ordered=True)
    matrix = matrix_of(job.recipe, encoding, task.rows)
    estimator = build(job.recipe, job.task, {**task.parameters, "balanced": False}, job.seed, task.rows.rows)
    # fairlearn's class 1 is the positive one; the classes of the project may stand the other way round
    found = reduce(estimator, matrix, task.positive, task.groups, task.spec.constraint, task.spec.allowed_gap)
    places = (1 - job.positive, job.positive)
    members = tuple(
        Fitted(task=job.task, recipe=job.recipe, classes=2, encoding=encoding, estimator=one, present=places)
        for one in found.estimators
    )
    constant = (found.constant[places.index(0)], found.constant[places.index(1)])
    mixture = Mixture(members=members, weights=found.weights, constant=constant)
    chosen = (mixture.predict(task.rows)[:, job.positive] >= 0.5).astype(np.float64)
    left = gap_of(chosen, task.positive, task.groups, task.spec.constraint)
    task.notes.append(
        f"exponentiated gradient: the mean of {len(members)} classifiers takes the place of drawing one of them by lot;"
        f" on the training rows the lottery leaves a gap of {found.lottery_gap:.4f}, the mean one of {left:.4f}"
        f" ({task.spec.constraint}, allowed {task.spec.allowed_gap:g})"
    )
    return mixture


def _by_group(task: _Task) -> Model:
    """Thresholds are chosen on answers for rows that the answering model has not learned from."""
    job, key = task.job, task.job.groups
    assert key is not None
    folds, _ = folds_of(job.task, task.target, _INNER_FOLDS, job.seed + 2)
    scores = np.empty(task.rows.rows)
    for learn, check in folds:
        inner = task.plain(task.rows.take(learn), task.target[learn])
        scores[check] = inner.predict(task.rows.take(check))[:, job.positive]
    chosen = choose_thresholds(scores, task.positive, task.groups, task.spec.constraint, task.spec.allowed_gap)
    factors = np.ones((len(key.members), 2), dtype=np.float32)
    for group, threshold in enumerate(chosen.thresholds):
        if np.isfinite(threshold) and key.members[group]:
            factors[group, job.positive], factors[group, 1 - job.positive] = 1.0 - threshold, threshold
    words = ", ".join(
        f"{name} {threshold:.3f}" if np.isfinite(threshold) else f"{name} as all (too few rows)"
        for name, threshold in zip(key.names, chosen.thresholds, strict=False)
    )
    task.notes.append(
        f"thresholds by group: {words}; on training rows, each answered by a model that had not seen it, they leave a gap"
        f" of {chosen.gap:.4f} ({task.spec.constraint})"
    )
    return ByGroup(
        inner=task.plain(task.rows, task.target),
        key=key,
        factors=factors,
        numbers=job.number_names,
        strings=job.string_names,
    )


_METHODS = {
    "reweighing": _reweighed,
    "resampling": _resampled,
    "decorrelate": _decorrelated,
    "exponentiated_gradient": _reduced,
    "adversarial": _adversarial,
    "thresholds": _by_group,
}
