"""Trees attacked by one who sees them: rows are moved from leaf to leaf, numbers and categories, within the constraints."""

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.certified.certificate import certify
from sealwright.assurance.check import Check, Outcome, collected, skipped
from sealwright.assurance.constraints.making import constraints_of
from sealwright.assurance.evasion.filing import attack_files, curve, filed
from sealwright.assurance.evasion.flips import hold_the_laws
from sealwright.assurance.evasion.leaf_hops import leaf_hops
from sealwright.assurance.goal import goal_of

__all__ = ["CHECK"]

_PREFIX = "robustness.leaf_hops"
_FILES = attack_files(_PREFIX)


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    names = [name for name, tasks in _FILES.items() if case.task in tasks]
    attacks, constraints = case.spec.attacks, constraints_of(case)
    goal = goal_of(case, attacks.long_rows, rng)
    if not constraints.movable:
        return skipped(names, "every feature is fixed or its groups are compared, so no row can be changed")
    least = case.spec.smallest_group
    if len(goal) < least:
        return skipped(names, f"there are {len(goal)} rows to attack; at least {least} say something")
    flips = leaf_hops(goal, constraints, attacks.budgets, attacks.long_queries)
    if isinstance(flips, str):
        return skipped(names, flips)
    proof = certify(goal, constraints, attacks.budgets)
    hold_the_laws(goal, constraints, flips, attacks.budgets, None if isinstance(proof, str) else proof.holds)
    shown = {} if isinstance(proof, str) else {"at any way of spending": proof.holds}
    words = "hops from leaf to leaf of the trees, on numbers and categories"
    return collected(
        [
            *filed(_PREFIX, words, goal, flips),
            curve(_PREFIX, "Trees attacked by one who sees them", goal, {"leaf hops": flips}, shown),
        ]
    )


CHECK = Check(name=_PREFIX, files=_FILES, run=_run, thorough=True)
