"""A greedy attack on documents: the words that matter most are replaced, one after the other, until the decision turns.

Words are ranked by what leaving them out does; each is then replaced by the candidate (a word that may stand for it, or a slip of
the finger) that lowers the probability of the true class most, if any does (the idea of Jin et al. 2020, arXiv:1907.11932,
with other words). Every question to the model is counted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.text.edits import slips
from sealwright.assurance.text.words import Span, kept, like_written, replaced, spans_of

__all__ = ["Attacked", "Judge", "attacked"]

Judge = Callable[[Sequence[str], NDArray[np.int64]], tuple[Floats, NDArray[np.bool_]]]

_CANDIDATES = 6  # for one word: half of them synonyms where there are so many


@dataclass(frozen=True, slots=True)
class Attacked:
    """What came of the attack on each document."""

    fooled_at: NDArray[np.int64]  # shape (n,): questions asked when the decision turned; 0 where it did not
    changed: Floats  # shape (n,): share of words changed when it turned


@dataclass(slots=True)
class _Under:
    """One document under attack."""

    place: int
    text: str
    spans: list[Span]
    order: list[int]  # word positions, the most important first
    chance: float  # of the true class, as the text now is
    asked: int
    new: dict[int, str] = field(default_factory=dict)


def attacked(
    judge: Judge,
    texts: Sequence[str],
    truth: NDArray[np.int64],
    chances: Floats,
    known: Mapping[str, Sequence[str]],
    queries: int,
    rng: np.random.Generator,
) -> Attacked:
    """Attack documents that are decided rightly.

    Parameters
    ----------
    judge : callable
        From texts and the class wanted of each to the probability of that class (NaN: no answer) and whether another
        one is decided.
    chances : float array, shape (n,)
        Probability of the true class of each document as it is.
    known : mapping
        For a word in small letters the words that may stand for it.
    queries : int
        Most questions about one document.
    """
    fooled_at, changed = np.zeros(len(texts), dtype=np.int64), np.zeros(len(texts))
    active = _ranked(judge, texts, truth, chances, queries)
    while active:
        tries = [_candidates(one, known, queries, rng) for one in active]
        asked = [text for _, ways in tries for text in ways.values()]
        owners = np.repeat([one.place for one in active], [len(ways) for _, ways in tries]).astype(np.int64)
        found, turned = judge(asked, truth[owners]) if asked else (np.empty(0), np.empty(0, dtype=np.bool_))
        at, still = 0, []
        for one, (word, ways) in zip(active, tries, strict=True):
            mine, won = found[at : at + len(ways)], turned[at : at + len(ways)]
            at += len(ways)
            one.asked += len(ways)
            _take_best(one, word, list(ways), mine)
            if won.any():
                fooled_at[one.place] = one.asked
                changed[one.place] = max(1, len(one.new)) / max(1, len(one.spans))
            elif one.order and one.asked < queries:
                still.append(one)
        active = still
    return Attacked(fooled_at, changed)


def _ranked(
    judge: Judge, texts: Sequence[str], truth: NDArray[np.int64], chances: Floats, queries: int
) -> list[_Under]:
    """Every document with its words in order of what leaving them out does; half of the questions go into that."""
    under, asked, owners = [], [], []
    for place, text in enumerate(texts):
        spans = spans_of(text)
        some = min(len(spans), queries // 2)
        for at in range(some):
            keep = np.ones(len(spans), dtype=np.bool_)
            keep[at] = False
            asked.append(kept(text, spans, keep))
            owners.append(place)
        under.append(_Under(place, text, spans, list(range(some)), float(chances[place]), some))
    if not asked:
        return []
    found, _ = judge(asked, truth[np.array(owners)])
    at = 0
    for one in under:
        drops = np.nan_to_num(one.chance - found[at : at + len(one.order)], nan=0.0)
        at += len(one.order)
        one.order = np.argsort(-drops, kind="stable").tolist()
    return [one for one in under if one.order]


def _candidates(
    one: _Under, known: Mapping[str, Sequence[str]], queries: int, rng: np.random.Generator
) -> tuple[int, dict[str, str]]:
    """The next word, and what could stand in its place with the document it makes."""
    word = one.order.pop(0)
    start, end = one.spans[word]
    written = one.text[start:end]
    same = [like_written(written, other) for other in known.get(written.lower(), ())][: _CANDIDATES // 2]
    slipped = slips(written)
    drawn = [slipped[int(at)] for at in rng.permutation(len(slipped))[: _CANDIDATES - len(same)]]
    ways = [*same, *drawn][: queries - one.asked]
    return word, {way: replaced(one.text, one.spans, {**one.new, word: way}) for way in ways}


def _take_best(one: _Under, word: int, ways: Sequence[str], chances: Floats) -> None:
    """Keep the way that lowers the chance of the true class most, if one does."""
    if not len(chances) or np.isnan(chances).all():
        return
    best = int(np.nanargmin(chances))
    if chances[best] < one.chance:
        one.new[word], one.chance = ways[best], float(chances[best])
