"""Sets and intervals on request: which outcomes remain possible for a row, and how often that holds.

Answers: which classes, or between which numbers, and on how many rows rests that?
Does not answer: is this row among the many or the few. A promise is about rows like those kept apart, on average.
"""

from typing import Any

import numpy as np
from msgspec.structs import replace

from sealwright.serving.checking.conformal import sets_of
from sealwright.serving.checking.document import Conformal
from sealwright.serving.contract import Contract
from sealwright.serving.outcome import Outcome
from sealwright.serving.problems import NoPromise

__all__ = ["Promises"]


class Promises:
    """The promises of one version."""

    def __init__(self, contract: Contract, learned: Conformal | None, coverage: float) -> None:
        self._classes = contract.classes
        self._limit = None if learned is None else learned.limits.get(f"{coverage:g}")
        self._basis = {"coverage": coverage, "rows": 0 if learned is None else learned.rows}

    def refuse(self) -> None:
        """Say so where this version promises nothing.

        Raises
        ------
        NoPromise
        """
        if self._limit is None:
            raise NoPromise

    def beside(self, outcome: Outcome, exact: Outcome, digits: int | None) -> Outcome:
        """The outcome with a set or an interval beside each row that has an answer.

        Parameters
        ----------
        outcome : Outcome
            As the caller is told it.
        exact : Outcome
            As the model said it.
        digits : int, optional
            Significant digits of a value that the caller is told.
        """
        told = self._sets(exact) if self._classes else self._intervals(outcome, digits)
        lines = [{}] * len(told) if outcome.beside is None else outcome.beside
        without = [label == "" for label in outcome.labels] or [value is None for value in outcome.values]
        beside = [
            line if held else line | one | {"promise": self._basis}
            for line, one, held in zip(lines, told, without, strict=True)
        ]
        return replace(outcome, beside=beside)

    def _sets(self, exact: Outcome) -> list[dict[str, Any]]:
        members = sets_of(np.asarray(exact.probabilities, dtype=np.float64), self._limit or 0.0)
        return [
            {"set": [name for name, member in zip(self._classes, row, strict=True) if member]}
            for row in members.tolist()
        ]

    def _intervals(self, outcome: Outcome, digits: int | None) -> list[dict[str, Any]]:
        return [{} if value is None else {"interval": self._around(value, digits)} for value in outcome.values]

    def _around(self, value: float, digits: int | None) -> list[float]:
        """Around the value that is told, wider by what rounding may have moved it: so it tells no further digit."""
        half = self._limit or 0.0
        if digits is None:
            return [value - half, value + half]
        step = 10.0 ** (np.floor(np.log10(abs(value))) - digits + 1) if value else 0.0
        return [float(f"{end:.7g}") for end in (value - half - step / 2, value + half + step / 2)]
