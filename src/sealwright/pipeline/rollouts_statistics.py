"""The arithmetic of rollouts: how much two arms differ, and how sure that is.

Answers: differences, distances and ratios, each with an interval.
Does not answer: what follows from them; `rollouts_judgement` does. Pure functions, nothing is read here.

Somebody looks at a rollout all the time. Means and failures are therefore compared by confidence sequences, which hold at
every look at once: an interval of fixed size, looked at thirty times, is wrong about a true difference of zero in three cases
of ten. Distances, ratios and percentiles have intervals of fixed size, and say so.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.kernel import InvalidInput

__all__ = [
    "Interval",
    "Sample",
    "always_valid_p",
    "difference",
    "distance",
    "half_width",
    "impact_ratio",
    "mixture_p",
    "percentile",
    "share",
    "split_p",
    "stability_index",
]

_BINS = 10


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate, and between what it lies."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Sample:
    """What a mean and its variance need."""

    n: int
    total: float
    squares: float

    @staticmethod
    def of(values: Sequence[float] | NDArray[np.float64]) -> "Sample":
        found = np.asarray(values, dtype=np.float64)
        return Sample(len(found), float(found.sum()), float((found**2).sum()))

    @staticmethod
    def of_share(count: int, n: int) -> "Sample":
        """Ones and zeros, with one more of each: so that nothing in three is not taken for certain."""
        return Sample(n + 2, count + 1.0, count + 1.0)

    @property
    def mean(self) -> float:
        return self.total / self.n

    @property
    def variance(self) -> float:
        return max(0.0, (self.squares - self.total**2 / self.n) / (self.n - 1))


def difference(champion: Sample, challenger: Sample, *, alpha: float, planned: int) -> Interval | None:
    """Challenger's mean less champion's, by a confidence sequence; None while one of them has fewer than two values.

    Parameters
    ----------
    alpha : float
        One less the confidence.
    planned : int
        Values of both together at which the interval shall be narrowest. Fixed before the first value is seen.
    """
    if min(champion.n, challenger.n) < 2:
        return None
    value = challenger.mean - champion.mean
    variance = champion.variance / champion.n + challenger.variance / challenger.n
    half = half_width(variance, champion.n + challenger.n, alpha=alpha, planned=planned)
    return Interval(value, value - half, value + half)


def half_width(variance: float, n: int, *, alpha: float, planned: int) -> float:
    """Half the width of the asymptotic confidence sequence.

    Parameters
    ----------
    variance : float
        Of the estimate, not of one value.
    n : int
        Values of both arms.

    Notes
    -----
    Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas (2023), "Time-uniform central limit theory and asymptotic confidence
    sequences", arXiv:2103.06476, theorem 2.2, with the rho that is narrowest at `planned`. With s2 = n * variance:
    sqrt(s2) * sqrt(2 (n rho2 + 1) / (n rho)^2 * ln(sqrt(n rho2 + 1) / alpha)). A formula printed elsewhere leaves out the n
    in s2 and is two to three times too narrow.
    """
    rho2 = _rho2(alpha, planned)
    grown = n * rho2 + 1
    return math.sqrt(n * variance) * math.sqrt(2 * grown / (n * n * rho2) * math.log(math.sqrt(grown) / alpha))


def always_valid_p(value: float, variance: float, n: int, *, alpha: float, planned: int) -> float:
    """The p-value of no difference that belongs to `half_width`: below alpha exactly where the interval leaves out zero."""
    if variance <= 0:
        return 1.0 if value == 0 else 0.0
    rho2 = _rho2(alpha, planned)
    grown = n * rho2 + 1
    exponent = 0.5 * math.log(grown) - rho2 * n * value**2 / variance / (2 * grown)
    return min(1.0, math.exp(exponent))


def mixture_p(value: float, variance: float, n: int, *, tau2: float) -> float:
    """The p-value of the mixture sequential probability ratio test, for `n` values in each arm.

    Parameters
    ----------
    variance : float
        Of one value.
    tau2 : float
        Variance of the differences one expects, fixed before the start.

    Notes
    -----
    Johari, Koomen, Pekelis, Walsh (2017), "Peeking at A/B tests", KDD, section 4:
    sqrt(2 v / (2 v + n tau2)) * exp(n^2 tau2 d^2 / (4 v (2 v + n tau2))), and its inverse, at most 1.
    """
    wide = 2 * variance + n * tau2
    log_ratio = 0.5 * math.log(2 * variance / wide) + n * n * tau2 * value**2 / (4 * variance * wide)
    return min(1.0, math.exp(-log_ratio))


def share(count: int, n: int, *, alpha: float) -> Interval:
    """A share with Wilson's interval (1927), of fixed size."""
    z = NormalDist().inv_cdf(1 - alpha / 2)
    value = count / n
    middle = (value + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(value * (1 - value) / n + z * z / (4 * n * n))
    return Interval(value, max(0.0, middle - half), min(1.0, middle + half))


def distance(champion: NDArray[np.float64], challenger: NDArray[np.float64], *, alpha: float) -> Interval:
    """The Kolmogorov-Smirnov distance between two sets of scores.

    Notes
    -----
    The interval follows from Massart (1990): each empirical distribution is within sqrt(ln(4/alpha) / (2 n)) of the true
    one, both together with probability 1 - alpha at any size.
    """
    one, other = np.sort(champion), np.sort(challenger)
    at = np.concatenate([one, other])
    value = float(
        np.abs(np.searchsorted(one, at, "right") / len(one) - np.searchsorted(other, at, "right") / len(other)).max()
    )
    slack = sum(math.sqrt(math.log(4 / alpha) / (2 * len(some))) for some in (one, other))
    return Interval(value, max(0.0, value - slack), min(1.0, value + slack))


def stability_index(champion: NDArray[np.float64], challenger: NDArray[np.float64], *, alpha: float) -> Interval:
    """The population stability index over tenths of the champion's scores.

    Notes
    -----
    sum (p - q) ln(p / q). Where nothing shifts it is about (bins - 1)(1/n + 1/m) by chance (Yurdakul 2018), which is taken
    off the lower end; the rest of the interval is the delta method for two multinomial samples.
    """
    edges = np.unique(np.quantile(champion, np.linspace(0, 1, _BINS + 1)[1:-1]))
    bins = len(edges) + 1
    p, q = (
        (np.bincount(np.searchsorted(edges, some, "right"), minlength=bins) + 0.5) / (len(some) + 0.5 * bins)
        for some in (challenger, champion)
    )
    value = float(((p - q) * np.log(p / q)).sum())
    by_p, by_q = np.log(p / q) + 1 - q / p, np.log(q / p) + 1 - p / q
    variance = _spread(p, by_p) / len(challenger) + _spread(q, by_q) / len(champion)
    half = NormalDist().inv_cdf(1 - alpha / 2) * math.sqrt(variance)
    by_chance = (bins - 1) * (1 / len(champion) + 1 / len(challenger))
    return Interval(value, max(0.0, value - by_chance - half), value + half)


def impact_ratio(groups: Mapping[str, tuple[int, int]], *, alpha: float, least: int = 30) -> Interval | None:
    """The smallest selection rate over the largest; None with fewer than two groups of `least` rows.

    Parameters
    ----------
    groups : mapping of str to (int, int)
        Favourable answers and all answers of each group.

    Notes
    -----
    Interval of a ratio of two shares on the log scale (Katz et al. 1978), with half an observation added.
    """
    rates = {
        name: ((chosen + 0.5) / (n + 1), n) for name, (chosen, n) in groups.items() if n >= least
    }  # fmt: skip
    if len(rates) < 2:
        return None
    (small, n), (large, m) = min(rates.values()), max(rates.values())
    value = small / large
    half = NormalDist().inv_cdf(1 - alpha / 2) * math.sqrt((1 - small) / (n * small) + (1 - large) / (m * large))
    return Interval(value, value * math.exp(-half), min(1.0 / value, value * math.exp(half)))


def percentile(times: Counter[int], which: float, *, alpha: float) -> tuple[int, int, int] | None:
    """The step a percentile lies in, and between which steps, by the order statistics; None with fewer than 20 times."""
    n = times.total()
    if n < 20:
        return None
    half = NormalDist().inv_cdf(1 - alpha / 2) * math.sqrt(n * which * (1 - which))
    steps = sorted(times)
    passed = np.cumsum([times[step] for step in steps])
    found = [
        steps[min(int(np.searchsorted(passed, min(max(n * which + off, 1), n))), len(steps) - 1)]
        for off in (0.0, -half, half)
    ]
    return found[0], found[1], found[2]


def split_p(counts: Sequence[int], shares: Sequence[int]) -> float:
    """How likely counts as far as these from their parts are, if the draw is as it was signed (chi squared).

    Raises
    ------
    InvalidInput
        More than three arms, which no pointer has.
    """
    pairs = [(count, part) for count, part in zip(counts, shares, strict=True) if part]
    total, whole = sum(count for count, _ in pairs), sum(part for _, part in pairs)
    if len(pairs) < 2 or not total:
        return 1.0
    if len(pairs) > 3:
        raise InvalidInput("A pointer has at most three arms that answer.")
    found = sum((count - total * part / whole) ** 2 / (total * part / whole) for count, part in pairs)
    return math.erfc(math.sqrt(found / 2)) if len(pairs) == 2 else math.exp(-found / 2)


def _rho2(alpha: float, planned: int) -> float:
    return (-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / planned


def _spread(shares: NDArray[Any], slopes: NDArray[Any]) -> float:
    return max(0.0, float((shares * slopes**2).sum() - (shares * slopes).sum() ** 2))
