"""An attack that sees the trees: from leaf to leaf, each time into the one that helps most for what it costs.

Between two thresholds nothing changes, so the only moves worth making are those that just enter another leaf. (1) For
each leaf the nearest possible row in it is made. (2) The leaves that bring their tree closest to the goal, cheapest
first, are asked about; the best answer is the next place to start from. (3) What turned the decision is made cheaper:
columns go back to what they were. After Zhang et al. 2020 (arXiv:2010.11598), under our constraints and prices. For one
tree it finds the true least cost.
"""

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.certified.reading import Leaves, Openable, Reading
from sealwright.assurance.certified.sides import Side, link_of, sides_of
from sealwright.assurance.constraints.model import Constraints
from sealwright.assurance.evasion.asked import Tape, tape_of
from sealwright.assurance.evasion.costs import affordable
from sealwright.assurance.evasion.flips import Flips
from sealwright.assurance.features import Features
from sealwright.assurance.goal import Goal
from sealwright.registry import Linear, Unreadable

__all__ = ["leaf_hops"]

_TRIED = 15  # leaves by each order, at each hop
_MOST_HOPS = 10
_INSIDE = 1e-6  # relative


def leaf_hops(goal: Goal, constraints: Constraints, budgets: tuple[float, ...], queries: int) -> Flips | str:
    """Hop until a row turns, within each budget in turn, asking about `queries` rows at most for each; or why not."""
    if not isinstance(goal.case.model, Openable):
        return "it needs to see the trees of the model, and a function shows none"
    try:
        reading = goal.case.model.opened()
    except Unreadable as why:
        return f"it needs to see the trees of the model: {why}"
    if isinstance(reading.core, Linear):
        return "it needs trees, and this model is linear; what is proven for it is exact already"
    scores = reading.scores(goal.original)
    link = link_of(reading, scores, goal)
    if link is None:
        return "the trees, read from the model, do not give the answers it gives when it is run"
    tape = tape_of(goal, constraints, each=False)
    hops = _Hops(reading, reading.core, goal, constraints)
    for row, side in _nearest(goal, list(sides_of(goal, link, scores)), scores):
        before = tape.queries
        for budget in budgets:
            if not affordable(tape.cost[row : row + 1], budget)[0]:
                hops.hop(tape, row, side, budget, before + queries)
        hops.back(tape, row, before + queries)
    return tape.flips("leaf hops")


def _nearest(goal: Goal, sides: list[Side], scores: Floats) -> list[tuple[int, Side]]:
    """For each row decided right, the way to lose that is nearest."""
    least, best = np.full(len(goal), np.inf), np.zeros(len(goal), dtype=np.intp)
    for place, side in enumerate(sides):
        lead = scores[side.rows] @ side.toward + side.start
        nearer = lead < least[side.rows]
        least[side.rows[nearer]], best[side.rows[nearer]] = lead[nearer], place
    return [(int(row), sides[best[row]]) for row in np.flatnonzero(goal.right & np.isfinite(least))]


class _Hops:
    """The leaves as boxes of the numbers of a row and sets of its texts."""

    def __init__(self, reading: Reading, leaves: Leaves, goal: Goal, constraints: Constraints) -> None:
        self.reading, self.leaves, self.goal, self.constraints = reading, leaves, goal, constraints
        shape = len(leaves.scores), goal.original.numbers.shape[1]
        self.tree = np.searchsorted(leaves.first, np.arange(shape[0]), side="right") - 1  # of each leaf
        self.low, self.high = np.full(shape, -np.inf), np.full(shape, np.inf)  # of the numbers: above, and up to
        self.suits = tuple(np.ones((len(levels), shape[0]), dtype=np.bool_) for levels in constraints.levels)
        for column in np.unique(leaves.column):
            source, at = reading.columns[column], np.flatnonzero(leaves.column == column)
            leaf, low, high = leaves.leaf[at], leaves.low[at], leaves.high[at]
            if source.kind == "number" and source.factor:
                ends = np.stack([low, high]) / source.factor + source.centre
                place = leaf, source.place
                self.low[place] = np.maximum(self.low[place], ends.min(axis=0))
                self.high[place] = np.minimum(self.high[place], ends.max(axis=0))
            elif source.kind == "string":
                values = np.array([source.of_text(level) for level in constraints.levels[source.place]])[:, None]
                self.suits[source.place][:, leaf] &= (values > low) & (values <= high)

    def hop(self, tape: Tape, row: int, side: Side, budget: float, most: int) -> None:
        """From the original on, into one leaf after another within the budget."""
        original = self.goal.original.take(np.array([row]))
        now, spent = original, 0.0
        start = side.start[np.searchsorted(side.rows, row)]
        weights = self.leaves.scores @ side.toward
        for _ in range(_MOST_HOPS):
            inside = self.reading.inside(now, self.leaves)[0]
            lead = weights[inside].sum() + self.leaves.constant @ side.toward + start
            gain = np.bincount(self.tree[inside], weights[inside], self.leaves.first.size)[self.tree] - weights
            made = self._into(original, now)
            cost = self.constraints.cost(original.take(np.zeros(len(made), dtype=np.intp)), made)
            may = np.flatnonzero((gain > 0) & affordable(cost, budget) & (cost > 0))
            if not may.size or tape.queries >= most:
                return
            chosen = may[_promising(gain[may], np.maximum(cost[may] - spent, _INSIDE), cost[may], float(lead))]
            chosen = chosen[: most - tape.queries]
            margins = self.goal.margins(tape.ask(row, made.take(chosen)), np.full(chosen.size, row)).min(axis=1)
            best = int(np.argmin(margins))
            if margins[best] < 0:
                return
            now, spent = made.take(chosen[best : best + 1]), float(cost[chosen[best]])

    def back(self, tape: Tape, row: int, most: int) -> None:
        """Columns go back to what they were, the one that saves most first, as long as the row stays turned."""
        original = self.goal.original.take(np.array([row]))
        while np.isfinite(tape.cost[row]) and tape.queries < most:
            now, before = tape.best.take(np.array([row])), tape.cost[row]
            moved = np.flatnonzero(self.constraints.costs(original, now)[0] > 0)
            tape.ask(row, _each_back(original, now, moved))
            if moved.size < 2 or tape.cost[row] == before:
                return

    def _into(self, original: Features, now: Features) -> Features:
        """The possible rows nearest to `now` in each leaf; where none is known, a row that is not in it."""
        x = now.numbers.astype(np.float64)
        whole = self.constraints.whole
        least = np.where(whole, np.floor(self.low) + 1, self.low + _room(self.low))
        most = np.where(whole, np.floor(self.high), self.high - _room(self.high))
        numbers = np.where(x <= self.low, least, np.where(x > self.high, most, x))
        strings = np.repeat(now.strings, len(numbers), axis=0)
        for place, (levels, suits) in enumerate(zip(self.constraints.levels, self.suits, strict=True)):
            names = np.array(levels, dtype=object)
            at = np.flatnonzero(names == now.strings[0, place])
            stays = suits[at[0]] if at.size else np.zeros(len(numbers), dtype=np.bool_)
            strings[:, place] = np.where(stays | ~suits.any(axis=0), strings[:, place], names[suits.argmax(axis=0)])
        wanted = Features(numbers=numbers.astype(now.numbers.dtype), strings=strings)
        return self.constraints.project(original.take(np.zeros(len(numbers), dtype=np.intp)), wanted)


def _room(ends: Floats) -> Floats:
    """How far behind a threshold: models compare in float32, where the number next to it may be on the wrong side."""
    return _INSIDE * np.maximum(np.abs(np.where(np.isfinite(ends), ends, 0.0)), 1e-3)


def _promising(gain: Floats, price: Floats, cost: Floats, lead: float) -> NDArray[np.intp]:
    """Which leaves to ask about: the cheapest that suffice alone, those that gain most, those that gain most for their price."""
    orders = (np.where(gain > lead, cost, np.inf), -gain, -gain / price)
    return np.unique(np.concatenate([np.argsort(order, kind="stable")[:_TRIED] for order in orders]))


def _each_back(original: Features, now: Features, moved: NDArray[np.intp]) -> Features:
    """`now` once for each moved column, with that one as it was."""
    width, every = original.numbers.shape[1], np.zeros(moved.size, dtype=np.intp)
    numbers, strings = now.numbers[every], now.strings[every]
    for place, column in enumerate(moved):
        if column < width:
            numbers[place, column] = original.numbers[0, column]
        else:
            strings[place, column - width] = original.strings[0, column - width]
    return Features(numbers=numbers, strings=strings)
