"""How well a score tells two kinds of rows apart, and how sure that is.

Answers: area under the ROC curve with an interval; R² likewise.
Does not answer: where the score comes from.
"""

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from scipy import stats

from sealwright.data.augment.frame import Floats, Ints
from sealwright.data.augment.report import Area

__all__ = ["area", "area_value", "difference_interval", "r2"]

_CONFIDENCE = 0.95
_RESAMPLES = 300


def area_value(scores: Floats, positive: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
    """The probability that a positive row scores higher than a negative one, ties counted half; NaN without both."""
    n, m = int(positive.sum()), int((~positive).sum())
    if not n or not m:
        return float("nan")
    ranks = stats.rankdata(scores)
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * m))


def area(scores: Floats, positive: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Area | None:
    """The area with the interval of Hanley & McNeil 1982 (Radiology 143); None without both kinds of rows."""
    value = area_value(scores, positive)
    if not np.isfinite(value):
        return None
    n, m = int(positive.sum()), int((~positive).sum())
    q1, q2 = value / (2 - value), 2 * value**2 / (1 + value)
    spread = (value * (1 - value) + (n - 1) * (q1 - value**2) + (m - 1) * (q2 - value**2)) / (n * m)
    half = NormalDist().inv_cdf(0.5 + _CONFIDENCE / 2) * float(np.sqrt(max(spread, 0.0)))
    return Area(value=value, interval=(max(0.0, value - half), min(1.0, value + half)), n=n + m)


def r2(predicted: Floats, truth: Floats) -> float:
    """Share of the variance explained; NaN where there is none."""
    spread = float(((truth - truth.mean()) ** 2).sum())
    return 1 - float(((truth - predicted) ** 2).sum()) / spread if spread > 0 else float("nan")


def difference_interval(value: Callable[[Ints], float], n: int, rng: np.random.Generator) -> tuple[float, float]:
    """The middle 95 of 100 values of a statistic over resampled rows (Efron 1979); NaN where it is rarely defined."""
    found = np.array([value(rng.integers(0, n, n)) for _ in range(_RESAMPLES)])
    there = found[np.isfinite(found)]
    if len(there) < 0.9 * _RESAMPLES:
        return float("nan"), float("nan")
    low, high = np.quantile(there, [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2])
    return float(low), float(high)
