"""A copy of a model, learnt from its answers: extremely randomised trees of scikit-learn over one-hot columns."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.features import Features
from sealwright.assurance.linear import learn_encoding

__all__ = ["copied"]

_TREES = 20


def copied(rows: Features, answers: NDArray[Any], labels: bool, seed: int) -> Callable[[Features], Floats]:
    """A copy that predicts what the model answers.

    Parameters
    ----------
    answers : array, shape (n,) or (n, classes)
        Class positions if `labels`, else values or probabilities.

    Returns
    -------
    callable
        Gives class positions (n,), values (n,) or probabilities (n, classes).
    """
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor  # heavy; few checks copy

    encoding = learn_encoding(rows)
    kind = ExtraTreesClassifier if labels else ExtraTreesRegressor
    trees = kind(n_estimators=_TREES, min_samples_leaf=2 if labels else 1, n_jobs=1, random_state=seed)
    trees.fit(encoding.matrix(rows).astype(np.float32), answers)
    return lambda asked: np.asarray(trees.predict(encoding.matrix(asked).astype(np.float32)), dtype=np.float64)
