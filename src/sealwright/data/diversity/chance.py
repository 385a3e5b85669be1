"""What chance alone would do: exact intervals and tests of counts, and what many tests at once cost.

Answers: how uncertain is a share, would a sample of the reference look like this, which of many findings hold?
Does not answer: does a difference matter. The spec's thresholds do.
Pure functions over arrays. The reference is taken as exact; the uncertainty is that of the sample.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

__all__ = [
    "Floats",
    "benjamini_hochberg",
    "chi_square",
    "evenness",
    "exact_interval",
    "fewer_than",
    "holm",
    "independence",
    "psi",
    "psi_by_chance",
]

Floats = NDArray[np.float64]

_EXPECTED = 5.0  # below this expected count the chi-square distribution is a poor one, and samples are drawn instead
_DRAWS = 9_999
_MOST_CELLS = 20_000_000


def exact_interval(rows: NDArray[np.int64], n: int, confidence: float) -> tuple[Floats, Floats]:
    """Interval of shares, rows out of n.

    Parameters
    ----------
    rows : int array, shape (k,)
    n : int
        Positive.

    Returns
    -------
    low, high : float arrays, shape (k,)
        Within [0, 1]; each covers the true share at least with `confidence`.

    Notes
    -----
    Clopper & Pearson 1934 (Biometrika 26), from quantiles of the beta distribution.
    """
    tail = (1 - confidence) / 2
    with np.errstate(invalid="ignore"):
        low = np.where(rows == 0, 0.0, special.betaincinv(np.maximum(rows, 1), n - rows + 1, tail))
        high = np.where(rows == n, 1.0, special.betaincinv(rows + 1, np.maximum(n - rows, 1), 1 - tail))
    return low, high


def fewer_than(rows: NDArray[np.int64], n: int, share: Floats) -> Floats:
    """Probability of so few rows or fewer, if `share` were the true one. The exact binomial test, one-sided."""
    return np.asarray(stats.binom.cdf(rows, n, share), dtype=np.float64)


def chi_square(rows: NDArray[np.int64], shares: Floats, rng: np.random.Generator) -> tuple[float, float, str]:
    """Would a sample of the reference deviate from it so much in all groups together?

    Parameters
    ----------
    rows : int array, shape (k,)
    shares : float array, shape (k,)
        Positive, adding up to 1.

    Returns
    -------
    statistic, p, how
        Pearson's X² and its p-value: from its chi-square distribution with k - 1 degrees of freedom where every group is
        expected to have 5 rows, else from 9,999 drawn samples, (b + 1) / (m + 1) (Davison & Hinkley 1997, section 4.2).
    """
    n = int(rows.sum())
    expected = shares * n
    statistic = float(((rows - expected) ** 2 / expected).sum())
    if expected.min() >= _EXPECTED:
        return statistic, float(stats.chi2.sf(statistic, len(rows) - 1)), "chi-square distribution"
    beyond, left = 0, _DRAWS
    while left:
        size = min(left, max(1, _MOST_CELLS // len(rows)))
        drawn = rng.multinomial(n, shares, size=size)
        beyond += int((((drawn - expected) ** 2 / expected).sum(axis=1) >= statistic * (1 - 1e-12)).sum())
        left -= size
    return statistic, (beyond + 1) / (_DRAWS + 1), f"{_DRAWS:,} drawn samples"


def independence(counts: NDArray[np.int64]) -> tuple[float, float]:
    """Do groups differ in their outcomes by more than chance?

    Parameters
    ----------
    counts : int array, shape (groups, classes)

    Returns
    -------
    statistic, p
        Pearson's X² of independence over the occupied groups and classes; p is NaN with fewer than two of either.
    """
    table = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if min(table.shape) < 2:
        return 0.0, float("nan")
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    return statistic, float(stats.chi2.sf(statistic, (table.shape[0] - 1) * (table.shape[1] - 1)))


def psi(rows: NDArray[np.int64], shares: Floats) -> float:
    """Population stability index of a sample against the reference: the sum of (a - e) ln(a / e).

    A group without rows counts as half a row, so that the sum stays finite.
    """
    actual = np.maximum(rows, 0.5) / rows.sum()
    return float(((actual - shares) * np.log(actual / shares)).sum())


def psi_by_chance(groups: int, n: int, confidence: float) -> float:
    """The index that samples of the reference itself stay below with this probability.

    n times the index is about chi-square with k - 1 degrees of freedom when only one side is a sample
    (Yurdakul & Naranjo 2020, Journal of Risk Model Validation 14(4)).
    """
    return float(stats.chi2.ppf(confidence, groups - 1) / n)


def evenness(rows: NDArray[np.int64]) -> tuple[float, float]:
    """How evenly rows spread over groups: Pielou's J in [0, 1], and how many even groups that is worth (exp of entropy).

    J is 1 for equal groups, 0 where one has all; with a single group it is 1.
    """
    share = rows[rows > 0] / max(int(rows.sum()), 1)
    entropy = float(-(share * np.log(share)).sum()) + 0.0
    return (entropy / float(np.log(len(rows))) if len(rows) > 1 else 1.0), float(np.exp(entropy))


def benjamini_hochberg(p: Floats) -> Floats:
    """Adjusted p-values: calling those at or below q found keeps the expected share of false finds at q.

    Benjamini & Hochberg 1995 (JRSS B 57).
    """
    order = np.argsort(p, kind="stable")
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted


def holm(p: Floats) -> Floats:
    """Adjusted p-values that keep the chance of any false find at the level (Holm 1979, Scand. J. Statist. 6)."""
    order = np.argsort(p, kind="stable")
    scaled = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted
