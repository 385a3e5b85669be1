"""How much better the model looks on the rows it learned from."""

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, skipped
from sealwright.assurance.intervals import difference
from sealwright.assurance.model import Finding
from sealwright.assurance.scores import score_words, sentence

__all__ = ["CHECK"]

_TRAIN, _GAP = "performance.train_score", "performance.overfit_gap"


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    seen, unseen = case.train.score, case.test.score
    if seen is None or unseen is None:
        where = "training" if seen is None else "test"
        return skipped([_TRAIN, _GAP], f"the {where} rows hold one single outcome, so there is no score to compare")
    unit, words = score_words(case.task)
    of_seen = seen.interval(case.task, case.spec.confidence)
    of_unseen = unseen.interval(case.task, case.spec.confidence)
    low, high = difference(seen.value, of_seen, unseen.value, of_unseen)
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
        low=low,
        high=high,
        n=len(case.test),
        unit=unit,
        definition=f"{sentence(words)}: on the training rows minus on the test rows.",
    )
    return Outcome(findings=(score, gap))


CHECK = Check(name="performance.overfitting", files={_TRAIN: ALL, _GAP: ALL}, run=_run, needs_training=True)
