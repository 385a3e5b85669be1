"""What is measured on a slice: each measure as a mean over the rows it is about, with its interval.

A share of errors, a rate, a loss and a bias are all means of one value per row; only the area under the ROC
curve is not. So one table says what each is, for which tasks, and which way is worse.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import BINARY, CLASSES, REGRESSION
from sealwright.assurance.intervals import Interval, mean_interval, on_logit_scale
from sealwright.assurance.ranking import roc_area
from sealwright.assurance.slice_spec import SliceMeasure

__all__ = ["MEASURES", "Measure", "Measured", "row_loss"]

Bools = NDArray[np.bool_]
_TINY = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A measure on some rows."""

    value: float
    interval: Interval
    n: int  # rows it is a mean over


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measure: what it means, and which way is worse (1 up, -1 down, 0 away from zero)."""

    tasks: frozenset[str]
    unit: str  # "" for units of the target
    definition: str
    worse: int
    values: Callable[[Case], tuple[Floats, Bools]] | None  # a value per row and the rows it is about; None: an area

    def on(self, case: Case, rows: Bools, fewest: int) -> Measured | str:
        """The measure on `rows`, or why there is none."""
        if self.values is None:
            return _area(case, rows, fewest)
        values, about = self.values(case)
        taken = values[rows & about]
        n = taken.size
        if n < max(2, fewest):
            return f"{n} rows that it is a mean over; fewer than {max(2, fewest)} are not judged"
        if ((taken == 0) | (taken == 1)).all() and self.unit == "share":
            interval = case.share_interval(float(taken.sum()), n)
            return Measured(value=float(taken.mean()), interval=interval, n=n)
        mean, interval = mean_interval(taken, case.spec.confidence)
        return Measured(value=mean, interval=interval, n=n)

    def worsening(self, change: float, interval: Interval) -> tuple[float, Interval]:
        """A change seen so that more is worse."""
        if self.worse > 0:
            return change, interval
        if self.worse < 0:
            return -change, (-interval[1], -interval[0])
        least = 0.0 if interval[0] <= 0 <= interval[1] else min(abs(interval[0]), abs(interval[1]))
        return abs(change), (least, max(abs(interval[0]), abs(interval[1])))


def row_loss(case: Case) -> Floats:
    """How wrong each test row is: 1 for a wrong decision; the absolute error of a number."""
    if case.task == "regression":
        return np.asarray(np.abs(case.test.outputs - case.test.truth), dtype=np.float64)
    return np.asarray(case.decisions != case.test.truth, dtype=np.float64)


def _area(case: Case, rows: Bools, fewest: int) -> Measured | str:
    truth = case.test.truth[rows] == case.positive
    scarcest = int(min(truth.sum(), (~truth).sum()))
    area = roc_area(truth, case.test.outputs[rows, case.positive]) if scarcest >= fewest else None
    if area is None:
        return f"{scarcest} rows of the rarer true outcome; fewer than {fewest} are not judged"
    interval = on_logit_scale(area.value, area.error, scarcest, case.spec.confidence)
    return Measured(value=area.value, interval=interval, n=truth.size)


def _every(values: NDArray[np.generic]) -> tuple[Floats, Bools]:
    return values.astype(np.float64), np.ones(values.shape[0], dtype=np.bool_)


def _log_loss(case: Case) -> tuple[Floats, Bools]:
    likelihood = case.test.outputs[np.arange(len(case.test)), case.test.truth]
    return _every(-np.log(np.clip(likelihood, _TINY, 1)))


def _decided(case: Case) -> Floats:
    return np.asarray(case.decisions == case.positive, dtype=np.float64)


def _positive(case: Case) -> Bools:
    return np.asarray(case.test.truth == case.positive)


MEASURES: Mapping[SliceMeasure, Measure] = {
    "error_share": Measure(
        tasks=CLASSES,
        unit="share",
        worse=1,
        definition="share of rows decided wrongly",
        values=lambda case: _every(case.decisions != case.test.truth),
    ),
    "auc": Measure(tasks=BINARY, unit="auc", worse=-1, definition="area under the ROC curve", values=None),
    "true_positive_rate": Measure(
        tasks=BINARY,
        unit="share",
        worse=-1,
        definition="share of rows of the positive class that are decided so",
        values=lambda case: (_decided(case), _positive(case)),
    ),
    "false_positive_rate": Measure(
        tasks=BINARY,
        unit="share",
        worse=1,
        definition="share of rows of the other class that are decided positive",
        values=lambda case: (_decided(case), ~_positive(case)),
    ),
    "precision": Measure(
        tasks=BINARY,
        unit="share",
        worse=-1,
        definition="share of rows decided positive that are so",
        values=lambda case: (_positive(case).astype(np.float64), _decided(case) == 1),
    ),
    "log_loss": Measure(
        tasks=CLASSES,
        unit="nats",
        worse=1,
        definition="mean surprise at the true outcome, minus the log of its stated probability",
        values=_log_loss,
    ),
    "calibration_bias": Measure(
        tasks=BINARY,
        unit="probability",
        worse=0,
        definition="mean stated probability of the positive class minus the share that came true",
        values=lambda case: _every(case.test.outputs[:, case.positive] - _positive(case)),
    ),
    "mean_absolute_error": Measure(
        tasks=REGRESSION,
        unit="",
        worse=1,
        definition="mean distance between prediction and truth",
        values=lambda case: _every(np.abs(case.test.outputs - case.test.truth)),
    ),
    "mean_error": Measure(
        tasks=REGRESSION,
        unit="",
        worse=0,
        definition="mean of prediction minus truth",
        values=lambda case: _every(case.test.outputs - case.test.truth),
    ),
}
