"""What each word of a document does to an answer: by leaving it out, and by Shapley values over the words.

A word is left out wherever it stands in its document. Pure functions over a callable that gives one number for each text.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.text.words import Span, kept, spans_of, vocabulary_of

__all__ = ["Ask", "Document", "Parts", "documents_of", "leave_one_out", "shapley", "without"]

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
    sums = [np.zeros(len(document.words)) for document in documents]
    ends = [(0.0, 0.0)] * len(documents)
    at = 0
    for place, way in walks:
        path = answers[at : at + way.size + 1]
        at += way.size + 1
        sums[place][way] += np.diff(path)
        ends[place] = (float(path[0]), float(path[-1]))
    return [Parts(one / (2 * rounds), whole, none) for one, (none, whole) in zip(sums, ends, strict=True)]
