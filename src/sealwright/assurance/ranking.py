"""How well scores rank rows: ROC and precision-recall, their areas and uncertainty.

Pure functions over arrays. `truth` is a bool array (the class asked about), `score` a float array of
the same length, higher meaning more likely; ties are handled exactly.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats

__all__ = ["Area", "average_precision", "midranks", "pr_curve", "precision_replicates", "roc_area", "roc_curve"]

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Area:
    """The area under the ROC curve and how much each row contributes to it."""

    value: float
    influence: Floats  # shape (n,); the standard error is sqrt(sum(influence**2)) / n

    @property
    def error(self) -> float:
        return float(np.sqrt(np.sum(self.influence**2)) / self.influence.size)


def roc_area(truth: Bools, score: Floats) -> Area | None:
    """P(score of a positive > score of a negative) + half of P(equal); None with one class only.

    Notes
    -----
    The influence of a row is its DeLong placement value, centred and scaled so that the variance is
    DeLong's unbiased one (DeLong et al. 1988, computed by mid-ranks as in Sun & Xu 2014).
    """
    m, k = int(truth.sum()), int((~truth).sum())
    if m == 0 or k == 0:
        return None
    ranks = midranks(score)
    above = (ranks[truth] - midranks(score[truth])) / k  # share of negatives below each positive
    below = 1 - (ranks[~truth] - midranks(score[~truth])) / m  # share of positives above each negative
    value = float(above.mean())
    influence = np.zeros(score.size)
    influence[truth] = (above - value) * score.size / np.sqrt(m * max(m - 1, 1))
    influence[~truth] = (below - value) * score.size / np.sqrt(k * max(k - 1, 1))
    return Area(value, influence)


def roc_curve(truth: Bools, score: Floats, most_points: int = 100) -> tuple[Floats, Floats]:
    """False and true positive rates at falling thresholds, from (0, 0) to (1, 1), thinned to `most_points`."""
    hits, seen = _cumulated(truth, score)
    tpr = np.concatenate([[0.0], hits / hits[-1]])
    fpr = np.concatenate([[0.0], (seen - hits) / (seen[-1] - hits[-1])])
    keep = _thinned(fpr.size, most_points)
    return fpr[keep], tpr[keep]


def pr_curve(truth: Bools, score: Floats, most_points: int = 100) -> tuple[Floats, Floats]:
    """Recall and precision at falling thresholds, thinned to `most_points`."""
    hits, seen = _cumulated(truth, score)
    keep = _thinned(hits.size, most_points)
    return (hits / hits[-1])[keep], (hits / seen)[keep]


def average_precision(truth: Bools, score: Floats) -> float:
    """Sum over thresholds of (recall gained) x (precision there): the step-wise area under the PR curve."""
    hits, seen = _cumulated(truth, score)
    return float(np.sum(np.diff(hits, prepend=0.0) * hits / seen) / hits[-1])


def precision_replicates(truth: Bools, score: Floats, counts: Floats) -> Floats:
    """`average_precision` of resamples given as counts, shape (b, n) in the order of `truth`; shape (b,)."""
    order, ends = _falling(score)
    weights = counts[:, order]
    seen = np.cumsum(weights, axis=1)[:, ends]
    hits = np.cumsum(weights * truth[order], axis=1)[:, ends]
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(seen > 0, hits / seen, 0.0)
        result: Floats = np.sum(np.diff(hits, axis=1, prepend=0.0) * precision, axis=1) / hits[:, -1]
    return result


def _cumulated(truth: Bools, score: Floats) -> tuple[Floats, Floats]:
    """Positives and rows at or above each distinct score, highest score first."""
    order, ends = _falling(score)
    return np.cumsum(truth[order])[ends].astype(np.float64), (ends + 1).astype(np.float64)


def _falling(score: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Order of falling score, and the last position of each distinct score in that order."""
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    return order, np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))


def midranks(values: Floats) -> Floats:
    """Ranks from 1, ties sharing the mean of theirs."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    last = np.append(first[1:], values.size)
    ranks = np.empty(values.size)
    ranks[order] = np.repeat((first + last + 1) / 2, last - first)
    return ranks


def _thinned(n: int, most: int) -> NDArray[np.intp]:
    """At most `most` positions of n, evenly spread, with both ends."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.intp))
