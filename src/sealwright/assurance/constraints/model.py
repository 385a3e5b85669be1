"""Constraints on changed rows: which are possible, the nearest possible one, and what a change costs.

Answers: could this row have been that row? Fixed columns stay, numbers keep their range, their direction and their
wholeness, categories stay known, and of columns that exclude each other exactly one is 1.
Does not answer: why somebody would change it.

Distances are in standard deviations of the rows learned from, times the price of the feature; a switched category
counts its price. A missing number stays missing, and nothing becomes missing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.features import Features

__all__ = ["Constraints"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """What may change, compiled for the columns of one model. Arrays go by columns, numbers first where both count."""

    names: tuple[str, ...]  # of every column, numbers first
    fixed: NDArray[np.bool_]  # shape (columns,)
    price: Floats  # shape (columns,), > 0
    least: Floats  # shape (numbers,), in the precision of the model; -inf: no end
    most: Floats
    whole: NDArray[np.bool_]  # shape (numbers,)
    rises: NDArray[np.bool_]  # may not fall
    falls: NDArray[np.bool_]  # may not rise
    scale: Floats  # shape (numbers,): one standard deviation, > 0
    levels: tuple[tuple[str, ...], ...]  # reachable categories of each string column
    exclusive: tuple[tuple[int, ...], ...]  # number columns of which exactly one is 1

    @property
    def movable(self) -> tuple[int, ...]:
        """Positions of the columns that can change."""
        return tuple(int(place) for place in np.flatnonzero(~self.fixed))

    def box(self, original: Features, budget: float) -> tuple[Floats, Floats]:
        """Lowest and highest reachable numbers if each may cost at most `budget`, two arrays of shape (n, numbers).

        Before wholeness and exclusion, which `project` restores.
        """
        given = original.numbers.astype(np.float64)
        endless = np.isinf(given)  # nowhere to go from there
        numbers, width = np.where(endless, 0.0, given), given.shape[1]
        reach = budget * self.scale / self.price[:width]
        low = np.where(self.rises, numbers, np.maximum(numbers - reach, np.minimum(self.least, numbers)))
        high = np.where(self.falls, numbers, np.minimum(numbers + reach, np.maximum(self.most, numbers)))
        still = self.fixed[:width] | endless
        return np.where(still, given, low), np.where(still, given, high)

    def project(self, original: Features, wanted: Features) -> Features:
        """The possible row nearest to `wanted`, column by column; what cannot be had stays as it was."""
        before, numbers = original.numbers.astype(np.float64), wanted.numbers.astype(np.float64)
        low, high = self.box(original, np.inf)
        wished = np.clip(np.where(np.isnan(numbers), before, numbers), low, high)
        # whole numbers are rounded toward where they came from, so that no budget is overstepped; where none lies on
        # the way, as from 2.2 to 2.1, the number stays
        up = wished >= before
        toward = np.where(up, np.floor(wished + _SLACK), np.ceil(wished - _SLACK))
        on_the_way = np.where(up, toward >= before, toward <= before) & (low <= toward) & (toward <= high)
        numbers = np.where(self.whole & (wished != before), np.where(on_the_way, toward, before), wished)
        numbers = np.where(np.isnan(before), np.nan, numbers)
        for columns in self.exclusive:
            numbers[:, columns] = self._one_of(before, wished, list(columns))
        strings = wanted.strings.copy()
        width = numbers.shape[1]
        for place, levels in enumerate(self.levels):
            now, was = wanted.strings[:, place], original.strings[:, place]
            can = set() if self.fixed[width + place] else set(levels)
            back = [at for at in np.flatnonzero(now != was) if now[at] not in can]
            strings[back, place] = was[back]
        return Features(numbers=numbers.astype(original.numbers.dtype), strings=strings)

    def _one_of(self, before: Floats, wished: Floats, columns: list[int]) -> Floats:
        """The largest of columns that exclude each other becomes 1; where one of them cannot move, none does."""
        block, was = wished[:, columns], before[:, columns]
        chosen = np.eye(len(columns))[np.argmax(np.nan_to_num(block, nan=-np.inf), axis=1)]
        one_before = (np.nan_to_num(was).sum(axis=1) == 1) & np.isin(was, (0.0, 1.0)).all(axis=1)
        stuck = (chosen != was) & self._stuck(columns, chosen, was)
        free = one_before & ~stuck.any(axis=1)
        return np.where(free[:, None], chosen, was)

    def _stuck(self, columns: list[int], chosen: Floats, was: Floats) -> NDArray[np.bool_]:
        wrong = self.fixed[columns] | (self.rises[columns] & (chosen < was)) | (self.falls[columns] & (chosen > was))
        return np.asarray(wrong)

    def allowed(self, original: Features, changed: Features) -> NDArray[np.bool_]:
        """True, shape (n,), where `changed` could have been made from `original`."""
        nearest = self.project(original, changed)
        same = (nearest.numbers == changed.numbers) | (np.isnan(nearest.numbers) & np.isnan(changed.numbers))
        return np.asarray(same.all(axis=1) & (nearest.strings == changed.strings).all(axis=1), dtype=np.bool_)

    def cost(self, original: Features, changed: Features) -> Floats:
        """What each row's change costs: the sum over its features, shape (n,)."""
        total: Floats = self.costs(original, changed).sum(axis=1)
        return total

    def costs(self, original: Features, changed: Features) -> Floats:
        """The same feature by feature, shape (n, columns)."""
        width = original.numbers.shape[1]
        after, before = changed.numbers.astype(np.float64), original.numbers.astype(np.float64)
        moved = np.abs(np.where(after == before, 0.0, after) - np.where(after == before, 0.0, before))
        numbers = np.nan_to_num(moved) / self.scale * self.price[:width]
        strings = (changed.strings != original.strings).astype(np.float64) * self.price[width:]
        return np.concatenate([numbers, strings.reshape(original.strings.shape)], axis=1)


_SLACK = 1e-9  # a whole number that arithmetic left a hair off stays what it was meant to be
