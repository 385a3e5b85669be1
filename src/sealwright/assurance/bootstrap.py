"""The bootstrap: how much would a number move if other rows of the same kind had been drawn?

A resample is a column of counts (how often each row was drawn), so a statistic is computed for many
resamples at once by matrix products and never copies rows. Memory is bounded by working in slices.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.intervals import Interval

__all__ = ["Floats", "centred_interval", "replicates"]

Floats = NDArray[np.float64]

_CELLS = 2_000_000  # counts held at once: 16 MB
_LEAST_DEFINED = 0.9  # a statistic undefined in more resamples than this leaves is not given an interval


def replicates(
    statistic: Callable[[Floats], Floats], n: int, size: int, rng: np.random.Generator, outputs: int = 1
) -> Floats:
    """`statistic` on `size` resamples of n rows.

    Parameters
    ----------
    statistic : callable
        Takes counts, shape (b, n), each row summing to n; returns shape (b, outputs).

    Returns
    -------
    float array, shape (size, outputs)
        NaN where the statistic is undefined on a resample.
    """
    result = np.empty((size, outputs))
    step = max(1, _CELLS // n)
    for start in range(0, size, step):
        b = min(step, size - start)
        drawn = rng.integers(0, n, size=(b, n))
        drawn += np.arange(b)[:, None] * n
        counts = np.bincount(drawn.ravel(), minlength=b * n).reshape(b, n).astype(np.float64)
        result[start : start + b] = statistic(counts).reshape(b, outputs)
    return result


def centred_interval(
    value: float, drawn: Floats, confidence: float, least: float = -np.inf, most: float = np.inf
) -> Interval | None:
    """Percentile interval of the replicates, moved by the bootstrap's own bias so that it is about `value`.

    Without the move, a statistic that noise can only increase (a calibration error, say) would get an
    interval that lies above its own estimate. Clipped to [least, most]. None where more than a tenth of
    the replicates are undefined.

    Notes
    -----
    (value + q_low - m, value + q_high - m) with m the mean of the replicates; Efron & Tibshirani 1993, ch. 10 and 13.
    """
    defined = drawn[np.isfinite(drawn)]
    if defined.size < _LEAST_DEFINED * drawn.size:
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail]) - defined.mean() + value
    return min(value, max(least, float(low))), max(value, min(most, float(high)))
