"""What it takes to change an answer, as scores that must fall to zero.

Answers: which sums of scores keep a decision where it is, and how do scores become answers?
Does not answer: how far a change can push them; `bounds` says that from below, `evasion.leaf_hops` tries it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.certified.reading import Reading
from sealwright.assurance.goal import Goal
from sealwright.registry import Link

__all__ = ["Side", "link_of", "sides_of"]

_AGREES = 1e-4  # largest difference between answers that follow from the reading and the model's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One way to lose: `toward` times the scores, plus `start`, falls to zero, for some of the rows."""

    rows: NDArray[np.intp]
    toward: Floats  # shape (scores,)
    start: Floats  # shape (rows,)


def link_of(reading: Reading, scores: Floats, goal: Goal) -> Link | None:
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


def sides_of(goal: Goal, link: Link, scores: Floats) -> Iterator[Side]:
    """All ways to lose, for scores of shape (n, scores): the goal is reached where one of them is."""
    case, width = goal.case, scores.shape[1]
    every = np.arange(len(goal))
    if case.task == "regression":
        for sign in (1.0, -1.0):
            yield Side(rows=every, toward=np.array([sign]), start=goal.limit - sign * scores[:, 0])
        return
    if case.task == "multiclass":
        for own in range(width):
            rows = np.flatnonzero(goal.decided == own)
            for other in range(width):
                if other != own and rows.size:
                    toward = np.eye(width)[own] - np.eye(width)[other]
                    yield Side(rows=rows, toward=toward, start=np.zeros(rows.size))
        return
    toward, start = _lead(case, link, width)
    for sign, rows in (
        (1.0, np.flatnonzero(goal.decided == case.positive)),
        (-1.0, np.flatnonzero(goal.decided != case.positive)),
    ):
        yield Side(rows=rows, toward=sign * toward, start=np.full(rows.size, sign * start))


def _lead(case: Case, link: Link, width: int) -> tuple[Floats, float]:
    """The positive class is decided where `toward` times the scores plus this start is not negative."""
    threshold, positive = case.spec.threshold, case.positive
    least = threshold if link == "shares" else float(np.log(threshold / (1 - threshold)))
    if width == 1:
        sign = 1.0 if positive == 1 else -1.0
        return np.array([sign]), (1.0 if link == "shares" and positive == 0 else 0.0) - least
    own = np.eye(width)[positive]
    return (own if link == "shares" else 2 * own - 1), -least
