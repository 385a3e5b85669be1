"""A row as an outside attack sees it: a point whose axes are numbers that can change, in units of cost.

Whatever point is asked about, the model is asked about the nearest possible row, and the cheapest row that turns the
decision is kept. So what an attack wishes for never counts, only what could be.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.constraints.model import Constraints
from sealwright.assurance.evasion.flips import Flips
from sealwright.assurance.features import Features
from sealwright.assurance.goal import Goal

__all__ = ["Point", "Tape", "tape_of"]


@dataclass(kw_only=True)
class Tape:
    """The cheapest turned row of each original, over everything asked."""

    goal: Goal
    constraints: Constraints
    each: bool
    cost: Floats
    best: Features
    queries: int = 0

    def flips(self, attack: str) -> Flips:
        return Flips(attack=attack, each=self.each, cost=self.cost, changed=self.best, queries=self.queries)

    def ask(self, row: int, changed: Features) -> Floats:
        """What the model says about possible variants of one row."""
        index = np.full(len(changed), row, dtype=np.intp)
        outputs = self.goal.case.predict(changed)
        self.queries += len(changed)
        costs = self.constraints.costs(self.goal.original.take(index), changed)
        cost = costs.max(axis=1) if self.each else costs.sum(axis=1)
        cost = np.where(self.goal.reached(self.goal.margins(outputs, index)), cost, np.inf)
        at = int(np.argmin(cost))
        if cost[at] < self.cost[row]:
            self.cost[row] = cost[at]
            self.best.numbers[row], self.best.strings[row] = changed.numbers[at], changed.strings[at]
        return outputs


def tape_of(goal: Goal, constraints: Constraints, *, each: bool) -> Tape:
    """Nothing asked yet."""
    best = Features(numbers=goal.original.numbers.copy(), strings=goal.original.strings.copy())
    return Tape(goal=goal, constraints=constraints, each=each, cost=np.full(len(goal), np.inf), best=best)


@dataclass(kw_only=True)
class Point:
    """One row as the origin of the axes; every axis is a number that can move, one unit of it costs one."""

    tape: Tape
    row: int
    axes: NDArray[np.intp] = field(init=False)
    low: Floats = field(init=False)  # shape (axes,): how far the row can go
    high: Floats = field(init=False)

    def __post_init__(self) -> None:
        rules, original = self.tape.constraints, self.tape.goal.original.take(np.array([self.row]))
        low, high = (end[0] for end in rules.box(original, np.inf))
        x = original.numbers[0].astype(np.float64)
        grouped = [place for columns in rules.exclusive for place in columns]
        moves = np.isfinite(x) & np.isfinite(low) & np.isfinite(high) & (low < high)
        moves[grouped] = False
        self.axes = np.flatnonzero(moves)
        self._unit = rules.scale[self.axes] / rules.price[self.axes]
        self.low, self.high = ((end[self.axes] - x[self.axes]) / self._unit for end in (low, high))

    @property
    def unit(self) -> Floats:
        """What one unit of each axis is in the column's own unit."""
        return self._unit

    @property
    def turned(self) -> bool:
        """Whether a possible row was found that turns this one."""
        return bool(np.isfinite(self.tape.cost[self.row]))

    def wished(self, points: Floats) -> Features:
        """Rows at points of shape (m, axes), possible or not."""
        original = self.tape.goal.original.take(np.full(len(points), self.row, dtype=np.intp))
        numbers = original.numbers.astype(np.float64)
        numbers[:, self.axes] += points.astype(np.float64) * self._unit
        return original.with_numbers(numbers.astype(original.numbers.dtype))

    def rows(self, points: Floats) -> Features:
        """The possible rows nearest to points of shape (m, axes)."""
        wished = self.wished(points)
        original = self.tape.goal.original.take(np.full(len(points), self.row, dtype=np.intp))
        return self.tape.constraints.project(original, wished)

    def chances(self, points: Floats) -> Floats:
        """What the model says, shape (m, classes), moved so that the largest is always the class decided."""
        goal = self.tape.goal
        outputs = np.nan_to_num(self.tape.ask(self.row, self.rows(points)), nan=0.0)
        if goal.case.task == "binary":
            odds = outputs.copy()
            odds[:, goal.case.positive] *= 1 - goal.case.spec.threshold
            odds[:, 1 - goal.case.positive] *= goal.case.spec.threshold
            return np.asarray(odds / np.maximum(odds.sum(axis=1, keepdims=True), 1e-300))
        return outputs
