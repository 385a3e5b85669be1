"""Deciding only where the model is sure: the error among accepted rows as fewer of them are accepted.

Answers: how much error is left if the least sure tenth goes to a person, and does its confidence rank errors at all?
Does not answer: what the person gets right. Pure functions over arrays; equally sure rows count as in random order.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats

__all__ = ["RiskCoverage", "risk_coverage"]


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """Rows from sure to unsure. `errors[k - 1]` is the expected number of errors among the k surest."""

    confidence: Floats  # shape (n,), descending
    errors: Floats  # shape (n,), cumulative
    places: Floats  # shape (n,): place of each given row among the sure ones, ties shared: from 1 to n
    area: float  # mean error over all shares accepted
    area_error: float  # its standard error

    @property
    def risks(self) -> Floats:
        """Error among the k surest rows, k from 1 to n."""
        return np.asarray(self.errors / np.arange(1, self.errors.size + 1))

    def accepted(self, share: float) -> tuple[int, float]:
        """How many rows are accepted, and the expected number of errors among them."""
        k = max(1, round(share * self.errors.size))
        return k, float(self.errors[k - 1])


def risk_coverage(confidence: Floats, wrong: NDArray[np.bool_]) -> RiskCoverage:
    """The curve of error against the share of rows accepted, surest first.

    Parameters
    ----------
    confidence : float array, shape (n,)
        More is surer.
    wrong : bool array, shape (n,)

    Notes
    -----
    area = 1/n sum_k risk(k) = 1/n sum_i e_i (1/i + … + 1/n), the AURC of Geifman, Uziel & El-Yaniv 2019
    (arXiv:1805.08206). As n grows it is ∫ e(t) (-ln t) dt over ranks t, whose influence function at rank t is
    -e ln t - area + mean(e) - ∫ from t to 1 of e(s)/s ds.
    """
    n = wrong.size
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    first = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
    sizes = np.diff(np.append(first, n))
    block = np.repeat(np.arange(first.size), sizes)
    mean = np.add.reduceat(wrong[order].astype(np.float64), first) / sizes
    expected = mean[block]
    after = np.cumsum((1 / np.arange(1, n + 1))[::-1])[::-1]
    area = float(expected @ after / n)
    shared = (np.add.reduceat(after, first) / sizes)[block]
    rest = np.cumsum((expected / np.arange(1, n + 1))[::-1])[::-1]
    left = (np.add.reduceat(rest, first) / sizes)[block]
    influence = wrong[order] * shared - area + float(wrong.mean()) - left
    places = np.empty(n)
    places[order] = (first + (sizes + 1) / 2)[block]
    return RiskCoverage(
        confidence=ranked,
        errors=np.cumsum(expected),
        places=places,
        area=area,
        area_error=float(np.sqrt((influence**2).sum()) / n),
    )
