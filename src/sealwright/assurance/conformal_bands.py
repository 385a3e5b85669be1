"""Conformal intervals of a predicted number: of one width for all, or as wide as errors of similar rows are.

Answers: how wide must an interval around a prediction be to hold the truth in nine of ten rows?
Does not answer: the whole distribution of the outcome. Intervals are symmetric around the prediction.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.conformal import conformal_quantile, quantile_ends
from sealwright.assurance.intervals import Interval
from sealwright.assurance.linear import train_simple

__all__ = ["Bands", "bands"]

Ints = NDArray[np.int64]
_LEAST_ERROR = 0.1  # of the mean absolute error: a line may predict less, even below zero
_AT_ONCE = 10_000
_LEARNED = 2_000  # rows the size of errors is learned from


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """Intervals of each row over all splits."""

    covered: Floats  # shape (n,): share of splits in which the interval held the truth
    width: Floats  # shape (n,): mean width
    width_ends: Interval  # of the mean width


def bands(case: Case, parts: Iterator[tuple[Ints, Ints]], confidence: float, *, adaptive: bool) -> Bands:
    """Intervals of the test rows, each calibrated on rows of the other half.

    Notes
    -----
    Prediction ± q, q the conformal quantile of absolute errors (Papadopoulos et al. 2002). Adaptive: prediction ± q s(x),
    s a ridge regression of absolute errors on the features, learned from one half of the calibrating rows, and q the
    quantile of error / s on the other (Lei et al. 2018, section 5.2).
    """
    errors = np.abs(case.test.outputs - case.test.truth)
    n = errors.size
    covered, widths, times, ends = np.zeros(n), np.zeros(n), np.zeros(n), []
    for calibration, evaluation in parts:
        sizes = np.ones(n)
        held = calibration
        if adaptive:
            sizes = _sizes(case, errors, calibration[::2])  # a random half: rows were dealt by lot
            held = calibration[1::2]
        scores = errors[held] / sizes[held]
        limit = conformal_quantile(scores, case.spec.uncertainty.coverage)
        covered[evaluation] += errors[evaluation] <= limit * sizes[evaluation]
        widths[evaluation] += 2 * limit * sizes[evaluation]
        times[evaluation] += 1
        low, high = quantile_ends(scores, case.spec.uncertainty.coverage, confidence)
        ends.append((low * sizes[evaluation].mean(), high * sizes[evaluation].mean()))
    widths /= times
    low, high = 2 * np.mean(ends, axis=0)
    return Bands(
        covered=covered / times,
        width=widths,
        width_ends=(float(low), float(high)),
    )


def _sizes(case: Case, errors: Floats, rows: Ints) -> Floats:
    """Expected size of each row's error, shape (n,), learned from `rows`."""
    rows = rows[:_LEARNED]
    floor = max(_LEAST_ERROR * float(errors[rows].mean()), float(np.finfo(np.float64).tiny))
    learned = train_simple(case.test.features.take(rows), errors[rows], 0)
    told = np.concatenate([learned(part) for part in case.test.features.slices(_AT_ONCE)])
    return np.asarray(np.maximum(told, floor))
