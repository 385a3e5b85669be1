"""Weights, or repeated rows, with which group and outcome are independent.

Kamiran & Calders 2012 (doi:10.1007/s10115-011-0463-8), reweighing and uniform sampling. For numbers as target the
outcome is the fifth of the target a row lies in. Pure functions over arrays.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["bands_of", "independent_weights", "resampled"]

_BANDS = 5

Floats = NDArray[np.float64]


def bands_of(task: str, target: NDArray[np.generic]) -> NDArray[np.int64]:
    """The outcome as a few positions: classes as they are, numbers by fifths."""
    if task != "regression":
        return target.astype(np.int64)
    values = target.astype(np.float64)
    cuts = np.unique(np.quantile(values, np.linspace(0, 1, _BANDS + 1)[1:-1]))
    return np.searchsorted(cuts, values, side="right").astype(np.int64)


def independent_weights(groups: NDArray[np.int32], outcome: NDArray[np.int64], strength: float = 1.0) -> Floats:
    """A weight for each row, with mean 1: P(group) P(outcome) / P(group, outcome).

    Parameters
    ----------
    groups, outcome : int arrays, shape (n,)
        Positions; not negative.
    strength : float
        In (0, 1]: 1 - strength of the way the weights stay 1.

    Notes
    -----
    A combination without rows gets none; its share is then missing, and the others are scaled to mean 1.
    """
    joint = np.zeros((int(groups.max()) + 1, int(outcome.max()) + 1))
    np.add.at(joint, (groups, outcome), 1.0)
    expected = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True) / groups.size
    table = np.divide(expected, joint, out=np.zeros_like(joint), where=joint > 0)
    weights = 1.0 - strength + strength * table[groups, outcome]
    return np.asarray(weights / weights.mean(), dtype=np.float64)


def resampled(groups: NDArray[np.int32], outcome: NDArray[np.int64], strength: float, seed: int) -> NDArray[np.intp]:
    """Row numbers, ascending, as many as there are rows: each repeated or left out to the table of the weights.

    The rows of a combination are each taken floor(w) times, and some of them, drawn by lot, once more.
    """
    weights, rng = independent_weights(groups, outcome, strength), np.random.default_rng(seed)
    cells = groups.astype(np.int64) * (int(outcome.max()) + 1) + outcome
    present, first = np.unique(cells, return_index=True)
    taken = []
    for at in np.argsort(first):  # in the order of the rows, so that names of groups do not decide
        rows = np.flatnonzero(cells == present[at])
        wanted = max(1, round(float(weights[rows[0]]) * rows.size))
        again, rest = divmod(wanted, rows.size)
        taken += [np.repeat(rows, again), rng.permutation(rows)[:rest]]
    return np.sort(np.concatenate(taken))
