"""The simplest models worth comparing with: ridge regression and logistic regression, fitted here, exactly.

Answers: what would a straight line through the same columns have said?
Does not answer: anything a model in service should be made with; it tunes nothing.
Pure functions over arrays; no training library, the same bits for the same rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.features import Features

__all__ = ["Encoding", "fit_logistic", "fit_ridge", "learn_encoding", "train_simple"]

_MOST_LEVELS = 20  # of one text column; rarer values share the column's baseline
_PENALTY = 1.0  # on standardised columns; the customary default of ridge and logistic regression
_STEPS = 50
_SETTLED = 1e-10
_AT_ONCE = 8_192  # rows answered for


@dataclass(frozen=True, slots=True)
class Encoding:
    """How columns become numbers: standardised with a flag for missing, or one column per frequent text."""

    centres: Floats  # shape (number columns,)
    scales: Floats
    levels: tuple[tuple[str, ...], ...]  # per text column

    @property
    def width(self) -> int:
        return 2 * self.centres.size + sum(map(len, self.levels))

    def matrix(self, features: Features) -> Floats:
        """Columns of shape (n, width); a missing or infinite number is the mean, and flagged."""
        numbers = features.numbers.astype(np.float64)
        known = np.isfinite(numbers)
        scaled = np.where(known, (np.where(known, numbers, 0.0) - self.centres) / self.scales, 0.0)
        texts = [
            features.strings[:, [place]] == np.array(names, dtype=object) for place, names in enumerate(self.levels)
        ]
        flags = [column for column in texts if column.size]
        return np.column_stack([scaled, ~known, *flags]).astype(np.float64)


def learn_encoding(features: Features) -> Encoding:
    """The encoding of these rows: means and spreads of numbers, the most frequent texts."""
    numbers = np.where(np.isfinite(features.numbers), features.numbers.astype(np.float64), np.nan)
    known = np.isfinite(numbers)
    counts = np.maximum(known.sum(axis=0), 1)
    centres = np.where(known, numbers, 0.0).sum(axis=0) / counts
    spread = np.sqrt((np.where(known, numbers - centres, 0.0) ** 2).sum(axis=0) / counts)
    return Encoding(centres, np.where(spread > 0, spread, 1.0), tuple(map(_frequent, features.strings.T)))


def _frequent(column: NDArray[Any]) -> tuple[str, ...]:
    values, counts = np.unique(column.astype(str), return_counts=True)
    return tuple(str(values[place]) for place in np.argsort(-counts, kind="stable")[:_MOST_LEVELS])


def train_simple(features: Features, truth: NDArray[Any], classes: int) -> Callable[[Features], Floats]:
    """A ridge regression (`classes` 0) or one logistic regression per class, as a function of features.

    Parameters
    ----------
    truth : array, shape (n,)
        Values, or class positions.

    Returns
    -------
    callable
        Gives values (n,), or probabilities (n, classes): for two classes those of one regression, for more
        those of each class against the rest, divided by their sum.
    """
    encoding = learn_encoding(features)
    columns = encoding.matrix(features)
    if not classes:
        weights, constant = fit_ridge(columns, truth.astype(np.float64), _PENALTY)
        return _part_by_part(lambda rows: np.asarray(encoding.matrix(rows) @ weights + constant))
    told = [0] if classes == 2 else range(classes)
    fitted = [fit_logistic(columns, truth == place, _PENALTY) for place in told]

    def answer(rows: Features) -> Floats:
        known = encoding.matrix(rows)
        chances = np.column_stack([_expit(known @ weights + constant) for weights, constant in fitted])
        if classes == 2:
            return np.column_stack([chances, 1 - chances])
        chances = np.maximum(chances, np.finfo(np.float64).tiny)
        return np.asarray(chances / chances.sum(axis=1, keepdims=True))

    return _part_by_part(answer)


def _part_by_part(answer: Callable[[Features], Floats]) -> Callable[[Features], Floats]:
    """The same for a few rows at a time: the matrix of all of them can take more memory than the rows."""
    return lambda rows: np.concatenate([answer(part) for part in rows.slices(_AT_ONCE)]) if len(rows) else answer(rows)


def fit_ridge(X: Floats, y: Floats, penalty: float) -> tuple[Floats, float]:
    """Weights and constant that minimise |y - Xw - c|² + penalty |w|² (Hoerl & Kennard 1970); c is not penalised."""
    centre, level = X.mean(axis=0), float(y.mean())
    moved = X - centre
    weights = np.linalg.solve(moved.T @ moved + penalty * np.eye(X.shape[1]), moved.T @ (y - level))
    return weights, level - float(centre @ weights)


def fit_logistic(X: Floats, y: NDArray[np.bool_], penalty: float) -> tuple[Floats, float]:
    """Weights and constant that minimise the log loss, summed, + penalty/2 |w|², by Newton's method with halved steps.

    With one outcome only the weights are zero and the constant is that of Laplace's rule.
    """
    if y.all() or not y.any():
        positives = float(y.sum())
        return np.zeros(X.shape[1]), float(np.log((positives + 1) / (y.size - positives + 1)))
    Z = np.column_stack([np.ones(len(X)), X])
    held = np.diag([0.0, *[penalty] * X.shape[1]])
    w = np.zeros(Z.shape[1])
    loss = _loss(Z, y, w, penalty)
    for _ in range(_STEPS):
        chance = _expit(Z @ w)
        slope = Z.T @ (chance - y) + held @ w
        step = np.linalg.solve((Z * (chance * (1 - chance))[:, None]).T @ Z + held, slope)
        length = 1.0
        while (tried := _loss(Z, y, w - length * step, penalty)) > loss and length > _SETTLED:
            length /= 2
        if tried > loss:
            break
        w, loss = w - length * step, tried
        if float(np.abs(step).max()) < _SETTLED:
            break
    return w[1:], float(w[0])


def _loss(Z: Floats, y: NDArray[np.bool_], w: Floats, penalty: float) -> float:
    logits = Z @ w
    return float(np.logaddexp(0, np.where(y, -logits, logits)).sum() + penalty / 2 * w[1:] @ w[1:])


def _expit(x: Floats) -> Floats:
    decay = np.exp(-np.abs(x))
    chance: Floats = np.where(x >= 0, 1 / (1 + decay), decay / (1 + decay))
    return chance
