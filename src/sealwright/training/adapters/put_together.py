"""Models made of others: a weighted mean of several, or one whose odds are moved by group."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.training.adapters.estimators import Fitted
from sealwright.training.mitigation.groups import GroupKey, membership
from sealwright.training.packed import Packed

__all__ = ["ByGroup", "Mixture"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """The mean of the probabilities of several models of one encoding; weights and constants sum to 1."""

    members: tuple[Fitted, ...]
    weights: tuple[float, ...]
    constant: tuple[float, float] = (0.0, 0.0)  # what is added, by class

    def predict(self, packed: Packed) -> NDArray[np.float64]:
        """Probabilities, shape (rows, 2)."""
        parts = (weight * one.predict(packed) for weight, one in zip(self.weights, self.members, strict=True))
        return np.asarray(sum(parts, np.tile(self.constant, (packed.rows, 1))), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class ByGroup:
    """A model whose odds are multiplied so that each group's threshold comes to lie at one half.

    With threshold t, p becomes p (1 - t) / (p (1 - t) + (1 - p) t): at least one half where p is at least t, in the
    same order as before within a group, and a probability for each class again.
    """

    inner: Fitted
    key: GroupKey
    factors: NDArray[np.float32]  # shape (groups, 2), by class; 1 leaves a group as it is
    numbers: tuple[str, ...]
    strings: tuple[str, ...]

    def predict(self, packed: Packed) -> NDArray[np.float64]:
        """Probabilities, shape (rows, 2)."""
        of = membership(self.key, packed, self.numbers, self.strings).astype(np.float64)
        raised = self.inner.predict(packed) * (1.0 + of @ (self.factors.astype(np.float64) - 1.0))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float64)
