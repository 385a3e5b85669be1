"""Which counts must not be shown, because they are of few people in a special group, or would tell such a count.

Answers: which cells of all margins together are hidden?
Does not answer: what a reader knows from elsewhere. It protects against adding and subtracting what is shown: no
hidden cell is the only one in a sum, and the hidden cells of a sum hold together at least `least` rows. Somebody who
solves all sums at once may still narrow a cell down (Hundepool et al. 2012, Statistical Disclosure Control, chapter 4).
"""

from collections.abc import Collection, Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

__all__ = ["hidden_cells", "subsets"]

Axes = tuple[int, ...]
Bools = NDArray[np.bool_]


def hidden_cells(margins: Mapping[Axes, NDArray[np.int64]], special: Collection[int], least: int) -> dict[Axes, Bools]:
    """Cells to hide.

    Parameters
    ----------
    margins : mapping
        Axes of a margin, ascending -> its counts, one dimension an axis, missing ones included. With a margin, every
        margin of fewer of its axes must be there, down to (), the number of all rows, which is shown.
    special : collection of int
        Axes whose small counts are to be protected.
    least : int
        Counts from 1 to less than this are small.

    Returns
    -------
    dict
        Bool arrays of the same shapes.
    """
    hidden = {
        axes: (counts > 0) & (counts < least) if set(axes) & set(special) else np.zeros(counts.shape, dtype=np.bool_)
        for axes, counts in margins.items()
    }
    changed = True
    while changed:
        changed = False
        for axes in sorted(margins, key=len):
            for place in range(len(axes)):
                parent = axes[:place] + axes[place + 1 :]
                changed |= _protect(margins[axes], hidden[axes], hidden[parent], place, least)
    return hidden


def _protect(counts: NDArray[np.int64], hidden: Bools, parent: Bools, axis: int, least: int) -> bool:
    """Hide one more cell in every sum along `axis` that would give a hidden one away; True if any was."""
    inside, lines = np.moveaxis(hidden, axis, -1), np.moveaxis(counts, axis, -1)
    if inside.ndim == 1:  # a single sum: the number of all rows
        inside, lines, parent = inside[None], lines[None], parent[None]
    number = inside.sum(axis=-1)
    rows = np.where(inside, lines, 0).sum(axis=-1)
    told = (number == 1) | ((number > 1) & (rows < least))  # the sum is shown, and what is hidden of it too little
    weak = np.where(parent, number == 0, told) & (number < lines.shape[-1])
    if not weak.any():
        return False
    cost = np.where(inside, np.iinfo(np.int64).max, np.where(lines == 0, np.iinfo(np.int64).max - 1, lines))
    chosen = cost.argmin(axis=-1)
    where = np.nonzero(weak)
    inside[(*where, chosen[where])] = True
    return True


def subsets(axes: Axes) -> list[Axes]:
    """Every margin of fewer or the same axes."""
    return [part for size in range(len(axes) + 1) for part in combinations(axes, size)]
