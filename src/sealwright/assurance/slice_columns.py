"""Columns to look for slices in: features and the columns that form groups, cut into levels with words.

Numbers are cut at the quarters of the training data, or keep their values where there are few; categories
keep the levels with enough rows. A missing value is a level of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.interface import NumberInput
from sealwright.assurance.modality import TABLE
from sealwright.assurance.traits import traits_of

__all__ = ["Column", "columns_of", "number_words"]

_FEW_VALUES = 5
_MOST_LEVELS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of the test rows: as levels with words, and as it is for the tree."""

    name: str
    kind: str  # the type of a number, or "category"
    words: tuple[str, ...]  # "age 25 to under 40", one per level
    codes: NDArray[np.int64]  # shape (n,): position in `words`; len(words) for rows in no level of their own
    raw: NDArray[np.generic]  # floats with NaN for numbers, codes of categories otherwise
    labels: tuple[str, ...] = ()  # of the codes in `raw`


def columns_of(case: Case, smallest: int) -> tuple[Column, ...]:
    """Every feature, and every group that is not a feature too; a declared cut wins over ours."""
    groups = {one.name: one for one in case.attributes if not one.problem}
    if case.interface.modality != TABLE:
        return (*_traits(case, groups), *map(_of_group, groups.values()))
    return (*_features(case, smallest, groups), *map(_of_group, groups.values()))


def number_words(kind: str, value: float) -> str:
    """A number as people write it; a date as YYYY-MM-DD."""
    if kind == "date":
        return (date(1970, 1, 1) + timedelta(days=round(value))).isoformat()
    if kind == "boolean":
        return "true" if value else "false"
    return f"{value:.6g}"


def _traits(case: Case, groups: dict[str, Attribute]) -> Iterator[Column]:
    """Of documents and images: what is known about them besides what they say or show."""
    learned = traits_of(case, case.train.features)
    for name, values in traits_of(case, case.test.features).items():
        if name not in groups:
            item = NumberInput(name=name, type="number", nullable=True, least=None, most=None)
            yield _of_number(item, values, learned[name])


def _features(case: Case, smallest: int, groups: dict[str, Attribute]) -> Iterator[Column]:
    features, learned = case.test.features, case.train.features
    for place, item in enumerate(case.interface.numbers):
        values = features.numbers[:, place].astype(np.float64)
        if item.name in groups:
            yield _of_group(groups.pop(item.name), values, item.type)
        else:
            yield _of_number(item, values, learned.numbers[:, place].astype(np.float64))
    for place, text in enumerate(case.interface.strings):
        if text.name not in groups:
            yield _of_category(text.name, features.strings[:, place], smallest)


def _of_group(group: Attribute, values: Floats | None = None, kind: str = "category") -> Column:
    joined = " " if group.how else " is "
    words = tuple(
        f"{group.name} is missing" if level == "(missing)" else f"{group.name}{joined}{level}" for level in group.levels
    )
    raw: NDArray[np.generic] = group.codes if values is None else values
    return Column(name=group.name, kind=kind, words=words, codes=group.codes, raw=raw, labels=group.levels)


def _of_number(item: NumberInput, values: Floats, learned: Floats) -> Column:
    known = np.unique(learned[np.isfinite(learned)])

    def text(value: float) -> str:
        return number_words(item.type, value)

    if known.size <= _FEW_VALUES:
        words = [f"{item.name} is {text(value)}" for value in known]
        codes = np.searchsorted(known, values)
        codes = np.where(np.isin(values, known), codes, known.size + 1)
    else:
        cuts = _round_cuts(learned[np.isfinite(learned)])
        words = [f"{item.name} under {text(cuts[0])}"]
        words += [f"{item.name} {text(low)} to under {text(high)}" for low, high in pairwise(cuts)]
        words.append(f"{item.name} {text(cuts[-1])} and over")
        codes = np.searchsorted(cuts, values, side="right")
    codes = np.where(np.isnan(values), len(words), codes).astype(np.int64)
    words.append(f"{item.name} is missing")
    return Column(name=item.name, kind=item.type, words=tuple(words), codes=codes, raw=values)


def _round_cuts(known: Floats) -> Floats:
    """The quarters, rounded to what can be read aloud: a hundredth of a standard deviation or finer."""
    decimals = 2 - int(np.floor(np.log10(known.std() or 1.0)))
    return np.unique(np.round(np.quantile(known, [0.25, 0.5, 0.75]), decimals))


def _of_category(name: str, texts: NDArray[np.object_], smallest: int) -> Column:
    levels, first, codes, counts = np.unique(
        texts.astype(str), return_index=True, return_inverse=True, return_counts=True
    )
    common = np.lexsort((first, -counts))[:_MOST_LEVELS]  # of equally frequent ones the earlier row, not the name
    common = common[counts[common] >= smallest]
    place_of = np.full(levels.size, common.size, dtype=np.int64)
    place_of[common] = np.arange(common.size)
    labels = tuple(str(levels[at]) or "missing" for at in common)
    placed = place_of[codes]
    words = tuple(f"{name} is {label}" for label in labels)
    return Column(
        name=name, kind="category", words=words, codes=placed, raw=placed, labels=(*labels, "one of the rare ones")
    )
