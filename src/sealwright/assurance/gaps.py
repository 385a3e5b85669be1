"""The largest difference between groups, with an interval that knows it was picked as the largest.

Among many groups some pair always looks different. So the interval is simultaneous: it holds for every
pair at once, and with it for the largest. Counts of groups are resampled within each group, from rates
smoothed by one case of each kind, so a small group of all yes is not taken for certain.
Pure functions; no group names, only positions.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats, replicates
from sealwright.assurance.intervals import Interval

__all__ = ["Gap", "mean_gap", "rate_gap", "rate_ratio", "triangle", "widest_gap"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Gap:
    """A largest gap or smallest ratio, its interval, and which kind of rate and which two groups it lies between."""

    value: float
    interval: Interval
    kind: int  # row of the counts: 0 for the first kind of rate, …
    higher: int  # position of the group with the higher rate
    lower: int


def rate_gap(hits: Ints | Floats, rows: Ints, size: int, confidence: float, rng: np.random.Generator) -> Gap:
    """max over kinds r and groups a, b of hits[r, a] / rows[r, a] - hits[r, b] / rows[r, b].

    Parameters
    ----------
    hits, rows : int arrays, shape (kinds, groups)
        Successes and rows, e.g. one kind of rate (selection) or two (true and false positive rate).
        Two or more groups, every entry of `rows` positive. A success may be shared between rows: `hits` may hold
        fractions.
    size : int
        Resamples.

    Returns
    -------
    Gap
        `value` in [0, 1]; the interval contains it.

    Notes
    -----
    With d the differences of smoothed rates (one success and one failure added, Agresti & Caffo 2000), s
    their standard errors and t the `confidence` quantile over resamples of max |d* - d| / s, every true
    difference lies within d ± t s at once, so the largest true one lies between max(d - t s) and
    max(d + t s) (Tukey's and Westfall & Young's max-T, by parametric bootstrap).
    """
    rates = hits / rows
    smooth, drawn = _resampled(hits, rows, size, rng)
    errors = np.sqrt(smooth * (1 - smooth) / (rows + 2))
    low, high = _simultaneous(smooth, drawn - smooth, errors, confidence)
    kind, higher, lower = _widest(rates)
    value = float(rates[kind, higher] - rates[kind, lower])
    return Gap(value, (min(max(0.0, low), value), max(min(1.0, high), value)), kind, higher, lower)


def rate_ratio(hits: Ints, rows: Ints, size: int, confidence: float, rng: np.random.Generator) -> Gap | None:
    """Smallest rate divided by largest rate, in [0, 1]; None where every rate is zero.

    Shapes as one row of `rate_gap`: (groups,). The interval is simultaneous on the log scale.
    """
    rates = hits / rows
    higher, lower = int(np.argmax(rates)), int(np.argmin(rates))
    if rates[higher] == 0:
        return None
    smooth, drawn = _resampled(hits, rows, size, rng)
    logs, again = np.log(smooth), (drawn * rows + 1) / (rows + 2)
    errors = np.sqrt((1 - smooth) / ((rows + 2) * smooth))
    low, high = _simultaneous(logs[None], (np.log(again) - logs)[:, None], errors[None], confidence)
    value = float(rates[lower] / rates[higher])
    ends = float(np.exp(-max(0.0, high))), float(np.exp(-max(0.0, low)))
    return Gap(value, (min(ends[0], value), max(ends[1], value)), 0, higher, lower)


def mean_gap(groups: list[Floats], size: int, confidence: float, rng: np.random.Generator) -> Gap:
    """Largest difference between group means; `groups` holds the values of each group, two or more of each."""
    means = np.array([[values.mean() for values in groups]])
    errors = np.array([[values.std(ddof=1) / np.sqrt(values.size) for values in groups]])
    drawn = np.empty((size, 1, len(groups)))
    for position in np.lexsort((means[0], [values.size for values in groups])):
        drawn[:, :, position] = _resampled_means(np.sort(groups[position]), size, rng)
    return widest_gap(means[0], drawn[:, 0] - means, errors[0], confidence)


def widest_gap(values: Floats, deviations: Floats, errors: Floats, confidence: float) -> Gap:
    """Largest difference between any two of `values`, with the simultaneous interval of `rate_gap`.

    Parameters
    ----------
    values, errors : float arrays, shape (groups,)
        One estimate a group, and its standard error; two or more groups.
    deviations : float array, shape (size, groups)
        How far such estimates fell from the truth in `size` resamples.
    """
    low, high = _simultaneous(values[None], deviations[:, None], errors[None], confidence)
    _, higher, lower = _widest(values[None])
    value = float(values[higher] - values[lower])
    return Gap(value, (min(max(0.0, low), value), max(high, value)), 0, higher, lower)


def triangle(value: float, apart: Floats, confidence: float, most: float = np.inf) -> Interval:
    """Interval of a distance between two of several groups, or of a difference between two such distances.

    Parameters
    ----------
    value : float
        The estimate, e.g. the largest Kolmogorov-Smirnov distance between any two groups.
    apart : float array, shape (size, groups)
        How far each group fell from itself in `size` resamples, by the same distance; two or more groups.
    most : float
        The largest value there can be.

    Notes
    -----
    By the triangle inequality |d(A*, B*) - d(A, B)| <= d(A*, A) + d(B*, B), for every pair at once when the two
    largest count. So noise, which can only increase a distance, does not lift the low end: it is wider
    than needed rather than narrower.
    """
    off = float(np.quantile(np.partition(apart, -2, axis=1)[:, -2:].sum(axis=1), confidence))
    return max(0.0, value - off), max(value, min(most, value + off))


def _resampled(hits: Ints | Floats, rows: Ints, size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Smoothed rates, and `size` draws of such rates when they are the truth, shape (size, *hits.shape).

    Drawn in the order of the counts, not of the names, so that renaming groups changes nothing.
    """
    smooth = (hits + 1) / (rows + 2)
    columns = np.lexsort((*np.atleast_2d(hits), *np.atleast_2d(rows)))
    drawn = np.empty((size, *hits.shape))
    drawn[..., columns] = rng.binomial(rows[..., columns], smooth[..., columns], size=(size, *hits.shape))
    return smooth, drawn / rows


def _resampled_means(values: Floats, size: int, rng: np.random.Generator) -> Floats:
    """Means of `size` resamples, shape (size, 1)."""
    return replicates(lambda counts: counts @ values / values.size, values.size, size, rng)


def _simultaneous(values: Floats, deviations: Floats, errors: Floats, confidence: float) -> Interval:
    """Bounds of the largest pairwise difference within any row of `values`, shape (kinds, groups)."""
    groups = values.shape[1]
    largest = np.zeros(deviations.shape[0])
    for a in range(groups - 1):
        spread = np.hypot(errors[:, a : a + 1], errors[:, a + 1 :])
        apart = np.abs(deviations[:, :, a : a + 1] - deviations[:, :, a + 1 :])
        scaled = np.divide(apart, spread, out=np.zeros_like(apart), where=spread > 0)
        np.maximum(largest, scaled.max(axis=(1, 2)), out=largest)
    t = float(np.quantile(largest, confidence))
    low = high = 0.0
    for a in range(groups - 1):
        spread = t * np.hypot(errors[:, a : a + 1], errors[:, a + 1 :])
        apart = np.abs(values[:, a : a + 1] - values[:, a + 1 :])
        low, high = max(low, float((apart - spread).max())), max(high, float((apart + spread).max()))
    return low, high


def _widest(values: Floats) -> tuple[int, int, int]:
    """The row with the widest range, and the positions of its largest and smallest value."""
    kind = int(np.argmax(values.max(axis=1) - values.min(axis=1)))
    return kind, int(np.argmax(values[kind])), int(np.argmin(values[kind]))
