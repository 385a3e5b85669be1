"""The cheapest possible change of a row that changes its decision: a search that asks a bounded number of times and ends.

All rows move together. In each round every movable feature of every row is tried at a few reachable values; a row takes the
cheapest change that flips it, else the one that moves the answer most for its price. A flipped row then gives changes back
as far as the decision allows: whole ones first, then parts of numbers, by halving. Every row that is returned was asked
about as it stands and is allowed by the constraints. No randomness. Wachter et al. 2018 (doi:10.2139/ssrn.3063289)
state the aim; this search only asks the model, so it is an upper bound on the cheapest price.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.constraints.model import Constraints
from sealwright.assurance.features import Features

__all__ = ["Counterfactuals", "cheapest_changes"]

_VALUES = 8  # tried for each number
_MOST_CATEGORIES = 20
_MOST_FEATURES = 40  # of wider rows, those that move the answer most
_ROUNDS = 6
_HALVINGS = 6
_AT_ONCE = 100_000
_SAME = 1e-12
_LOWEST = -1e9
_WITHIN = 1 - 1e-5  # so that rounding to the precision of the model does not overstep the price


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterfactuals:
    """For each row: whether a change was found, the changed row (the row itself where none was), and its price."""

    found: NDArray[np.bool_]
    rows: Features
    cost: Floats  # inf where none was found
    changed: NDArray[np.bool_]  # shape (n, features)
    queries: int


@dataclass(slots=True)
class _Search:
    score: Callable[[Features], Floats]
    rules: Constraints
    learned: Features
    places: tuple[int, ...] = ()  # features that are tried
    queries: int = 0
    _tried: dict[int, NDArray[np.generic]] = field(default_factory=dict, init=False)

    def ask(self, rows: Features) -> Floats:
        """Scores; very low where there is no finite answer."""
        self.queries += len(rows)
        parts = [self.score(part) for part in rows.slices(_AT_ONCE)]
        return np.nan_to_num(np.concatenate(parts), nan=_LOWEST, neginf=_LOWEST) if parts else np.zeros(0)

    def candidates(self, place: int) -> NDArray[np.generic]:
        """Values to try for a feature: quantiles of the rows learned from and the ends of its range, or categories."""
        if place not in self._tried:
            self._tried[place] = self._values(place)
        return self._tried[place]

    def _values(self, place: int) -> NDArray[np.generic]:
        width = self.rules.least.size
        if place >= width:
            column, levels = self.learned.strings[:, place - width], self.rules.levels[place - width]
            counts = {level: int((column == level).sum()) for level in levels}
            common = sorted(levels, key=lambda level: (-counts[level], level))[:_MOST_CATEGORIES]
            return np.array(common, dtype=object)
        known = self.learned.numbers[:, place].astype(np.float64)
        known = known[np.isfinite(known)]
        inner = np.quantile(known, np.linspace(0, 1, _VALUES)) if known.size else np.zeros(0)
        ends = [end for end in (self.rules.least[place], self.rules.most[place]) if np.isfinite(end)]
        return np.unique(np.concatenate([inner, ends]))


def cheapest_changes(
    score: Callable[[Features], Floats], rules: Constraints, rows: Features, learned: Features, most: float = np.inf
) -> Counterfactuals:
    """Search a change for each row.

    Parameters
    ----------
    score : callable
        Features in, one number for each row out: at least 0 where the wanted outcome is decided.
    rows : Features
        Rows decided otherwise.
    learned : Features
        Rows that show which values occur.
    most : float
        Highest price: nothing dearer is tried.
    """
    search = _Search(score, rules, learned)
    search.places = _worth_trying(search, rows)
    n = len(rows)
    best, price = rows, np.full(n, np.inf)
    for per_price in (True, False):  # two ways of being greedy; the cheaper result of each row counts
        reached, flipped = _walk(search, rows, most, per_price=per_price)
        lines = np.flatnonzero(flipped)
        thrifty = _given_back(search, rows.take(lines), reached.take(lines))
        cost = rules.cost(rows.take(lines), thrifty)
        better = lines[(cost < price[lines]) & (cost <= most)]
        kept = np.isin(lines, better)
        best = _with_rows(best, better, thrifty.take(kept.nonzero()[0]))
        price[better] = cost[kept]
    verified = np.isfinite(price) & (search.ask(best) >= 0) & rules.allowed(rows, best)
    best = _with_rows(best, np.flatnonzero(~verified), rows.take(np.flatnonzero(~verified)))
    changed = rules.costs(rows, best) > 0
    cost = np.where(verified, price, np.inf)
    return Counterfactuals(found=verified, rows=best, cost=cost, changed=changed, queries=search.queries)


def _worth_trying(search: _Search, rows: Features) -> tuple[int, ...]:
    """Every movable feature, or of many the ones whose first and last values move the answers most."""
    movable = search.rules.movable
    if len(movable) <= _MOST_FEATURES:
        return movable
    before, moves = search.ask(rows), {}
    for place in movable:
        values = search.candidates(place)
        asked = [
            search.ask(
                search.rules.project(rows, rows.with_column(place, np.full(len(rows), value, dtype=values.dtype)))
            )
            for value in (values[:1].tolist() + values[-1:].tolist())
        ]
        moves[place] = max((float((one - before).mean()) for one in asked), default=-np.inf)
    chosen = sorted(movable, key=lambda place: (-moves[place], place))[:_MOST_FEATURES]
    return tuple(sorted(chosen))


def _walk(search: _Search, rows: Features, most: float, *, per_price: bool) -> tuple[Features, NDArray[np.bool_]]:
    """Change one feature after the other until the score is reached, the price is, or nothing helps any more."""
    now, scores = rows, search.ask(rows)
    open_ = scores < 0
    for _ in range(_ROUNDS):
        lines = np.flatnonzero(open_)
        if not lines.size:
            break
        origin, current = rows.take(lines), now.take(lines)
        tried, numeric, costs, gained = _every_step(search, origin, current, scores[lines], most)
        if not tried:
            break
        already = search.rules.cost(origin, current)
        extra = np.maximum(costs - already[:, None], _SAME)
        possible = (gained > _SAME) & (costs <= most)
        flips = possible & (scores[lines, None] + gained >= 0)
        worth = np.where(possible, gained / extra if per_price else gained, -np.inf)
        # of a number only the part that is needed will be paid in the end
        needed = np.clip(np.divide(-scores[lines, None], gained, out=np.ones_like(gained), where=flips), 0.0, 1.0)
        paid = already[:, None] + extra * np.where(numeric, needed, 1.0)
        worth = np.where(flips.any(axis=1, keepdims=True), np.where(flips, -paid, -np.inf), worth)
        choice = np.argmax(worth, axis=1)
        moves = np.isfinite(worth[np.arange(lines.size), choice])
        for step in np.unique(choice[moves]):
            here = np.flatnonzero(moves & (choice == step))
            now = _with_rows(now, lines[here], tried[step].take(here))
            scores[lines[here]] += gained[here, step]
        open_[lines[~moves]] = False
        open_[lines[moves]] = scores[lines[moves]] < -_SAME
    return now, search.ask(now) >= 0


def _every_step(
    search: _Search, origin: Features, current: Features, scores: Floats, most: float
) -> tuple[list[Features], NDArray[np.bool_], Floats, Floats]:
    """Every single change: the rows, whether a number moves, the whole price and the gain, the latter two (rows, changes)."""
    tried: list[Features] = []
    numeric: list[bool] = []
    low, high = search.rules.box(origin, most * _WITHIN)
    for place in search.places:
        column, number = current.column(place), place < low.shape[1]
        for value in search.candidates(place):
            values = np.clip(float(value), low[:, place], high[:, place]) if number else np.full(len(column), value)
            wanted = current.with_column(place, values.astype(column.dtype))
            tried.append(search.rules.project(origin, wanted))
            numeric.append(number)
    if not tried:
        none = np.zeros((len(origin), 0))
        return [], np.zeros(0, dtype=np.bool_), none, none
    costs = np.stack([search.rules.cost(origin, one) for one in tried], axis=1)
    answers = search.ask(_stacked(tried)).reshape(len(tried), -1).T
    return tried, np.array(numeric), costs, answers - scores[:, None]


def _given_back(search: _Search, rows: Features, reached: Features) -> Features:
    """Undo what the decision does not need: whole changes, the dearest first, then numbers by halving."""
    now, rules = reached, search.rules
    order = np.argsort(-rules.costs(rows, reached).sum(axis=0), kind="stable")
    for place in map(int, order):
        if place not in search.places or not len(rows):
            continue
        back = rules.project(rows, now.with_column(place, rows.column(place)))
        now = _where_still_reached(search, rows, now, back)
    for place in map(int, order):
        if place not in search.places or place >= rules.least.size or not len(rows):
            continue
        origin, far = rows.numbers[:, place].astype(np.float64), now.numbers[:, place].astype(np.float64)
        lost, kept = np.zeros(len(rows)), np.ones(len(rows))  # shares of the way: too little, enough
        for _ in range(_HALVINGS):
            middle = (lost + kept) / 2
            back = rules.project(rows, now.with_column(place, origin + middle * (far - origin)))
            now = _where_still_reached(search, rows, now, back)
            held = now.numbers[:, place] == back.numbers[:, place]
            kept, lost = np.where(held, middle, kept), np.where(held, lost, middle)
    return now


def _where_still_reached(search: _Search, rows: Features, now: Features, back: Features) -> Features:
    """`back` for the rows that are still decided as wanted and pay less, `now` for the others."""
    cheaper = search.rules.cost(rows, back) < search.rules.cost(rows, now) - _SAME
    lines = np.flatnonzero(cheaper)
    holds = lines[search.ask(back.take(lines)) >= 0]
    return _with_rows(now, holds, back.take(holds))


def _with_rows(rows: Features, lines: NDArray[np.intp], others: Features) -> Features:
    """A copy of `rows` with some replaced."""
    numbers, strings = rows.numbers.copy(), rows.strings.copy()
    numbers[lines], strings[lines] = others.numbers, others.strings
    return Features(numbers=numbers, strings=strings)


def _stacked(parts: list[Features]) -> Features:
    return Features(
        numbers=np.concatenate([part.numbers for part in parts]),
        strings=np.concatenate([part.strings for part in parts]),
    )
