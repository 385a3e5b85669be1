"""How near a row is to a decision: a number that is at least 0 exactly where it is decided so."""

from collections.abc import Callable

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.features import Features

__all__ = ["score_for"]

_EDGE = 1e-12  # below the threshold by rounding is still below


def score_for(case: Case, outcome: int) -> Callable[[Features], Floats]:
    """The score of an outcome: its probability over the threshold, or over that of the next class."""

    def score(features: Features) -> Floats:
        outputs = case.predict(features)
        decided = case.decide(outputs) == outcome
        if case.task == "binary":
            margin = outputs[:, case.positive] - case.spec.threshold
            margin = margin if outcome == case.positive else -margin
        else:
            margin = outputs[:, outcome] - np.delete(outputs, outcome, axis=1).max(axis=1)
        margin = np.where(decided, np.maximum(margin, 0.0), np.minimum(margin, -_EDGE))
        return np.where(np.isfinite(outputs).all(axis=1), margin, np.nan)

    return score
