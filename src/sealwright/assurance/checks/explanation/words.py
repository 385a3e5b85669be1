"""Which words the model hangs on: what answers lose when a word is left out of every document it stands in.

Words are told only where at least `assurance.text.smallest_count` documents have them, so that none that one person alone
would use is published; of single documents nothing is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, collected, skipped
from sealwright.assurance.concentration import share_of_one
from sealwright.assurance.deletion import fidelity
from sealwright.assurance.intervals import mean_interval
from sealwright.assurance.media_rows import drawn_rows, followed, followed_texts, followed_words, too_few_rows
from sealwright.assurance.modality import TEXT
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed, Series
from sealwright.assurance.text.attribution import Document, deleted_words, documents_of, leave_one_out

__all__ = ["CHECK"]

_INFLUENCE, _TOP, _FIDELITY = "explanation.word_influence", "explanation.word_top_share", "explanation.word_fidelity"
_MOST_WORDS = 100  # different ones of a document that are left out
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class _Told:
    """One word that enough documents have."""

    word: str
    documents: NDArray[np.intp]
    toward: Floats  # what it adds to the answer in each, signed toward the outcome followed


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    rows = drawn_rows(case, case.spec.text.documents, rng)
    texts = case.test.features.strings[rows, 0]
    chosen = np.zeros(rows.size, dtype=np.int64) if case.task == "regression" else case.decisions[rows]
    documents = documents_of(texts.tolist(), _MOST_WORDS)
    whole = followed(case, case.test.outputs[rows], chosen)
    if why := too_few_rows(case, sum(bool(one.words) for one in documents), "documents with words"):
        return skipped([_INFLUENCE, _TOP, _FIDELITY], why)

    def ask(versions: Sequence[str], owners: NDArray[np.int64]) -> Floats:
        return followed_texts(case, versions, chosen[owners])

    drops = [np.nan_to_num(one) for one in leave_one_out(ask, documents, whole)]
    sign = np.where(chosen == case.positive, 1.0, -1.0) if case.task == "binary" else np.ones(rows.size)
    told = _told(documents, drops, sign, case.spec.text.smallest_count)
    influences, top = _influences(case, told), _top_share(case, told, drops, rng)
    losses = deleted_words(ask, documents, drops, whole, rng)
    return collected(
        [
            *influences,
            top,
            *fidelity(_FIDELITY, *losses, case.spec.confidence, "words", followed_words(case)),
        ]
    )


def _told(documents: list[Document], drops: list[Floats], sign: Floats, fewest: int) -> list[_Told]:
    """Words of enough documents, by the size of their mean effect where they stand times how many they stand in."""
    found: dict[str, list[tuple[int, float]]] = {}
    for place, (document, losses) in enumerate(zip(documents, drops, strict=True)):
        for word, loss in zip(document.words, losses, strict=True):
            found.setdefault(word, []).append((place, float(loss * sign[place])))
    told = [
        _Told(word, np.array([place for place, _ in uses]), np.array([loss for _, loss in uses]))
        for word, uses in found.items()
        if len(uses) >= fewest
    ]
    return sorted(told, key=lambda one: (-abs(float(one.toward.sum())), one.word))


def _influences(case: Case, told: list[_Told]) -> list[Finding | NotPerformed | Figure]:
    if not told:
        why = f"no word stands in {case.spec.text.smallest_count} of the documents judged, so none may be named"
        return [NotPerformed(check=_INFLUENCE, why=why)]
    what = f"probability of {case.interface.positive}" if case.task == "binary" else followed_words(case)
    findings: list[Finding | NotPerformed | Figure] = []
    means, ends = [], []
    for one in told[:_SHOWN]:
        value, (low, high) = mean_interval(one.toward, case.spec.confidence)
        means.append(value)
        ends.append((low, high))
        findings.append(
            Finding(
                check=_INFLUENCE,
                value=value,
                low=low,
                high=high,
                n=one.toward.size,
                unit="probability" if case.task != "regression" else f"units of {case.interface.target}",
                definition=f"Mean of what a word adds to the {what} in the documents that have it, by leaving it out.",
                group=Group(attribute="word", level=one.word),
            )
        )
    bars = Series(
        name="adds",
        x=tuple(one.word for one in told[:_SHOWN]),
        y=tuple(means),
        low=tuple(low for low, _ in ends),
        high=tuple(high for _, high in ends),
        n=tuple(one.toward.size for one in told[:_SHOWN]),
    )
    note = f"words of at least {case.spec.text.smallest_count} documents; the largest effects over all of them"
    figure = Figure(
        name="explanation.words",
        kind="bars",
        title="Words the model hangs on",
        x="word",
        y=f"adds to the {what}",
        series=(bars,),
        note=note,
    )
    return [*findings, figure]


def _top_share(case: Case, told: list[_Told], drops: list[Floats], rng: np.random.Generator) -> Finding | NotPerformed:
    """How much of all effects is one word's."""
    total = np.array([float(np.abs(one).sum()) for one in drops])
    if not told or not total.sum():
        why = "no word that may be named has an effect" if told else "no word stands in enough documents to be named"
        return NotPerformed(check=_TOP, why=why)
    sums = np.zeros((len(told), total.size))
    for at, one in enumerate(told):
        sums[at, one.documents] = np.abs(one.toward)
    top = int(np.argmax(sums.sum(axis=1)))
    return share_of_one(
        case,
        _TOP,
        sums[top],
        total,
        "Share of the effects of all words, in size, that is the one word's with the largest part of them.",
        f"the word is {told[top].word}, in {told[top].documents.size} of {total.size} documents",
        rng,
    )


CHECK = Check(name="explanation.words", files={_INFLUENCE: ALL, _TOP: ALL, _FIDELITY: ALL}, run=_run, modality=TEXT)
