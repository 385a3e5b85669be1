"""How many rows checks ask the model for, and where that ends.

Answers: what did a check cost, in rows? The unchanged rows are asked for once, for all checks, and not counted here.
Does not answer: for models that a check trains, which are not the one judged.
"""

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.features import Features
from sealwright.assurance.predictor import Predictor
from sealwright.kernel import OperationFailed

__all__ = ["Asked", "QueriesSpent"]


class QueriesSpent(OperationFailed):
    """A check wanted more answers of the model than its budget leaves."""

    code = "assurance.queries_spent"


class Asked:
    """A predictor that counts rows, and refuses to be asked for more than are left."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self._left: int | None = None
        self.rows = 0
        self.refused = False

    @property
    def model(self) -> Predictor:
        """The model itself. What asks it directly is not counted."""
        return self._predictor

    def begin(self, left: int | None) -> None:
        """Count from nothing; `left` rows may be asked for, None: any number."""
        self._left, self.rows, self.refused = left, 0, False

    def predict(self, features: Features) -> Floats:
        if self._left is not None and self.rows + len(features) > self._left:
            self.refused = True  # also said to a check that takes every error for the model's own
            raise QueriesSpent(f"{self._left:,} rows are left to ask for; {len(features):,} more are wanted.")
        self.rows += len(features)
        return self._predictor.predict(features)
