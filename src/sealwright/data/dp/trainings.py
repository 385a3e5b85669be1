"""A private training as the book of budgets sees it: what it is for, and what it costs.

Answers: how much of a budget does a model take that was trained with (epsilon, delta) for one row?
Does not answer: how its noise is made, or whether it is worth it. `training` makes it, `assurance` attacks it.
"""

import math
from dataclasses import dataclass
from decimal import Decimal

from sealwright.data.privacy_budget import MILLIONTHS

__all__ = ["TRAINING", "Training", "training_of"]

TRAINING = "training"
"""The kind of a spend that is no release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What somebody wants to train, and its cost for one protected unit."""

    recipe: str
    purpose: str  # which model: a run, or a way in a comparison
    columns: tuple[str, ...]  # learned from
    epsilon: int  # millionths
    delta: float

    @property
    def words(self) -> str:
        return f"training of {self.recipe} ({self.purpose})"


def training_of(
    recipe: str, purpose: str, columns: tuple[str, ...], *, epsilon: float, delta: float, rows: int
) -> Training:
    """The cost of a training that is (epsilon, delta)-private for one row, where one unit has up to `rows` rows.

    Both are rounded up: epsilon to whole millionths, delta by a hair where several rows are added up.

    Notes
    -----
    rows * epsilon and delta * (1 + e^epsilon + ... + e^((rows - 1) epsilon)): the definition, applied row by row (group
    privacy, Dwork and Roth 2014, doi:10.1561/0400000042, theorem 2.2 for delta 0).
    """
    one = math.ceil(Decimal(repr(epsilon)) * MILLIONTHS)
    return Training(
        recipe=recipe,
        purpose=purpose,
        columns=columns,
        epsilon=rows * one,
        delta=delta if rows == 1 else _of_a_group(one / MILLIONTHS, delta, rows),
    )


def _of_a_group(epsilon: float, delta: float, rows: int) -> float:
    """The chance that the guarantee fails for all rows of one unit together; at most 1."""
    if rows * epsilon > 100:  # far beyond any budget, and e^100 is no chance
        return 1.0
    return min(1.0, delta * sum(math.exp(place * epsilon) for place in range(rows)) * (1 + 1e-9))
