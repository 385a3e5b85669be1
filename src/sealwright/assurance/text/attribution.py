"""What each word of a document does to an answer: by leaving it out, and by Shapley values over the words.

A word is left out wherever it stands in its document. Pure functions over a callable that gives one number for each text.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.deletion import SHARES, Losses, how_many
from sealwright.assurance.text.words import Span, kept, spans_of, vocabulary_of

__all__ = [
    "Ask",
    "Document",
    "Parts",
    "deleted_words",
    "documents_of",
    "leave_one_out",
    "shapley",
    "sum_gaps",
    "too_far",
    "without",
]

_LARGEST_GAP = 1e-4  # 32-bit answers differ in the last digits from batch to batch

Ask = Callable[[Sequence[str], NDArray[np.int64]], Floats]  # texts, and the document each is a version of


@dataclass(frozen=True, slots=True)
class Document:
    """A document and its different words, in the order of their first places."""

    text: str
    spans: list[Span]
    words: tuple[str, ...]
    places: tuple[tuple[int, ...], ...]  # where each of `words` stands


@dataclass(frozen=True, slots=True)
class Parts:
    """Shapley values of one document's words."""

    values: Floats  # shape (words,)
    errors: Floats  # their standard errors over the orders, shape (words,); NaN after a single round
    whole: float  # the answer to the document
    none: float  # the answer to what is left without any of the words


def documents_of(texts: Sequence[str], most: int) -> list[Document]:
    """Documents with their first `most` different words; further ones are never left out."""
    found = []
    for text in texts:
        spans = spans_of(text)
        words = list(vocabulary_of(text, spans).items())[:most]
        found.append(Document(text, spans, tuple(word for word, _ in words), tuple(tuple(at) for _, at in words)))
    return found


def without(document: Document, left_out: Sequence[int] | NDArray[np.intp]) -> str:
    """The document without some of its words, by their position in `words`."""
    keep = np.ones(len(document.spans), dtype=np.bool_)
    for word in left_out:
        keep[list(document.places[word])] = False
    return kept(document.text, document.spans, keep)


def leave_one_out(ask: Ask, documents: Sequence[Document], whole: Floats) -> list[Floats]:
    """What the answer loses without each word: `whole` minus the answer then; one array a document, NaN: no answer."""
    texts = [without(document, [word]) for document in documents for word in range(len(document.words))]
    sizes = [len(document.words) for document in documents]
    owners = np.repeat(np.arange(len(documents)), sizes)
    drops = whole[owners] - ask(texts, owners) if texts else np.empty(0)
    return np.split(drops, np.cumsum(sizes)[:-1]) if sizes else []


def shapley(ask: Ask, documents: Sequence[Document], rounds: int, rng: np.random.Generator) -> list[Parts]:
    """Shapley values of the words, by permutations and their reverses.

    Notes
    -----
    Castro et al. 2009; each permutation with its reverse (Mitchell et al. 2022, arXiv:2104.12199). Every walk goes from
    nothing to the whole document, so the values add up to the difference of the two answers, exactly.
    """
    walks: list[tuple[int, NDArray[np.intp]]] = []
    texts: list[str] = []
    owners: list[int] = []
    for place, document in enumerate(documents):
        n = len(document.words)
        for _ in range(rounds):
            order = rng.permutation(n)
            for way in (order, order[::-1]):
                walks.append((place, way))
                texts += [without(document, way[at:]) for at in range(n + 1)]
                owners += [place] * (n + 1)
    answers = ask(texts, np.array(owners, dtype=np.int64)) if texts else np.empty(0)
    found = [np.zeros((rounds, len(document.words))) for document in documents]
    ends = [(0.0, 0.0)] * len(documents)
    at = 0
    for walk, (place, way) in enumerate(walks):
        path = answers[at : at + way.size + 1]
        at += way.size + 1
        found[place][(walk // 2) % rounds, way] += np.diff(path) / 2
        ends[place] = (float(path[0]), float(path[-1]))
    return [
        Parts(one.mean(axis=0), _standard_errors(one), whole, none)
        for one, (none, whole) in zip(found, ends, strict=True)
    ]


def sum_gaps(ask: Ask, documents: Sequence[Document], parts: Sequence[Parts], whole: Floats) -> Floats:
    """By how much the values of each document miss what they must add up to: `whole` minus the answer without its words."""
    none = ask([without(one, range(len(one.words))) for one in documents], np.arange(len(documents)))
    gaps: Floats = np.abs([part.values.sum() for part in parts] - (whole - none))
    return gaps


def too_far(gap: float, largest: float) -> bool:
    """Whether values miss their sum by more than rounding, so that they are refused; `largest` answer in size."""
    return not gap <= _LARGEST_GAP * max(1.0, largest)


def deleted_words(
    ask: Ask, documents: Sequence[Document], effects: Sequence[Floats], whole: Floats, rng: np.random.Generator
) -> Losses:
    """What answers lose without the words of the largest effects, and without as many by lot; no answer counts as no loss."""
    guided: list[Floats] = []
    by_lot: list[Floats] = []
    for share in SHARES:
        for losses, order in (
            (guided, [np.argsort(-one, kind="stable") for one in effects]),
            (by_lot, [rng.permutation(len(one)) for one in effects]),
        ):
            texts = [
                without(document, places[: how_many(len(places), share)])
                for document, places in zip(documents, order, strict=True)
            ]
            losses.append(np.nan_to_num(whole - ask(texts, np.arange(len(documents)))))
    return guided, by_lot


def _standard_errors(rounds: Floats) -> Floats:
    """Of the mean over rounds, shape (rounds, words)."""
    n = len(rounds)
    return rounds.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.full(rounds.shape[1], np.nan)
