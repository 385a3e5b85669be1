"""How well scores rank rows: ROC and precision-recall, their areas and uncertainty.

Pure functions over arrays. `truth` is a bool array (the class asked about), `score` a float array of
the same length, higher meaning more likely; ties are handled exactly.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats

__all__ = ["Area", "gain_at", "gain_curve", "midranks", "pr_curve", "precision_area", "roc_area", "roc_curve"]

Bools = NDArray[np.bool_]

_FEWEST_AROUND = 10  # rows on each side of a cut whose outcomes say how much a moved cut would change


@dataclass(frozen=True, slots=True)
class Area:
    """A measure of ranking and how much each row contributes to it."""

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


def precision_area(truth: Bools, score: Floats) -> Area | None:
    """Average precision: sum over thresholds of (recall gained) x (precision there); None with one class only.

    Notes
    -----
    With p the share of positives, S(t) the share of rows at or above t and c(t) the precision there, the value is
    v = E[y c(s)] / p and the influence of a row (y, s) is (y (c(s) + a(s) - v) - b(s)) / p, where
    a(s) = E[y' 1(s' <= s) / S(s')] and b(s) = E[y' 1(s' <= s) c(s') / S(s')] over rows (y', s'): the derivative of v
    in the direction of that row (Hampel 1974), tested against the jackknife.
    """
    n, positives = truth.size, int(truth.sum())
    if positives in (0, n):
        return None
    order, ends = _falling(score)
    hits, seen = np.cumsum(truth[order])[ends].astype(np.float64), (ends + 1).astype(np.float64)
    here, precision = np.diff(hits, prepend=0.0), hits / seen
    value = float(np.sum(here * precision) / positives)
    above = np.cumsum((here / seen)[::-1])[::-1]  # sums over the positives at or below each distinct score
    weighed = np.cumsum((here / seen * precision)[::-1])[::-1]
    of_row = np.empty(n, dtype=np.intp)
    of_row[order] = np.repeat(np.arange(ends.size), np.diff(ends, prepend=-1))
    influence = (truth * (precision + above - value)[of_row] - weighed[of_row]) * (n / positives)
    return Area(value, influence)


def gain_at(truth: Bools, score: Floats, share: float) -> Area | None:
    """Share of all positives found among the `share` of rows with the highest scores; None without a positive.

    Rows that share the score at the cut are taken in part, as if drawn among themselves by lot.

    Notes
    -----
    With p the share of positives, g the value, T whether a row is taken and r the share of positives among
    the rows around the cut, the influence of a row is (y T - r (T - share) - g y) / p: moving the cut by one row
    takes or loses a positive with chance r (the quantile's influence, as for a Lorenz curve).
    """
    n, positives = truth.size, int(truth.sum())
    if positives == 0:
        return None
    order = np.argsort(-score, kind="stable")
    cut = share * n
    last = min(n - 1, int(np.ceil(cut)) - 1)
    above, level = score > score[order[last]], score == score[order[last]]
    part = (cut - above.sum()) / level.sum()
    taken = above + level * part
    value = float((truth * taken).sum() / positives)
    reach = max(_FEWEST_AROUND, int(n**0.8 / 2))
    nearby = score[order[max(0, last - reach)]], score[order[min(n - 1, last + reach)]]
    around = float(truth[(score <= nearby[0]) & (score >= nearby[1])].mean())
    influence = (truth * taken - around * (taken - share) - value * truth) * (n / positives)
    return Area(value, influence)


def gain_curve(truth: Bools, score: Floats, most_points: int = 100) -> tuple[Floats, Floats]:
    """Share of rows taken from the highest score down, and share of positives found, from (0, 0) to (1, 1)."""
    hits, seen = _cumulated(truth, score)
    taken = np.concatenate([[0.0], seen / seen[-1]])
    found = np.concatenate([[0.0], hits / hits[-1]])
    at = np.linspace(0, 1, most_points)
    return at, np.interp(at, taken, found)


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
