"""Models that measure made-up rows. They are yardsticks: small, fixed, and never the project's own.

Answers: a classifier or regressor over modelled columns, missing cells and categories included.
Does not answer: which model the project makes.
"""

from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from sealwright.data.augment.frame import Floats, Frame

__all__ = ["classifier", "learnable", "one_thread", "regressor"]

_ROUNDS = 40
_MOST_LEVELS = 255  # more are taken as numbers


def learnable(frame: Frame) -> Floats:
    """Columns as numbers; missing is NaN. Shape (rows, columns)."""
    columns = [np.where(one.missing, np.nan, one.values.astype(np.float64)) for one in frame.columns]
    return np.column_stack(columns) if columns else np.zeros((frame.rows, 0))


def classifier(frame: Frame, seed: int) -> Any:
    """Boosted trees for classes."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(**_settings(frame, seed))


def regressor(frame: Frame, seed: int) -> Any:
    """Boosted trees for a number."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(**_settings(frame, seed))


def one_thread() -> AbstractContextManager[Any]:
    """While it is open, trees are grown in one thread: many threads wait for each other longer than small tables take."""
    import sklearn.ensemble  # noqa: F401 - only libraries that are loaded already are held to it
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    limits: AbstractContextManager[Any] = threadpool_limits(1)
    return limits


def _settings(frame: Frame, seed: int) -> dict[str, Any]:
    states = [one.levels is not None and len(one.levels) < _MOST_LEVELS for one in frame.columns]
    return {
        "max_iter": _ROUNDS,
        "max_leaf_nodes": 8,
        "learning_rate": 0.15,
        "early_stopping": False,
        "random_state": seed,
        "categorical_features": np.array(states),
    }
