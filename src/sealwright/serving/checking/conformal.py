"""Sets and intervals that hold the truth as often as they say, for rows like those kept apart.

Answers: which classes remain possible, or between which numbers is the truth?
Does not answer: is it as often for every kind of row, or among rows with one class left? It is not: see `accepting`.

Split conformal prediction (Papadopoulos et al. 2002; Lei et al. 2018): the k-th smallest score of rows the model did not
train on, k = ceil((n + 1) coverage). A class scores one minus its probability; a number its distance from the prediction.
"""

import math

import numpy as np
from numpy.typing import NDArray

from sealwright.serving.checking.document import Conformal

__all__ = ["conformal_of", "sets_of"]

Floats = NDArray[np.float64]

_EXACT = 1e-9  # (n + 1) * coverage is a whole number to within this
_SLACK = 5e-7  # probabilities are told to six digits


def conformal_of(scores: Floats, coverages: tuple[float, ...]) -> Conformal:
    """The limits for each coverage.

    Parameters
    ----------
    scores : float array, shape (n,)
        Of the true outcome of each row.
    """
    ordered = np.sort(scores)
    limits: dict[str, float | None] = {}
    for coverage in coverages:
        k = math.ceil((ordered.size + 1) * coverage - _EXACT)
        limits[f"{coverage:g}"] = float(ordered[k - 1]) if 1 <= k <= ordered.size else None
    return Conformal(rows=ordered.size, limits=limits)


def sets_of(probabilities: Floats, limit: float) -> NDArray[np.bool_]:
    """Which classes belong to the set of each row, shape (n, classes)."""
    return np.asarray(1 - probabilities <= limit + _SLACK)
