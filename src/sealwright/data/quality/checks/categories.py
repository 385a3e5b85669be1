"""One category spelled in several ways: case, spaces, look-alike letters, invisible characters, slips of the pen."""

from collections.abc import Sequence

import numpy as np

from sealwright.data.quality.check import Asked, Check, Checked
from sealwright.data.quality.folding import folded
from sealwright.data.quality.frame import Codes
from sealwright.data.quality.model import Fault

__all__ = ["CHECK", "one_edit_apart", "spellings"]

_RARE = 0.05  # a slip has at most this share of the rows of the word it is a slip of
_SHORTEST = 5  # letters of a word in which one other letter is a slip
_MOST_LABELS = 300  # beyond this, slips are not looked for
_SHOWN = 5


def spellings(labels: Sequence[str], counts: Sequence[int]) -> dict[str, str]:
    """Spellings to replace, each with the one of its kind that occurs most (first in order, where equally often); one
    with spaces at its ends, doubled ones or invisible characters only where there is no tidy one.

    Only what a reader would not see counts: case, spaces, hyphens, width, look-alikes, invisible characters.
    """
    groups: dict[str, list[int]] = {}
    for place, label in enumerate(labels):
        if counts[place]:
            groups.setdefault(folded(label), []).append(place)
    found: dict[str, str] = {}
    for places in groups.values():
        best = min(places, key=lambda place: (not _tidy(labels[place]), -counts[place], labels[place]))
        found |= {labels[place]: labels[best] for place in places if place != best}
    return found


def _tidy(label: str) -> bool:
    return label.isprintable() and label == " ".join(label.split())


def one_edit_apart(one: str, other: str) -> bool:
    """Whether one letter added, left out, changed, or two neighbours swapped make one word of the other."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    a, b = one[start:], other[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[:2][::-1] and a[2:] == b[2:])


def _run(asked: Asked) -> Checked:
    found = []
    for name in asked.frame.of_type("category"):
        codes = asked.frame.codes(name)
        same = spellings(codes.labels, codes.counts.tolist())
        if same:
            found.append(_fault(asked, name, codes, same, slips=False))
        slips = _slips(codes, same)
        if slips:
            found.append(_fault(asked, name, codes, slips, slips=True))
    return Checked(faults=tuple(found))


def _slips(codes: Codes, same: dict[str, str]) -> dict[str, str]:
    """Rare words one letter away from a frequent one."""
    kept = [place for place, label in enumerate(codes.labels) if label not in same and codes.counts[place]]
    if len(kept) > _MOST_LABELS:
        return {}
    fold = {place: folded(codes.labels[place]) for place in kept}
    found = {}
    for rare in kept:
        word = fold[rare]
        if len(word) < _SHORTEST or not word.replace(" ", "").isalpha():
            continue
        for other in kept:
            often = codes.counts[rare] <= _RARE * codes.counts[other]
            if often and one_edit_apart(word, fold[other]):
                found[codes.labels[rare]] = codes.labels[other]
    return found


def _fault(asked: Asked, name: str, codes: Codes, same: dict[str, str], *, slips: bool) -> Fault:
    places = {label: place for place, label in enumerate(codes.labels)}
    hit = np.isin(codes.places, [places[label] for label in same])
    count, of = int(hit.sum()), int(codes.counts.sum())
    pairs = [f"{other!r} for {best!r}" for other, best in list(same.items())[:_SHOWN]]
    shown = "" if asked.frame.hidden(name) else f": {', '.join(pairs)}{', …' if len(same) > _SHOWN else ''}"
    return Fault(
        check="quality.misspelled_categories" if slips else "quality.inconsistent_categories",
        severity="low" if slips else "medium",
        columns=(name,),
        rows=asked.frame.named(hit, asked.settings.rows_named),
        count=count,
        of=of,
        unit="cells",
        found=f"{count:,} cells hold {len(same)} rare word{'s' * (len(same) > 1)} one letter away from a frequent one{shown}."
        if slips
        else f"{count:,} cells spell a category in {len(same)} other way{'s' * (len(same) > 1)} (case, spaces, look-alike letters){shown}.",
        why="To a model these are different values, so it learns less about each.",
        todo="If they are the same, map them by a declared step (map_values)."
        if slips
        else "Bring them to one spelling by a declared step (one_spelling), and list only that one in categories.",
    )


CHECK = Check(name="inconsistent_categories", run=_run)
