"""Documents somebody rewrites on purpose: how many decisions hold against so many questions to the model?

An upper bound of what holds: another attacker may find more. Documents decided wrongly count as lost from the start,
so robust accuracy is never above accuracy, and never rises with the questions.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.asking_attack import standing, standing_curve
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Check, Outcome, collected, skipped
from sealwright.assurance.features import Features
from sealwright.assurance.intervals import mean_interval
from sealwright.assurance.media_rows import drawn_rows, followed, too_few_rows
from sealwright.assurance.modality import TEXT
from sealwright.assurance.model import Finding, NotPerformed
from sealwright.assurance.predictor import no_answer
from sealwright.assurance.text.attack import attacked
from sealwright.assurance.text.lexicon import synonyms

__all__ = ["CHECK"]

_ACCURACY, _CHANGED = "robustness.text_attack_accuracy", "robustness.text_attack_changed_share"
_FEWEST = 10  # successes from which their mean is told


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    text = case.spec.text
    rows = drawn_rows(case, text.attacked, rng)
    if why := too_few_rows(case, rows.size, "documents"):
        return skipped([_ACCURACY, _CHANGED], why)
    truth, outputs = case.test.truth[rows], case.test.outputs[rows]
    right = np.flatnonzero(case.decisions[rows] == truth)
    known = synonyms(text.synonyms, english=text.english)

    def judge(texts: Sequence[str], wanted: NDArray[np.int64]) -> tuple[Floats, NDArray[np.bool_]]:
        strings = np.array(texts, dtype=object).reshape(-1, 1)
        answers = case.predict(Features(numbers=np.empty((len(texts), 0)), strings=strings))
        return followed(case, answers, wanted), (case.decide(answers) != wanted) & ~no_answer(answers)

    documents = case.test.features.strings[rows[right], 0].tolist()
    chances = followed(case, outputs[right], truth[right])
    found = attacked(judge, documents, truth[right], chances, known, text.queries, rng)
    words = (
        "Share of documents still decided rightly when an attacker replaces words by ones that may stand for them,"
        f" or mistypes them, with at most {text.queries} questions to the model about each."
    )
    held = standing(_ACCURACY, case, right.size, found.fooled_at, rows.size, words)
    curve = standing_curve(
        "robustness.text_attack",
        "Attack on documents",
        "questions about each document",
        text.queries,
        right.size,
        found.fooled_at,
        rows.size,
    )
    return collected([held, _changed(case, found.changed[found.fooled_at > 0]), curve])


def _changed(case: Case, changed: Floats) -> Finding | NotPerformed:
    """How much of a document attacks that succeed rewrite."""
    if changed.size < _FEWEST:
        why = f"{changed.size} attacks succeeded; their mean is told from {_FEWEST} on"
        return NotPerformed(check=_CHANGED, why=why)
    value, (low, high) = mean_interval(changed, case.spec.confidence)
    return Finding(
        check=_CHANGED,
        value=value,
        low=max(0.0, low),
        high=min(1.0, high),
        n=changed.size,
        unit="share",
        definition="Mean share of a document's words that a successful attack changes.",
    )


CHECK = Check(name="robustness.text_attack", files={_ACCURACY: CLASSES, _CHANGED: CLASSES}, run=_run, modality=TEXT)
