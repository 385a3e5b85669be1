"""Guessing who was among the training rows from how sure the model is of them, and how well that works.

Answers: with which success does an attacker tell members (training rows) from others (rows never seen)?
Does not answer: whether that harms anybody. A policy and people decide that.
Pure functions over arrays of scores, higher meaning "more likely a member".
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.intervals import Interval, exact_share, mean_of_two, on_logit_scale, wilson
from sealwright.assurance.ranking import roc_area

__all__ = ["Scores", "area", "confidences", "fewest_others", "found_at", "roc_points", "threshold_accuracy"]

_CERTAIN = 1e-4  # probabilities are kept this far from 0 and 1, or one rounded answer would outweigh all others
_POINTS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What an attacker has: a score for each member and for each other row."""

    members: Floats  # shape (m,)
    others: Floats  # shape (k,)


def confidences(task: str, truth: NDArray[Any], outputs: Floats, *, certain: float = _CERTAIN) -> Floats:
    """How sure the model is of what is true, shape (n,): the log-odds of the true class, or minus the absolute error.

    Notes
    -----
    Log-odds rather than probabilities, because they are nearly normal (Carlini et al. 2022, arXiv:2112.03570, section IV).
    A row without a finite answer scores as the least sure one.
    """
    if task == "regression":
        scores = -np.abs(outputs - truth)
    else:
        chance = np.clip(outputs[np.arange(truth.size), truth.astype(np.int64)], certain, 1 - certain)
        scores = np.log(chance) - np.log1p(-chance)
    known = np.isfinite(scores)
    return np.where(known, scores, scores[known].min() if known.any() else 0.0).astype(np.float64)


def area(scores: Scores, confidence: float) -> tuple[float, Interval]:
    """Area under the ROC curve of the attack, and its interval (DeLong, on the logit scale)."""
    truth = np.repeat([True, False], [scores.members.size, scores.others.size])
    found = roc_area(truth, np.concatenate([scores.members, scores.others]))
    assert found is not None
    smallest = min(scores.members.size, scores.others.size)
    return found.value, on_logit_scale(found.value, found.error, smallest, confidence)


def fewest_others(rate: float, confidence: float) -> int:
    """Rows that were no members it takes to show a false alarm rate of at most `rate` at all.

    With none of them accused, the rate may still be as high as 1 - (a/2)^(1/n), the exact upper end.
    """
    return math.ceil(math.log((1 - confidence) / 2) / math.log1p(-rate))


def found_at(scores: Scores, rate: float, confidence: float) -> tuple[float, Interval] | None:
    """Share of members found while at most `rate` of the others are accused; None where the rows cannot show that.

    The interval holds for a threshold nobody knows exactly: its low end takes the threshold at which the rate is surely
    kept and the exact low end of the share found there, its high end the threshold at which it is surely reached.
    """
    k, m = scores.others.size, scores.members.size
    if k < fewest_others(rate, confidence):
        return None
    accused = np.sort(scores.others)[::-1]
    allowed = math.floor(rate * k + 1e-9)

    def found(alarms: int) -> int:
        return m if alarms >= k else int((scores.members > accused[alarms]).sum())

    surely = allowed
    while surely > 0 and exact_share(surely, k, confidence)[1] > rate:
        surely -= 1
    reached = allowed
    while reached < k and exact_share(reached, k, confidence)[0] < rate:
        reached += 1
    low = exact_share(found(surely), m, confidence)[0]
    high = exact_share(found(reached), m, confidence)[1]
    return found(allowed) / m, (low, high)


def threshold_accuracy(scores: Scores, confidence: float, rng: np.random.Generator) -> tuple[float, Interval]:
    """Share guessed right, members and others weighing the same, by the best threshold of the other half of the rows.

    Chosen on one half and judged on the other, both ways, so that choosing does not flatter it.
    """
    m, k = (np.arange(one.size) % 2 for one in (scores.members, scores.others))
    halves = rng.permutation(m), rng.permutation(k)
    hits = rejected = 0
    for half in (0, 1):
        cut = _best_cut(scores.members[halves[0] != half], scores.others[halves[1] != half])
        hits += int((scores.members[halves[0] == half] > cut).sum())
        rejected += int((scores.others[halves[1] == half] <= cut).sum())
    rates = hits / m.size, rejected / k.size
    ends = wilson(hits, m.size, confidence), wilson(rejected, k.size, confidence)
    value = sum(rates) / 2
    low, high = mean_of_two(rates[0], ends[0], rates[1], ends[1])
    return value, (max(0.0, low), min(1.0, high))


def _best_cut(members: Floats, others: Floats) -> float:
    """The score above which a row is called a member, for the most right guesses."""
    cuts = np.unique(np.concatenate([[-np.inf], members, others]))
    above = 1 - np.searchsorted(np.sort(members), cuts, side="right") / members.size
    below = np.searchsorted(np.sort(others), cuts, side="right") / others.size
    return float(cuts[int(np.argmax(above + below))])


def roc_points(scores: Scores) -> tuple[Floats, Floats]:
    """False and true positive rates at thresholds spread evenly over the logarithm of the former; both above 0."""
    k = scores.others.size
    accused = np.sort(scores.others)[::-1]
    counts = np.unique(np.geomspace(1, k, _POINTS).round().astype(np.int64))
    found = np.array([(scores.members > accused[count]).mean() if count < k else 1.0 for count in counts])
    return counts[found > 0] / k, found[found > 0]
