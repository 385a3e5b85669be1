"""From a sample to its population: how many of those who are alone in the sample are alone in the world?

Answers: how large is a class in the population likely to be, and how many are unique there?
Does not answer: who. The estimates differ, and each is good for other tables; `risk` names both and takes the larger.
"""

import numpy as np
from numpy.typing import NDArray

from sealwright.data.deidentify.grouping import Ints

__all__ = ["chance_of_a_match", "pitman_uniques", "zayatz_uniques"]

_BY_STEPS = 30  # classes up to here go by the recurrence


def chance_of_a_match(sizes: Ints, fraction: float) -> NDArray[np.float64]:
    """E[1 / F | f] for classes of f rows in a sample of this fraction of the population.

    Parameters
    ----------
    sizes : int array, shape (n,)
        f of each class, 1 or more.
    fraction : float
        Rows over population, in (0, 1].

    Returns
    -------
    float array, shape (n,)
        In (0, 1 / f].

    Notes
    -----
    F - f given f is negative binomial with success probability p = `fraction` (Benedetti and Franconi 1998, "Statistical
    and technological solutions for controlled data dissemination"), so r_f = E[1 / F | f] is p * the integral over u from
    0 to 1 of u^(f-1) / (p + q u), q = 1 - p. Hence r_1 = p / q log(1 / p) and r_(f+1) = p / q (1 / f - r_f), which is
    stable for p <= 1/2; beyond that the series p / f * sum n! f! / (n + f)! q^n ends quickly; and for large f the
    integral with u = exp(-x / f) is one that Gauss-Laguerre quadrature knows.
    """
    f = sizes.astype(np.float64)
    p, q = fraction, 1.0 - fraction
    if q <= 0.0:
        return 1.0 / f
    if p > 0.5:
        term, total = np.ones_like(f), np.ones_like(f)
        for n in range(64):
            term = term * (n + 1.0) / (n + 1.0 + f) * q
            total += term
        return np.minimum(p / f * total, 1.0 / f)
    small = np.empty(_BY_STEPS)
    small[0] = p / q * -np.log(p)
    for n in range(1, _BY_STEPS):
        small[n] = p / q * (1.0 / n - small[n - 1])
    x, weight = np.polynomial.laguerre.laggauss(48)
    large = p / f * (weight / (p + q * np.exp(-x / np.maximum(f, _BY_STEPS)[:, None]))).sum(axis=1)
    found: NDArray[np.float64] = np.where(f <= _BY_STEPS, small[np.minimum(sizes, _BY_STEPS) - 1], large)
    return np.asarray(np.minimum(found, 1.0 / f))


def zayatz_uniques(sizes: Ints, population: int) -> float:
    """Share of the rows that are likely to be unique in the population.

    Notes
    -----
    Zayatz 1991, "Estimation of the percent of unique population elements on a microdata file using the sample": the
    sizes of classes in the population are taken to be spread as in the sample; a class of F has one row in it with the
    hypergeometric probability, here by its binomial limit F p (1 - p)^(F - 1); Bayes turns that around.
    """
    rows = int(sizes.sum())
    alone = int((sizes == 1).sum())
    if not alone:
        return 0.0
    p = rows / population
    different, times = np.unique(sizes, return_counts=True)
    spread = times / times.sum()
    if p >= 1.0:
        return alone / rows
    once = different * p * np.exp((different - 1.0) * np.log1p(-p))
    return float(alone / rows * (spread[0] * p) / (spread * once).sum())


def pitman_uniques(sizes: Ints, population: int) -> float | None:
    """Share of the population that is likely to be unique in it; None where the model does not fit.

    Notes
    -----
    Pitman's sampling formula with parameters a in (0, 1) and b > 0, fitted by maximum likelihood; the expected number of
    uniques among N is N^a * Gamma(b + 1) / Gamma(b + a): Hoshino 2001, "Applying Pitman's sampling formula to
    microdata disclosure risk assessment".
    """
    from scipy.optimize import minimize
    from scipy.special import gammaln

    rows, classes = int(sizes.sum()), len(sizes)
    alone = int((sizes == 1).sum())
    if not alone:
        return 0.0
    if alone == classes or classes < 2:
        return None  # all alone: the likelihood has no maximum
    different, times = np.unique(sizes, return_counts=True)

    def minus_log_likelihood(at: NDArray[np.float64]) -> float:
        a, b = 1.0 / (1.0 + np.exp(-at[0])), np.exp(at[1])
        if not 1e-9 < a < 1 - 1e-9:
            return float("inf")
        found = (classes - 1) * np.log(a) + gammaln(b / a + classes) - gammaln(b / a + 1.0)
        found -= gammaln(b + rows) - gammaln(b + 1.0)
        found += (times * (gammaln(different - a) - gammaln(1.0 - a))).sum()
        return float(-found)

    start = np.array([0.0, np.log(max(classes, 2))])
    with np.errstate(over="ignore"):
        done = minimize(minus_log_likelihood, start, method="Nelder-Mead", options={"maxiter": 2000})
    if not done.success or not np.isfinite(done.fun):
        return None
    a, b = 1.0 / (1.0 + np.exp(-done.x[0])), np.exp(done.x[1])
    uniques = np.exp(a * np.log(population) + gammaln(b + 1.0) - gammaln(b + a))
    return float(min(uniques / population, 1.0))
