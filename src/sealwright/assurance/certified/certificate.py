"""Rows whose answer provably holds: no change within a budget reaches the attacker's goal, whatever the attack.

Answers: for how many rows is there a proof?
Does not answer: what happens to the others. A bound that is not tight leaves rows without proof that nobody could turn,
so the certified share is a lower bound of robust accuracy.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.certified.bounds import linear_drop, prices_of, tree_low
from sealwright.assurance.certified.reading import Linear, Link, Openable, Reading, Unreadable
from sealwright.assurance.constraints.model import Constraints
from sealwright.assurance.features import Features
from sealwright.assurance.goal import Goal

__all__ = ["Certificate", "certify"]

_AGREES = 1e-4  # largest difference between answers that follow from the reading and the model's own
_ROUNDING = 1e-5  # a margin must exceed this share of its score, since models add in float32
_MOST_CELLS = 2_000_000  # rows times leaves at once
_CLOSED = "for predictions of functions and of models that are neither linear nor made of trees no bound is known here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Proofs for the rows of one goal."""

    words: str  # what the model was found to be
    holds: NDArray[np.bool_]  # shape (budgets, n)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """One way to lose: `toward` times the scores, plus `start`, falls to zero, for some of the rows."""

    rows: NDArray[np.intp]
    toward: Floats  # shape (scores,)
    start: Floats  # shape (rows,)


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
    leaves = 1 if isinstance(reading.core, Linear) else len(reading.core.scores)
    step = max(1, _MOST_CELLS // leaves)
    parts = [np.arange(start, min(start + step, len(goal))) for start in range(0, len(goal), step)]
    scores = np.concatenate([reading.scores(goal.original.take(part)) for part in parts])
    link = _link(reading, scores, goal)
    if link is None:
        return "no bound is stated: the model, read from its graph, does not give the answers it gives when it is run"
    holds = np.ones((len(budgets), len(goal)), dtype=np.bool_)
    sides = list(_sides(goal, link, scores))
    for part in parts:
        holds[:, part] = _hold(reading, goal.original.take(part), part, scores, sides, constraints, budgets, each=each)
    holds &= ~np.isinf(goal.original.numbers).any(axis=1)
    kept = np.logical_or.accumulate(holds[::-1], axis=0)[::-1]  # what a larger budget cannot turn, a smaller cannot
    return Certificate(words=reading.words, holds=kept)


def _link(reading: Reading, scores: Floats, goal: Goal) -> Link | None:
    """How the model makes answers of its scores: the way that gives the answers it gave."""
    classes = len(goal.case.interface.classes)
    for link in reading.links:
        if goal.case.task != "regression" and (link == "softmax" if scores.shape[1] == 1 else link == "logistic"):
            continue
        if goal.case.task == "regression":
            scale = np.maximum(1.0, np.abs(goal.before))
        elif scores.shape[1] != classes and (classes, scores.shape[1]) != (2, 1):
            return None
        else:
            scale = np.ones_like(goal.before)
        if (np.abs(reading.answers(scores, link, classes) - goal.before) <= _AGREES * scale).all():
            return link
    return None


def _sides(goal: Goal, link: Link, scores: Floats) -> Iterator[_Side]:
    case, width = goal.case, scores.shape[1]
    every = np.arange(len(goal))
    if case.task == "regression":
        for sign in (1.0, -1.0):
            yield _Side(rows=every, toward=np.array([sign]), start=goal.limit - sign * scores[:, 0])
        return
    if case.task == "multiclass":
        for own in range(width):
            rows = np.flatnonzero(goal.decided == own)
            for other in range(width):
                if other != own and rows.size:
                    toward = np.eye(width)[own] - np.eye(width)[other]
                    yield _Side(rows=rows, toward=toward, start=np.zeros(rows.size))
        return
    toward, start = _lead(case, link, width)
    for sign, rows in (
        (1.0, np.flatnonzero(goal.decided == case.positive)),
        (-1.0, np.flatnonzero(goal.decided != case.positive)),
    ):
        yield _Side(rows=rows, toward=sign * toward, start=np.full(rows.size, sign * start))


def _lead(case: Case, link: Link, width: int) -> tuple[Floats, float]:
    """The positive class is decided where `toward` times the scores plus this start is not negative."""
    threshold, positive = case.spec.threshold, case.positive
    least = threshold if link == "shares" else float(np.log(threshold / (1 - threshold)))
    if width == 1:
        sign = 1.0 if positive == 1 else -1.0
        return np.array([sign]), (1.0 if link == "shares" and positive == 0 else 0.0) - least
    own = np.eye(width)[positive]
    return (own if link == "shares" else 2 * own - 1), -least


def _hold(
    reading: Reading,
    rows: Features,
    part: NDArray[np.intp],
    scores: Floats,
    sides: list[_Side],
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
