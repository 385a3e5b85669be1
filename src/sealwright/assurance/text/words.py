"""Documents as words: where they stand, what is left without some of them, and new ones in their places.

A word is a run of letters, digits and apostrophes. What stands between words stays as it is.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["Span", "counted", "kept", "like_written", "replaced", "spans_of", "vocabulary_of"]

Span = tuple[int, int]

_WORD = re.compile(r"\w+(?:['\u2019]\w+)*")


def spans_of(text: str) -> list[Span]:
    """Begin and end of every word."""
    return [found.span() for found in _WORD.finditer(text)]


def counted(texts: Iterable[str | None]) -> NDArray[np.int64]:
    """Words of each document, shape (n,)."""
    return np.array([sum(1 for _ in _WORD.finditer(text or "")) for text in texts], dtype=np.int64)


def replaced(text: str, spans: Sequence[Span], new: Mapping[int, str]) -> str:
    """The document with other texts in the places of some words, by their position."""
    parts, at = [], 0
    for place in sorted(new):
        start, end = spans[place]
        parts += [text[at:start], new[place]]
        at = end
    return "".join([*parts, text[at:]])


def kept(text: str, spans: Sequence[Span], keep: NDArray[np.bool_]) -> str:
    """The document without some words, `keep` of shape (words,). A gap with a word on neither side goes with it."""
    if keep.all():
        return text
    parts, at = [], 0
    for place, (_, end) in enumerate(spans):
        if keep[place]:
            parts.append(text[at:end])
        at = end  # a dropped word takes the gap before it along
    return "".join(parts).lstrip() + text[at:]


def vocabulary_of(text: str, spans: Sequence[Span]) -> dict[str, list[int]]:
    """The different words of a document in small letters, each with the places where it stands."""
    found: dict[str, list[int]] = {}
    for place, (start, end) in enumerate(spans):
        found.setdefault(text[start:end].lower(), []).append(place)
    return found


def like_written(word: str, other: str) -> str:
    """`other` with the capitals of `word`: all of them, or the first."""
    if len(word) > 1 and word.isupper():
        return other.upper()
    return other[:1].upper() + other[1:] if word[:1].isupper() else other
