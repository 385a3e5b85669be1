"""Training rows a model hangs on, guessed without training: by leverage, and by their pull on a straight line.

Answers: which k rows, taken away together, are likely to change most?
Does not answer: how much they do; that is measured by training without them. The guess is a lower bound of the worst.
"""

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.features import Features
from sealwright.assurance.linear import fit_logistic, fit_ridge, learn_encoding

__all__ = ["rankings"]

_PENALTY = 1.0
_MOST_COLUMNS = 500


def rankings(
    rows: Features, truth: NDArray[np.generic], test: Features, wanted: int | None
) -> dict[str, NDArray[np.intp]]:
    """Orders of the rows, the most influential first, by what each order looks at.

    Parameters
    ----------
    wanted : int or None
        The class whose straight line is looked at; None for a regression.

    Notes
    -----
    Leverage: x (X'WX + penalty)^-1 x'. Pull: the first-order change of the mean score of the test rows when a row is left
    out, x_test mean (X'WX + penalty)^-1 x (y - p); its largest sums up and down are the sets of Broderick, Giordano &
    Meager (2020, arXiv:2011.14999). With W = p(1 - p) for a logistic and 1 for a ridge regression.
    """
    encoding = learn_encoding(rows)
    if encoding.width > _MOST_COLUMNS:
        return {}
    columns = encoding.matrix(rows)
    if wanted is None:
        weights, constant = fit_ridge(columns, truth.astype(np.float64), _PENALTY)
        expected, weighed = columns @ weights + constant, np.ones(len(rows))
        left: Floats = truth.astype(np.float64) - expected
    else:
        weights, constant = fit_logistic(columns, truth == wanted, _PENALTY)
        expected = 1 / (1 + np.exp(-np.clip(columns @ weights + constant, -30, 30)))
        weighed, left = expected * (1 - expected), (truth == wanted) - expected
    full = np.column_stack([np.ones(len(rows)), columns])
    held = np.diag([1e-9, *[_PENALTY] * columns.shape[1]])
    inverse = np.linalg.inv((full * weighed[:, None]).T @ full + held)
    asked = np.concatenate([[1.0], encoding.matrix(test).mean(axis=0)])
    pull = (full @ inverse @ asked) * left
    leverage = weighed * np.einsum("ij,jk,ik->i", full, inverse, full)
    return {
        "leverage": np.argsort(-leverage, kind="stable"),
        "pull up": np.argsort(-pull, kind="stable"),
        "pull down": np.argsort(pull, kind="stable"),
    }
