"""fairlearn's exponentiated gradient around a recipe (Agarwal et al. 2018, arXiv:1803.02453).

It ends with a few classifiers and weights, to be drawn from by lot for each row. A decision by lot cannot be explained
or repeated, so the weighted mean of their probabilities takes the place of the lot. That is an approximation: the
constraint was met by the lottery, so what the mean leaves is measured and said.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Reduced", "gap_of", "reduce"]

_ROUNDS = 10  # it usually ends after five; a gap that is left is said
_SMALLEST = 1e-3  # weights below this are dropped


@dataclass(frozen=True, slots=True)
class Reduced:
    """Classifiers with their weights; what always answered the same stands in `constant`, by class."""

    estimators: tuple[Any, ...]
    weights: tuple[float, ...]
    constant: tuple[float, float]
    lottery_gap: float  # on the rows it was made from


class _ByRow:
    """A classifier asked for rows by number, since fairlearn takes no missing cells and no matrix it would not copy."""

    def __init__(self, estimator: Any, matrix: NDArray[Any]) -> None:
        self.estimator, self._matrix = estimator, matrix

    def __deepcopy__(self, _memo: Any) -> "_ByRow":
        from sklearn.base import clone

        return _ByRow(clone(self.estimator), self._matrix)

    def fit(self, numbered: NDArray[Any], y: Any, sample_weight: Any) -> "_ByRow":
        rows = np.asarray(numbered)[:, 0].astype(np.intp)
        self.estimator.fit(self._matrix[rows], np.asarray(y), sample_weight=np.asarray(sample_weight))
        return self

    def predict(self, numbered: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(self.estimator.predict(self._matrix[np.asarray(numbered)[:, 0].astype(np.intp)]))


def reduce(
    estimator: Any,
    matrix: NDArray[Any],
    positive: NDArray[np.bool_],
    groups: NDArray[np.int32],
    constraint: str,
    allowed_gap: float,
) -> Reduced:
    """Classifiers whose lottery differs between groups by about `allowed_gap` at most.

    Parameters
    ----------
    estimator : scikit-learn classifier
        Not fitted; takes weights of rows. Its classes are 0 and 1, 1 for `positive`.
    """
    search = _searched(estimator, matrix, positive, groups, constraint, allowed_gap)
    numbered = np.arange(len(matrix), dtype=np.float64).reshape(-1, 1)
    kept = [at for at, weight in enumerate(search.weights_) if weight > _SMALLEST]
    total = float(sum(search.weights_[at] for at in kept))
    estimators, weights, constant = [], [], [0.0, 0.0]
    chances = np.zeros(len(matrix))
    for at in kept:
        one, weight = search.predictors_[at], float(search.weights_[at]) / total
        decided = np.asarray(one.predict(numbered), dtype=np.float64)
        chances += weight * decided
        if isinstance(one, _ByRow):
            estimators.append(one.estimator)
            weights.append(weight)
        else:
            constant[int(decided[0])] += weight
    return Reduced(
        tuple(estimators),
        tuple(weights),
        (constant[0], constant[1]),
        gap_of(chances, positive, groups, constraint),
    )


def _searched(
    estimator: Any,
    matrix: NDArray[Any],
    positive: NDArray[np.bool_],
    groups: NDArray[np.int32],
    constraint: str,
    allowed_gap: float,
) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fairlearn's own use of pandas
        from fairlearn.reductions import DemographicParity, EqualizedOdds, ExponentiatedGradient, TruePositiveRateParity

        kinds = {
            "demographic_parity": DemographicParity,
            "equal_opportunity": TruePositiveRateParity,
            "equalised_odds": EqualizedOdds,
        }
        # its bound is the distance of each group to all; two groups are apart by twice that at most
        bound = kinds[constraint](difference_bound=allowed_gap / 2)
        search = ExponentiatedGradient(_ByRow(estimator, matrix), bound, eps=allowed_gap / 2, max_iter=_ROUNDS)
        numbered = np.arange(len(matrix), dtype=np.float64).reshape(-1, 1)
        search.fit(numbered, positive.astype(int), sensitive_features=groups)
    return search


def gap_of(
    chosen: NDArray[np.float64], positive: NDArray[np.bool_], groups: NDArray[np.int32], constraint: str
) -> float:
    """Largest difference between groups in what the constraint compares; `chosen` are chances or 0 and 1."""
    parts = {
        "demographic_parity": [np.ones_like(positive)],
        "equal_opportunity": [positive],
        "equalised_odds": [positive, ~positive],
    }[constraint]
    gaps = []
    for part in parts:
        cells = [part & (groups == group) for group in np.unique(groups)]
        means = [float(chosen[cell].mean()) for cell in cells if cell.any()]
        gaps.append(max(means) - min(means))
    return max(gaps)
