"""Which rows to train on and which to judge on, time and again.

Every function gives a tuple of `Split`s over row positions 0 … n - 1. Randomness comes from the generator
passed in; renaming classes or groups changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.kernel import InvalidInput

__all__ = [
    "Split",
    "grouped_folds",
    "k_folds",
    "leave_one_out_folds",
    "repeated",
    "stratified_folds",
    "time_ordered_folds",
]

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Split:
    """Positions of the rows to train on and of those to judge on, both ascending."""

    train: Rows
    test: Rows


def k_folds(n: int, k: int, rng: np.random.Generator) -> tuple[Split, ...]:
    """`k` folds by lot, sizes differing by one at most.

    Raises
    ------
    InvalidInput
        `k` is less than 2 or more than `n`.
    """
    _refuse_k(k, n, "rows")
    fold = np.empty(n, dtype=np.int64)
    fold[rng.permutation(n)] = np.arange(n) % k
    return _by_fold(fold, k)


def stratified_folds(classes: NDArray[Any], k: int, rng: np.random.Generator) -> tuple[Split, ...]:
    """`k` folds in each of which every class has its share, to within one row.

    Raises
    ------
    InvalidInput
        `k` is less than 2, or some class has fewer than `k` rows.
    """
    _, first, codes, counts = np.unique(classes, return_index=True, return_inverse=True, return_counts=True)
    _refuse_k(k, int(counts.min()), "rows of the rarest class")
    fold, dealt = np.empty(codes.size, dtype=np.int64), 0
    for place in np.lexsort((first, counts)):  # an order that does not depend on names
        rows = np.flatnonzero(codes == place)
        fold[rng.permutation(rows)] = (np.arange(rows.size) + dealt) % k
        dealt += rows.size
    return _by_fold(fold, k)


def grouped_folds(groups: NDArray[Any], k: int, rng: np.random.Generator) -> tuple[Split, ...]:
    """`k` folds of whole groups (persons, sites), about equally large: no group is on both sides of a split.

    The largest group goes to the smallest fold, ties by lot.

    Raises
    ------
    InvalidInput
        `k` is less than 2 or more than there are groups.
    """
    _, first, codes, counts = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
    _refuse_k(k, counts.size, "groups")
    by_row = np.argsort(first)  # an order that does not depend on names
    lot = np.empty(counts.size)
    lot[by_row] = rng.random(counts.size)
    of_group, sizes = np.empty(counts.size, dtype=np.int64), np.zeros(k)
    for place in np.lexsort((lot, -counts)):
        of_group[place] = int(np.argmin(sizes))
        sizes[of_group[place]] += counts[place]
    return _by_fold(of_group[codes], k)


def time_ordered_folds(times: NDArray[Any], k: int, gap: int = 0) -> tuple[Split, ...]:
    """`k` splits that never train on what came later: each judges the next part, and has all earlier rows to learn.

    Rows of one instant are never parted. `gap` rows just before the judged part are left out of training, for
    outcomes that are known only later.

    Raises
    ------
    InvalidInput
        There are not enough instants for `k` + 1 parts, or the gap leaves nothing to train on.
    """
    if k < 1 or gap < 0:
        raise InvalidInput(f"Time-ordered folds need k of 1 or more and a gap of 0 or more; got {k} and {gap}.")
    order = np.argsort(times, kind="stable")
    ordered = times[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    wanted = np.arange(1, k + 1) * times.size / (k + 1)
    edges = np.unique(starts[np.minimum(np.searchsorted(starts, wanted), starts.size - 1)])
    if edges.size < k or edges[0] - gap < 1:
        raise InvalidInput(
            f"{times.size:,} rows of {starts.size:,} instants cannot be cut into {k + 1} parts with a gap of {gap} rows.\n"
            "Ask for fewer folds or a smaller gap."
        )
    ends = [*edges[1:], times.size]
    return tuple(
        Split(np.sort(order[: start - gap]), np.sort(order[start:end])) for start, end in zip(edges, ends, strict=True)
    )


def leave_one_out_folds(n: int) -> tuple[Split, ...]:
    """Every row judged alone by a model that learned from all others."""
    _refuse_k(n, n, "rows")
    every = np.arange(n)
    return tuple(Split(np.delete(every, row), every[row : row + 1]) for row in range(n))


def repeated(make: Callable[[], tuple[Split, ...]], times: int) -> tuple[Split, ...]:
    """The splits of `make`, drawn anew `times` times: `repeated(lambda: k_folds(n, 10, rng), 5)`."""
    if times < 1:
        raise InvalidInput(f"Folds are repeated once or more; got {times}.")
    return tuple(split for _ in range(times) for split in make())


def _by_fold(fold: NDArray[np.int64], k: int) -> tuple[Split, ...]:
    return tuple(Split(np.flatnonzero(fold != place), np.flatnonzero(fold == place)) for place in range(k))


def _refuse_k(k: int, most: int, what: str) -> None:
    if not 2 <= k <= most:
        raise InvalidInput(f"The number of folds must be from 2 to the {most:,} {what}; got {k}.")
