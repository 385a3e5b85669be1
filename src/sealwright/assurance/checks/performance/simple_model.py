"""Whether the model beats a straight line: a ridge or logistic regression of the same columns, trained here.

A model that cannot is hard to justify: the simple one is easier to explain, to check and to run. Both
answer the same test rows, so the comparison is paired.
"""

import numpy as np

from sealwright.assurance.case import Case, Simple
from sealwright.assurance.check import ALL, CLASSES, Check, Outcome, collected, skipped
from sealwright.assurance.model import Finding, NotPerformed
from sealwright.assurance.rival import against
from sealwright.assurance.scores import score_words, sentence

__all__ = ["CHECK"]

_SCORE, _GAIN, _DECISIONS = (
    "performance.simple_model_score",
    "performance.gain_over_simple_model",
    "performance.decisions_over_simple_model",
)


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    simple = case.simple
    files = [_SCORE, _GAIN, *([] if case.task == "regression" else [_DECISIONS])]
    if isinstance(simple, str):
        return skipped(files, simple)
    words = f"a {simple.words} of the same columns"
    return collected([_score(case, simple), *against(case, simple.test, "simple_model", words, rng)])


def _score(case: Case, simple: Simple) -> Finding | NotPerformed:
    unit, words = score_words(case.task)
    if simple.test_score is None:
        return NotPerformed(check=_SCORE, why="the test rows hold one single outcome, so there is no score to compare")
    low, high = simple.test_score.interval(case.task, case.spec.confidence)
    return Finding(
        check=_SCORE,
        value=simple.test_score.value,
        low=low,
        high=high,
        n=len(case.test),
        unit=unit,
        definition=f"{sentence(words)}, of a {simple.words} of the same columns.",
        note=f"learned from {simple.rows:,} of {case.train_table.num_rows:,} training rows",
    )


CHECK = Check(
    name="performance.simple_model", files={_SCORE: ALL, _GAIN: ALL, _DECISIONS: CLASSES}, run=_run, needs_training=True
)
