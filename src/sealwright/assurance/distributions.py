"""Scores of several groups as distributions: how far apart, how sure, and could chance have done it.

Scores are counted in at most 256 cells of about equal size (every distinct score one cell, where there
are fewer), and the cells are drawn anew, so the work does not grow with the rows. The distances themselves
are taken from the scores, not from the cells.
Pure functions; no group names, only positions.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats

__all__ = ["Cells", "cells_of", "kolmogorov_smirnov", "permuted", "redrawn", "wasserstein"]

Ints = NDArray[np.int64]

_MOST_CELLS = 256
_AT_ONCE = 4_000_000  # counts held at once: 32 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Rows of each group by cell, the lowest scores first."""

    counts: Ints  # shape (groups, cells)
    middles: Floats  # shape (cells,): mean score of a cell

    @property
    def rows(self) -> Ints:
        """Rows of each group, shape (groups,)."""
        found: Ints = self.counts.sum(axis=1)
        return found

    @property
    def smooth(self) -> Floats:
        """Shares of each group by cell, two rows spread like all groups together added to each."""
        pooled = self.counts.sum(axis=0) / self.counts.sum()
        return np.asarray((self.counts + 2 * pooled) / (self.rows + 2)[:, None])


def cells_of(groups: list[Floats]) -> Cells:
    """Count the scores of each group in cells common to all."""
    every = np.concatenate(groups)
    ends = np.unique(every)
    if ends.size > _MOST_CELLS:
        ends = np.unique(np.quantile(every, np.linspace(0, 1, _MOST_CELLS + 1)[1:], method="inverted_cdf"))
    places = [np.searchsorted(ends, scores) for scores in groups]
    counts = np.stack([np.bincount(place, minlength=ends.size) for place in places]).astype(np.int64)
    sums = np.bincount(np.concatenate(places), weights=every)
    return Cells(counts=counts, middles=sums / counts.sum(axis=0))


def kolmogorov_smirnov(groups: list[Floats]) -> tuple[float, int, int]:
    """Largest distance between two cumulative distributions, over all pairs, and the positions of the two groups.

    The first of the two is the one whose scores are higher where they are farthest apart.
    """
    grid = np.unique(np.concatenate(groups))
    below = np.stack([np.searchsorted(np.sort(scores), grid, side="right") / scores.size for scores in groups])
    spread = below.max(axis=0) - below.min(axis=0)
    at = int(np.argmax(spread))
    return float(spread[at]), int(np.argmin(below[:, at])), int(np.argmax(below[:, at]))


def wasserstein(groups: list[Floats]) -> tuple[float, int, int]:
    """Largest Wasserstein-1 distance between two groups: how far scores must move, on average, to be alike.

    The area between the two cumulative distributions (Vallender 1974). The first position is that of the
    group with the higher mean.
    """
    best, between = -1.0, (0, 1)
    for a, b in combinations(range(len(groups)), 2):
        grid = np.sort(np.concatenate([groups[a], groups[b]]))
        one, other = (
            np.searchsorted(np.sort(groups[place]), grid[:-1], side="right") / groups[place].size for place in (a, b)
        )
        distance = float((np.abs(one - other) * np.diff(grid)).sum())
        if distance > best:
            best, between = distance, (a, b)
    higher, lower = sorted(between, key=lambda place: (-float(groups[place].mean()), place))
    return best, higher, lower


def redrawn(cells: Cells, size: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Each group drawn anew from its own smoothed cells: slices of shape (b, groups, cells), `size` draws in all.

    Drawn in an order of the counts, so that renaming groups changes nothing.
    """
    smooth, order = cells.smooth, _order(cells.counts)
    for b in _slices(cells, size):
        drawn = np.empty((b, *cells.counts.shape))
        for place in order:
            drawn[:, place] = rng.multinomial(int(cells.rows[place]), smooth[place], size=b)
        yield drawn


def permuted(
    cells: Cells, statistic: Callable[[Floats], Floats], size: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Chance of such values of `statistic` if groups were names only: permutation p-values, one for each output.

    Parameters
    ----------
    statistic : callable
        Takes counts, shape (b, groups, cells); returns shape (b, outputs).

    Notes
    -----
    (as large or larger + 1) / (size + 1), which keeps its level exactly (Phipson & Smyth 2010).
    """
    seen = statistic(cells.counts[None].astype(np.float64))
    reached = np.zeros(seen.shape[1])
    order = _order(cells.counts)
    for b in _slices(cells, size):
        left = np.repeat(cells.counts.sum(axis=0)[None], b, axis=0)
        drawn = np.empty((b, *cells.counts.shape))
        for place in order[:-1]:
            part = _without_return(left, int(cells.rows[place]), rng)
            drawn[:, place], left = part, left - part
        drawn[:, order[-1]] = left
        reached += (statistic(drawn) >= seen - 1e-12).sum(axis=0)
    return np.asarray((reached + 1) / (size + 1))


def _without_return(left: Ints, take: int, rng: np.random.Generator) -> Ints:
    """Draw `take` rows from each line of `left`, shape (b, cells), without putting any back."""
    part = np.zeros_like(left)
    behind = left[:, ::-1].cumsum(axis=1)[:, ::-1]  # rows in this cell and all after it
    wanted = np.full(left.shape[0], take)
    for cell in range(left.shape[1]):
        here = left[:, cell]
        part[:, cell] = rng.hypergeometric(here, behind[:, cell] - here, wanted)
        wanted = wanted - part[:, cell]
    return part


def _slices(cells: Cells, size: int) -> Iterator[int]:
    step = max(1, _AT_ONCE // cells.counts.size)
    for start in range(0, size, step):
        yield min(step, size - start)


def _order(counts: Ints) -> list[int]:
    """Groups in an order that follows from their counts only."""
    return sorted(range(counts.shape[0]), key=lambda place: tuple(counts[place]))
