"""Rows by the values they share: the arithmetic under k-anonymity and its kin.

Answers: which rows look alike in these columns, and how many are they?
Does not answer: is that enough. Every array here has one entry a row, a class, or a value of a class.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = ["Codes", "Ints", "Spread", "codes_of", "group", "spread_of"]

Ints = NDArray[np.int64]

_DENSE = 1 << 22  # keys up to here are counted in an array instead of sorted: the same answer, ten times as fast


@dataclass(frozen=True, slots=True)
class Codes:
    """A column as numbers: equal cells, equal numbers. A missing cell is a value of its own."""

    of_rows: Ints  # shape (rows,)
    values: pa.Array  # what each number stands for

    @property
    def count(self) -> int:
        return len(self.values)


def codes_of(values: pa.Array | pa.ChunkedArray, *, in_order: bool = False) -> Codes:
    """A column as numbers, with `in_order` numbered from its smallest value to its largest."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if pa.types.is_floating(values.type):  # -0.0 and 0.0 are equal cells
        values = pc.add(values, pa.scalar(0.0, values.type))
    encoded = values if pa.types.is_dictionary(values.type) else pc.dictionary_encode(values, null_encoding="encode")
    codes = np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)
    if not in_order:
        return Codes(codes, encoded.dictionary)
    order = np.asarray(pc.sort_indices(encoded.dictionary).to_numpy(), dtype=np.int64)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return Codes(rank[codes], encoded.dictionary.take(pa.array(order)))


def group(columns: Sequence[Ints], counts: Sequence[int]) -> tuple[Ints, int]:
    """Classes of rows that share the codes of all columns.

    Parameters
    ----------
    columns : sequence of int arrays, shape (n,)
    counts : sequence of int
        Codes of a column lie in [0, count).

    Returns
    -------
    ids, classes
        The class of each row, in [0, classes); each class has a row. Classes are numbered in the order of the codes.
    """
    if not columns:
        raise ValueError("no columns to group by")
    keys, size = columns[0], max(counts[0], 1)
    for codes, count in zip(columns[1:], counts[1:], strict=True):
        if size * max(count, 1) > 1 << 62:
            keys, size = _dense(keys, size)
        keys, size = keys * max(count, 1) + codes, size * max(count, 1)
    return _dense(keys, size)


def _dense(keys: Ints, size: int) -> tuple[Ints, int]:
    """Keys numbered without gaps."""
    if size <= max(_DENSE, 4 * len(keys)):
        there = np.zeros(size, dtype=np.int64)
        there[keys] = 1
        place = np.cumsum(there) - 1
        return place[keys], int(there.sum())
    unique, ids = np.unique(keys, return_inverse=True)
    return ids.astype(np.int64), len(unique)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How often each sensitive value occurs in each class: one entry a pair that occurs, by class, then value."""

    of_class: Ints
    value: Ints
    count: Ints
    classes: int
    values: int  # how many different ones there are in the whole table

    @property
    def totals(self) -> Ints:
        """Rows of each class whose value is known, shape (classes,)."""
        return np.bincount(self.of_class, weights=self.count, minlength=self.classes).astype(np.int64)

    @property
    def overall(self) -> NDArray[np.float64]:
        """Share of each value in the whole table, shape (values,)."""
        found = np.bincount(self.value, weights=self.count, minlength=self.values)
        return np.asarray(found / max(found.sum(), 1.0), dtype=np.float64)

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of each pair in its class, shape (pairs,)."""
        return np.asarray(self.count / self.totals[self.of_class], dtype=np.float64)


def spread_of(ids: Ints, classes: int, values: Ints, count: int, weights: Ints | None = None) -> Spread:
    """The spread of values over classes.

    Parameters
    ----------
    values : int array, shape (n,)
        In [0, count); -1 is a missing one, which is not counted.
    weights : int array, shape (n,), optional
        How many rows each entry stands for.
    """
    known = values >= 0
    if not known.all():
        ids, values = ids[known], values[known]
        weights = None if weights is None else weights[known]
    size = classes * max(count, 1)
    keys = ids * max(count, 1) + values
    if size <= max(_DENSE, 4 * len(keys)):
        counted = np.bincount(keys, weights=weights, minlength=size)
        pairs = np.flatnonzero(counted)
        occur = counted[pairs]
    elif weights is None:
        pairs, occur = np.unique(keys, return_counts=True)
    else:
        pairs, place = np.unique(keys, return_inverse=True)
        occur = np.bincount(place, weights=weights)
    return Spread(
        of_class=(pairs // max(count, 1)).astype(np.int64),
        value=(pairs % max(count, 1)).astype(np.int64),
        count=occur.astype(np.int64),
        classes=classes,
        values=count,
    )
