"""Two columns in each other's place: a form filled one line too low, a file with its columns in another order."""

from itertools import combinations

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.disturbance import Disturbance, Steps, disturbance_check
from sealwright.assurance.features import Features

__all__ = ["CHECK"]


def _swapped(case: Case, features: Features, strength: float, rng: np.random.Generator) -> Features:
    pairs = np.array(_alike(case))
    width = features.numbers.shape[1]
    hit = rng.random(len(features)) < strength
    drawn = rng.integers(0, len(pairs), size=len(features))
    numbers, strings = features.numbers.copy(), features.strings.copy()
    for place, (one, other) in enumerate(pairs):
        rows = np.flatnonzero(hit & (drawn == place))
        if one < width:
            numbers[np.ix_(rows, [one, other])] = features.numbers[np.ix_(rows, [other, one])]
        else:
            one, other = one - width, other - width
            strings[np.ix_(rows, [one, other])] = features.strings[np.ix_(rows, [other, one])]
    return Features(numbers=numbers, strings=strings)


def _alike(case: Case) -> list[tuple[int, int]]:
    """Pairs of columns that could be mistaken for each other: numbers of one type, categories with a common level."""
    return case.once("stress.columns_alike", lambda: _pairs(case))


def _pairs(case: Case) -> list[tuple[int, int]]:
    numbers, strings = case.interface.numbers, case.interface.strings
    pairs = [(a, b) for a, b in combinations(range(len(numbers)), 2) if numbers[a].type == numbers[b].type]
    levels = [set(case.train.features.strings[:, place]) - {""} for place in range(len(strings))]
    width = len(numbers)
    return pairs + [(width + a, width + b) for a, b in combinations(range(len(strings)), 2) if levels[a] & levels[b]]


CHECK = disturbance_check(
    Disturbance(
        suite="stress",
        name="swapped_columns",
        title="Swapped columns",
        words="in {share} of the rows two columns of like type, drawn at random, hold each other's value",
        along="share of rows with two columns swapped",
        steps=Steps(strengths=lambda spec: spec.stress.shares, reported=lambda spec: spec.reported_at),
        disturb=_swapped,
        impossible=lambda case: "" if _alike(case) else "the model takes no two columns of like type",
        note=lambda _case: "numbers of one type, or categories that share a level",
    )
)
