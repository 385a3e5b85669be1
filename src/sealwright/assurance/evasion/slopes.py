"""How a model's scores change with its numbers: what attacks need that may look inside.

Answers: which way is uphill, exactly?
Does not answer: for models that only give answers; those are attacked by asking.
"""

from typing import Protocol, runtime_checkable

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.certified.reading import Openable, Reading
from sealwright.assurance.features import Features
from sealwright.registry import Linear, Unreadable

__all__ = ["Slopes", "slopes_of"]


class Slopes(Protocol):
    """Logits of each class, and their gradients. The class with the largest logit is the one decided."""

    def logits(self, features: Features) -> Floats:
        """Shape (n, classes)."""

    def jacobian(self, features: Features) -> Floats:
        """Gradients by the numbers, shape (n, classes, numbers)."""


@runtime_checkable
class _Differentiable(Protocol):
    def slopes(self, positive: int, threshold: float) -> Slopes | None: ...


class _LinearSlopes:
    """Of a linear model: its weights."""

    def __init__(self, reading: Reading, linear: Linear, case: Case) -> None:
        self._reading, self._case = reading, case
        self._alone = linear.weights.shape[1] == 1
        weights = np.zeros((len(case.interface.numbers), linear.weights.shape[1]))
        for source, row in zip(reading.columns, linear.weights, strict=True):
            if source.kind == "number":
                weights[source.place] += row * source.factor
        self._jacobian = self._both(weights.T)

    def logits(self, features: Features) -> Floats:
        logits = self._both(self._reading.scores(features).T).T
        if self._case.task == "binary":
            threshold = self._case.spec.threshold
            logits[:, self._case.positive] -= np.log(threshold / (1 - threshold))
        return logits

    def jacobian(self, features: Features) -> Floats:
        return np.broadcast_to(self._jacobian, (len(features), *self._jacobian.shape))

    def _both(self, scores: Floats) -> Floats:
        """One score for two classes is that of the second; shape (scores, …) to (classes, …)."""
        return np.concatenate([np.zeros_like(scores), scores]) if self._alone else scores.copy()


def slopes_of(case: Case) -> Slopes | str:
    """The slopes of the model judged, or why there are none."""
    predictor = case.model
    if isinstance(predictor, _Differentiable):
        found = predictor.slopes(case.positive if case.task == "binary" else 0, case.spec.threshold)
        if found is not None:
            return found
    if not isinstance(predictor, Openable):
        return "it needs gradients, and a function gives none"
    try:
        reading = predictor.opened()
    except Unreadable as why:
        return f"it needs gradients, and none are known for this model: {why}"
    if not isinstance(reading.core, Linear):
        return "it needs gradients, and trees have none; `transfer` and the attacks that only ask do without"
    return _LinearSlopes(reading, reading.core, case)
