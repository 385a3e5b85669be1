"""How many rows each group and each intersection of groups has: counted once, added up for every margin.

Answers: rows by any up to three attributes, and by outcome?
Does not answer: are they enough.
The rows are read once, into the occupied cells of the full cross; a margin is a sum over those.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.data.diversity.attributes import Attribute, Ints

__all__ = ["Cells", "cells_of", "rows_by"]

_DENSE = 1 << 22  # crosses up to here are counted in an array instead of sorted
_LARGEST = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """The occupied cells of the full cross of attributes, with the outcome as last axis."""

    sizes: tuple[int, ...]  # levels and the missing one, per attribute; then the classes
    codes: NDArray[np.int64]  # shape (cells, attributes + 1)
    rows: Ints  # shape (cells,)

    def margin(self, attributes: Sequence[int], *, outcome: bool = True) -> Ints:
        """Rows by some attributes: int array, one axis each (its last entry: missing), and one of the classes."""
        axes = [*attributes, *([len(self.sizes) - 1] if outcome else [])]
        shape = tuple(self.sizes[axis] for axis in axes)
        if not axes:
            return np.asarray(self.rows.sum(), dtype=np.int64)
        keys = np.ravel_multi_index(tuple(self.codes[:, axis] for axis in axes), shape)
        return np.bincount(keys, weights=self.rows, minlength=int(np.prod(shape))).astype(np.int64).reshape(shape)


def cells_of(attributes: Sequence[Attribute], outcome: Ints, classes: int) -> Cells:
    """Count rows by all attributes and the outcome.

    Parameters
    ----------
    outcome : int array, shape (n,)
        In [0, classes).
    """
    sizes = (*(len(one.levels) + 1 for one in attributes), max(classes, 1))
    keys, total = rows_by([*(one.codes for one in attributes), outcome], sizes)
    if total <= _DENSE:
        counted = np.bincount(keys, minlength=total)
        there = np.flatnonzero(counted)
        rows = counted[there]
    else:
        there, rows = np.unique(keys, return_counts=True)
    codes = np.empty((len(there), len(sizes)), dtype=np.int64)
    left = there
    for axis in range(len(sizes) - 1, -1, -1):
        left, codes[:, axis] = np.divmod(left, sizes[axis])
    return Cells(sizes=sizes, codes=codes, rows=rows.astype(np.int64))


def rows_by(codes: Sequence[Ints], sizes: Sequence[int]) -> tuple[Ints, int]:
    """One number for each row's cell of a cross, and how many cells it has."""
    total = 1
    for size in sizes:
        total *= size
    if total > _LARGEST:
        raise ValueError("the cross of all attributes has more cells than can be numbered; name fewer attributes")
    keys = np.zeros(len(codes[0]), dtype=np.int64)
    for one, size in zip(codes, sizes, strict=True):
        keys *= size
        keys += one
    return keys, total
