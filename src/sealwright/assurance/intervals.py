"""Intervals with a formula: for shares, for differences, for anything with a standard error.

Each contains its estimate and stays wide at the edges (0 of 30 is not "exactly zero"), where a plain
standard error would claim certainty. Pure functions of a few numbers.
"""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Interval",
    "agresti_min",
    "difference",
    "exact_share",
    "f1_interval",
    "f_beta_interval",
    "mean_interval",
    "mean_of_two",
    "on_logit_scale",
    "share_interval",
    "wilson",
    "z_of",
]

Interval = tuple[float, float]


def z_of(confidence: float) -> float:
    """The normal quantile of a two-sided interval: 1.96 for 0.95."""
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def wilson(successes: float, n: float, confidence: float) -> Interval:
    """Score interval of a share (Wilson 1927): (low, high) within [0, 1].

    `successes` may be a fraction where it is a sum of values in [0, 1] (then the interval is wider
    than needed, since such a sum varies less than a count).

    Raises
    ------
    ValueError
        `n` is not positive, or `successes` is not within 0 to n.
    """
    if n <= 0 or not 0 <= successes <= n:
        raise ValueError(f"a share needs 0 <= successes <= n and n > 0; got {successes} of {n}")
    z2 = z_of(confidence) ** 2
    share = successes / n
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * share * (1 - share) / n + z2 * z2 / (4 * n * n)) / (1 + z2 / n)
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return min(low, share), max(high, share)


def exact_share(successes: float, n: float, confidence: float) -> Interval:
    """Interval of a share that covers at least as often as it says, whatever the share (Clopper & Pearson 1934).

    `successes` may be a fraction, as for `wilson`.

    Raises
    ------
    ValueError
        `n` is not positive, or `successes` is not within 0 to n.
    """
    from scipy.special import betaincinv  # scipy is heavy; few checks need it

    if n <= 0 or not 0 <= successes <= n:
        raise ValueError(f"a share needs 0 <= successes <= n and n > 0; got {successes} of {n}")
    tail = (1 - confidence) / 2
    low = float(betaincinv(successes, n - successes + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, n - successes, 1 - tail)) if successes < n else 1.0
    return min(low, successes / n), max(high, successes / n)


def share_interval(kind: str, successes: float, n: float, confidence: float) -> Interval:
    """Interval of a share by the project's choice: "wilson" covers on average, "exact" at every true share."""
    return exact_share(successes, n, confidence) if kind == "exact" else wilson(successes, n, confidence)


def mean_interval(values: NDArray[np.float64], confidence: float) -> tuple[float, Interval]:
    """Mean of `values`, shape (n,), and its normal interval from their standard deviation; two or more values."""
    mean = float(values.mean())
    half = z_of(confidence) * float(values.std(ddof=1)) / math.sqrt(values.size)
    return mean, (mean - half, mean + half)


def difference(a: float, of_a: Interval, b: float, of_b: Interval) -> Interval:
    """Interval of a - b for two independent estimates (Zou & Donner 2008, MOVER)."""
    low = a - b - math.hypot(a - of_a[0], of_b[1] - b)
    high = a - b + math.hypot(of_a[1] - a, b - of_b[0])
    return low, high


def mean_of_two(a: float, of_a: Interval, b: float, of_b: Interval) -> Interval:
    """Interval of (a + b) / 2 for two independent estimates (MOVER)."""
    centre = (a + b) / 2
    return (
        centre - math.hypot(a - of_a[0], b - of_b[0]) / 2,
        centre + math.hypot(of_a[1] - a, of_b[1] - b) / 2,
    )


def f1_interval(hits: int, misses: int, confidence: float) -> Interval:
    """Interval of F1 = 2h / (2h + m), h true positives, m false positives and false negatives.

    F1 = 2s / (1 + s) grows with s = h / (h + m), a plain share, so the ends are those of s by Wilson.
    """
    low, high = wilson(hits, hits + misses, confidence)
    return 2 * low / (1 + low), 2 * high / (1 + high)


def f_beta_interval(
    hits: int, misses: int, false_alarms: int, beta: float, confidence: float
) -> tuple[float, Interval]:
    """F-beta of the positive class, and its interval; at least one of the counts is positive.

    Notes
    -----
    F = (1 + b²) h / ((1 + b²) h + b² m + f) (van Rijsbergen 1979), so its odds are (1 + b²) h / (b² m + f), the
    logarithm of which has variance 1/h + (b⁴ m + f) / (b² m + f)² for counts of a multinomial (delta method).
    """
    square = beta * beta
    wrong = square * misses + false_alarms
    value = (1 + square) * hits / ((1 + square) * hits + wrong)
    error = 0.0
    if hits and wrong:
        error = value * (1 - value) * math.sqrt(1 / hits + (square * square * misses + false_alarms) / wrong**2)
    return value, on_logit_scale(value, error, hits + misses + false_alarms, confidence)


def agresti_min(only_first: int, only_second: int, n: int, confidence: float) -> Interval:
    """Interval of a paired difference of shares (Agresti & Min 2005), half a pair added to each disagreement.

    Parameters
    ----------
    only_first, only_second : int
        Rows where only the first, only the second was right.
    n : int
        All rows.
    """
    b, c, m = only_first + 0.5, only_second + 0.5, n + 2
    centre = (b - c) / m
    half = z_of(confidence) * math.sqrt(max(0.0, b + c - (b - c) ** 2 / m)) / m
    value = (only_first - only_second) / n
    return min(max(-1.0, centre - half), value), max(min(1.0, centre + half), value)


def on_logit_scale(value: float, error: float, n_smallest: int, confidence: float) -> Interval:
    """Interval of a value in [0, 1] with standard error `error`, computed on the logit scale.

    At 0 or 1 the standard error vanishes; the interval is then that of a share seen without exception in
    `n_smallest` rows, which is wider than the truth rather than narrower.
    """
    if not 0 < value < 1 or error <= 0:
        return wilson(value * n_smallest, n_smallest, confidence)
    centre = math.log(value / (1 - value))
    half = z_of(confidence) * error / (value * (1 - value))
    ends = (_expit(centre - half), _expit(centre + half))
    return min(ends[0], value), max(ends[1], value)


def _expit(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
