"""Whether the answer to a document can be shared out among its words so that the shares add up.

Shapley values over words, checked against the model itself: their sum must be the answer to the document minus the answer
without its words. A model that answers differently for the same text, or in other company, fails this; what does not add up
is not reported further.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.agreement import agreement
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, collected, skipped
from sealwright.assurance.media_rows import drawn_rows, followed, followed_texts
from sealwright.assurance.modality import TEXT
from sealwright.assurance.model import Finding, NotPerformed
from sealwright.assurance.text.attribution import (
    Document,
    Parts,
    documents_of,
    leave_one_out,
    shapley,
    sum_gaps,
    too_far,
)

__all__ = ["CHECK"]

_ADDS_UP, _AGREES = "explanation.word_shapley_additivity", "explanation.word_shapley_agreement"
_DOCUMENTS, _MOST_WORDS, _ROUNDS = 20, 30, 4
_FEWEST = 10  # documents


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    able = np.array([len(text.split()) > 1 for text in case.test.features.strings[:, 0]])
    rows = drawn_rows(case, len(case.test), rng)[able]
    rows = rows if rows.size <= _DOCUMENTS else np.sort(rng.choice(rows, _DOCUMENTS, replace=False))
    if rows.size < _FEWEST:
        return skipped([_ADDS_UP, _AGREES], f"{rows.size} documents have two words or more; needed are {_FEWEST}")
    chosen = np.zeros(rows.size, dtype=np.int64) if case.task == "regression" else case.decisions[rows]
    documents = documents_of(case.test.features.strings[rows, 0].tolist(), _MOST_WORDS)

    def ask(texts: Sequence[str], owners: NDArray[np.int64]) -> Floats:
        return followed_texts(case, texts, chosen[owners])

    parts = shapley(ask, documents, _ROUNDS, rng)
    whole = followed(case, case.test.outputs[rows], chosen)
    gaps = sum_gaps(ask, documents, parts, whole)
    if not np.isfinite(gaps).all():
        return skipped([_ADDS_UP, _AGREES], "the model gives no answer for some documents without some of their words")
    adds_up = Finding(
        check=_ADDS_UP,
        value=float(gaps.max()),
        n=rows.size,
        unit="probability" if case.task != "regression" else f"units of {case.interface.target}",
        definition="Largest distance between the sum of a document's Shapley values and the difference they must add up to.",
        note=f"{2 * _ROUNDS} orders of the words of each document",
    )
    return collected(
        [adds_up, _agreement(case, float(gaps.max()), parts, leave_one_out(ask, documents, whole), documents)]
    )


def _agreement(
    case: Case, gap: float, parts: list[Parts], drops: list[Floats], documents: list[Document]
) -> Finding | NotPerformed:
    """Whether leaving a word out and its Shapley value put the words in one order."""
    if too_far(gap, float(np.abs(case.test.outputs).max())):
        return NotPerformed(check=_AGREES, why=f"the Shapley values do not add up (by {gap:.3g}), so they are refused")
    pairs = (
        (part.values, drop)
        for part, drop, one in zip(parts, drops, documents, strict=True)
        if len(one.words) > 2 and np.isfinite(drop).all()
    )
    words = (
        "Mean rank correlation, document by document, of the words' Shapley values and of what leaving each out does."
    )
    return agreement(_AGREES, case, pairs, _FEWEST, "documents", "words", words)


CHECK = Check(name="explanation.word_shapley", files={_ADDS_UP: ALL, _AGREES: ALL}, run=_run, modality=TEXT)
