"""Can decisions be turned by cheap, possible changes of a row? From above by a search, from below by proof.

The search only asks the model, as an applicant who tries things could. The proof needs to see inside: it is there for
linear models and sums of trees, ours among them.
"""

from collections.abc import Iterator

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.certified.certificate import Certificate, certify
from sealwright.assurance.check import CLASSES, REGRESSION, Check, Outcome, collected, skipped
from sealwright.assurance.constraints.making import constraints_of
from sealwright.assurance.evasion.filing import attack_files, curve, filed, price_words, share
from sealwright.assurance.evasion.flips import hold_the_laws
from sealwright.assurance.evasion.search import search
from sealwright.assurance.goal import Goal, goal_of
from sealwright.assurance.model import Finding, NotPerformed

__all__ = ["CHECK"]

_PREFIX = "robustness.evasion"
_FILES = {
    **attack_files(_PREFIX),
    "robustness.certified_accuracy": CLASSES,
    "robustness.certified_accuracy_each": CLASSES,
    "robustness.certified_steady_share": REGRESSION,
}


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    names = [name for name, tasks in _FILES.items() if case.task in tasks]
    attacks = case.spec.attacks
    goal, constraints = goal_of(case, attacks.rows, rng), constraints_of(case)
    if not constraints.movable:
        return skipped(names, "every feature is fixed or its groups are compared, so no row can be changed")
    if len(goal) < case.spec.smallest_group:
        return skipped(
            names, f"there are {len(goal)} rows to attack; at least {case.spec.smallest_group} say something"
        )
    proofs = {each: certify(goal, constraints, attacks.budgets, each=each) for each in (False, True)}
    known = case.train.features.strings
    flips = search(goal, constraints, attacks.budgets, attacks.queries, known, rng)
    total = proofs[False]
    holds = None if isinstance(total, str) else total.holds
    hold_the_laws(goal, constraints, flips, attacks.budgets, holds)
    words = "a search that only asks the model, on numbers and categories"
    shown = {"at any way of spending": total.holds} if isinstance(total, Certificate) else {}
    return collected(
        [
            *filed(_PREFIX, words, goal, flips),
            *_proven(goal, proofs),
            curve(_PREFIX, "Decisions against cheap changes", goal, {"search": flips}, shown),
        ]
    )


def _proven(goal: Goal, proofs: dict[bool, Certificate | str]) -> Iterator[Finding | NotPerformed]:
    spec = goal.case.spec.attacks
    place = spec.budgets.index(spec.reported_budget)
    for each, proof in proofs.items():
        price = f"{price_words(each)} at most {spec.reported_budget:g}"
        if goal.case.task == "regression":
            check, what = (
                "robustness.certified_steady_share",
                f"predictions that no possible change of {price} can move",
            )
            what += f" by more than {spec.moved_by:g} sd of the target"
            if each:
                continue
        else:
            check = f"robustness.certified_accuracy{'_each' if each else ''}"
            what = f"rows decided right that no possible change of {price} can make wrong"
        if isinstance(proof, str):
            yield NotPerformed(check=check, why=proof)
            continue
        text = f"Share of {what}, whatever the attack, by a bound."
        note = f"read as {proof.words}; a lower bound: rows without proof may hold all the same; no questions needed"
        yield share(check, goal.right & proof.holds[place], text, goal.case, note)


CHECK = Check(name=_PREFIX, files=_FILES, run=_run)
