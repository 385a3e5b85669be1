"""The parts of a table where loss gathers: a search over conjunctions of at most three levels of columns.

Answers: which cells of the cross-tables of up to three columns stand out most?
Does not answer: would they stand out on other rows? That is for a test on rows not searched.
Pure functions over codes; no names. Counting a cross-table is one pass over the rows; the tables that can
still hold a winner are counted first, and those that provably cannot are never counted (the bounds of
Sagadeeva & Boehm 2021, SliceLine, for the standardised loss).
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats

__all__ = ["Cell", "Searched", "search"]

Ints = NDArray[np.int64]
_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Cell:
    """Rows with these levels in these columns, and how far their loss stands out, in standard errors."""

    columns: tuple[int, ...]
    levels: tuple[int, ...]
    rows: int
    score: float
    first: int  # the first row that belongs: settles ties by rows, not by names


@dataclass(frozen=True, slots=True)
class Searched:
    """The best cells, best first, and whether every cross-table was counted or ruled out."""

    cells: tuple[Cell, ...]
    complete: bool


def search(
    codes: Sequence[Ints], levels: Sequence[int], loss: Floats, smallest: int, most: int, visits: int
) -> Searched:
    """The `most` cells of at least `smallest` rows whose mean loss lies furthest above that of the other rows.

    Parameters
    ----------
    codes : sequence of int arrays, shape (n,)
        One per column: the level of each row; `levels[column]` or more is a row of no level.
    loss : float array, shape (n,)
        Not negative.
    visits : int
        Most rows times tables to count; the most promising tables come first.

    Notes
    -----
    With s rows of a cell holding loss T, all n rows mean m and standard deviation d, the score is
    (T - m s) / (d sqrt(s (1 - s / n))): the standard score of T if the cell were drawn blindly.
    """
    if loss.std() == 0:
        return Searched((), complete=True)
    counting = _Counting(codes, levels, loss, smallest, most)
    bounds: dict[tuple[int, ...], float] = {(): np.inf}
    complete = True
    for depth in range(1, min(_DEPTH, len(codes)) + 1):
        promising = []
        for columns in combinations(range(len(codes)), depth):
            reach = min(bounds.get(part, -np.inf) for part in combinations(columns, depth - 1))
            if reach >= counting.enough:
                promising.append((-reach, columns))
        for negative, columns in sorted(promising):
            if -negative < counting.enough:
                break  # no table after this one can hold a winner either
            if visits < loss.size:
                complete = False
                break
            visits -= loss.size
            bounds[columns] = counting.count(columns)
    return Searched(counting.best(), complete=complete)


class _Counting:
    """Cross-tables counted so far, and the best cells in them."""

    def __init__(self, codes: Sequence[Ints], levels: Sequence[int], loss: Floats, smallest: int, most: int) -> None:
        self._codes = [np.minimum(code, size) for code, size in zip(codes, levels, strict=True)]
        self._levels, self._loss, self._smallest, self._most = levels, loss, smallest, most
        self._mean, self._spread, self._top = float(loss.mean()), float(loss.std()), float(loss.max())
        self._found: list[tuple[float, tuple[int, ...], tuple[int, ...], int]] = []
        self._scores: list[float] = []  # a heap of the best scores

    @property
    def enough(self) -> float:
        """A cell below this score is not among the best."""
        return max(self._scores[0], 0.0) if len(self._scores) == self._most else 0.0

    def count(self, columns: tuple[int, ...]) -> float:
        """Count one cross-table; returns the highest score any part of one of its cells can have."""
        shape = tuple(self._levels[column] + 1 for column in columns)
        flat = np.zeros(self._loss.size, dtype=np.int64)
        for column, size in zip(columns, shape, strict=True):
            flat = flat * size + self._codes[column]
        cells = int(np.prod(shape))
        inside = tuple(slice(size - 1) for size in shape)
        rows = np.bincount(flat, minlength=cells).reshape(shape)[inside]
        sums = np.bincount(flat, weights=self._loss, minlength=cells).reshape(shape)[inside]
        alive = (rows >= self._smallest) & (rows < self._loss.size)
        if not alive.any():
            return -np.inf
        held = sums[alive].astype(np.float64)
        self._keep(columns, np.argwhere(alive), self._score(held, rows[alive].astype(np.float64)), rows[alive])
        least = np.maximum(held / self._top, self._smallest)  # fewest rows that can hold all of the loss
        return float(self._score(held, least).max())

    def _score(self, sums: Floats, rows: Floats) -> Floats:
        free = rows * np.maximum(1 - rows / self._loss.size, 1 / self._loss.size)
        scores: Floats = (sums - self._mean * rows) / (self._spread * np.sqrt(free))
        return scores

    def _keep(self, columns: tuple[int, ...], places: Ints, scores: Floats, rows: Ints) -> None:
        for at in np.flatnonzero((scores >= self.enough) & (scores > 0)):
            score = float(scores[at])
            self._found.append((score, columns, tuple(int(level) for level in places[at]), int(rows[at])))
            (heapq.heappush if len(self._scores) < self._most else heapq.heappushpop)(self._scores, score)

    def best(self) -> tuple[Cell, ...]:
        """The best cells; of equally good ones the simpler, then the one whose first row comes first."""
        kept = [
            Cell(columns, levels, rows, score, self._first(columns, levels))
            for score, columns, levels, rows in self._found
            if score >= self.enough
        ]
        return tuple(sorted(kept, key=lambda one: (-one.score, len(one.columns), one.first, one.columns))[: self._most])

    def _first(self, columns: tuple[int, ...], levels: tuple[int, ...]) -> int:
        belongs = np.ones(self._loss.size, dtype=np.bool_)
        for column, level in zip(columns, levels, strict=True):
            belongs &= self._codes[column] == level
        return int(np.argmax(belongs))
