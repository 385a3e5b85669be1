"""A model opened up: where each column of its matrix comes from, and the additive scores made of them.

Answers: what are the scores of a row, and how do probabilities follow from them?
Does not answer: for models that are not a linear function or a sum of trees behind encoders of single columns.

Whether a model was read rightly is not taken on trust: its scores must give back the model's own answers.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.features import Features
from sealwright.registry import Linear, Link, Source, column_values, matrix_of

__all__ = ["Leaves", "Openable", "Reading"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaves:
    """Scores as sums over trees; each tree gives the scores of the one leaf a row falls into.

    A row falls into a leaf if, for each condition of it, low < value <= high, or the value is missing and `missing`.
    Conditions are sorted by column, leaves by tree.
    """

    first: NDArray[np.intp]  # shape (trees,): first leaf of each tree
    scores: Floats  # shape (leaves, scores)
    constant: Floats  # shape (scores,)
    leaf: NDArray[np.intp]  # shape (conditions,): which leaf it belongs to
    column: NDArray[np.intp]  # which column of the matrix it asks
    low: Floats
    high: Floats
    missing: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a model was found to be."""

    words: str  # "120 trees"
    columns: tuple[Source, ...]
    core: Linear | Leaves
    links: tuple[Link, ...]  # what may turn scores into answers; the one that gives the model's answers is it

    def scores(self, features: Features) -> Floats:
        """Scores of shape (n, scores)."""
        if isinstance(self.core, Linear):
            return np.asarray(matrix_of(self.columns, features) @ self.core.weights + self.core.constant)
        return np.asarray(self.inside(features, self.core).astype(np.float64) @ self.core.scores + self.core.constant)

    def inside(self, features: Features, leaves: Leaves) -> NDArray[np.bool_]:
        """Which rows fall into which leaves, shape (n, leaves)."""
        outside = np.zeros((len(features), len(leaves.scores)), dtype=np.bool_)
        for column in np.unique(leaves.column):
            at = np.flatnonzero(leaves.column == column)  # no leaf asks a column twice
            value = column_values(self.columns[column], features)[:, None]
            inside = (value > leaves.low[at]) & (value <= leaves.high[at])
            outside[:, leaves.leaf[at]] |= ~np.where(np.isnan(value), leaves.missing[at], inside)
        return ~outside

    def answers(self, scores: Floats, link: Link, classes: int) -> Floats:
        """Probabilities (n, classes), or values (n,)."""
        from scipy.special import expit, softmax  # scipy is heavy; few checks need it

        if link == "value":
            return scores[:, 0]
        if scores.shape[1] == 1 and classes == 2:
            second = expit(scores[:, 0]) if link == "logistic" else scores[:, 0]
            return np.column_stack([1 - second, second])
        return np.asarray(softmax(scores, axis=1) if link == "softmax" else scores)


@runtime_checkable
class Openable(Protocol):
    """A predictor that can say what it is made of."""

    def opened(self) -> Reading:
        """The model opened up; raises `Unreadable` with the reason where it is of no kind that is read."""
