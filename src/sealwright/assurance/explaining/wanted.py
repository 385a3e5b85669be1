"""How near a row is to a decision: a number that is at least 0 exactly where it is decided so."""

from collections.abc import Callable

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.features import Features

__all__ = ["score_for"]

_LEAST = 1e-300
_EDGE = 1e-12  # below the threshold by rounding is still below


def score_for(case: Case, outcome: int) -> Callable[[Features], Floats]:
    """The score of an outcome: its log-odds over those of the threshold, or over the next class."""

    def score(features: Features) -> Floats:
        outputs = case.predict(features)
        decided = case.decide(outputs) == outcome
        logs = np.log(np.clip(outputs, _LEAST, 1.0))  # where probabilities saturate, their logarithms still move
        if case.task == "binary":
            odds = np.log(case.spec.threshold) - np.log1p(-case.spec.threshold)
            margin = logs[:, case.positive] - logs[:, 1 - case.positive] - odds
            margin = margin if outcome == case.positive else -margin
        else:
            margin = logs[:, outcome] - np.delete(logs, outcome, axis=1).max(axis=1)
        margin = np.where(decided, np.maximum(margin, 0.0), np.minimum(margin, -_EDGE))
        return np.where(np.isfinite(outputs).all(axis=1), margin, np.nan)

    return score
