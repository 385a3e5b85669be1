"""Words that may stand for a word: a small English list of our own, and what a project declares.

The list is in `synonyms.txt`: sets of words in one form, chosen by us so that a reader would hardly take a sentence for
another one. It is small and makes no claim to be complete; what it leaves out is not tested.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

__all__ = ["synonyms"]


def synonyms(declared: Mapping[str, Sequence[str]], *, english: bool) -> dict[str, tuple[str, ...]]:
    """For each word in small letters the words that may stand for it, declared ones first."""
    found = dict(_english()) if english else {}
    for word, others in declared.items():
        found[word] = tuple(dict.fromkeys([*others, *found.get(word, ())]))
    return found


@cache
def _english() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in (files("sealwright.assurance.text") / "synonyms.txt").read_text(encoding="utf-8").splitlines():
        words = [word.strip() for word in line.split(",")]
        if line.startswith("#") or len(words) < 2:
            continue
        for word in words:
            found[word] = tuple(dict.fromkeys([*found.get(word, ()), *(one for one in words if one != word)]))
    return found
