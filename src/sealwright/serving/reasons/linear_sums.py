"""Exact Shapley values of one row under a linear function: weight times distance from the reference's mean, per feature.

All columns of one feature, such as the flags of its categories, are one player, and of a sum they simply add up (Lundberg and
Lee 2017, arXiv:1705.07874, corollary 1).
"""

import numpy as np
from numpy.typing import NDArray

from sealwright.registry import Linear

__all__ = ["LinearSums"]

Floats = NDArray[np.float64]


class LinearSums:
    """A linear function and the means of its columns."""

    def __init__(self, core: Linear, means: Floats, owners: NDArray[np.intp], players: int) -> None:
        """`means`, `owners`: per column of the matrix; owner -1 is a column that is the same for all rows."""
        self._weights, self._constant, self._means = core.weights, core.constant, means
        self._players, self._moved = players, np.flatnonzero(owners >= 0)
        self._owners = owners[self._moved]
        self.base = means @ core.weights + core.constant
        weighs = np.abs(core.weights[self._moved]).sum(axis=1) > 0
        self.used = frozenset(self._owners[weighs].tolist())

    def explain(self, row: Floats, score: int) -> tuple[Floats, Floats]:
        """What each feature adds to one score, shape (features,), and all scores of the row, shape (scores,)."""
        gained = (self._weights[self._moved, score]) * (row - self._means)[self._moved]
        phi: Floats = np.bincount(self._owners, weights=gained, minlength=self._players).astype(np.float64)
        return phi, row @ self._weights + self._constant
