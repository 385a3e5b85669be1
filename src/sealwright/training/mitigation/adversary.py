"""A logistic regression that learns while a linear adversary tries to guess the group from its score.

Zhang, Lemoine & Mitchell 2018 (arXiv:1801.07593), both players linear. No dice: all rows in every step, the same start,
the same number of steps. Pure functions over arrays.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Line", "learn_against_adversary"]

Floats = NDArray[np.float64]
_STEPS, _ADVERSARY_STEPS = 400, 4
_STEP, _ADVERSARY_STEP = 0.5, 2.0
_PRESSURE = 12.0  # of the adversary's gradient, at full strength
_TINY = 1e-12


class Line(NamedTuple):
    """Weights (d,) and intercept of a score; the logistic of it is the probability."""

    weights: Floats
    intercept: float


def learn_against_adversary(
    matrix: Floats,
    positive: NDArray[np.bool_],
    groups: NDArray[np.int32],
    start: Line,
    *,
    constraint: str,
    strength: float,
    penalty: float,
) -> Line:
    """Weights that predict the outcome and leave the adversary with little to tell groups by.

    Parameters
    ----------
    matrix : float array, shape (n, d)
        Finite, about standardised.
    start : Line
        Where to begin: what the plain logistic regression learned.
    constraint : str
        What the adversary sees beside the score: nothing (demographic parity), the outcome (equalised odds), or only
        rows that are truly positive (equal opportunity).
    penalty : float
        Of the squared weights, per row: 1 / (C n).

    Notes
    -----
    The step of the weights is g - proj(g, h) - strength * pressure * h, with g the gradient of the predictor's loss and
    h that of the adversary's (section 3 there); the adversary takes four steps for each of them. Steps shrink as 1 / sqrt(t).
    """
    y, given = positive.astype(np.float64), np.ones(len(matrix), dtype=bool)
    if constraint == "equal_opportunity":
        given = positive
    truth = _one_hot(groups[given])
    weights, intercept = start.weights.copy(), start.intercept
    seen = matrix[given]
    adversary = np.zeros((4 if constraint == "equalised_odds" else 2, truth.shape[1]))
    for step in range(_STEPS):
        pace = 1.0 / np.sqrt(1.0 + step / 40.0)
        score = seen @ weights + intercept
        sight = _sight(score, y[given], constraint)
        for _ in range(_ADVERSARY_STEPS):
            adversary -= _ADVERSARY_STEP * pace * sight.T @ (_softmax(sight @ adversary) - truth) / len(truth)
        wrong = _softmax(sight @ adversary) - truth
        slope = adversary[0] + (adversary[2] * y[given][:, None] if len(adversary) == 4 else 0.0)
        squashed = _squash(score)
        pull = (wrong * slope).sum(axis=1) * (1 - squashed**2)
        theirs = seen.T @ pull / len(truth)
        error = _logistic(matrix @ weights + intercept) - y
        ours = matrix.T @ error / len(matrix) + penalty * weights
        size = float(theirs @ theirs)
        along = (float(ours @ theirs) / size) * theirs if size > _TINY else 0.0
        weights = weights - _STEP * pace * (ours - strength * along - strength * _PRESSURE * theirs)
        intercept -= _STEP * pace * float(error.mean())
    return Line(weights, _as_often(matrix @ weights, float(y.mean())))


def _sight(score: Floats, y: Floats, constraint: str) -> Floats:
    """What the adversary sees, shape (n, 2 or 4). The score is squashed, so that its size alone hides nothing."""
    s = _squash(score)
    one = np.ones_like(s)
    return np.column_stack([s, one, s * y, y]) if constraint == "equalised_odds" else np.column_stack([s, one])


def _squash(score: Floats) -> Floats:
    return np.asarray(np.tanh(score / 2))


def _as_often(score: Floats, share: float) -> float:
    """The intercept with which the mean probability is `share`, by halving."""
    low, high = -50.0 - float(score.max()), 50.0 - float(score.min())
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if float(_logistic(score + middle).mean()) < share else (low, middle)
    return (low + high) / 2


def _one_hot(groups: NDArray[np.int32]) -> Floats:
    found = np.zeros((groups.size, int(groups.max()) + 1))
    found[np.arange(groups.size), groups] = 1.0
    return found


def _softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _logistic(score: Floats) -> Floats:
    return np.asarray(0.5 * (1.0 + np.tanh(score / 2)))
