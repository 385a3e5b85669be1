"""Documents somebody rewrites on purpose: how many decisions hold against so many questions to the model?

An upper bound of what holds: another attacker may find more. Documents decided wrongly count as lost from the start,
so robust accuracy is never above accuracy, and never rises with the questions.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Check, Outcome, collected, skipped
from sealwright.assurance.features import Features
from sealwright.assurance.intervals import mean_interval, wilson
from sealwright.assurance.media_rows import drawn_rows, followed, too_few_rows
from sealwright.assurance.modality import TEXT
from sealwright.assurance.model import Figure, Finding, NotPerformed, Series
from sealwright.assurance.predictor import no_answer
from sealwright.assurance.text.attack import attacked
from sealwright.assurance.text.lexicon import synonyms

__all__ = ["CHECK"]

_ACCURACY, _CHANGED = "robustness.text_attack_accuracy", "robustness.text_attack_changed_share"
_FEWEST = 10  # successes from which their mean is told
_POINTS = 50


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
    return collected(
        [
            *_findings(case, rows.size, right.size, found.fooled_at, found.changed),
            _curve(case, rows.size, right.size, found.fooled_at),
        ]
    )


def _findings(
    case: Case, n: int, right: int, fooled_at: NDArray[np.int64], changed: Floats
) -> list[Finding | NotPerformed]:
    fooled = fooled_at > 0
    held, queries = right - int(fooled.sum()), case.spec.text.queries
    low, high = wilson(held, n, case.spec.confidence)
    accuracy = Finding(
        check=_ACCURACY,
        value=held / n,
        low=low,
        high=high,
        n=n,
        unit="share",
        definition=f"Share of documents still decided rightly when an attacker replaces words by ones that may stand for them,"
        f" or mistypes them, with at most {queries} questions to the model about each.",
        note=f"{right / n:.1%} are decided rightly as they are; {int(fooled.sum())} of {right} attacks succeed",
    )
    if fooled.sum() < _FEWEST:
        why = f"{int(fooled.sum())} attacks succeeded; their mean is told from {_FEWEST} on"
        return [accuracy, NotPerformed(check=_CHANGED, why=why)]
    value, (low, high) = mean_interval(changed[fooled], case.spec.confidence)
    share = Finding(
        check=_CHANGED,
        value=value,
        low=max(0.0, low),
        high=min(1.0, high),
        n=int(fooled.sum()),
        unit="share",
        definition="Mean share of a document's words that a successful attack changes.",
    )
    return [accuracy, share]


def _curve(case: Case, n: int, right: int, fooled_at: NDArray[np.int64]) -> Figure:
    asked = np.unique(np.linspace(0, case.spec.text.queries, _POINTS).astype(int))
    held = [(right - int(((fooled_at > 0) & (fooled_at <= q)).sum())) / n for q in asked]
    line = Series(name="decided rightly", x=tuple(float(q) for q in asked), y=tuple(held))
    return Figure(
        name="robustness.text_attack",
        kind="lines",
        title="Attack on documents",
        x="questions about each document",
        y="share decided rightly",
        series=(line,),
    )


CHECK = Check(name="robustness.text_attack", files={_ACCURACY: CLASSES, _CHANGED: CLASSES}, run=_run, modality=TEXT)
