"""What a model said, checked before anybody is told: finite, in range, one line per row.

Pure functions over arrays. A row whose output breaks these rules gets no answer at all.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from sealwright.kernel import OperationFailed
from sealwright.serving.contract import Contract
from sealwright.serving.problems import FieldProblem, RowsRefused

__all__ = ["ModelMisbehaved", "Outcome", "outcome_of"]

_SCALE = 1e6  # six digits of a probability are told to callers; float32 holds seven
_SUM_SLACK = 1e-3
_MOST_SHARE = 1.000001
_FEW_ROWS = 16
_MOST_PROBLEMS = 20


class ModelMisbehaved(OperationFailed):
    """The model ran and returned something that is no prediction."""

    code = "model.misbehaved"
    status = 500


class Outcome(msgspec.Struct, frozen=True):
    """One line per row. Classifiers give labels and probabilities in the order of the classes; regressions values.

    What is not told is "" for a label and None for a number.
    """

    labels: list[str]
    probabilities: "Sequence[Sequence[float | None]]"
    values: "Sequence[float | None]"
    sound: list[bool]  # of each row: is its line a prediction?
    beside: "Sequence[dict[str, Any]] | None" = None  # of each row: what is told with it, such as marks
    refused: "Mapping[int, Sequence[FieldProblem]] | None" = None  # rows that get no answer, and why
    whole: "Outcome | None" = None  # for the record, where this tells less

    def of(self, start: int, rows: int) -> "Outcome":
        """The lines of some rows.

        Raises
        ------
        RowsRefused
            One of them gets no answer.
        ModelMisbehaved
            One of them is no prediction.
        """
        end = start + rows
        if self.refused:
            self._refuse(start, end)
        if not all(self.sound[start:end]):
            raise ModelMisbehaved("The model returned numbers that are no prediction: not finite, or no probabilities.")
        return Outcome(
            self.labels[start:end],
            self.probabilities[start:end],
            self.values[start:end],
            self.sound[start:end],
            None if self.beside is None else self.beside[start:end],
            None,
            None if self.whole is None else self.whole.of(start, rows),
        )

    def _refuse(self, start: int, end: int) -> None:
        wrong = [
            replace(problem, detail=problem.detail if end - start == 1 else f"Row {row - start}: {problem.detail}")
            for row in sorted(self.refused or ())
            if start <= row < end
            for problem in (self.refused or {})[row]
        ]
        if wrong:
            raise RowsRefused(problems=wrong[:_MOST_PROBLEMS])


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
    return (_shares_of_few if rows <= _FEW_ROWS else _shares_of_many)(classes, raw)


def _shares_of_few(classes: Sequence[str], raw: NDArray[np.float32]) -> Outcome:
    """As `_shares_of_many`, bit for bit: between two waits for the disk, every NumPy function has to be fetched anew."""
    labels, told, sound = [], [], []
    for line in raw.tolist():
        top = max(line)
        fits = min(line) >= 0.0 and top <= _MOST_SHARE and abs(sum(line) - 1.0) <= _SUM_SLACK  # no NaN does
        labels.append(classes[line.index(top)])
        told.append([min(round(share * _SCALE) / _SCALE, 1.0) for share in line] if fits else line)
        sound.append(fits)
    return Outcome(labels, told, [], sound)


def _shares_of_many(classes: Sequence[str], raw: NDArray[np.float32]) -> Outcome:
    """Labels and rounded probabilities. What is no probability is told of by `sound`."""
    wide = raw.astype(np.float64)
    with np.errstate(invalid="ignore"):
        fits = (wide >= 0.0) & (wide <= _MOST_SHARE)
        adds_up = np.abs(wide.sum(axis=1) - 1.0) <= _SUM_SLACK
        told = np.minimum(np.rint(wide * _SCALE) / _SCALE, 1.0) + 0.0  # without a minus before zero
    sound = (fits.all(axis=1) & adds_up).tolist()
    labels = list(map(classes.__getitem__, raw.argmax(axis=1).tolist()))
    return Outcome(labels, told.tolist(), [], sound)
