"""Words that name a person of one group, and the same document with words of the other group in their places."""

from collections.abc import Mapping, Sequence

from sealwright.assurance.text.words import like_written, replaced, spans_of

__all__ = ["swapped", "toward"]


def toward(pairs: Sequence[tuple[str, str]]) -> tuple[dict[str, str], dict[str, str]]:
    """What becomes of each word on the way to the first side, and to the second. Of several partners the first counts."""
    first: dict[str, str] = {}
    second: dict[str, str] = {}
    for a, b in pairs:
        first.setdefault(b, a)
        second.setdefault(a, b)
    return first, second


def swapped(text: str, to: Mapping[str, str]) -> str:
    """The document with every word that has a partner in `to` replaced by it, capitals kept."""
    spans = spans_of(text)
    new = {}
    for place, (start, end) in enumerate(spans):
        other = to.get(text[start:end].lower())
        if other is not None:
            new[place] = like_written(text[start:end], other)
    return replaced(text, spans, new)
