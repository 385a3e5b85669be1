"""Rows whose answer provably holds: no change within a budget reaches the attacker's goal, whatever the attack.

Answers: for how many rows is there a proof?
Does not answer: what happens to the others. A bound that is not tight leaves rows without proof that nobody could turn,
so the certified share is a lower bound of robust accuracy.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.certified.bounds import linear_drop, prices_of, tree_low
from sealwright.assurance.certified.joining import joined
from sealwright.assurance.certified.reading import Openable, Reading
from sealwright.assurance.certified.sides import Side, link_of, sides_of
from sealwright.assurance.constraints.model import Constraints
from sealwright.assurance.features import Features
from sealwright.assurance.goal import Goal
from sealwright.registry import Linear, Unreadable

__all__ = ["Certificate", "certify"]

_ROUNDING = 1e-5  # a margin must exceed this share of its score, since models add in float32
_MOST_CELLS = 2_000_000  # rows times leaves at once
_MOST_LEAVES = {"standard": 4_000, "full": 10_000}  # after joining trees, by depth
_CLOSED = "for predictions of functions and of models that are neither linear nor made of trees no bound is known here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Proofs for the rows of one goal."""

    words: str  # what the model was found to be
    holds: NDArray[np.bool_]  # shape (budgets, n)


def certify(
    goal: Goal, constraints: Constraints, budgets: tuple[float, ...], *, each: bool = False
) -> Certificate | str:
    """Proofs within each budget, or why there are none.

    Parameters
    ----------
    budgets : tuple of float, ascending
    each : bool
        A budget for every feature on its own, instead of one for all together.
    """
    case = goal.case
    if not isinstance(case.model, Openable):
        return _CLOSED
    try:
        reading = case.model.opened()
    except Unreadable as why:
        return f"no bound is known for this model: {why}"
    scores_of = reading.scores  # of the trees as they are: fewer leaves to ask
    if not isinstance(reading.core, Linear):
        reading = replace(reading, core=joined(reading.core, _MOST_LEAVES[case.spec.depth]))
    leaves = 1 if isinstance(reading.core, Linear) else len(reading.core.scores)
    step = max(1, _MOST_CELLS // leaves)
    parts = [np.arange(start, min(start + step, len(goal))) for start in range(0, len(goal), step)]
    scores = np.concatenate([scores_of(goal.original.take(part)) for part in parts])
    link = link_of(reading, scores, goal)
    if link is None:
        return "no bound is stated: the model, as it was read, does not give the answers it gives when it is run"
    holds = np.ones((len(budgets), len(goal)), dtype=np.bool_)
    sides = list(sides_of(goal, link, scores))
    for part in parts:
        holds[:, part] = _hold(reading, goal.original.take(part), part, scores, sides, constraints, budgets, each=each)
    holds &= ~np.isinf(goal.original.numbers).any(axis=1)
    kept = np.logical_or.accumulate(holds[::-1], axis=0)[::-1]  # what a larger budget cannot turn, a smaller cannot
    return Certificate(words=reading.words, holds=kept)


def _hold(
    reading: Reading,
    rows: Features,
    part: NDArray[np.intp],
    scores: Floats,
    sides: list[Side],
    constraints: Constraints,
    budgets: tuple[float, ...],
    *,
    each: bool,
) -> NDArray[np.bool_]:
    core = reading.core
    holds = np.ones((len(budgets), part.size), dtype=np.bool_)
    prices = None if isinstance(core, Linear) else prices_of(reading, core, rows, constraints, each=each)
    for side in sides:
        _, here, of_side = np.intersect1d(part, side.rows, assume_unique=True, return_indices=True)
        if not here.size:
            continue
        score = scores[part[here]] @ side.toward
        for place, budget in enumerate(budgets):
            if isinstance(core, Linear):
                chosen = rows.take(here)
                low = score - linear_drop(reading, core, chosen, constraints, side.toward, budget, each=each)
            else:
                assert prices is not None
                weights = core.scores @ side.toward
                low = tree_low(core, prices.take(here), weights, budget, rows.numbers.shape[1], constraints, each=each)
                low = low + core.constant @ side.toward
            holds[place, here] &= low + side.start[of_side] > _ROUNDING * (1 + np.abs(score))
    return holds
