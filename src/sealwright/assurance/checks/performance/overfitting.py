"""How much better the model looks on the rows it learned from, and whether it learned what there is to learn.

Overfitting: much of the skill shown on the training rows is gone on new ones. Underfitting: on the very
rows it learned from, the model does worse than a straight line, or no better than chance.
"""

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, collected, skipped
from sealwright.assurance.intervals import Interval, difference
from sealwright.assurance.model import Finding, NotPerformed
from sealwright.assurance.scores import Score, paired_drop, score_words, sentence

__all__ = ["CHECK"]

_TRAIN, _GAP, _UNDER = "performance.train_score", "performance.overfit_gap", "performance.underfit_gap"
_SMALL = 0.1  # of the skill above chance; less than that is lost by any model that has learned at all


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    seen, unseen = case.train.score, case.test.score
    if seen is None or unseen is None:
        where = "training" if seen is None else "test"
        why = f"the {where} rows hold one single outcome, so there is no score to compare"
        return skipped([_TRAIN, _GAP, _UNDER], why)
    unit, words = score_words(case.task)
    of_seen = seen.interval(case.task, case.spec.confidence)
    of_unseen = unseen.interval(case.task, case.spec.confidence)
    apart = difference(seen.value, of_seen, unseen.value, of_unseen)
    score = Finding(
        check=_TRAIN,
        value=seen.value,
        low=of_seen[0],
        high=of_seen[1],
        n=len(case.train),
        unit=unit,
        definition=f"{sentence(words)}, on the training rows.",
    )
    gap = Finding(
        check=_GAP,
        value=seen.value - unseen.value,
        low=apart[0],
        high=apart[1],
        n=len(case.test),
        unit=unit,
        definition=f"{sentence(words)}: on the training rows minus on the test rows.",
        note=_overfit_words(case.task, seen.value, unseen.value, apart),
    )
    return collected([score, gap, _underfit(case, seen, of_seen)])


def _chance(task: str) -> float:
    """The score of a model without skill."""
    return 0.0 if task == "regression" else 0.5


def _overfit_words(task: str, seen: float, unseen: float, apart: Interval) -> str:
    if apart[0] <= 0:
        return "no sign of overfitting: the difference is within what chance alone would show"
    skill = seen - _chance(task)
    lost = (seen - unseen) / skill if skill > 0 else 1.0
    if lost < _SMALL:
        return f"hardly overfits: new rows take {lost:.0%} of the skill it shows on the rows it learned from"
    if lost >= 1:
        return "overfits: on new rows nothing is left of the skill it shows on the rows it learned from"
    return f"overfits: new rows take {lost:.0%} of the skill it shows on the rows it learned from"


def _underfit(case: Case, seen: Score, of_seen: Interval) -> Finding | NotPerformed:
    simple = case.simple
    if isinstance(simple, str) or simple.train_score is None:
        return NotPerformed(check=_UNDER, why=simple if isinstance(simple, str) else "there is no score to compare")
    gap, (low, high) = paired_drop(simple.train_score, [seen], case.spec.confidence)
    unit, words = score_words(case.task)
    if low > 0:
        said = f"underfits: even on the rows it learned from, a {simple.words} does better"
    elif of_seen[0] <= _chance(case.task):
        said = "underfits: even on the rows it learned from, it does no better than chance"
    else:
        said = f"no sign of underfitting: on the rows it learned from, a {simple.words} does no better"
    return Finding(
        check=_UNDER,
        value=gap,
        low=low,
        high=high,
        n=len(case.train),
        unit=unit,
        definition=f"{sentence(words)}, on the training rows: that of a {simple.words} minus the model's.",
        note=said,
    )


CHECK = Check(
    name="performance.overfitting", files={_TRAIN: ALL, _GAP: ALL, _UNDER: ALL}, run=_run, needs_training=True
)
