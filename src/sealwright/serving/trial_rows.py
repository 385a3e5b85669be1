"""Rows made from a contract alone: its edges, every word it knows, and what it does not know.

Answers: on which rows are two engines of one model held against each other? On the same ones wherever that is done.
Does not answer: whether such rows exist. They are made to find differences, not to be likely.
"""

import numpy as np
from numpy.typing import NDArray

from sealwright.serving.contract import Batch, Contract, Feature

__all__ = ["trial_rows"]

_FEWEST, _MOST = 256, 4096
_SEED = 17
_UNKNOWN = "\N{LATIN SMALL LETTER Z}\N{COMBINING DIAERESIS} nobody's word"


def trial_rows(contract: Contract) -> Batch:
    """A few hundred rows, more where a feature has more words: each word of each text column, up to 4,096, stands in one of them."""
    words = [_words(feature) for feature in contract.strings]
    rows = min(_MOST, max([_FEWEST, *map(len, words)]))
    chance = np.random.default_rng(_SEED)
    numbers = strings = None
    if contract.numbers:
        numbers = np.column_stack([_numbers(feature, rows, chance) for feature in contract.numbers]).astype(np.float32)
    if words:
        strings = np.empty((rows, len(words)), dtype=object)
        for at, known in enumerate(words):
            strings[:, at] = [known[(row + at) % len(known)] for row in range(rows)]
    return Batch(rows, numbers, strings)


def _words(feature: Feature) -> list[str]:
    """The categories, nothing, and a word that is none of them: what is let through may be one."""
    return [*sorted(feature.categories), "", _UNKNOWN]


def _numbers(feature: Feature, rows: int, chance: np.random.Generator) -> NDArray[np.float64]:
    """Both ends, missing, and values between them."""
    low, high = feature.low, feature.high
    share = chance.random(rows)
    values = low * (1 - share) + high * share
    if feature.kind != "number":
        values = np.rint(values)
    values[chance.integers(0, rows, rows // 16)] = low
    values[chance.integers(0, rows, rows // 16)] = high
    values[chance.integers(0, rows, rows // 16)] = np.nan  # a graph takes it whatever the contract says
    return values
