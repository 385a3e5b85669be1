"""Two predictions of the same rows compared: is the difference more than the luck of these rows?

Answers: the chance of a difference this large if the two were equally good (two-sided p-value).
Does not answer: is the difference large enough to matter? The interval beside it shows its size.
Pure functions over counts and arrays.
"""

import math

import numpy as np

from sealwright.assurance.bootstrap import Floats

__all__ = ["bootstrap_p", "mcnemar", "normal_p", "p_words"]


def mcnemar(only_first: int, only_second: int) -> tuple[float, float]:
    """Exact and mid-p value of equal accuracy, from the rows where just one of the two was right.

    Parameters
    ----------
    only_first, only_second : int
        Rows where only the first, only the second was right.

    Returns
    -------
    (float, float)
        The exact conditional value, which errs on the side of no difference, and the mid-p value, which
        keeps the promised error rate better.

    Notes
    -----
    McNemar 1947 as a binomial test with chance one half; mid-p as in Fagerland, Lydersen & Laake 2013
    (doi:10.1186/1471-2288-13-91), eq. 3.
    """
    n, fewer = only_first + only_second, min(only_first, only_second)
    if n == 0:
        return 1.0, 1.0
    at = math.exp(math.lgamma(n + 1) - math.lgamma(fewer + 1) - math.lgamma(n - fewer + 1) - n * math.log(2))
    below = np.arange(fewer, 0, -1)
    tail = at * (1 + float(np.cumprod(below / (n - below + 1)).sum()))
    if only_first == only_second:
        return 1.0, 1 - at / 2
    return min(1.0, 2 * tail), min(1.0, 2 * tail) - at


def normal_p(difference: float, error: float) -> float:
    """Two-sided p-value of a difference with a standard error, by the normal distribution."""
    if error <= 0:
        return 1.0 if difference == 0 else 0.0
    return math.erfc(abs(difference) / error / math.sqrt(2))


def bootstrap_p(difference: float, drawn: Floats) -> float:
    """Two-sided p-value from paired resamples of a difference, moved so that they centre on no difference.

    Notes
    -----
    (1 + #{|d* - mean d*| >= |d|}) / (B + 1): Davison & Hinkley 1997, section 4.4. Never below 1 / (B + 1).
    """
    around = drawn[np.isfinite(drawn)]
    around = around - around.mean() if around.size else around
    return float((1 + np.sum(np.abs(around) >= abs(difference))) / (around.size + 1))


def p_words(p: float, test: str) -> str:
    """A p-value with its test, in words that are the same everywhere."""
    value = f"p = {p:.2g}" if p >= 0.0001 else "p < 0.0001"
    return f"{value} ({test}, two-sided)"
