"""A black-box search for the cheapest change that turns a decision, under the constraints, on numbers and categories.

It only asks the model. (1) Every single step is tried. (2) Steps that help are put together, best first, within each
budget; again and again with the order shuffled, as long as questions are left. (3) What turned the decision is made
cheaper: steps are taken back, numbers moved back halfway. All rows are searched side by side.

A search finds what it finds: a row it did not turn may still be turned by a better one. That makes its robust accuracy
an upper bound. The idea of greedy steps on mixed rows follows Kulynych et al. 2018 (arXiv:1810.10939).
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.constraints.model import Constraints
from sealwright.assurance.evasion.costs import ROUNDING, affordable
from sealwright.assurance.evasion.flips import Flips
from sealwright.assurance.evasion.moves import Moves, moves_within
from sealwright.assurance.features import Features
from sealwright.assurance.goal import Goal

__all__ = ["search", "transfer"]

_KEPT_BACK = 16  # questions a row keeps for making a change cheaper
_DEEPEST = 8  # steps put together at most
_HALVINGS = 5
_PATIENCE = 2  # shuffled orders in a row that turn nothing new, and one more
_QUESTIONS_FOR_PATIENCE = 100  # for so many questions
_FEWEST = 20  # questions


def search(
    goal: Goal,
    constraints: Constraints,
    budgets: tuple[float, ...],
    queries: int,
    known: NDArray[np.object_],
    rng: np.random.Generator,
) -> Flips:
    """Search for the cheapest change of every row.

    Parameters
    ----------
    budgets : tuple of float, ascending
        What a change may cost, over all features together.
    queries : int
        Most questions for one row.
    known : object array, shape (rows, text columns)
        Texts whose frequency says which levels to try first.
    """
    hunt = _Hunt(goal, constraints, queries)
    moves = moves_within(constraints, goal.original, budgets, known)
    most = max(1, (queries - _KEPT_BACK) * 2 // 3)
    if len(moves) > most:
        moves = moves.take(np.sort(rng.permutation(len(moves))[:most]))
    gains = _single_steps(hunt, moves)
    if len(moves):
        _together(hunt, moves, gains, budgets, rng)
        hunt.queries = queries
        _cheaper(hunt)
    return hunt.flips()


def transfer(
    goal: Goal,
    stand_in: Goal,
    constraints: Constraints,
    budgets: tuple[float, ...],
    queries: int,
    known: NDArray[np.object_],
) -> Flips:
    """Changes that look best for a stand-in, tried on the model: the attacker asks the model only to see if they work.

    Parameters
    ----------
    stand_in : Goal
        The same rows with another model, which may be asked freely.
    """
    moves = moves_within(constraints, goal.original, budgets, known)
    gains = _single_steps(_Hunt(stand_in, constraints, len(moves) + _FEWEST + _KEPT_BACK), moves)
    hunt = _Hunt(goal, constraints, queries)
    orders = _orders(moves, gains, np.random.default_rng(0))  # those that are not shuffled use no lot
    for _ in range(2 * gains.shape[2] if len(moves) else 0):
        order = next(orders)
        for budget in budgets:
            _one_by_one(hunt, moves, order, budget, first=0)
    return replace(hunt.flips(), attack="transfer")


class _Hunt:
    """The questions asked so far, and the cheapest turned row of each original."""

    def __init__(self, goal: Goal, constraints: Constraints, queries: int) -> None:
        self.goal, self.constraints = goal, constraints
        self.queries = max(_FEWEST, queries) - _KEPT_BACK
        self.asked = np.zeros(len(goal), dtype=np.int64)
        self.cost = np.full(len(goal), np.inf)
        self.best = goal.original
        self.margins = goal.ask(goal.original, np.arange(len(goal)))

    def ask(self, changed: Features, rows: NDArray[np.intp]) -> Floats:
        """Margins of possible rows made from `rows`, each of them once; the cheapest turned ones are kept."""
        return next(self.ask_each([(changed, rows)]))

    def ask_each(self, questions: Iterable[tuple[Features, NDArray[np.intp]]]) -> Iterator[Floats]:
        """The same for one question after another, asked together where that is quicker."""
        waiting: deque[tuple[Features, NDArray[np.intp]]] = deque()

        def put() -> Iterator[Features]:
            for changed, rows in questions:
                waiting.append((changed, rows))
                self.asked[rows] += 1
                yield changed

        for outputs in self.goal.case.predict_each(put()):
            changed, rows = waiting.popleft()
            margins = self.goal.margins(outputs, rows)
            self._keep(changed, rows, margins)
            yield margins

    def _keep(self, changed: Features, rows: NDArray[np.intp], margins: Floats) -> None:
        cost = self.constraints.cost(self.goal.original.take(rows), changed)
        better = self.goal.reached(margins) & (cost < self.cost[rows])
        at = rows[better]
        if at.size:
            self.cost[at] = cost[better]
            numbers, strings = self.best.numbers.copy(), self.best.strings.copy()
            numbers[at], strings[at] = changed.numbers[better], changed.strings[better]
            self.best = Features(numbers=numbers, strings=strings)

    def may_ask(self) -> NDArray[np.bool_]:
        return self.asked < self.queries

    def flips(self) -> Flips:
        return Flips(attack="search", each=False, cost=self.cost, changed=self.best, queries=int(self.asked.sum()))


def _single_steps(hunt: _Hunt, moves: Moves) -> Floats:
    """How much each step alone lowers the margins, shape (steps, n, goals); zero where it was not tried."""
    gains = np.zeros((len(moves), *hunt.margins.shape))
    tried: deque[tuple[int, NDArray[np.intp]]] = deque()

    def steps() -> Iterator[tuple[Features, NDArray[np.intp]]]:
        for step in range(len(moves)):
            rows = np.flatnonzero(np.isfinite(moves.cost[step]) & hunt.may_ask())
            if rows.size:
                tried.append((step, rows))
                yield moves.apply(step, hunt.goal.original.take(rows), rows), rows

    for margins in hunt.ask_each(steps()):
        step, rows = tried.popleft()
        gains[step, rows] = hunt.margins[rows] - margins
    return gains


def _together(hunt: _Hunt, moves: Moves, gains: Floats, budgets: tuple[float, ...], rng: np.random.Generator) -> None:
    """Put steps together, in one order after another, until several in a row turned nothing new."""
    fruitless = -2 * gains.shape[2]  # orders that are not shuffled do not count
    for order in _orders(moves, gains, rng):
        before = hunt.cost.copy()
        for budget in budgets:
            _one_by_one(hunt, moves, order, budget)
        fruitless += 1 if fruitless < 0 or np.array_equal(before, hunt.cost) else -fruitless
        if fruitless >= max(_PATIENCE, hunt.queries // _QUESTIONS_FOR_PATIENCE) or not hunt.may_ask().any():
            return


def _orders(moves: Moves, gains: Floats, rng: np.random.Generator) -> Iterator[Floats]:
    """How promising each step is, shape (steps, n), one array after another: by gain, by gain for its cost, shuffled."""
    priced = np.where(np.isfinite(moves.cost), moves.cost, np.inf)
    for goal in range(gains.shape[2]):
        gain = np.maximum(gains[:, :, goal], 0.0)
        yield gain
        yield gain / priced
    while True:
        goal = int(rng.integers(gains.shape[2]))
        yield np.maximum(gains[:, :, goal], 0.0) / priced * rng.exponential(size=priced.shape)


def _one_by_one(hunt: _Hunt, moves: Moves, order: Floats, budget: float, first: int = 1) -> None:
    """Add the most promising affordable step again and again, asking after each from `first` on (counted from 0)."""
    n = len(hunt.goal)
    now, spent = hunt.goal.original, np.zeros(n)
    used = np.zeros((int(moves.block.max()) + 1, n), dtype=np.bool_)
    open_ = hunt.may_ask() & ~affordable(hunt.cost, budget)
    for depth in range(_DEEPEST):
        left = budget * (1 + ROUNDING) - spent
        worth = np.where((moves.cost <= left) & ~used[moves.block], order, 0.0)
        chosen = np.argmax(worth, axis=0)
        goes_on = open_ & (worth[chosen, np.arange(n)] > 0)
        if not goes_on.any():
            return
        for step in np.unique(chosen[goes_on]):
            rows = np.flatnonzero(goes_on & (chosen == step))
            now = _put(now, moves.apply(int(step), now.take(rows), rows), rows)
            spent[rows] += moves.cost[step, rows]
            used[moves.block[step], rows] = True
        open_ = goes_on & hunt.may_ask()
        rows = np.flatnonzero(open_)
        if depth >= first and rows.size:
            hunt.ask(now.take(rows), rows)
            open_ &= ~affordable(hunt.cost, budget)


def _put(features: Features, part: Features, rows: NDArray[np.intp]) -> Features:
    numbers, strings = features.numbers.copy(), features.strings.copy()
    numbers[rows], strings[rows] = part.numbers, part.strings
    return Features(numbers=numbers, strings=strings)


def _cheaper(hunt: _Hunt) -> None:
    """Take steps back, the dearest first, then move numbers back halfway, as long as the row stays turned."""
    original = hunt.goal.original
    for rank in range(_DEEPEST):
        costs = hunt.constraints.costs(original, hunt.best)
        dearest = np.argsort(-costs, axis=1, kind="stable")[:, min(rank, costs.shape[1] - 1)]
        rows = np.flatnonzero(((costs > 0).sum(axis=1) > max(rank, 1)) & hunt.may_ask())
        if rows.size:
            _ask_possible(hunt, _taken_back(original, hunt.best, dearest).take(rows), rows)
    share = np.full(len(hunt.goal), 0.5)
    for _ in range(_HALVINGS):
        rows = np.flatnonzero(np.isfinite(hunt.cost) & hunt.may_ask())
        if not rows.size:
            return
        before = hunt.cost[rows].copy()
        start, end = original.numbers[rows].astype(np.float64), hunt.best.numbers[rows].astype(np.float64)
        wanted = end - share[rows, None] * (end - start)
        _ask_possible(hunt, hunt.best.take(rows).with_numbers(wanted.astype(original.numbers.dtype)), rows)
        share[rows[hunt.cost[rows] == before]] /= 2


def _ask_possible(hunt: _Hunt, wanted: Features, rows: NDArray[np.intp]) -> None:
    """Ask about the possible rows nearest to `wanted`, where they are cheaper than what is known."""
    changed = hunt.constraints.project(hunt.goal.original.take(rows), wanted)
    cost = hunt.constraints.cost(hunt.goal.original.take(rows), changed)
    cheaper = np.flatnonzero((cost > 0) & (cost < hunt.cost[rows]))
    if cheaper.size:
        hunt.ask(changed.take(cheaper), rows[cheaper])


def _taken_back(original: Features, changed: Features, column: NDArray[np.intp]) -> Features:
    """`changed` with one column of each row as it was."""
    width = original.numbers.shape[1]
    at = np.arange(len(original))
    numbers, strings = changed.numbers.copy(), changed.strings.copy()
    is_number = column < width
    numbers[at[is_number], column[is_number]] = original.numbers[at[is_number], column[is_number]]
    texts = ~is_number
    strings[at[texts], column[texts] - width] = original.strings[at[texts], column[texts] - width]
    return Features(numbers=numbers, strings=strings)
