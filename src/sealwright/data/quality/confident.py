"""Confident learning: which labels are probably wrong, from out-of-sample class probabilities.

Answers: which rows does a model that never saw them put, with confidence, into another class than their label's?
Does not answer: who is right. A person looks at the rows.
After Northcutt, Jiang, Chuang: Confident Learning, JAIR 70 (2021), arXiv:1911.00068, sections 3.1 and 3.2.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.data.quality.frame import Floats

__all__ = ["Suspects", "find_suspects"]


@dataclass(frozen=True, slots=True)
class Suspects:
    """Rows whose label is probably wrong."""

    rows: NDArray[np.int64]  # places, the most certain first
    proposed: NDArray[np.int64]  # the class the model puts each into
    joint: Floats  # estimated share of rows with given label i and true label j, shape (classes, classes)

    @property
    def noise(self) -> float:
        """Estimated share of wrong labels in all rows."""
        return float(1 - np.trace(self.joint))


def find_suspects(given: NDArray[np.int64], probabilities: Floats, *, margin: float = 0.0) -> Suspects:
    """Rows that confident learning would prune.

    Parameters
    ----------
    given : int array, shape (n,)
        The label of each row, 0 to k - 1.
    probabilities : float array, shape (n, k)
        Out-of-sample probabilities of each class.
    margin : float
        By how much the other class must be more probable than the given one.

    Notes
    -----
    Threshold of class j: the mean probability of j among rows labelled j (eq. 2). A row labelled i is counted into the
    confident joint C[i, j] for the most probable class j among those at or above their thresholds (eq. 1). The
    joint is C with each row scaled to the number of rows labelled i, then scaled to one (eq. 3). Of the rows counted
    off the diagonal, those are kept that prune by noise rate keeps, too: of the rows labelled i the n * joint[i, j]
    with the largest p_j - p_i, for each j.
    """
    n, k = probabilities.shape
    labelled = np.bincount(given, minlength=k)
    own = np.bincount(given, weights=probabilities[np.arange(n), given], minlength=k)
    thresholds = np.where(labelled > 0, own / np.maximum(labelled, 1), np.inf)
    above = probabilities >= thresholds
    counted = above.any(axis=1)
    most = np.where(above, probabilities, -1.0).argmax(axis=1)
    counts = np.zeros((k, k))
    np.add.at(counts, (given[counted], most[counted]), 1)
    joint = _joint(counts, labelled)
    keep = np.zeros(n, dtype=np.bool_)
    gain = probabilities - probabilities[np.arange(n), given][:, None]
    for i in range(k):
        rows = np.flatnonzero(given == i)
        for j in range(k):
            budget = 0 if i == j else round(n * joint[i, j])
            if budget:
                best = rows[np.argsort(-gain[rows, j], kind="stable")[:budget]]
                keep[best[most[best] == j]] = True
    keep &= counted & (most != given)
    lead = gain[np.arange(n), most]
    places = np.flatnonzero(keep & (lead >= margin))
    places = places[np.argsort(-lead[places], kind="stable")]
    return Suspects(places.astype(np.int64), most[places].astype(np.int64), joint)


def _joint(counts: Floats, labelled: NDArray[np.int64]) -> Floats:
    """Confident joint to estimated joint distribution (eq. 3)."""
    totals = counts.sum(axis=1, keepdims=True)
    scaled = np.where(totals > 0, counts / np.maximum(totals, 1), np.eye(len(counts))) * labelled[:, None]
    return np.asarray(scaled / max(float(scaled.sum()), 1.0))
