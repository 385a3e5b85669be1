"""The claimed guarantee against the attack: an epsilon below what an attack shows was not kept.

The attack is that of `privacy.membership`. The bound is a floor: an attack that finds nothing proves no guarantee.
"""

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, collected, skipped
from sealwright.assurance.leakage.epsilon import epsilon_shown
from sealwright.assurance.leakage.membership import Scores
from sealwright.assurance.leakage.sampling import drawn, scores_of, too_few_rows
from sealwright.assurance.model import Finding, NotPerformed

__all__ = ["CHECK", "epsilon_findings"]

_BOUND, _EXCEEDED = "privacy.epsilon_lower_bound", "privacy.epsilon_exceeded"


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    if why := too_few_rows(case):
        return skipped([_BOUND, _EXCEEDED], why)
    scores = scores_of(case, drawn(case, case.spec.leakage.rows, rng))
    return collected(epsilon_findings(case, _BOUND, _EXCEEDED, scores, rng, "one threshold"))


def epsilon_findings(
    case: Case, bound: str, exceeded: str, scores: Scores, rng: np.random.Generator, attack: str
) -> list[Finding | NotPerformed]:
    """The epsilon an attack shows, and by how much it exceeds the claim, if there is one."""
    claim, confidence = case.spec.claimed_privacy, case.spec.confidence
    delta = claim.delta if claim else 0.0
    shown = epsilon_shown(scores, delta, confidence, rng)
    n = shown.members + shown.others
    at = f" at delta {delta:g}" if delta else ""
    sure = f"with {confidence:.1%} confidence"
    note = f"the attack: {attack}; without a single mistake on these rows it would show {shown.most:.3g}"
    items: list[Finding | NotPerformed] = [
        Finding(
            check=bound,
            value=shown.value,
            n=n,
            unit="epsilon",
            definition=f"Smallest epsilon of differential privacy{at} that the membership attack leaves possible, {sure}.",
            note=note,
        )
    ]
    if claim is None:
        why = "no guarantee of differential privacy is claimed: assurance.claimed_privacy, or private training"
        return [*items, NotPerformed(check=exceeded, why=why, applicable=False)]
    words = f"Epsilon the membership attack shows{at}, {sure}, minus the claimed {claim.epsilon:g}; above 0 the claim is false."
    return [
        *items,
        Finding(check=exceeded, value=shown.value - claim.epsilon, n=n, unit="epsilon", definition=words, note=note),
    ]


CHECK = Check(name="privacy.epsilon", files={_BOUND: ALL, _EXCEEDED: ALL}, run=_run, needs_training=True)
