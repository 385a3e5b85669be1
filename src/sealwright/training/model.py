"""What a training came to, as the parent knows it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PARITY_LIMIT", "Parity", "TrainingResult"]

PARITY_LIMIT = 1e-5
"""Largest difference allowed between framework and ONNX; sklearn and ONNX Runtime agree to about 1e-7 where
nothing is wrong, and a scaler in front of trees shows as 1e-3 to 1e-1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """How far the ONNX model is from the framework model, over every hold-out row.

    `largest` is a difference of probabilities, or for a regression of values divided by `scale`, the largest
    value the framework predicted. `flips` are rows whose decision changes. Not among them are `ties`: rows whose
    decision changes where the framework itself was within `limit` of the boundary, so that neither decision is right.
    """

    rows: int
    largest: float
    flips: int
    ties: int = 0
    scale: float = 1.0
    limit: float = PARITY_LIMIT

    @property
    def holds(self) -> bool:
        return self.largest <= self.limit

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "holds": self.holds}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingResult:
    """A trained model and how it came about.

    `model`, its digest, `parity` and `confinement` were established by the parent. The rest is what the training
    process said of itself, checked for form: with your own code as recipe it is as true as that code.
    """

    model: bytes  # ONNX
    model_digest: str
    framework_predictions: NDArray[np.float64] | None  # shape (hold-out rows, classes or 1); None: the recipe made ONNX
    parity: Parity | None  # None when there is nothing to compare with, which `notes` says
    recipe: str
    seed: int
    parameters: Mapping[str, Any]
    cv: Mapping[str, Any]  # metric, folds, rows, scores: {name: {per_fold, mean, sd}}; {} if not performed
    search: Sequence[Mapping[str, Any]]  # every trial: number, parameters, score, sd, folds, state
    notes: Sequence[str]
    environment: Mapping[str, Any]
    environment_digest: str
    code: Mapping[str, str]  # what ran: name to digest
    code_digest: str
    confinement: Mapping[str, Any]  # a ConfinementReport as JSON
    rows: int
    holdout_rows: int
    seconds: float
    cpu_seconds: float
    peak_memory_bytes: int
    log: Sequence[str]  # last lines the code printed
    privacy: Mapping[str, Any] | None = (
        None  # of a private training: epsilon, delta, mechanism, unit, what is not covered; what was spent with it
    )
