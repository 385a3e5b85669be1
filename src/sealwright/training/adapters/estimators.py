"""Our recipes as scikit-learn estimators behind an encoding: build, fit, predict.

The same rows, parameters and seed give the same estimator whatever the number of cores: histogram boosting adds
in a fixed order for each feature, the other two run on one thread.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge

from sealwright.training.encoding import Encoding, fit_encoding
from sealwright.training.packed import Packed
from sealwright.training.recipes import Value, style_of

__all__ = ["FOREST_ROWS", "Fitted", "Model", "build", "fit", "matrix_of"]

FOREST_ROWS = 20_000
"""A tree of a forest sees at most this many rows, drawn anew for each tree."""


class Model(Protocol):
    """Anything trained: a recipe alone, or several put together."""

    def predict(self, packed: Packed) -> NDArray[np.float64]:
        """Probabilities, shape (rows, classes), or values, shape (rows, 1)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A trained recipe. `present` are the classes the training rows had, as positions in `classes`."""

    task: str
    recipe: str
    classes: int
    encoding: Encoding
    estimator: Any
    present: tuple[int, ...]

    def predict(self, packed: Packed) -> NDArray[np.float64]:
        """Probabilities, shape (rows, classes), or values, shape (rows, 1)."""
        matrix = matrix_of(self.recipe, self.encoding, packed)
        if self.task == "regression":
            return np.asarray(self.estimator.predict(matrix), dtype=np.float64).reshape(-1, 1)
        result = np.zeros((packed.rows, self.classes))
        result[:, list(self.present)] = self.estimator.predict_proba(matrix)
        return result


def fit(
    recipe: str,
    task: str,
    packed: Packed,
    target: NDArray[Any],
    *,
    classes: int,
    parameters: Mapping[str, Value],
    seed: int,
    weights: NDArray[np.float64] | None = None,
    monotone: NDArray[np.int8] | None = None,
) -> Fitted:
    """Train a recipe on rows.

    Parameters
    ----------
    target : array, shape (rows,)
        Positions in the interface's classes (at least two different), or values.
    weights : float array, shape (rows,), optional
        How much each row counts.
    monotone : int8 array, shape (number columns,), optional
        +1 where a larger number may only raise the value, or the chance of the class at position 1; -1 the reverse.
    """
    ordered = task != "multiclass"
    encoding = fit_encoding(packed, target, style_of(recipe), ordered=ordered)
    matrix = matrix_of(recipe, encoding, packed)
    estimator = build(recipe, task, parameters, seed, packed.rows)
    if monotone is not None:
        matrix = _held_to(estimator, recipe, matrix, target, monotone)
    estimator.fit(matrix, target, sample_weight=weights)
    present = () if task == "regression" else tuple(int(place) for place in estimator.classes_)
    return Fitted(task=task, recipe=recipe, classes=classes, encoding=encoding, estimator=estimator, present=present)


def matrix_of(recipe: str, encoding: Encoding, packed: Packed) -> NDArray[Any]:
    """What the estimator of a recipe gets."""
    matrix = encoding.transform(packed)
    return matrix.astype(np.float64) if recipe == "logistic" else matrix  # same values; the solver needs the precision


def _held_to(
    estimator: Any, recipe: str, matrix: NDArray[Any], target: NDArray[Any], monotone: NDArray[np.int8]
) -> NDArray[Any]:
    """Tell the trees which way each number may push; for a line, empty the columns whose weight has the wrong sign."""
    signs = np.zeros(matrix.shape[1], dtype=np.int8)
    signs[: monotone.size] = monotone  # numbers are the first columns of every matrix
    if recipe != "logistic":
        # as a list: every tree of a forest turns the signs of an int8 array in place, and all of them share it
        estimator.set_params(monotonic_cst=signs.tolist())
        return matrix
    kept = matrix.copy()
    while True:  # every round empties a column or ends
        weights = np.atleast_2d(estimator.fit(kept, target).coef_)[0]
        wrong = (signs * weights < 0) & (kept != 0).any(axis=0)
        if not wrong.any():
            return kept
        kept[:, wrong] = 0.0


def build(recipe: str, task: str, parameters: Mapping[str, Value], seed: int, rows: int) -> Any:
    """The untrained estimator of a recipe."""
    weight = {"class_weight": "balanced" if parameters.get("balanced") else None} if task != "regression" else {}
    if recipe == "logistic":
        if task == "regression":
            return Ridge(alpha=parameters["strength"], solver="cholesky" if parameters["strength"] else "svd")
        return LogisticRegression(C=parameters["c"], max_iter=2000, tol=1e-6, **weight)
    if recipe == "forest":
        forest = RandomForestRegressor if task == "regression" else RandomForestClassifier
        return forest(
            n_estimators=parameters["trees"],
            max_leaf_nodes=parameters["max_leaf_nodes"],
            min_samples_leaf=parameters["min_samples_leaf"],
            max_features=parameters["max_features"],
            max_samples=FOREST_ROWS if rows > FOREST_ROWS else None,
            random_state=seed,
            **weight,
        )
    boosting = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    return boosting(
        learning_rate=parameters["learning_rate"],
        max_iter=parameters["trees"],
        max_leaf_nodes=parameters["max_leaf_nodes"],
        min_samples_leaf=parameters["min_samples_leaf"],
        l2_regularization=parameters["l2"],
        max_features=parameters["max_features"],
        categorical_features=None,
        early_stopping=False,
        random_state=seed,
        **weight,
    )
