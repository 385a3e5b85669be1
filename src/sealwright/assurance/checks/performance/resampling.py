"""The way of training judged, not the finished model: what does it yield on new rows, and would more rows help?

The training rows are parted in five; each part is answered by a model like the judged one that learned from the other
four, and from a half and a quarter of them. A score of one hold-out may be luck; this one shows how much it varies.
"""

from collections.abc import Iterator

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, collected, skipped
from sealwright.assurance.model import Figure, Finding
from sealwright.assurance.predictor import UnusablePredictions
from sealwright.assurance.resampling.cross_validation import CrossValidation
from sealwright.assurance.resampling.folds import k_folds, stratified_folds
from sealwright.assurance.resampling.learning_curve import LearningCurve, learning_curve
from sealwright.assurance.resampling.teaching import headline_measure, taught, training_data
from sealwright.assurance.scores import score_words, sentence
from sealwright.kernel import InvalidInput

__all__ = ["CHECK"]

_SCORE, _CURVE = "performance.resampled_score", "performance.learning_curve"
_FOLDS = 5
_SHARES = (0.25, 0.5, 1.0)
_SMALL = 0.1  # of the skill above chance: less is lost by any model that has learned at all


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    data = training_data(case, case.spec.budget.baseline_rows)
    try:
        splits = k_folds(len(data), _FOLDS, rng) if case.task == "regression" else stratified_folds(data.y, _FOLDS, rng)
        curve = learning_curve(
            taught(case, case.seed), data, splits, headline_measure(case), rng, _SHARES, case.spec.confidence
        )
    except (InvalidInput, UnusablePredictions) as error:
        return skipped([_SCORE, _CURVE], f"models like it could not be trained on parts of its rows: {error}")
    return collected(_told(case, curve, len(data)))


def _told(case: Case, curve: LearningCurve, rows: int) -> Iterator[Finding | Figure]:
    whole, (unit, words) = curve.points[-1], score_words(case.task)
    assert whole.interval is not None
    assert case.teach is not None
    yield Finding(
        check=_SCORE,
        value=whole.mean,
        low=whole.interval[0],
        high=whole.interval[1],
        n=rows,
        unit=unit,
        definition=f"{sentence(words)} on training rows left out, mean of {_FOLDS} folds ({case.teach.words});"
        " the corrected resampled t interval counts that folds share rows.",
        note=_fit_words(case, whole),
    )
    low, high = curve.last_step_interval
    yield Finding(
        check=_CURVE,
        value=curve.last_step,
        low=low,
        high=high,
        n=rows,
        unit=unit,
        definition=f"{sentence(words)} on rows left out: learned from all others minus learned from half of them.",
        note=curve.words,
    )
    yield curve.figure(words)


def _fit_words(case: Case, whole: CrossValidation) -> str:
    """Over- and underfitting in words, from the scores on rows learned from and on rows left out."""
    chance = 0.0 if case.task == "regression" else 0.5
    seen, new = float(np.mean(whole.train_scores)), whole.mean
    both = f"{seen:.3g} on rows learned from, {new:.3g} on rows left out"
    assert whole.interval is not None
    if whole.interval[0] <= chance:
        return f"no skill that the folds agree on: {both}"
    lost = (seen - new) / (seen - chance)
    if seen <= whole.interval[1] or lost < _SMALL:
        return f"hardly overfits: {both}"
    return f"overfits: left-out rows take {lost:.0%} of the skill: {both}"


CHECK = Check(
    name="performance.resampling", files={_SCORE: ALL, _CURVE: ALL}, run=_run, needs_teaching=True, thorough=True
)
