"""What the cells of one column hold, counted by kind. Values go in, counts come out.

Answers: in how many cells does each kind stand, how sure, and how many cells merely had the right shape?
Does not answer: what that means for the column. That is `grading`.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from sealwright.data.personal.checksums import luhn
from sealwright.data.personal.column_values import is_named_like_a_person, is_prose, name_shaped
from sealwright.data.personal.detectors.card import LEAST, MOST, network_of
from sealwright.data.personal.detectors.national_id import schemes_passed
from sealwright.data.personal.folding import fold
from sealwright.data.personal.model import TEXT_KINDS, Confidence, Kind
from sealwright.data.personal.text import apart, found_in

__all__ = ["CellCounts", "count_cells", "shape_of"]

_SHAPES = 20  # different shapes until which they are counted
_DIGITS: tuple[Kind, ...] = ("card", "national_id")


@dataclass(slots=True)
class CellCounts:
    """Counts over the cells looked at; a cell counts once per kind, under its surest span."""

    cells: int = 0
    distinct: int = 0
    by_grade: Counter[tuple[Kind, Confidence]] = field(default_factory=Counter)
    whole: Counter[Kind] = field(default_factory=Counter)  # the span is the whole cell, or nearly
    shapes: dict[Kind, Counter[str]] = field(default_factory=dict)
    schemes: Counter[str] = field(default_factory=Counter)  # national numbers found as text
    card_like: int = 0  # cells that are digits of a card's length and range, whatever the check digit
    card_passed: int = 0
    scheme_like: Counter[str] = field(default_factory=Counter)  # cells that have the shape of a scheme
    scheme_passed: Counter[str] = field(default_factory=Counter)
    name_shaped: int = 0
    named: int = 0  # name-shaped with a common given name
    named_distinct: int = 0
    prose: int = 0

    def total(self, kind: Kind, *, low: bool = False) -> int:
        """Cells of a kind, graded at least medium unless `low`."""
        grades: tuple[Confidence, ...] = ("low", "medium", "high") if low else ("medium", "high")
        return sum(self.by_grade[kind, grade] for grade in grades)

    def shape(self, kind: Kind) -> str:
        """The most frequent shape of a kind."""
        seen = self.shapes.get(kind)
        return seen.most_common(1)[0][0] if seen else ""


def count_cells(values: Iterable[tuple[str, int]], *, digits_only: bool = False) -> CellCounts:
    """Look at distinct values, each with how many cells hold it.

    Parameters
    ----------
    digits_only : bool
        The column holds whole numbers; only numbers of cards and national schemes are looked for.
    """
    counts = CellCounts()
    kinds = _DIGITS if digits_only else TEXT_KINDS
    for value, times in values:
        text = fold(value).text.strip()
        if not text:
            continue
        counts.cells += times
        counts.distinct += 1
        _as_number(counts, text, times)
        if not digits_only:
            _as_words(counts, text, times)
        _as_text(counts, text, times, kinds)
    return counts


def _as_text(counts: CellCounts, text: str, times: int, kinds: tuple[Kind, ...]) -> None:
    best: dict[Kind, Confidence] = {}
    for span in apart(found_in(text, kinds=kinds, at_least="low")):
        first = span.kind not in best
        if first or span.confidence == "high" or best[span.kind] == "low":
            best[span.kind] = span.confidence
        if span.scheme:
            counts.schemes[span.scheme] += times
        if first:
            seen = counts.shapes.setdefault(span.kind, Counter())
            if len(seen) < _SHAPES:
                seen[shape_of(text[span.start : span.end])] += times
            if (span.end - span.start) * 5 >= len(text) * 4:
                counts.whole[span.kind] += times
    for kind, grade in best.items():
        counts.by_grade[kind, grade] += times


def _as_number(counts: CellCounts, text: str, times: int) -> None:
    """Cells that are one number: how many have the shape of a scheme, how many fulfil its rule."""
    if len(text) > 30 or not any(c.isdigit() for c in text):
        return
    digits = text.replace(" ", "").replace("-", "")
    if digits.isdigit() and LEAST <= len(digits) <= MOST and network_of(digits):
        counts.card_like += times
        counts.card_passed += times if luhn(digits) else 0
    for scheme, passed in schemes_passed(text):
        counts.scheme_like[scheme] += times
        counts.scheme_passed[scheme] += times if passed else 0


def _as_words(counts: CellCounts, text: str, times: int) -> None:
    if name_shaped(text):
        counts.name_shaped += times
        if is_named_like_a_person(text):
            counts.named += times
            counts.named_distinct += 1
    elif is_prose(text):
        counts.prose += times


def shape_of(text: str) -> str:
    """Letters as a or A, digits as 9, each run once and marked with +: "Anna.Li@x.org" is "Aa+.Aa@a.a+". No value."""
    shape: list[str] = []
    for c in text[:80]:
        sign = "9" if c.isdigit() else ("A" if c.isupper() else "a") if c.isalpha() else " " if c.isspace() else c
        if shape and shape[-1][0] == sign and sign in "9Aa":
            shape[-1] = f"{sign}+"
        else:
            shape.append(sign)
    return "".join(shape)[:40]
