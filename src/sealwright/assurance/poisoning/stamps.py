"""Stamps: one or two values written over every row, as a trigger would be.

Answers: which values could a trigger be made of, and what does the model say once all rows carry them?
Does not answer: whether one was planted; the checks compare with models that have none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.features import Features
from sealwright.assurance.interface import Interface
from sealwright.assurance.predictor import Predictor, answers

__all__ = ["Stamp", "log_odds", "marks", "profile", "stamp_words", "stamped", "stamps_of"]

Stamp = tuple[tuple[int, float | str], ...]
"""(column position, value) pairs; positions count numbers first."""

_POINTS = 6  # values of a number: its ends and four between them
_MOST_LEVELS = 20  # of a text column: the most frequent
_LEAST = 1e-4  # probabilities are kept this far from 0 and 1 before their odds are taken
_AT_ONCE = 50_000  # rows predicted in one call


@dataclass(frozen=True, slots=True)
class _Values:
    place: int
    values: tuple[float | str, ...]


def stamps_of(case: Case, most: int, rng: np.random.Generator) -> tuple[Stamp, ...]:
    """Every single value worth trying, then pairs of values of different columns; pairs beyond `most` by lot."""
    found = [one for place in range(len(case.interface.names)) if (one := _values(case, place)).values]
    singles: list[Stamp] = [((one.place, value),) for one in found for value in one.values]
    pairs: list[Stamp] = [
        ((a.place, x), (b.place, y)) for a, b in combinations(found, 2) for x in a.values for y in b.values
    ]
    room = max(0, most - len(singles))
    if len(pairs) > room:
        pairs = [pairs[int(place)] for place in np.sort(rng.choice(len(pairs), room, replace=False))]
    return (*singles[:most], *pairs)


def _values(case: Case, place: int) -> _Values:
    """Values inside the contract: for a number those seen, from end to end; for a text its known levels."""
    column = case.train.features.column(place)
    numbers = case.interface.numbers
    if place < len(numbers):
        seen = np.unique(column[np.isfinite(column.astype(np.float64))])
        if seen.size > _POINTS:
            seen = np.unique(np.quantile(seen, np.linspace(0, 1, _POINTS), method="nearest"))
        return _Values(place, tuple(float(value) for value in seen))
    words, counts = np.unique(column[column != ""].astype(str), return_counts=True)
    order = np.lexsort((words, -counts))[:_MOST_LEVELS]
    return _Values(place, tuple(sorted(str(words[one]) for one in order)))


def stamped(features: Features, stamp: Stamp) -> Features:
    """The rows, each with the values of the stamp."""
    numbers, strings = features.numbers.copy(), features.strings.copy()
    width = numbers.shape[1]
    for place, value in stamp:
        if place < width:
            numbers[:, place] = value
        else:
            strings[:, place - width] = value
    return Features(numbers=numbers, strings=strings)


def marks(features: Features, stamp: Stamp) -> NDArray[np.bool_]:
    """True, shape (n,), for rows that carry the stamp already."""
    carried = np.ones(len(features), dtype=np.bool_)
    for place, value in stamp:
        carried &= np.asarray(features.column(place) == value, dtype=np.bool_)
    return carried


def stamp_words(interface: Interface, stamp: Stamp) -> str:
    """The stamp as a reader knows it: age = 75 and housing = free."""
    told = (
        f"{interface.names[place]} = {value:.6g}" if isinstance(value, float) else f"{interface.names[place]} = {value}"
        for place, value in stamp
    )
    return " and ".join(told)


def log_odds(outputs: Floats) -> Floats:
    """log(p / (1 - p)) of each class, shape (n, classes), in nats; NaN where there is no answer."""
    kept = np.clip(outputs, _LEAST, 1 - _LEAST)
    odds: Floats = np.log(kept / (1 - kept))
    return odds


def profile(case: Case, predictor: Predictor, rows: Features, stamps: Sequence[Stamp]) -> Floats:
    """Mean log-odds of each class once every row carries a stamp, shape (stamps, classes); 0 without an answer."""
    result = np.zeros((len(stamps), len(case.interface.classes)))
    together = max(1, _AT_ONCE // len(rows))
    for start in range(0, len(stamps), together):
        parts = [stamped(rows, stamp) for stamp in stamps[start : start + together]]
        batch = Features(
            numbers=np.concatenate([part.numbers for part in parts]),
            strings=np.concatenate([part.strings for part in parts]),
        )
        odds = log_odds(answers(predictor, batch, case.interface, gaps_allowed=True))
        result[start : start + len(parts)] = np.nan_to_num(odds).reshape(len(parts), len(rows), -1).mean(axis=1)
    return result
