"""What a model said, checked before anybody is told: finite, in range, one line per row.

Pure functions over arrays. A model whose output breaks these rules gives no answer at all.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.kernel import OperationFailed
from sealwright.serving.contract import Batch, Contract

__all__ = ["ModelMisbehaved", "Outcome", "outcome_of"]

_DIGITS = 6  # of a probability told to callers; float32 holds seven
_SUM_SLACK = 1e-3


class ModelMisbehaved(OperationFailed):
    """The model ran and returned something that is no prediction."""

    code = "model.misbehaved"
    status = 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line per row. Classifiers give labels and probabilities in the order of the classes; regressions values."""

    labels: list[str]
    probabilities: list[list[float]]
    values: list[float]


def outcome_of(contract: Contract, batch: Batch, raw: NDArray[np.float32]) -> Outcome:
    """Read a model's raw output.

    Parameters
    ----------
    raw : float array, shape (rows, classes) for a classifier, (rows, 1) for a regression

    Raises
    ------
    ModelMisbehaved
        Another shape, a value that is not finite, or probabilities that are none.
    """
    classes = contract.classes if contract.output == "probabilities" else ()
    if raw.shape != (batch.rows, len(classes) or 1):
        raise ModelMisbehaved(f"The model returned an array of shape {raw.shape} for {batch.rows} rows.")
    lines: list[list[float]] = raw.tolist()
    if not classes:
        if not np.isfinite(raw).all():
            raise ModelMisbehaved("The model returned a value that is not a finite number.")
        return Outcome([], [], [float(f"{line[0]:.7g}") for line in lines])
    labels = []
    for line in lines:
        if not (all(0.0 <= p <= 1.000001 for p in line) and abs(sum(line) - 1.0) <= _SUM_SLACK):  # NaN fails too
            raise ModelMisbehaved("The model returned numbers that are not probabilities.")
        labels.append(classes[line.index(max(line))])
    return Outcome(labels, [[min(round(p, _DIGITS), 1.0) for p in line] for line in lines], [])
