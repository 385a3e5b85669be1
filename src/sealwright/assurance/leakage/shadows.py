"""The likelihood ratio attack: is the model as sure of a row as models that learned from it, or as models that did not?

Pure functions over the scores of shadow models (Carlini et al. 2022, arXiv:2112.03570, algorithm 1). Shadow models come in
pairs that learn from complementary halves, so each row is in exactly half of them.
"""

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.ranking import midranks

__all__ = ["exposures", "halves", "offline_scores", "online_scores"]

Bools = NDArray[np.bool_]

_BORROWED = 8.0  # how many scores' worth a row's spread leans on that of all rows: few shadows leave it uncertain
_LEAST = 1e-6


def halves(strata: NDArray[np.int64], rng: np.random.Generator) -> Bools:
    """True, shape (n,), for the rows of one half; each stratum is parted evenly, an odd row by lot."""
    inside = np.zeros(strata.size, dtype=np.bool_)
    for stratum in np.unique(strata):
        rows = rng.permutation(np.flatnonzero(strata == stratum))
        inside[rows[: (rows.size + int(rng.integers(2))) // 2]] = True
    return inside


def online_scores(own: Floats, scores: Floats, inside: Bools) -> Floats:
    """Log-likelihood ratio "learned from" against "did not", shape (n,).

    Parameters
    ----------
    own : float array, shape (n,)
        Scores of the model under attack.
    scores : float array, shape (shadows, n)
        Scores of the shadow models.
    inside : bool array, shape (shadows, n)
        True where the shadow learned from the row; half of each column.
    """
    parts = []
    for among in (_parted(scores, inside), _parted(scores, ~inside)):
        mean, spread = _normal(among)
        parts.append(-np.log(spread) - ((own - mean) / spread) ** 2 / 2)
    ratio: Floats = parts[0] - parts[1]
    return ratio


def offline_scores(own: Floats, scores: Floats, inside: Bools) -> Floats:
    """How far the model's score lies above those of shadows that did not learn from the row, in their spread, shape (n,)."""
    mean, spread = _normal(_parted(scores, ~inside))
    far: Floats = (own - mean) / spread
    return far


def exposures(scores: Floats, inside: Bools) -> Floats:
    """How well a row's score tells shadows that learned from it from those that did not: area under the ROC curve, (n,)."""
    learned, unseen = _parted(scores, inside), _parted(scores, ~inside)
    k = learned.shape[1]
    ranks = np.array([midranks(row)[:k].sum() for row in np.concatenate([learned, unseen], axis=1)])
    area: Floats = (ranks - k * (k + 1) / 2) / (k * unseen.shape[1])
    return area


def _parted(scores: Floats, chosen: Bools) -> Floats:
    """The scores that are `chosen`, shape (n, shadows / 2)."""
    return scores.T[chosen.T].reshape(scores.shape[1], -1)


def _normal(scores: Floats) -> tuple[Floats, Floats]:
    """Mean and spread of each row of `scores`; the variance leans on that of all rows."""
    k = scores.shape[1]
    variance = scores.var(axis=1, ddof=1)
    blended = ((k - 1) * variance + _BORROWED * variance.mean()) / (k - 1 + _BORROWED)
    return scores.mean(axis=1), np.sqrt(np.maximum(blended, _LEAST))
