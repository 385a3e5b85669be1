"""Which words of one document speak for an answer and which against it, and how far that can be trusted.

Row-level: for who holds the documents, on their own machine. None of it is ever filed, signed or drawn in a report.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.case_making import generator_for
from sealwright.assurance.deletion import Deletion, Losses, deletion_of
from sealwright.assurance.features import Features
from sealwright.assurance.media_rows import followed, followed_texts
from sealwright.assurance.predictor import answers
from sealwright.assurance.text.attribution import (
    Ask,
    Document,
    deleted_words,
    documents_of,
    leave_one_out,
    shapley,
    sum_gaps,
    too_far,
)
from sealwright.assurance.text.words import vocabulary_of
from sealwright.assurance.unexplained import CannotExplain

__all__ = ["DocumentExplanation", "WordEffect", "explain_documents"]

_FEWEST_ROUNDS, _MOST_ROUNDS = 4, 50  # of an order of the words and its reverse
_FEWEST_WORDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class WordEffect:
    """What one word adds to the answer, wherever it stands in the document."""

    word: str  # in small letters
    effect: float | None  # in the unit of the explanation; None: no answer without it
    error: float | None  # standard error of `effect` over the orders of the words; None where it was not drawn
    alone: float | None  # what the answer loses without this word only; None: no answer then
    places: tuple[tuple[int, int], ...]  # begin and end in the text, in characters


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentExplanation:
    """One document explained. A text in place of a number says why there is none."""

    text: str
    decided: str | None  # None for numbers
    answer: float  # probability of `outcome`, or the value
    outcome: str | None  # what the words speak for or against
    unit: str  # "probability" or "target units"
    method: str
    words: tuple[WordEffect, ...]  # those without which there is no answer, then the largest effect first
    unseen: int  # different words beyond those looked at, which were never left out
    base: float | None  # the answer to the document without the words looked at
    additivity: float | str  # by how much `base` and the effects miss `answer`
    deletion: Deletion | str

    def to_json(self) -> dict[str, Any]:
        """Everything, with the fidelity of the deletion."""
        fidelity = {} if isinstance(self.deletion, str) else {"fidelity": self.deletion.fidelity}
        return {**asdict(self), **fidelity}


def explain_documents(case: Case, texts: Sequence[str], wanted: int | None = None) -> tuple[DocumentExplanation, ...]:
    """Explain documents, each by itself; the same document, model and seed give the same explanation.

    Parameters
    ----------
    wanted : int, optional
        Position of the class the words speak for or against; left out: the one decided.

    Raises
    ------
    CannotExplain
        The budget of queries does not reach.
    UnusablePredictions
        The model has no answer to a document.
    """
    each = case.spec.text.explained
    affordable = case.spec.explanation.queries // each
    if len(texts) > affordable:
        raise CannotExplain(
            f"at {each:,} versions of each, the budget of queries (assurance.explanation.queries) explains {affordable:,} of"
            f" {len(texts):,} documents; raise it, lower assurance.text.explained, or ask for fewer"
        )
    strings = np.array(texts, dtype=object).reshape(-1, 1)
    outputs = answers(case.predictor, Features(numbers=np.empty((len(texts), 0)), strings=strings), case.interface)
    return tuple(_one(case, text, outputs[[row]], wanted) for row, text in enumerate(texts))


def _one(case: Case, text: str, outputs: Floats, wanted: int | None) -> DocumentExplanation:
    numeric = case.task == "regression"
    decided = None if numeric else int(case.decide(outputs)[0])
    chosen = np.array([decided if wanted is None else wanted], dtype=np.int64) if not numeric else np.zeros(1, np.int64)
    rng = generator_for(case.seed, f"explaining/words/{text}")
    (document,) = documents_of([text], case.spec.text.explained // (2 * _FEWEST_ROUNDS) - 1)
    whole = followed(case, outputs, chosen)

    def ask(versions: Sequence[str], _owners: NDArray[np.int64]) -> Floats:
        return followed_texts(case, versions, np.repeat(chosen, len(versions)))

    found = _found(case, ask, document, whole, rng)
    classes = case.interface.classes
    return DocumentExplanation(
        text=text,
        decided=None if decided is None else classes[decided],
        answer=float(whole[0]),
        outcome=None if numeric else classes[int(chosen[0])],
        unit="target units" if numeric else "probability",
        method=found.method,
        words=_words(document, found),
        unseen=len(vocabulary_of(text, document.spans)) - len(document.words),
        base=found.base,
        additivity=found.additivity,
        deletion=_deletion(ask, document, np.nan_to_num(found.effects), whole, rng),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """An answer shared out among the words of its document."""

    effects: Floats  # NaN: no answer without the word
    errors: Floats
    alone: Floats
    base: float | None
    additivity: float | str
    method: str


def _found(case: Case, ask: Ask, document: Document, whole: Floats, rng: np.random.Generator) -> _Found:
    """Shapley values; where they do not add up, what leaving out each word does."""
    n, each = len(document.words), case.spec.text.explained
    (alone,) = leave_one_out(ask, [document], whole)
    none = np.full(n, np.nan)
    if not n:
        return _Found(alone, none, alone, None, "the document has no words", "none")
    rounds = min(max(each // (2 * (n + 1)), _FEWEST_ROUNDS), _MOST_ROUNDS)
    parts = shapley(ask, [document], rounds, rng)
    gap = float(sum_gaps(ask, [document], parts, whole)[0])
    if too_far(gap, abs(float(whole[0]))):
        answered = f"miss the answer by {gap:.3g}" if np.isfinite(gap) else "meet versions without an answer"
        why = f"Shapley values of the words {answered}, so they are refused"
        return _Found(alone, none, alone, None, why, "one word left out at a time")
    method = f"Shapley values of the words, over {2 * rounds} orders of leaving them out"
    return _Found(parts[0].values, parts[0].errors, alone, parts[0].none, gap, method)


def _words(document: Document, found: _Found) -> tuple[WordEffect, ...]:
    order = np.argsort(-np.nan_to_num(np.abs(found.effects), nan=np.inf), kind="stable")
    return tuple(
        WordEffect(
            word=document.words[at],
            effect=_number(found.effects[at]),
            error=_number(found.errors[at]),
            alone=_number(found.alone[at]),
            places=tuple(document.spans[place] for place in document.places[at]),
        )
        for at in order
    )


def _deletion(ask: Ask, document: Document, effects: Floats, whole: Floats, rng: np.random.Generator) -> Deletion | str:
    if len(document.words) < _FEWEST_WORDS:
        return "with fewer than two different words, all deletions are the same"

    def losses(n: int) -> Losses:
        return deleted_words(ask, [document] * n, [effects] * n, np.repeat(whole, n), rng)

    return deletion_of(losses)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
