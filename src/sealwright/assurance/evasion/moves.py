"""Changes of one column of a row: the steps a search is made of."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.constraints.model import Constraints
from sealwright.assurance.evasion.costs import affordable
from sealwright.assurance.features import Features

__all__ = ["Moves", "moves_within"]

_MOST_LEVELS = 10  # of one text column; the most frequent ones of those reachable


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """Steps for every row at once. A step changes one column, or one group of columns that exclude each other."""

    block: NDArray[np.intp]  # shape (steps,): steps of one block exclude each other
    columns: tuple[tuple[int, ...], ...]  # per step: positions of the columns it sets, numbers first
    values: tuple[NDArray[np.generic], ...]  # per step: shape (n, columns of the step)
    cost: Floats  # shape (steps, n); infinity where the step changes nothing or costs too much

    def __len__(self) -> int:
        return len(self.columns)

    def take(self, which: NDArray[np.intp]) -> "Moves":
        return Moves(
            block=self.block[which],
            columns=tuple(self.columns[place] for place in which),
            values=tuple(self.values[place] for place in which),
            cost=self.cost[which],
        )

    def apply(self, step: int, features: Features, rows: NDArray[np.intp]) -> Features:
        """`features`, which are variants of `rows` of the originals, after one step."""
        for column, values in zip(self.columns[step], self.values[step].T, strict=True):
            features = features.with_column(column, values[rows])
        return features


def moves_within(
    constraints: Constraints, original: Features, budgets: tuple[float, ...], known: NDArray[np.object_]
) -> Moves:
    """Every step: numbers as far as each budget reaches, either way; every other level; every other one of a group.

    Parameters
    ----------
    known : object array, shape (rows, text columns)
        Texts whose frequency says which levels to try where there are many.
    """
    steps = [*_number_steps(constraints, original, budgets), *_group_steps(constraints, original)]
    steps += _level_steps(constraints, original, known)
    cost = np.full((len(steps), len(original)), np.inf)
    blocks: dict[tuple[int, ...], int] = {}
    for place, (columns, values) in enumerate(steps):
        changed = original
        for column, entry in zip(columns, values.T, strict=True):
            changed = changed.with_column(column, entry)
        price = constraints.cost(original, changed)
        possible = (price > 0) & affordable(price, budgets[-1]) & constraints.allowed(original, changed)
        cost[place] = np.where(possible, price, np.inf)
    block = np.array([blocks.setdefault(columns, len(blocks)) for columns, _ in steps], dtype=np.intp)
    every = Moves(block=block, columns=tuple(c for c, _ in steps), values=tuple(v for _, v in steps), cost=cost)
    return every.take(np.flatnonzero(np.isfinite(cost).any(axis=1)))


_Step = tuple[tuple[int, ...], NDArray[np.generic]]


def _number_steps(constraints: Constraints, original: Features, budgets: tuple[float, ...]) -> Iterator[_Step]:
    grouped = {place for columns in constraints.exclusive for place in columns}
    free = [
        place for place in range(original.numbers.shape[1]) if not constraints.fixed[place] and place not in grouped
    ]
    for budget in reversed(budgets):  # the farthest first: they come first when questions are few
        for end in constraints.box(original, budget):
            wanted = np.where(np.isnan(original.numbers), np.nan, end).astype(original.numbers.dtype)
            wanted[:, sorted(grouped)] = original.numbers[:, sorted(grouped)]
            reached = constraints.project(original, original.with_numbers(wanted)).numbers
            for place in free:
                yield (place,), reached[:, [place]]


def _group_steps(constraints: Constraints, original: Features) -> Iterator[_Step]:
    for columns in constraints.exclusive:
        for chosen in range(len(columns)):
            values = np.zeros((len(original), len(columns)), dtype=original.numbers.dtype)
            values[:, chosen] = 1
            yield tuple(columns), values


def _level_steps(constraints: Constraints, original: Features, known: NDArray[np.object_]) -> Iterator[_Step]:
    width = original.numbers.shape[1]
    for place, levels in enumerate(constraints.levels):
        if constraints.fixed[width + place]:
            continue
        for level in _frequent(levels, known[:, place]):
            yield (width + place,), np.full((len(original), 1), level, dtype=object)


def _frequent(levels: tuple[str, ...], column: NDArray[np.object_]) -> list[str]:
    """At most ten levels, the most frequent first; ties in the order of the levels."""
    values, counts = np.unique(column.astype(str), return_counts=True)
    often = dict(zip(values.tolist(), counts.tolist(), strict=True))
    return sorted(levels, key=lambda level: (-often.get(level, 0), level))[:_MOST_LEVELS]
