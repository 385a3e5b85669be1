"""What noise is worth: the epsilon of the Gaussian mechanism, exactly, and the noise an epsilon needs.

Answers: with noise of `scale` times the sensitivity, how much can one row show?
Does not answer: what the sensitivity is; each mechanism proves its own. Tested against dp-accounting.
"""

import math

__all__ = ["gaussian_delta", "gaussian_epsilon", "gaussian_scale"]

_STEPS = 200
_MOST = 1e6


def gaussian_delta(scale: float, epsilon: float) -> float:
    """The smallest delta that goes with `epsilon` for Gaussian noise of standard deviation `scale` times the L2 sensitivity.

    Notes
    -----
    P(Z > e s - 1/2s) - e^epsilon P(Z > e s + 1/2s) (Balle & Wang 2018, arXiv:1805.06530, theorem 8).
    """
    upper = _tail(epsilon * scale - 1 / (2 * scale))
    lower = _tail(epsilon * scale + 1 / (2 * scale))
    return max(0.0, upper - (math.exp(epsilon + math.log(lower)) if lower > 0 else 0.0))


def gaussian_epsilon(scale: float, delta: float) -> float:
    """The smallest epsilon for that noise at `delta`; falls as noise or delta grows."""
    if gaussian_delta(scale, 0.0) <= delta:
        return 0.0
    low, high = 0.0, 1.0
    while gaussian_delta(scale, high) > delta:
        high *= 2
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if gaussian_delta(scale, middle) <= delta else (middle, high)
    return high


def gaussian_scale(epsilon: float, delta: float) -> float:
    """The least noise, in sensitivities, that keeps (`epsilon`, `delta`); on the safe side of rounding."""
    low, high = 1e-6, _MOST
    for _ in range(_STEPS):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if gaussian_delta(middle, epsilon) <= delta else (middle, high)
    return high * (1 + 1e-9)


def _tail(z: float) -> float:
    return math.erfc(z / math.sqrt(2)) / 2
