"""The worst a change within a budget can do to additive scores, as a bound no attack passes.

Linear functions: each column has a price per unit of score; the budget buys the cheapest first (a fractional knapsack,
Dantzig 1957), which for numbers that are not whole is exact. With a budget for each column they simply add up:
|w| times the reach, the closed form. Trees: entering a leaf costs at least the sum of what its conditions cost, column
by column; each tree is then taken to reach its worst affordable leaf on its own, which is exact for one tree and an
upper bound for many (as in Chen et al. 2019, arXiv:1906.03849, without their joining of trees).

Where the budget pays for one switched category at most, each such switch is looked at alone with what is left of the
budget; otherwise categories are switched as every tree likes best.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.certified.reading import Leaves, Reading
from sealwright.assurance.constraints.model import Constraints
from sealwright.assurance.features import Features
from sealwright.registry import Linear, Source, column_values

__all__ = ["Prices", "linear_drop", "prices_of", "tree_low"]

_SLACK = 1e-6  # relative: thresholds and reaches are widened by it, so that float32 arithmetic cannot step over a bound
_MOST_WAYS = 300  # to switch one category, looked at one by one


@dataclass(frozen=True, kw_only=True)
class Prices:
    """What it costs each row to enter each leaf; infinity where no possible row is in it."""

    numbers: Floats  # shape (n, leaves): for the numbers of the row, added up or the largest
    texts: tuple[Floats, ...]  # per text column, shape (n, leaves): 0 as it is, a price, or infinity
    levels: tuple[
        NDArray[np.bool_], ...
    ]  # per text column, shape (reachable levels, leaves): which leaves suit a level

    def take(self, index: NDArray[np.intp]) -> "Prices":
        """The prices of some of the rows."""
        return Prices(numbers=self.numbers[index], texts=tuple(text[index] for text in self.texts), levels=self.levels)


def _add_up(total: Floats, more: Floats, *, each: bool) -> Floats:
    return np.maximum(total, more) if each else total + more


def prices_of(reading: Reading, leaves: Leaves, rows: Features, constraints: Constraints, *, each: bool) -> Prices:
    """Prices of leaves for rows, `each`: of the dearest column instead of all together."""
    n, width = len(rows), len(leaves.scores)
    numbers = np.zeros((n, width))
    low, high = _reach(constraints, rows)
    fixed_text = constraints.fixed[rows.numbers.shape[1] :]
    suits = [np.ones((len(levels), width), dtype=np.bool_) for levels in constraints.levels]
    now = [np.ones((n, width), dtype=np.bool_) for _ in constraints.levels]
    for place, sides in _by_number(reading, leaves):
        spent = _number_prices(reading, leaves, rows, place, sides, (low[:, place], high[:, place]), constraints)
        numbers[:, spent[0]] = _add_up(numbers[:, spent[0]], spent[1], each=each)
    for column in np.unique(leaves.column):
        source = reading.columns[column]
        at = np.flatnonzero(leaves.column == column)
        if source.kind == "string":
            values = np.array([source.of_text(level) for level in constraints.levels[source.place]])
            suits[source.place][:, leaves.leaf[at]] &= _inside(values, leaves, at)
            now[source.place][:, leaves.leaf[at]] &= _inside(column_values(source, rows), leaves, at)
        elif source.kind in ("missing", "constant"):
            numbers[:, leaves.leaf[at]] += np.where(_inside(column_values(source, rows), leaves, at), 0.0, np.inf)
    texts = []
    for place, (can, is_now) in enumerate(zip(suits, now, strict=True)):
        price = np.inf if fixed_text[place] else constraints.price[rows.numbers.shape[1] + place]
        texts.append(np.where(is_now, 0.0, np.where(can.any(axis=0), price, np.inf)))
    return Prices(numbers=numbers, texts=tuple(texts), levels=tuple(suits))


def _reach(constraints: Constraints, rows: Features) -> tuple[Floats, Floats]:
    """Lowest and highest number of each cell, whatever it costs."""
    low, high = constraints.box(rows, np.inf)
    for columns in constraints.exclusive:
        low[:, list(columns)] = np.minimum(low[:, list(columns)], 0.0)
        high[:, list(columns)] = np.maximum(high[:, list(columns)], 1.0)
    return low, high


def _by_number(reading: Reading, leaves: Leaves) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Conditions about each number of the rows, whichever columns of the matrix ask it."""
    place = np.array([one.place if one.kind == "number" else -1 for one in reading.columns], dtype=np.intp)
    asked = place[leaves.column] if leaves.column.size else np.empty(0, dtype=np.intp)
    for number in np.unique(asked[asked >= 0]):
        yield int(number), np.flatnonzero(asked == number)


def _number_prices(
    reading: Reading,
    leaves: Leaves,
    rows: Features,
    place: int,
    sides: NDArray[np.intp],
    ends: tuple[Floats, Floats],
    constraints: Constraints,
) -> tuple[NDArray[np.intp], Floats]:
    """Leaves that ask about one number, and what moving it into each costs, shape (n, those leaves)."""
    touched, back = np.unique(leaves.leaf[sides], return_inverse=True)
    low, high, missing = np.full(touched.size, -np.inf), np.full(touched.size, np.inf), np.ones(touched.size, np.bool_)
    for column in np.unique(leaves.column[sides]):
        source, own = reading.columns[column], leaves.column[sides] == column
        a, b = _before(source, leaves.low[sides[own]], leaves.high[sides[own]])
        low[back[own]] = np.maximum(low[back[own]], a)
        high[back[own]] = np.minimum(high[back[own]], b)
        gone = leaves.missing[sides[own]]
        if not np.isnan(source.fill):
            filled = np.array([(source.fill - source.centre) * source.factor])
            gone = _inside(filled, leaves, sides[own])[0]
        missing[back[own]] &= gone
    x = rows.numbers[:, place].astype(np.float64)[:, None]
    known = np.isfinite(x)
    x = np.where(known, x, 0.0)
    below, above = np.maximum(low - x, 0.0), np.maximum(x - high, 0.0)
    reachable = (low < ends[1][:, None]) & (high >= ends[0][:, None]) | ((low < x) & (x <= high))
    cost = (below + above) / constraints.scale[place] * constraints.price[place]
    cost = np.where(reachable & (low < high), cost, np.inf)
    return touched, np.where(known, cost, np.where(missing, 0.0, np.inf))


def _before(source: Source, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """The numbers that a scaled column takes into (low, high], a little widened."""
    if source.factor == 0:
        value = 0.0
        inside = (low < value) & (value <= high)
        return np.where(inside, -np.inf, np.inf), np.where(inside, np.inf, -np.inf)
    if (source.centre, source.factor) == (0.0, 1.0):
        return _widened(low, -0.0), _widened(high, 0.0)
    ends = np.stack([low, high]) / source.factor + source.centre
    a, b = ends.min(axis=0), ends.max(axis=0)
    room = _SLACK * (abs(source.centre) + 1 / abs(source.factor))
    return _widened(a, -room), _widened(b, room)


def _widened(ends: Floats, room: float) -> Floats:
    """Ends moved outward, infinity staying where it is."""
    finite = np.where(np.isfinite(ends), ends, 0.0)
    return np.asarray(ends + room + np.copysign(_SLACK, room) * np.abs(finite))


def _inside(values: Floats, leaves: Leaves, at: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which conditions which values satisfy, shape (values, conditions)."""
    v = values[:, None]
    return np.where(np.isnan(v), leaves.missing[at], (v > leaves.low[at]) & (v <= leaves.high[at]))


def tree_low(
    leaves: Leaves,
    prices: Prices,
    weights: Floats,
    budget: float,
    width: int,
    constraints: Constraints,
    *,
    each: bool,
) -> Floats:
    """Lowest value the sum of `weights` (one for each leaf) can have within the budget, shape (n,); `width` numbers."""
    budget = budget * (1 + 4 * _SLACK)
    free = [place for place in range(len(prices.texts)) if not constraints.fixed[width + place]]
    cheapest = sorted(float(constraints.price[width + place]) for place in free)
    ways = sum(len(prices.levels[place]) for place in free)
    one_at_most = not each and 0 < ways <= _MOST_WAYS and (len(cheapest) == 1 or sum(cheapest[:2]) > budget)
    total = prices.numbers
    if not one_at_most:
        for text in prices.texts:
            total = _add_up(total, text, each=each)
        return _worst(total <= budget, weights, leaves)
    odd = sum(((text > 0).astype(np.int16) for text in prices.texts), np.zeros(total.shape, dtype=np.int16))
    lowest = _worst((total <= budget) & (odd == 0), weights, leaves)
    for place in free:
        left = budget - constraints.price[width + place]
        if left < 0:
            continue
        others = (odd - (prices.texts[place] > 0) == 0) & (total <= left)
        for suits in prices.levels[place]:
            lowest = np.minimum(lowest, _worst(others & suits, weights, leaves))
    return lowest


def _worst(affordable: NDArray[np.bool_], weights: Floats, leaves: Leaves) -> Floats:
    worst = np.minimum.reduceat(np.where(affordable, weights, np.inf), leaves.first, axis=1).sum(axis=1)
    return np.asarray(np.where(np.isfinite(worst), worst, -np.inf))  # no leaf at all: nothing is known


def linear_drop(
    reading: Reading,
    linear: Linear,
    rows: Features,
    constraints: Constraints,
    toward: Floats,
    budget: float,
    *,
    each: bool,
) -> Floats:
    """How far `toward` (a weight for each score) times the scores can fall within the budget, shape (n,)."""
    budget = budget * (1 + 4 * _SLACK)
    pull = linear.weights @ toward
    n, width = rows.numbers.shape
    slope, known = np.zeros(width), np.isfinite(rows.numbers)
    for column, source in enumerate(reading.columns):
        if source.kind == "number":
            slope[source.place] += pull[column] * source.factor
    low, high = _reach(constraints, rows)
    x = np.where(known, rows.numbers.astype(np.float64), 0.0)
    room = np.where(slope > 0, x - low, high - x)  # falling where the slope rises
    room = np.where(known, np.nan_to_num(room, nan=0.0, posinf=np.inf), 0.0)
    rate = np.abs(slope) * constraints.scale / constraints.price[:width]  # fall for one unit of cost
    capacity = np.where(rate > 0, room / constraints.scale * constraints.price[:width], 0.0)
    falls, costs = [np.broadcast_to(rate, capacity.shape)], [capacity]
    for place in range(len(constraints.levels)):
        gain = _text_fall(reading, pull, rows, constraints, place)
        price = float(constraints.price[width + place])
        falls.append((gain / price)[:, None])
        costs.append(np.full((n, 1), price if not each or price <= budget else 0.0))
    fall, cost = np.concatenate(falls, axis=1), np.concatenate(costs, axis=1)
    if each:
        return np.asarray((fall * np.minimum(cost, budget)).sum(axis=1))
    order = np.argsort(-fall, axis=1, kind="stable")
    cost, fall = np.take_along_axis(cost, order, axis=1), np.take_along_axis(fall, order, axis=1)
    before = np.cumsum(np.minimum(cost, 2 * budget), axis=1) - np.minimum(cost, 2 * budget)
    return np.asarray((fall * np.clip(budget - before, 0.0, cost)).sum(axis=1))


def _text_fall(reading: Reading, pull: Floats, rows: Features, constraints: Constraints, place: int) -> Floats:
    """The largest fall that switching one text column brings, shape (n,)."""
    width = rows.numbers.shape[1]
    asked = [(c, s) for c, s in enumerate(reading.columns) if s.kind == "string" and s.place == place]
    if constraints.fixed[width + place] or not asked or not constraints.levels[place]:
        return np.zeros(len(rows))
    now = sum((pull[c] * column_values(s, rows) for c, s in asked), np.zeros(len(rows)))
    least = min(sum(pull[c] * s.of_text(level) for c, s in asked) for level in constraints.levels[place])
    return np.asarray(np.maximum(now - least, 0.0))
