"""Is a slice worse than all other rows, or does it only look so?

One-sided tests, and what keeps many of them honest. Pure functions of counts and arrays; meant for rows
that were not used to find the slice, or the p-values mean nothing.
"""

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.intervals import Interval, difference, share_interval, z_of

__all__ = ["adjusted_p", "mean_gap_interval", "mean_gap_p", "selected_confidence", "share_gap_interval", "share_gap_p"]


def share_gap_p(hits: int, n: int, other_hits: int, other_n: int) -> float:
    """P(at least so many hits inside, given all hits, if they fall blindly): Fisher's exact test, one-sided.

    Notes
    -----
    The upper tail of the hypergeometric distribution (Fisher 1935), summed from logarithms.
    """
    from scipy.special import gammaln  # scipy is heavy; only this suite needs it

    total, whole = hits + other_hits, n + other_n
    tail = np.arange(hits, min(total, n) + 1)

    def ways(of: int, taken: NDArray[np.int64]) -> Floats:
        logs: Floats = gammaln(of + 1) - gammaln(taken + 1) - gammaln(of - taken + 1)
        return logs

    logs = ways(total, tail) + ways(whole - total, n - tail) - ways(whole, np.array([n]))
    return min(1.0, float(np.exp(logs).sum()))


def mean_gap_p(inside: Floats, outside: Floats) -> float:
    """P(a gap of means at least so large, if the means are equal): Welch's t-test (Welch 1947), one-sided.

    Two or more values on each side; 1 where neither side varies.
    """
    from scipy.special import stdtr  # as above

    of_inside, of_outside = inside.var(ddof=1) / inside.size, outside.var(ddof=1) / outside.size
    spread = of_inside + of_outside
    if spread == 0:
        return 1.0 if inside.mean() <= outside.mean() else 0.0
    t = (inside.mean() - outside.mean()) / np.sqrt(spread)
    freedom = spread**2 / (of_inside**2 / (inside.size - 1) + of_outside**2 / (outside.size - 1))
    return float(stdtr(freedom, -t))


def adjusted_p(p: Floats) -> Floats:
    """Calling those at or below q found keeps the expected share of false finds at q (Benjamini & Hochberg 1995)."""
    order = np.argsort(p, kind="stable")
    scaled = p[order] * p.size / np.arange(1, p.size + 1)
    adjusted = np.empty(p.size)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted


def selected_confidence(confidence: float, selected: int, tested: int) -> float:
    """Confidence of each interval, so that of those reported the asked share covers the truth.

    Intervals that are only shown for what was found significant miss too often; Benjamini & Yekutieli 2005
    (JASA 100) widen them to 1 - (1 - confidence) * selected / tested.
    """
    return 1 - (1 - confidence) * selected / tested


def share_gap_interval(
    hits: int, n: int, other_hits: int, other_n: int, confidence: float, kind: str = "wilson"
) -> Interval:
    """Interval of hits / n - other_hits / other_n, from an interval of each share (`share_interval`)."""
    of_one, of_other = share_interval(kind, hits, n, confidence), share_interval(kind, other_hits, other_n, confidence)
    return difference(hits / n, of_one, other_hits / other_n, of_other)


def mean_gap_interval(inside: Floats, outside: Floats, confidence: float) -> Interval:
    """Normal interval of the difference of two means with unequal spread."""
    gap = float(inside.mean() - outside.mean())
    half = z_of(confidence) * float(np.sqrt(inside.var(ddof=1) / inside.size + outside.var(ddof=1) / outside.size))
    return gap - half, gap + half
