"""How well a group can be recognised from features: cross-fitted guesses, and the area under their ROC curve.

Pure functions over arrays; scikit-learn is loaded when a model is fitted.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.ranking import roc_area

__all__ = ["Recognised", "alone", "dealt", "recognised", "together"]

Ints = NDArray[np.int64]

_TREES, _LEAVES, _RATE = 40, 8, 0.1
_FOLDS = 5
_SHARED_ROWS = float(np.sqrt(1 + _FOLDS / (_FOLDS - 1)))
_BANDS = 10
_MOST_TEXTS = 250  # categories a histogram tree can hold; rarer ones count as one


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """Mean area under the ROC curve, each group against the others."""

    value: float
    error: float  # standard error
    n: int
    scarcest: int  # rows of the smallest group
    clearest: int  # position of the group told apart best


def recognised(codes: Ints, guesses: Floats) -> Recognised:
    """Judge `guesses`, shape (n, groups), of group positions `codes`, shape (n,).

    Notes
    -----
    Standard error by DeLong et al. 1988 over all folds as one sample, times sqrt(1 + k n_test / n_train) = 1.5 for k = 5
    folds: models of different folds share most of their rows, so their errors go together (Nadeau & Bengio 2003).
    Guesses of different folds come from different models, which lowers the pooled area a little.
    """
    areas = [area for place in range(guesses.shape[1]) if (area := roc_area(codes == place, guesses[:, place]))]
    influence = np.mean([area.influence for area in areas], axis=0)
    values = [area.value for area in areas]
    return Recognised(
        value=float(np.mean(values)),
        error=_SHARED_ROWS * float(np.sqrt((influence**2).sum()) / codes.size),
        n=codes.size,
        scarcest=int(np.bincount(codes).min()),
        clearest=int(np.argmax(values)),
    )


def together(columns: list[NDArray[Any]], codes: Ints, folds: Ints, seed: int) -> Floats:
    """Probability of each group for rows left out, from all columns: shape (n, groups), by small boosted trees."""
    import sklearn.ensemble
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    matrix = np.column_stack([_as_numbers(column) for column in columns])
    texts = [place for place, column in enumerate(columns) if column.dtype == object]
    guesses = np.zeros((codes.size, int(codes.max()) + 1))
    with threadpool_limits(1):  # sums in one order, so that equal input gives equal bits
        for fold in np.unique(folds):
            model = sklearn.ensemble.HistGradientBoostingClassifier(
                max_iter=_TREES,
                max_leaf_nodes=_LEAVES,
                learning_rate=_RATE,
                early_stopping=False,
                categorical_features=texts,
                random_state=seed,
            )
            model.fit(matrix[folds != fold], codes[folds != fold])
            guesses[np.ix_(folds == fold, model.classes_)] = model.predict_proba(matrix[folds == fold])
    return guesses


def dealt(codes: Ints, rng: np.random.Generator) -> Ints:
    """Folds 0 to 4, each group spread evenly; groups in the order of their sizes, not of their names."""
    fold = np.empty(codes.size, dtype=np.int64)
    sizes = np.bincount(codes)
    for place in np.argsort(sizes, kind="stable"):
        fold[codes == place] = rng.permutation(int(sizes[place])) % _FOLDS
    return fold


def alone(column: NDArray[Any], codes: Ints, folds: Ints) -> Floats:
    """Share of each group among the other folds' rows with the same value (numbers in ten bands): shape (n, groups)."""
    values = _as_numbers(column)
    if column.dtype != object and np.unique(values).size > _BANDS:
        cuts = np.unique(np.nanquantile(values, np.linspace(0, 1, _BANDS + 1)[1:-1]))
        values = np.where(np.isnan(values), -1, np.searchsorted(cuts, values, side="right"))
    _, bands = np.unique(values, return_inverse=True)
    groups, k = int(codes.max()) + 1, int(bands.max()) + 1
    table = np.bincount((folds * k + bands) * groups + codes, minlength=_FOLDS * k * groups).reshape(_FOLDS, k, groups)
    others = (table.sum(axis=0) - table).astype(np.float64)
    base = np.bincount(codes, minlength=groups) / codes.size
    shares = (others + base) / (others.sum(axis=2, keepdims=True) + 1)
    result: Floats = shares[folds, bands]
    return result


def _as_numbers(column: NDArray[Any]) -> Floats:
    """Numbers with infinity as missing; texts as places in order of frequency, rare ones together."""
    if column.dtype != object:
        values = column.astype(np.float64)
        return np.where(np.isfinite(values), values, np.nan)
    _, places, counts = np.unique(column.astype(str), return_inverse=True, return_counts=True)
    order = np.empty(counts.size, dtype=np.int64)
    order[np.argsort(-counts, kind="stable")] = np.arange(counts.size)
    return np.minimum(order[places], _MOST_TEXTS).astype(np.float64)
