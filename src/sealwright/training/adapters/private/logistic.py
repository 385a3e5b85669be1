"""Private logistic regression: the exact minimum of a strongly convex loss, plus noise (output perturbation).

With rows of length at most 1, a loss of Lipschitz constant L and a penalty l |w|^2 / 2, replacing one of n rows moves the
minimum by at most 2 L / (n l) (Chaudhuri, Monteleoni & Sarwate 2011, arXiv:0912.0071, corollary 8). A minimum found only up
to a gradient of t is off by at most t / l, which is added. Gaussian noise of that sensitivity keeps (epsilon, delta).
L is 1 for two classes and sqrt 2 for the softmax of more: the length of p - y.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from sealwright.kernel import OperationFailed
from sealwright.training.accounting import gaussian_scale
from sealwright.training.adapters.private.layers import Layers
from sealwright.training.adapters.private.made import Asked, Guarantee
from sealwright.training.encoding import Encoding

__all__ = ["learn_logistic"]

Floats = NDArray[np.float64]

_LOGIT_NOISE = 0.2  # standard deviation of the noise in a row's log-odds that the penalty is chosen for
_WEAKEST, _STRONGEST = 1e-4, 1.0
_SLACK = 1e-3  # gradient at which the search ends, in units of L / n


def learn_logistic(asked: Asked, _encoding: Encoding) -> tuple[Layers, Guarantee, dict[str, float]]:
    """Weights and their guarantee; nothing is asked of the rows but the one minimum."""
    n, binary = asked.rows, asked.classes == 2
    lipschitz = 1.0 if binary else math.sqrt(2)
    scale = gaussian_scale(asked.epsilon, asked.delta)
    given = float(asked.parameters["strength"])
    chosen = 2 * lipschitz * scale / (n * _LOGIT_NOISE)
    strength = given if given > 0 else min(max(chosen, _WEAKEST), _STRONGEST)
    length = math.sqrt(asked.columns + 1)  # every column and the constant: then no row is longer than 1
    rows = np.column_stack([asked.matrix, np.ones(n)]) / length
    within = _SLACK * lipschitz / n
    found = _minimum(rows, asked.target, 1 if binary else asked.classes, strength, within)
    sensitivity = (2 * lipschitz / n + 2 * within) / strength
    noisy = (found + asked.noise.normal(scale=scale * sensitivity, size=found.shape)) / length
    weights = np.column_stack([np.zeros(noisy.shape[0]), noisy]) if binary else noisy
    guarantee = Guarantee(
        mechanism="Gaussian noise on the weights of a regularised logistic regression (output perturbation).",
        unit="one row replaced by another",
        scale=scale,
        sensitivity=sensitivity,
        details={"strength": strength},
    )
    return Layers(layers=((weights[:-1], weights[-1]),)), guarantee, {"strength": strength}


def _minimum(rows: Floats, target: NDArray[np.int32], outputs: int, strength: float, within: float) -> Floats:
    """The minimum of mean loss + strength |w|^2 / 2, shape (width, outputs), to a gradient shorter than `within`.

    Raises
    ------
    OperationFailed
        The search did not come that close, so the guarantee would not hold.
    """
    n, width = rows.shape
    truth = (target == 1).astype(np.float64)[:, None] if outputs == 1 else np.eye(outputs)[target]

    def loss(flat: Floats) -> tuple[float, Floats]:
        w = flat.reshape(width, outputs)
        z = rows @ w
        full = np.column_stack([np.zeros(n), z]) if outputs == 1 else z
        top = full.max(axis=1, keepdims=True)
        norm = np.log(np.exp(full - top).sum(axis=1)) + top[:, 0]
        chance = np.exp(z - norm[:, None])
        value = float((norm - (truth * z).sum(axis=1)).mean() + strength / 2 * (w**2).sum())
        return value, (rows.T @ (chance - truth) / n + strength * w).ravel()

    start = np.zeros(width * outputs)
    for _ in range(5):  # started again, the search forgets a line it got stuck on
        start = minimize(
            loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 5_000, "ftol": 0.0, "gtol": within / 1e3}
        ).x
        if float(np.linalg.norm(loss(start)[1])) <= within:
            return np.asarray(start.reshape(width, outputs))
    raise OperationFailed(
        "The private regression did not come close enough to its minimum to keep its guarantee.\n"
        "Raise params.strength, or choose another recipe."
    )
