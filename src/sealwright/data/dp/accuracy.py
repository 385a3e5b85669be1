"""How far off a noisy number may be: confidence of discrete Laplace noise and of the exponential mechanism.

Answers: within what does the exact number over the same rows lie, with which confidence?
Does not answer: how well those rows speak for the world. Sampling, clipping and left-out rows come on top.
"""

import math

__all__ = ["laplace_within", "rank_within"]


def laplace_within(scale: float, confidence: float, parts: int = 1) -> int:
    """The smallest whole k with P(|Z| <= k in all of `parts` independent draws) >= confidence, by the union bound.

    Parameters
    ----------
    scale : float
        Of the discrete Laplace distribution, P(Z = z) proportional to exp(-|z| / scale), above 0.
    confidence : float
        Above 0, below 1.
    parts : int
        How many draws must be within at once.

    Notes
    -----
    P(|Z| > k) = 2 p^(k+1) / (1 + p) with p = exp(-1 / scale) (Ghosh, Roughgarden, Sundararajan 2012,
    doi:10.1137/09076828X, the two-sided geometric mechanism); solved for k.
    """
    p = math.exp(-1.0 / scale)
    beyond = (1.0 - confidence) / parts
    return max(0, math.ceil(scale * (math.log(2.0) - math.log1p(p) - math.log(beyond)) - 1.0))


def rank_within(scale: float, candidates: int, confidence: float) -> int:
    """Rows by which the weighted rank of the value chosen may be further off than that of the best candidate.

    Parameters
    ----------
    scale : float
        Of the noise on ranks.

    Notes
    -----
    scale * (ln candidates + ln(1 / (1 - confidence))): Dwork and Roth 2014 (doi:10.1561/0400000042), theorem 3.11, for
    the exponential mechanism; permute-and-flip is never worse (McKenna and Sheldon 2020, arXiv:2010.12603, theorem 3).
    """
    return math.ceil(scale * (math.log(candidates) - math.log(1.0 - confidence)))
