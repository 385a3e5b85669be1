"""A check made of one attack that works row by row: which rows, which budget, what is filed.

Only rows decided right are attacked, with their true label; only rows that are possible and turn when asked again count.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.certified.certificate import certify
from sealwright.assurance.check import CLASSES, Check, Outcome, collected, skipped
from sealwright.assurance.constraints.making import constraints_of
from sealwright.assurance.evasion.asked import Point, tape_of
from sealwright.assurance.evasion.filing import attack_files, curve, filed
from sealwright.assurance.evasion.flips import Flips, hold_the_laws
from sealwright.assurance.evasion.slopes import Slopes, slopes_of
from sealwright.assurance.goal import Goal, goal_of
from sealwright.assurance.model import Figure, Finding, NotPerformed

__all__ = ["Attack", "attack_check", "attacked"]

Step = Callable[[Point, Any, int, tuple[float, ...], int, int], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One attack: `step` gets a row as a point, slopes or None, its true class, budgets, questions and a seed."""

    name: str  # "hop_skip_jump"
    title: str
    words: str  # "HopSkipJump, which only asks which class is decided"
    each: bool  # its budget is for every feature on its own
    looks_inside: bool
    long: bool  # searches long for each row
    step: Callable[[], Step]  # imports the framework, so it is called only when the attack runs


def attack_check(attack: Attack) -> Check:
    """The check that carries out one attack at full depth."""
    prefix = f"robustness.{attack.name}"
    files = attack_files(prefix, CLASSES)

    def run(case: Case, rng: np.random.Generator) -> Outcome:
        names = list(files)
        slopes = slopes_of(case) if attack.looks_inside else None
        if isinstance(slopes, str):
            return skipped(names, slopes)
        most = case.spec.attacks.long_rows if attack.long else case.spec.attacks.rows
        goal, constraints = goal_of(case, most, rng), constraints_of(case)
        width = len(case.interface.numbers)
        if not any(place < width for place in constraints.movable):
            return skipped(names, "no number of the model can be changed, and this attack changes only numbers")
        if len(goal) < case.spec.smallest_group:
            least = case.spec.smallest_group
            return skipped(names, f"there are {len(goal)} rows to attack; at least {least} say something")
        if not goal.right.any():
            return skipped(names, "no row is decided right, so there is nothing to turn")
        flips = attacked(attack, goal, slopes, rng)
        return collected(_filed(attack, prefix, goal, flips))

    return Check(name=prefix, files=files, run=run, thorough=True)


def attacked(attack: Attack, goal: Goal, slopes: Slopes | None, rng: np.random.Generator) -> Flips:
    """Attack every row decided right, and hold what was found against what must be."""
    constraints, spec = constraints_of(goal.case), goal.case.spec.attacks
    tape = tape_of(goal, constraints, each=attack.each)
    step = attack.step()
    seeds = rng.integers(2**32, size=len(goal))
    for row in np.flatnonzero(goal.right):
        point = Point(tape=tape, row=int(row))
        if point.axes.size:
            step(point, slopes, int(goal.decided[row]), spec.budgets, spec.long_queries, int(seeds[row]))
    flips = tape.flips(attack.name)
    proof = certify(goal, constraints, spec.budgets, each=attack.each)
    hold_the_laws(goal, constraints, flips, spec.budgets, None if isinstance(proof, str) else proof.holds)
    return flips


def _filed(attack: Attack, prefix: str, goal: Goal, flips: Flips) -> Iterator[Finding | NotPerformed | Figure]:
    yield from filed(prefix, f"{attack.words}; changes only numbers", goal, flips)
    yield curve(prefix, attack.title, goal, {attack.name.replace("_", " "): flips}, {})
