"""The smallest change of one row that turns its decision, among what the project says may change.

A search that only asks the model: every single change first, then changes of two and three features that start from the most
promising ones, then what was changed too far is given back. Every change that is told was asked about as it stands and is
possible. It is therefore an upper bound on the smallest change (Wachter et al. 2018, doi:10.2139/ssrn.3063289, state the aim).

No randomness, and rows asked about are counted: the same row and version lead to the same change. Time is only a limit: where
it is over, the answer is that none was found, never another change.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.serving.contract import Contract, Feature
from sealwright.serving.reasons.document import Move
from sealwright.serving.reasons.encoding import Lines
from sealwright.serving.reasons.model import Change, Changed
from sealwright.serving.reasons.words import told_value

__all__ = ["Searched", "smallest_change"]

Floats = NDArray[np.float64]
Score = Callable[[Lines], Floats]  # at least 0 where the wanted class is decided
_TOGETHER = 3  # features changed at once
_BEAM = 6  # starts of the next round
_HALVINGS = 8
_NOTHING = "Nothing that may change, changed as far as it may, turns the decision."
_ASKED_ENOUGH = "The search asked as often as it may and found no change that turns the decision."
_TOO_LONG = "The search ran out of time; ask again when the server is less busy."


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """How much a search may cost: rows asked about, and seconds by a clock that is passed in."""

    rows: int = 3_000
    seconds: float = 0.25
    clock: Callable[[], float]


@dataclass(frozen=True, slots=True)
class _Step:
    """One feature at another value. `column` counts numbers first."""

    column: int
    value: float | str
    cost: float


_Steps = tuple[_Step, ...]


class _OutOfRows(Exception):
    """The search has asked about as many rows as it may."""


class _OutOfTime(Exception):
    """The clock says that the search took too long."""


def smallest_change(
    contract: Contract, moves: Mapping[str, Move], lines: Lines, line: int, score: Score, wanted: str, limit: Searched
) -> Change:
    """Search a change of one row.

    Parameters
    ----------
    moves : mapping
        Features that may change, and how.
    score : callable
        Rows in, one number for each out: at least 0 where `wanted` is decided.
    wanted : str
        The class to reach; told as the label of the changed row.
    """
    search = _Search(contract, moves, lines, line, score, limit)
    why = _NOTHING
    try:
        search.go_through()
    except _OutOfRows:
        why = _ASKED_ENOUGH
    except _OutOfTime:
        return Change(found=False, asked=search.asked, why=_TOO_LONG)
    best = search.found
    if best is None:
        return Change(found=False, asked=search.asked, why=why)
    changed = [Changed(feature=search.of(step).name, to=told_value(search.of(step), step.value)) for step in best]
    cost = round(sum(step.cost for step in best), 6)
    return Change(found=True, changed=tuple(changed), cost=cost, label=wanted, asked=search.asked)


class _Search:
    def __init__(
        self,
        contract: Contract,
        moves: Mapping[str, Move],
        lines: Lines,
        line: int,
        score: Score,
        limit: Searched,
    ) -> None:
        self._columns: tuple[Feature, ...] = (*contract.numbers, *contract.strings)
        self._width, self._moves = len(contract.numbers), moves
        self._lines, self._line, self._score, self._limit = lines, line, score, limit
        self._until = limit.clock() + limit.seconds
        self.asked = 0
        self.found: _Steps | None = None

    def of(self, step: _Step) -> Feature:
        return self._columns[step.column]

    def go_through(self) -> None:
        """Look for the cheapest set of steps that turns the decision; `found` is the best one so far."""
        singles = [step for column, one in enumerate(self._columns) for step in self._steps(column, one)]
        (now,) = self._ask([()])
        starts: list[tuple[_Steps, float]] = [((), now)]
        for _ in range(_TOGETHER):
            tried = [
                (*start, step)
                for start, _score in starts
                for step in singles
                if step.column not in {one.column for one in start} and self._may_be_cheaper((*start, step))
            ]
            tried = list({frozenset(steps): steps for steps in tried}.values())
            scores = self._ask(tried)
            turned = [steps for steps, score in zip(tried, scores, strict=True) if score >= 0]
            for steps in sorted(turned, key=_cost)[:_BEAM]:
                self._keep(self._given_back(steps))
            going = [(steps, score) for steps, score in zip(tried, scores, strict=True) if now < score < 0]
            starts = sorted(going, key=lambda one: (now - one[1]) / _cost(one[0]))[:_BEAM]
            if not starts:
                break

    def _steps(self, column: int, feature: Feature) -> list[_Step]:
        """Every value to try for a feature of this row; none for what is missing or may not move."""
        move = self._moves.get(feature.name)
        if move is None:
            return []
        if column >= self._width:
            now = self._lines.strings[self._line, column - self._width]
            return [_Step(column, text, move.price) for text in move.texts if now not in ("", text)]
        start = float(self._lines.numbers[self._line, column])
        if np.isnan(start):
            return []
        values = {self._reached(move, start, value): None for value in move.numbers}
        return [_Step(column, value, self._price(move, start, value)) for value in values if value != start]

    def _reached(self, move: Move, start: float, value: float) -> float:
        """The possible value nearest to `value`, `start` where there is none on the way."""
        if (move.direction == "up" and value < start) or (move.direction == "down" and value > start):
            return start
        low, high = (min(start, value), max(start, value))
        low = low if move.least is None else min(max(low, move.least), start)
        high = high if move.most is None else max(min(high, move.most), start)
        value = min(max(value, low), high)
        if move.whole:
            value = float(np.floor(value) if value > start else np.ceil(value))
        return float(np.float32(value)) if low <= value <= high else start

    def _price(self, move: Move, start: float, value: float) -> float:
        return move.price * abs(value - start) / move.scale

    def _may_be_cheaper(self, steps: _Steps) -> bool:
        """A set of steps as dear as the best one may still give back a number; one that is all words may not."""
        if self.found is None:
            return True
        fixed = sum(step.cost for step in steps if step.column >= self._width)
        return fixed < _cost(self.found)

    def _keep(self, steps: _Steps) -> None:
        if self.found is None or (_cost(steps), _key(steps)) < (_cost(self.found), _key(self.found)):
            self.found = steps

    def _given_back(self, steps: _Steps) -> _Steps:
        """As little of each number as the decision needs, the dearest first, by halving."""
        for step in sorted(steps, key=lambda one: (-one.cost, one.column)):
            if step.column >= self._width:
                continue
            move, start = self._moves[self.of(step).name], float(self._lines.numbers[self._line, step.column])
            lost, kept = start, float(step.value)
            for _ in range(_HALVINGS):
                middle = self._reached(move, start, (lost + kept) / 2)
                if middle in (lost, kept, start):
                    break
                tried = tuple(
                    _Step(step.column, middle, self._price(move, start, middle)) if one.column == step.column else one
                    for one in steps
                )
                if self._ask([tried])[0] >= 0:
                    steps, kept = tried, middle
                else:
                    lost = middle
        return steps

    def _ask(self, tried: Sequence[_Steps]) -> list[float]:
        """Scores of the row with these steps; very low where there is no finite answer."""
        if self._limit.clock() > self._until:
            raise _OutOfTime
        if self.asked + len(tried) > self._limit.rows:
            raise _OutOfRows
        if not tried:
            return []
        self.asked += len(tried)
        changed = self._lines.repeated(self._line, len(tried))
        for at, steps in enumerate(tried):
            for step in steps:
                if step.column < self._width:
                    changed.numbers[at, step.column] = step.value
                else:
                    changed.strings[at, step.column - self._width] = step.value
        return [float(score) for score in np.nan_to_num(self._score(changed), nan=-1e9)]


def _cost(steps: _Steps) -> float:
    return sum(step.cost for step in steps)


def _key(steps: _Steps) -> tuple[tuple[int, str], ...]:
    """What breaks a tie between equally cheap changes."""
    return tuple((step.column, str(step.value)) for step in steps)
