"""Conformal prediction: sets and intervals that contain the truth as often as they say, whatever the model.

Answers: how large must a set be to miss only one row in ten, and does that hold for rows not used to find out?
Does not answer: is it one row in ten of every kind. The promise is about the average row; groups are compared elsewhere.

Every row gets a score for every outcome it might have; a high score is an outcome the model does not expect. The
outcomes up to a quantile of the scores of the true ones form the set (Vovk, Gammerman & Shafer 2005; Papadopoulos
et al. 2002 for the split). Rows that train cannot calibrate: the model has seen them. So test rows are halved by
lot, again and again, and each half calibrates for the other. Pure functions over arrays.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.intervals import Interval, z_of

__all__ = [
    "Sets",
    "adaptive_scores",
    "conformal_quantile",
    "halves",
    "least_ambiguous_scores",
    "quantile_ends",
    "sets",
    "splits_of",
]

Ints = NDArray[np.int64]
_EXACT = 1e-9  # (n + 1) * share is a whole number to within this
_ENOUGH = 200_000  # rows judged over all splits: more would not change a third digit


@dataclass(frozen=True, slots=True, kw_only=True)
class Sets:
    """What the sets of each row were like over all splits; every array has shape (n,)."""

    covered: Floats  # share of splits in which the set held the true outcome
    size: Floats  # mean number of outcomes in it
    alone: Floats  # share of splits with exactly one outcome
    alone_right: Floats  # share of splits with exactly one outcome, the true one
    empty: Floats


def conformal_quantile(scores: Floats, coverage: float) -> float:
    """The score up to which outcomes belong to the set; infinite where so few rows cannot promise `coverage`.

    Notes
    -----
    The k-th smallest of n scores with k = ceil((n + 1) coverage): a new score from the same source is at most this
    with probability k / (n + 1) >= coverage, ties aside (Lei et al. 2018, doi:10.1080/01621459.2017.1307116).
    """
    n = scores.size
    k = math.ceil((n + 1) * coverage - _EXACT)
    return float(np.partition(scores, k - 1)[k - 1]) if 1 <= k <= n else math.inf


def quantile_ends(scores: Floats, coverage: float, confidence: float) -> Interval:
    """Order statistics that enclose the true quantile of the scores, from the normal form of the binomial."""
    n, ordered = scores.size, np.sort(scores)
    half = z_of(confidence) * math.sqrt(n * coverage * (1 - coverage))
    low, high = math.floor(n * coverage - half), math.ceil(n * coverage + half)
    return float(ordered[min(max(low - 1, 0), n - 1)]), float(ordered[min(high, n - 1)])


def least_ambiguous_scores(probabilities: Floats) -> Floats:
    """One minus the stated probability, shape (n, classes): the smallest sets on average (Sadinle, Lei & Wasserman 2019)."""
    return np.asarray(1 - probabilities)


def adaptive_scores(probabilities: Floats, lots: Floats) -> Floats:
    """Probability of all likelier outcomes plus a random part of the own one, shape (n, classes).

    Parameters
    ----------
    lots : float array, shape (n,)
        Uniform in [0, 1): without them the sets of adaptive prediction are larger than promised; ones give that form.

    Notes
    -----
    Adaptive prediction sets, Romano, Sesia & Candès 2020 (arXiv:2006.02544): hard rows get larger sets, so that coverage
    differs less from one kind of row to another. Of equally likely outcomes the earlier class comes first.
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")
    ordered = np.take_along_axis(probabilities, order, axis=1)
    up_to = np.cumsum(ordered, axis=1) - (1 - lots[:, None]) * ordered
    scores = np.empty_like(up_to)
    np.put_along_axis(scores, order, up_to, axis=1)
    return scores


def splits_of(n: int, asked: int) -> int:
    """How often n rows are halved: as asked, less often where there are very many rows."""
    return max(1, min(asked, _ENOUGH // n))


def halves(n: int, splits: int, rng: np.random.Generator) -> Iterator[tuple[Ints, Ints]]:
    """(calibration, evaluation) positions: `splits` random halvings, each used both ways, so every row counts alike."""
    for _ in range(splits):
        order = rng.permutation(n)
        first, second = np.sort(order[: n // 2]), np.sort(order[n // 2 :])
        yield first, second
        yield second, first


def sets(scores: Floats, truth: Ints, coverage: float, parts: Iterator[tuple[Ints, Ints]]) -> Sets:
    """Sets of every row, calibrated on the other rows of each split.

    Parameters
    ----------
    scores : float array, shape (n, classes)
    truth : int array, shape (n,)
        Class positions.
    parts : iterator of (calibration, evaluation)
        From `halves`.
    """
    n = truth.size
    true = scores[np.arange(n), truth]
    told = np.zeros((5, n))
    times = np.zeros(n)
    for calibration, evaluation in parts:
        limit = conformal_quantile(true[calibration], coverage)
        size = (scores[evaluation] <= limit).sum(axis=1)
        held = true[evaluation] <= limit
        told[:, evaluation] += (held, size, size == 1, (size == 1) & held, size == 0)
        times[evaluation] += 1
    covered, sizes, alone, alone_right, empty = told / times
    return Sets(covered=covered, size=sizes, alone=alone, alone_right=alone_right, empty=empty)
