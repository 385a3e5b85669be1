"""Rows made against a stand-in that an outsider could train, tried on the model.

The stand-in is the plainest there is: a logistic or ridge regression trained here on what the model answers for the rows
learned from (Papernot et al. 2017, arXiv:1602.02697). It may be asked freely; the model is asked only whether a row works.
"""

from dataclasses import replace

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.certified.certificate import certify
from sealwright.assurance.check import Check, Outcome, collected, skipped
from sealwright.assurance.constraints.making import constraints_of
from sealwright.assurance.evasion.filing import attack_files, curve, filed
from sealwright.assurance.evasion.flips import hold_the_laws
from sealwright.assurance.evasion.search import transfer
from sealwright.assurance.goal import Goal, goal_of
from sealwright.assurance.linear import train_simple
from sealwright.assurance.predictor import FunctionPredictor

__all__ = ["CHECK"]

_PREFIX = "robustness.transfer"
_FILES = attack_files(_PREFIX)


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    names = [name for name, tasks in _FILES.items() if case.task in tasks]
    spec = case.spec.attacks
    goal, constraints = goal_of(case, spec.rows, rng), constraints_of(case)
    if not constraints.movable:
        return skipped(names, "every feature is fixed or its groups are compared, so no row can be changed")
    if len(goal) < case.spec.smallest_group:
        return skipped(
            names, f"there are {len(goal)} rows to attack; at least {case.spec.smallest_group} say something"
        )
    stand_in, learned = _stand_in(case, goal)
    if stand_in is None:
        return skipped(names, "the model decides all rows it learned from alike, so a stand-in learns nothing")
    flips = transfer(goal, stand_in, constraints, spec.budgets, spec.queries, case.train.features.strings)
    proof = certify(goal, constraints, spec.budgets)
    hold_the_laws(goal, constraints, flips, spec.budgets, None if isinstance(proof, str) else proof.holds)
    words = f"changes that look best for a linear stand-in trained on the model's answers for {learned:,} {case.learned_words}"
    return collected(
        [*filed(_PREFIX, words, goal, flips), curve(_PREFIX, "Transfer attack", goal, {"transfer": flips}, {})]
    )


def _stand_in(case: Case, goal: Goal) -> tuple[Goal | None, int]:
    """The goal of the same rows for a stand-in, and how many rows that learned from."""
    some = slice(0, case.spec.budget.baseline_rows)
    features, said = case.train.features.take(some), case.train.outputs[some]
    told = said if case.task == "regression" else case.decide(said)
    if np.unique(told).size < 2:
        return None, len(features)
    model = train_simple(features, told, len(case.interface.classes))
    other = replace(case, predictor=FunctionPredictor(model))
    # it is to be talked out of what the model decided, whatever it would decide itself
    return replace(goal, case=other, before=model(goal.original)), len(features)


CHECK = Check(name=_PREFIX, files=_FILES, run=_run, thorough=True)
