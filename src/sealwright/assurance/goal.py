"""What an attack is after: another decision than the model's own, or a prediction moved beyond a limit.

A margin is what still stands between a row and the goal: negative once it is reached. Classes have one margin, the
lead of the decision over what would replace it; predicted numbers have two, one for each direction.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.features import Features
from sealwright.assurance.predictor import no_answer

__all__ = ["Goal", "goal_of"]


@dataclass(frozen=True, kw_only=True)
class Goal:
    """The goal for the rows attacked, which are counted 0 to n - 1."""

    case: Case
    rows: NDArray[np.intp]  # positions among the test rows
    original: Features
    before: Floats  # what the model says about the originals
    decided: NDArray[np.int64]  # class positions, shape (n,); zeros for a regression
    right: NDArray[np.bool_]  # decided as the truth is; all True for a regression
    limit: float  # regression: how far a prediction must move, in units of the target

    def __len__(self) -> int:
        return len(self.original)

    def ask(self, changed: Features, index: NDArray[np.intp]) -> Floats:
        """Margins of changed rows, shape (m, goals), where `index` says which row each was made from.

        A row without an answer lost its decision: its margins are -1.
        """
        return self.margins(self.case.predict(changed), index)

    def margins(self, outputs: Floats, index: NDArray[np.intp]) -> Floats:
        """As `ask`, for answers already there."""
        if self.case.task == "regression":
            moved = outputs - self.before[index]
            margins = np.column_stack([self.limit - moved, self.limit + moved])
        else:
            margins = self._lead(outputs, self.decided[index])[:, None]
        return np.where(no_answer(outputs)[:, None], -1.0, margins)

    def reached(self, margins: Floats) -> NDArray[np.bool_]:
        return np.asarray((margins < 0).any(axis=1))

    def _lead(self, outputs: Floats, decided: NDArray[np.int64]) -> Floats:
        """How far the decision is ahead; below zero exactly where `Case.decide` decides otherwise."""
        if self.case.task == "binary":
            ahead = outputs[:, self.case.positive] - self.case.spec.threshold
            lead = np.where(decided == self.case.positive, ahead, -ahead)
        else:
            own = outputs[np.arange(decided.size), decided]
            others = outputs.copy()
            others[np.arange(decided.size), decided] = -np.inf
            lead = own - others.max(axis=1)
        kept = self.case.decide(outputs) == decided
        return np.asarray(np.where(kept, np.maximum(lead, 0.0), np.minimum(lead, -_HAIR)))


_HAIR = 1e-12  # a tie is decided one way; this keeps the sign of the lead with the decision


def goal_of(case: Case, most: int, rng: np.random.Generator) -> Goal:
    """The goal for at most `most` test rows, drawn by lot."""
    rows = np.arange(len(case.test))
    if rows.size > most:
        rows = np.sort(rng.choice(rows, most, replace=False))
    before = case.test.outputs[rows]
    if case.task == "regression":
        decided, right = np.zeros(rows.size, dtype=np.int64), np.ones(rows.size, dtype=np.bool_)
    else:
        decided = case.decisions[rows]
        right = decided == case.test.truth[rows]
    spread = float(case.test.truth.std()) if case.task == "regression" else 0.0
    return Goal(
        case=case,
        rows=rows,
        original=case.test.features.take(rows),
        before=before,
        decided=decided,
        right=np.asarray(right),
        limit=case.spec.attacks.moved_by * (spread or 1.0),
    )
