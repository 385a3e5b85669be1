"""Which feature each column of an encoded matrix comes from, found by moving one feature at a time.

Works for any encoding, since it reads none: a column belongs to the only feature that moves it.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.features import Features
from sealwright.assurance.unexplained import CannotExplain

__all__ = ["owners_of"]


def owners_of(matrix: Callable[[Features], Floats], rows: Features, features: int) -> NDArray[np.intp]:
    """The feature of each column, shape (columns,); -1 for a column that is the same in all `rows`.

    Raises
    ------
    CannotExplain
        A column mixes features, so what it contributes belongs to none of them.
    """
    before = matrix(rows)
    owners = np.full(before.shape[1], -1, dtype=np.intp)
    for feature in range(features):
        # moved on by one row, a column that is not constant over the rows changes somewhere
        after = matrix(rows.with_column(feature, np.roll(rows.column(feature), 1)))
        moved = ~((before == after) | (np.isnan(before) & np.isnan(after))).all(axis=0)
        if (owners[moved] >= 0).any():
            raise CannotExplain("a column the trees look at mixes several features")
        owners[moved] = feature
    return owners
