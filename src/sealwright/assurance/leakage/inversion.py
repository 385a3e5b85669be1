"""Searching for inputs a model is surest of, with nothing but its answers: what a stranger could reconstruct of a class."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.constraints.model import Constraints
from sealwright.assurance.features import Features

__all__ = ["distances", "random_rows", "searched"]

_NEAR = 0.1  # a small step, as a share of a number's range
_CHANGED = 0.25  # share of the columns changed at once


def random_rows(limits: Constraints, count: int, dtype: np.dtype[np.floating], rng: np.random.Generator) -> Features:
    """Rows drawn column by column from everything that is possible: numbers evenly in their range, known categories."""
    span = limits.most - limits.least
    numbers = limits.least + span * rng.random((count, span.size))
    numbers = np.where(limits.whole, np.round(numbers), numbers)
    for columns in limits.exclusive:
        numbers[:, list(columns)] = np.eye(len(columns))[rng.integers(len(columns), size=count)]
    strings = np.empty((count, len(limits.levels)), dtype=object)
    for place, levels in enumerate(limits.levels):
        strings[:, place] = np.array(levels or ("",), dtype=object)[rng.integers(max(1, len(levels)), size=count)]
    return Features(numbers=numbers.astype(dtype), strings=strings)


def searched(
    sure: Callable[[Features], Floats], limits: Constraints, start: Features, rounds: int, rng: np.random.Generator
) -> Features:
    """Each row of `start` after `rounds` random changes, of which those are kept that make `sure` larger or leave it.

    A change draws a quarter of the columns anew, or moves their numbers a little; each round asks once about each row.
    """
    held, best = start, sure(start)
    width = start.numbers.shape[1]
    unit = np.arange(width)
    for columns in limits.exclusive:
        unit[list(columns)] = columns[0]  # columns that exclude each other change together
    exclusive = np.isin(np.arange(width), [place for columns in limits.exclusive for place in columns])
    for step in range(rounds):
        fresh = random_rows(limits, len(held), held.numbers.dtype, rng)
        if step % 2:
            near = held.numbers + _NEAR * (limits.most - limits.least) * rng.normal(size=held.numbers.shape)
            near = np.clip(np.where(limits.whole, np.round(near), near), limits.least, limits.most)
            fresh = fresh.with_numbers(np.where(exclusive, fresh.numbers, near).astype(held.numbers.dtype))
        drawn = rng.random((len(held), width)) < _CHANGED
        changed = drawn[:, unit] if width else drawn
        swapped = rng.random(held.strings.shape) < _CHANGED
        tried = Features(
            numbers=np.where(changed, fresh.numbers, held.numbers),
            strings=np.where(swapped, fresh.strings, held.strings),
        )
        found = sure(tried)
        better = found >= best
        held = Features(
            numbers=np.where(better[:, None], tried.numbers, held.numbers),
            strings=np.where(better[:, None], tried.strings, held.strings),
        )
        best = np.where(better, found, best)
    return held


def distances(rows: Features, to: Features, scale: Floats) -> Floats:
    """Distances of shape (rows, to): mean over columns of steps in sd, at most 3, and of 0 or 1 for each text."""
    width = rows.numbers.shape[1] + rows.strings.shape[1]
    found = np.empty((len(rows), len(to)))
    texts = [_codes(rows.strings[:, place], to.strings[:, place]) for place in range(rows.strings.shape[1])]
    for place in range(len(rows)):
        with np.errstate(over="ignore", invalid="ignore"):  # infinite numbers are far, or missing
            apart = np.abs(to.numbers.astype(np.float64) - rows.numbers[place].astype(np.float64)) / scale
        total = np.minimum(np.nan_to_num(apart, nan=1.0, posinf=_FAR), _FAR).sum(axis=1)
        for mine, theirs in texts:
            total += theirs != mine[place]
        found[place] = total / width
    return found


_FAR = 3.0  # an outlier in one column does not decide what is near


def _codes(mine: NDArray[np.object_], theirs: NDArray[np.object_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    _, codes = np.unique(np.concatenate([mine, theirs]).astype(str), return_inverse=True)
    return codes[: mine.size], codes[mine.size :]
