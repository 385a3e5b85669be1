"""A linear model that no estimator of the framework holds: found by an adversary, or folded with a projection."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["LinearModel"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Speaks as scikit-learn's linear models do. `coef_`: (1 or classes, d) for classes, (d,) for numbers."""

    coef_: Floats
    intercept_: Floats
    classes_: NDArray[np.int64]

    def predict(self, matrix: Floats) -> Floats:
        """Values, shape (rows,)."""
        return np.asarray(matrix @ self.coef_ + self.intercept_, dtype=np.float64)

    def predict_proba(self, matrix: Floats) -> Floats:
        """Probabilities, shape (rows, classes)."""
        scores = matrix @ self.coef_.T + self.intercept_
        if scores.shape[1] == 1:
            scores = np.concatenate([np.zeros_like(scores), scores], axis=1)
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float64)
