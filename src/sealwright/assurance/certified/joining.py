"""Trees put together two by two, so that a bound sees what no row can do to both at once.

Two trees side by side are each taken to reach their worst leaf, even where the two leaves contradict each other. One
tree with a leaf for each pair that does not contradict gives the same sums and cannot be fooled in that way: the
cliques of Chen et al. 2019 (arXiv:1906.03849). What costs one row too much for a pair costs it too much for the joined
leaf, so prices are those of any leaf. With one tree left, the bound is exact.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.certified.reading import Leaves

__all__ = ["joined"]

_MOST_CELLS = 4_000_000  # leaves times columns held at once


@dataclass(frozen=True, slots=True)
class _Tree:
    """One tree with the side of every column, asked or not, for each leaf."""

    scores: Floats  # shape (leaves, scores)
    low: Floats  # shape (leaves, columns)
    high: Floats
    missing: NDArray[np.bool_]


def joined(leaves: Leaves, most: int) -> Leaves:
    """The same sums over fewer trees, neighbours joined as long as there are at most `most` leaves in all."""
    asked = np.unique(leaves.column)
    most = min(most, _MOST_CELLS // max(1, asked.size))
    if len(leaves.scores) >= most or leaves.first.size < 2:
        return leaves
    trees = _spread(leaves, asked)
    total = len(leaves.scores)
    while len(trees) > 1:
        pairs: list[_Tree] = []
        for near, far in zip(trees[::2], trees[1::2], strict=False):
            both = _both(near, far, most)
            grown = total + (len(both.scores) if both else most) - len(near.scores) - len(far.scores)
            if both is None or grown > most:
                return _gathered(leaves, asked, [*pairs, *trees[2 * len(pairs) :]])
            pairs.append(both)
            total = grown
        trees = [*pairs, *trees[2 * len(pairs) :]]
    return _gathered(leaves, asked, trees)


def _spread(leaves: Leaves, asked: NDArray[np.intp]) -> list[_Tree]:
    shape = len(leaves.scores), asked.size
    low, high, missing = np.full(shape, -np.inf), np.full(shape, np.inf), np.ones(shape, dtype=np.bool_)
    at = leaves.leaf, np.searchsorted(asked, leaves.column)
    low[at], high[at], missing[at] = leaves.low, leaves.high, leaves.missing
    ends = [*leaves.first[1:], len(leaves.scores)]
    parts = [slice(first, end) for first, end in zip(leaves.first, ends, strict=True)]
    return [_Tree(leaves.scores[part], low[part], high[part], missing[part]) for part in parts]


def _both(near: _Tree, far: _Tree, most: int) -> _Tree | None:
    """Every pair of leaves some row falls into; None where there would be too many to look at."""
    if len(near.scores) * len(far.scores) > 4 * most:
        return None
    low = np.maximum(near.low[:, None], far.low)
    high = np.minimum(near.high[:, None], far.high)
    missing = near.missing[:, None] & far.missing
    a, b = np.nonzero(((low < high) | missing).all(axis=2))
    return _Tree(near.scores[a] + far.scores[b], low[a, b], high[a, b], missing[a, b])


def _gathered(leaves: Leaves, asked: NDArray[np.intp], trees: list[_Tree]) -> Leaves:
    low, high = np.concatenate([tree.low for tree in trees]), np.concatenate([tree.high for tree in trees])
    missing = np.concatenate([tree.missing for tree in trees])
    column, leaf = np.nonzero(((low > -np.inf) | (high < np.inf) | ~missing).T)
    return Leaves(
        first=np.cumsum([0, *(len(tree.scores) for tree in trees[:-1])]).astype(np.intp),
        scores=np.concatenate([tree.scores for tree in trees]),
        constant=leaves.constant,
        leaf=leaf,
        column=asked[column],
        low=low[leaf, column],
        high=high[leaf, column],
        missing=missing[leaf, column],
    )
