"""Taking out of features what a line could tell about the group, without asking for the group when the model answers.

Answers: which linear map makes every feature uncorrelated with every group, changing the features least?
Does not answer: what a curved model could still tell. Pure functions over arrays.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["Erasure", "erasure", "residuals"]

Floats = NDArray[np.float64]
Erasure = tuple[Floats, Floats]
"""A matrix P (d, d) and a shift c (d,): features x become x @ P + c."""

_SMALLEST = 1e-10  # eigenvalues below this share of the largest are rounding


def erasure(matrix: Floats, groups: NDArray[np.int32], strength: float = 1.0) -> Erasure:
    """The map after which no feature is correlated with any group, on these rows.

    Parameters
    ----------
    matrix : float array, shape (n, d)
        Finite.
    groups : int array, shape (n,)
    strength : float
        In (0, 1]: that part of the way from the features as they are.

    Notes
    -----
    Least-squares concept erasure (Belrose et al. 2023, arXiv:2306.03819, theorem 4.3):
    x' = x - W⁺ Q W (x - mean), with W the whitening of the features and Q the projection on the columns of W Cov(x, z).
    Of all maps that leave no correlation it moves the features least, and it needs only the features themselves.
    """
    centre = matrix.mean(axis=0)
    away = matrix - centre
    indicators = _indicators(groups)
    values, vectors = np.linalg.eigh(away.T @ away / len(matrix))
    kept = values > _SMALLEST * max(float(values[-1]), 0.0)
    values, vectors = values[kept], vectors[:, kept]
    whiten = (vectors / np.sqrt(values)) @ vectors.T
    back = (vectors * np.sqrt(values)) @ vectors.T
    left, sizes, _ = np.linalg.svd(whiten @ (away.T @ indicators / len(matrix)), full_matrices=False)
    basis = left[:, sizes > _SMALLEST]
    removed = whiten @ basis @ basis.T @ back  # transposed, because rows are features here
    return np.eye(matrix.shape[1]) - strength * removed, strength * centre @ removed


def residuals(matrix: Floats, groups: NDArray[np.int32], strength: float = 1.0) -> Floats:
    """What is left of each feature after its mean in the group, relative to all, is taken away.

    Notes
    -----
    fairlearn's `CorrelationRemover` for 0/1 columns of groups: X - (S - mean S) B with least-squares B. It needs the
    group of every row it is used on, so no model is made with it; it is what `erasure` is held against.
    """
    indicators = _indicators(groups)
    slopes = np.linalg.lstsq(indicators, matrix - matrix.mean(axis=0), rcond=None)[0]
    return np.asarray(matrix - strength * (indicators @ slopes), dtype=np.float64)


def _indicators(groups: NDArray[np.int32]) -> Floats:
    """A centred 0/1 column for each group."""
    columns = np.zeros((groups.size, int(groups.max()) + 1))
    columns[np.arange(groups.size), groups] = 1.0
    return np.asarray(columns - columns.mean(axis=0), dtype=np.float64)
