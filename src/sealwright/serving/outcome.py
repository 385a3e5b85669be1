"""What a model said, checked before anybody is told: finite, in range, one line per row.

Pure functions over arrays. A row whose output breaks these rules gets no answer at all.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.kernel import OperationFailed
from sealwright.serving.contract import Contract

__all__ = ["ModelMisbehaved", "Outcome", "outcome_of"]

_SCALE = 1e6  # six digits of a probability are told to callers; float32 holds seven
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
    sound: list[bool]  # of each row: is its line a prediction?

    def of(self, start: int, rows: int) -> "Outcome":
        """The lines of some rows.

        Raises
        ------
        ModelMisbehaved
            One of them is no prediction.
        """
        end = start + rows
        if not all(self.sound[start:end]):
            raise ModelMisbehaved("The model returned numbers that are no prediction: not finite, or no probabilities.")
        return Outcome(
            self.labels[start:end], self.probabilities[start:end], self.values[start:end], self.sound[start:end]
        )


def outcome_of(contract: Contract, rows: int, raw: NDArray[np.float32]) -> Outcome:
    """Read a model's raw output.

    Parameters
    ----------
    rows : int
        How many it was asked about.
    raw : float array, shape (rows, classes) for a classifier, (rows, 1) for a regression

    Raises
    ------
    ModelMisbehaved
        Another shape.
    """
    classes = contract.classes if contract.output == "probabilities" else ()
    if raw.shape != (rows, len(classes) or 1):
        raise ModelMisbehaved(f"The model returned an array of shape {raw.shape} for {rows} rows.")
    if not classes:
        sound = np.isfinite(raw[:, 0]).tolist()
        values = [float(f"{value:.7g}") for value in raw[:, 0].tolist()]
        return Outcome([], [], values, sound)
    wide = raw.astype(np.float64)
    with np.errstate(invalid="ignore"):  # a NaN is told of by `sound`
        fits = (wide >= 0.0) & (wide <= 1.000001)
        adds_up = np.abs(wide.sum(axis=1) - 1.0) <= _SUM_SLACK
        told = np.minimum(np.rint(wide * _SCALE) / _SCALE, 1.0)
    sound = (fits.all(axis=1) & adds_up).tolist()
    labels = [classes[place] for place in raw.argmax(axis=1).tolist()]
    return Outcome(labels, told.tolist(), [], sound)
