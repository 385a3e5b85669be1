"""What happens to texts on their way: slips of the finger, other cases, lost spaces, look-alike letters, other words.

Each edit takes a document, the share of its words it may touch (at least one word where it is not empty), and a generator.
Pure functions.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise

import numpy as np

from sealwright.assurance.text.words import Span, kept, like_written, replaced, spans_of

__all__ = ["EDITS", "Edit", "slips", "synonym_edit"]

Edit = Callable[[str, float, np.random.Generator], str]

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_ALIKE = str.maketrans(  # Latin letters and the Cyrillic ones that look like them (Unicode TR 39, confusables)
    "aceopxyiABCEHKMOPTX", "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456\u0410\u0412\u0421\u0415\u041d\u041a\u041c\u041e\u0420\u0422\u0425"
)  # fmt: skip
_MARKS = ".,;:!?"


def slips(word: str) -> list[str]:
    """Ways to mistype a word of two letters or more, every one with one slip; in a fixed order."""
    found = []
    for at in range(len(word)):
        if at + 1 < len(word) and word[at] != word[at + 1]:
            found.append(word[:at] + word[at + 1] + word[at] + word[at + 2 :])
        found += [word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:]]
        found += [word[:at] + key + word[at + 1 :] for key in _beside(word[at])]
    return [one for one in dict.fromkeys(found) if one and one != word] if len(word) > 1 else []


def typos(text: str, share: float, rng: np.random.Generator) -> str:
    """One slip in each word that is hit: two letters swapped, one lost, one doubled, or the key beside it."""

    def slip(word: str) -> str:
        ways = slips(word)
        return ways[int(rng.integers(len(ways)))] if ways else word

    return _each(text, share, rng, slip)


def case(text: str, share: float, rng: np.random.Generator) -> str:
    """Words in capitals; those that are, in small letters."""
    return _each(text, share, rng, lambda word: word.lower() if word.isupper() else word.upper())


def homoglyphs(text: str, share: float, rng: np.random.Generator) -> str:
    """Letters of a word replaced by others that look the same."""
    return _each(text, share, rng, lambda word: word.translate(_ALIKE))


def spacing(text: str, share: float, rng: np.random.Generator) -> str:
    """Gaps doubled, broken into a new line, or lost."""
    spans = spans_of(text)
    gaps = [(a[1], b[0]) for a, b in pairwise(spans) if text[a[1] : b[0]].isspace()]
    hit = _hit(len(gaps), share, rng)
    new = {int(place): ("  ", "\n", "")[int(rng.integers(3))] for place in hit}
    return replaced(text, gaps, new)


def punctuation(text: str, share: float, rng: np.random.Generator) -> str:
    """A mark after a word is lost, or one is put where there was none."""
    spans = spans_of(text)
    ends: list[Span] = [(end, end + (text[end : end + 1] in tuple(_MARKS))) for _, end in spans]
    new = {}
    for place in _hit(len(ends), share, rng):
        mark = _MARKS[int(rng.integers(len(_MARKS)))]
        new[int(place)] = "" if ends[place][1] > ends[place][0] else mark
    return replaced(text, ends, new)


def dropped_words(text: str, share: float, rng: np.random.Generator) -> str:
    """Words lost."""
    spans = spans_of(text)
    keep = np.ones(len(spans), dtype=np.bool_)
    keep[_hit(len(spans), share, rng)] = False
    return kept(text, spans, keep)


def truncation(text: str, share: float, rng: np.random.Generator) -> str:  # noqa: ARG001 - one shape for all
    """The last words cut off."""
    spans = spans_of(text)
    left = len(spans) - _number(len(spans), share)
    return text[: spans[left - 1][1]] if left > 0 else ""


def synonym_edit(known: Mapping[str, tuple[str, ...]]) -> Edit:
    """Words replaced by others that may stand for them; a document without any stays as it is."""

    def synonyms(text: str, share: float, rng: np.random.Generator) -> str:
        spans = spans_of(text)
        able = [place for place, (start, end) in enumerate(spans) if text[start:end].lower() in known]
        most = min(len(able), _number(len(spans), share))
        new = {}
        for place in rng.permutation(len(able))[:most]:
            start, end = spans[able[int(place)]]
            ways = known[text[start:end].lower()]
            new[able[int(place)]] = like_written(text[start:end], ways[int(rng.integers(len(ways)))])
        return replaced(text, spans, new)

    return synonyms


EDITS: dict[str, tuple[Edit, str]] = {
    "typos": (typos, "mistyped words"),
    "case": (case, "words in capitals"),
    "spacing": (spacing, "lost or added spaces"),
    "punctuation": (punctuation, "lost or added marks"),
    "homoglyphs": (homoglyphs, "look-alike letters"),
    "dropped_words": (dropped_words, "dropped words"),
    "truncation": (truncation, "cut-off ends"),
}


def _each(text: str, share: float, rng: np.random.Generator, change: Callable[[str], str]) -> str:
    spans = spans_of(text)
    hit = _hit(len(spans), share, rng)
    return replaced(text, spans, {int(place): change(text[slice(*spans[place])]) for place in hit})


def _hit(n: int, share: float, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.sort(rng.permutation(n)[: _number(n, share)]).astype(np.int64)


def _number(n: int, share: float) -> int:
    return min(n, max(1, round(share * n))) if n else 0


def _beside(letter: str) -> list[str]:
    """The keys left and right of a letter on an English keyboard."""
    for row in _ROWS:
        at = row.find(letter.lower())
        if letter and at >= 0:
            keys = row[max(0, at - 1) : at] + row[at + 1 : at + 2]
            return [key.upper() if letter.isupper() else key for key in keys]
    return []
