"""How large epsilon must be at least, given how well an attack tells members from others.

Differential privacy bounds every attack: TPR <= e^epsilon FPR + delta, and 1 - FPR <= e^epsilon (1 - TPR) + delta
(Kairouz, Oh & Viswanath 2015, arXiv:1311.0776). An attack that does better shows a larger epsilon. With exact ends for
both rates the bound holds at the stated confidence (Jagielski, Ullman & Oprea 2020, arXiv:2006.07709). The rows count as
independent trials: an attack that finds something about all rows at once is not made certain by having many of them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.leakage.membership import Scores

__all__ = ["EpsilonBound", "epsilon_of", "epsilon_shown"]

_CUTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class EpsilonBound:
    """The epsilon that is shown, and the most these rows could have shown."""

    value: float
    most: float
    members: int  # rows it was shown on
    others: int


def epsilon_of(tpr: Floats | float, fpr: Floats | float, delta: float) -> Floats:
    """ln((TPR - delta) / FPR), 0 where that is negative or there is no such number; shape of the arguments."""
    gain = np.maximum(np.asarray(tpr, dtype=np.float64) - delta, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.log(gain) - np.log(np.asarray(fpr, dtype=np.float64))
    bound: Floats = np.maximum(np.nan_to_num(found, nan=0.0, neginf=0.0), 0.0)
    return bound


def epsilon_shown(scores: Scores, delta: float, confidence: float, rng: np.random.Generator) -> EpsilonBound:
    """Lower bound of epsilon at `confidence`, one-sided.

    The threshold, and which of both inequalities is used, are chosen on one half of the rows and judged on the other.
    """
    members, others = (rng.permutation(np.arange(one.size) % 2) == 1 for one in (scores.members, scores.others))
    chosen = Scores(members=scores.members[members], others=scores.others[others])
    judged = Scores(members=scores.members[~members], others=scores.others[~others])
    cuts = np.unique(np.quantile(np.concatenate([chosen.members, chosen.others]), np.linspace(0, 1, _CUTS)))
    cut, turned = _best(_both(chosen, cuts, delta, confidence), cuts)
    value = _both(judged, np.array([cut]), delta, confidence)[turned][0]
    m, k = judged.members.size, judged.others.size
    most = float(epsilon_of(_ends(np.array([m]), m, confidence)[0], _ends(np.array([0]), k, confidence)[1], delta)[0])
    return EpsilonBound(value=float(value), most=max(most, float(value)), members=m, others=k)


def _both(scores: Scores, cuts: Floats, delta: float, confidence: float) -> tuple[Floats, Floats]:
    """The bound by accusing rows above each cut, and by acquitting those at or below it: two arrays like `cuts`."""
    m, k = scores.members.size, scores.others.size
    found, alarms = (
        one.size - np.searchsorted(np.sort(one), cuts, side="right") for one in (scores.members, scores.others)
    )
    accusing = epsilon_of(_ends(found, m, confidence)[0], _ends(alarms, k, confidence)[1], delta)
    acquitting = epsilon_of(_ends(k - alarms, k, confidence)[0], _ends(m - found, m, confidence)[1], delta)
    return accusing, acquitting


def _best(both: tuple[Floats, Floats], cuts: Floats) -> tuple[float, int]:
    turned = int(both[1].max() > both[0].max())
    return float(cuts[int(np.argmax(both[turned]))]), turned


def _ends(successes: NDArray[np.int64], n: int, confidence: float) -> tuple[Floats, Floats]:
    """Exact ends (Clopper & Pearson 1934), each missed with half of 1 - confidence: two that hold together miss at most that."""
    from scipy.special import betaincinv  # scipy is heavy; few checks need it

    tail = (1 - confidence) / 2
    s = successes.astype(np.float64)
    low = np.where(s > 0, betaincinv(np.maximum(s, 1), n - s + 1, tail), 0.0)
    high = np.where(s < n, betaincinv(s + 1, np.maximum(n - s, 1), 1 - tail), 1.0)
    return low, high
