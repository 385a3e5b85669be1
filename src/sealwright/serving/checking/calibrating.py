"""Correcting probabilities by a rising curve, learned from rows the model did not see.

Answers: of a hundred rows told 0.8, how many should it have been?
Does not answer: which label is told. That stays the model's own, which was tested and approved.

Platt (1999) scales log-odds; of more than two classes one slope scales them all (temperature, Guo et al. 2017,
arXiv:1706.04599). Isotonic takes the closest rising curve through bins of at least ten rows, so it tells of no single row.
"""

import numpy as np
from numpy.typing import NDArray

from sealwright.serving.checking.document import Calibration, Curve

__all__ = ["calibrated", "calibration_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_FEWEST_ROWS = 100
_TINY = 1e-6
_MOST_BINS = 50
_FEWEST_IN_BIN = 10
_STEPS = 100
_SLOPES = (1e-2, 1e2)


def calibration_of(probabilities: Floats, truth: Ints) -> Calibration | None:
    """Learn both corrections; None of fewer than 100 rows, or where a correction would not rise.

    Parameters
    ----------
    probabilities : float array, shape (n, classes)
    truth : int array, shape (n,)
        Class positions.
    """
    n, classes = probabilities.shape
    if n < _FEWEST_ROWS or len(np.unique(truth)) < 2:
        return None
    slope, shift = _platt(probabilities, truth)
    half = np.random.Generator(np.random.PCG64(n)).permutation(n) % 2 == 0
    after_platt, after_curve = np.empty_like(probabilities), np.empty_like(probabilities)
    for part in (half, ~half):
        after_platt[part] = _scaled(probabilities[part], *_platt(probabilities[~part], truth[~part]))
        if classes == 2:
            after_curve[part] = _bent(probabilities[part], _isotonic(probabilities[~part], truth[~part]))
    return Calibration(
        rows=n,
        slope=slope,
        shift=shift,
        curve=_isotonic(probabilities, truth) if classes == 2 else None,
        brier=_brier(probabilities, truth),
        brier_platt=_brier(after_platt, truth),
        brier_isotonic=_brier(after_curve, truth) if classes == 2 else None,
    )


def calibrated(probabilities: Floats, correction: Calibration, kind: str) -> Floats:
    """Corrected probabilities, each row adding up to one. `kind`: "platt" or "isotonic"."""
    if kind == "isotonic" and correction.curve is not None:
        return _bent(probabilities, correction.curve)
    return _scaled(probabilities, correction.slope, correction.shift)


def _scaled(probabilities: Floats, slope: float, shift: float) -> Floats:
    logs = np.log(np.maximum(probabilities, _TINY)) * slope
    logs[:, -1] += shift  # of two classes; of more it is 0
    logs -= logs.max(axis=1, keepdims=True)
    weights = np.exp(logs)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _bent(probabilities: Floats, curve: Curve) -> Floats:
    second = np.interp(probabilities[:, 1], curve.at, curve.to)
    return np.stack([1 - second, second], axis=1)


def _platt(probabilities: Floats, truth: Ints) -> tuple[float, float]:
    """Slope and shift of least log loss, by Newton's method on two numbers; the slope within bounds, so that it rises."""
    logs = np.log(np.maximum(probabilities, _TINY))
    two = probabilities.shape[1] == 2
    slope, shift = 1.0, 0.0
    hit = np.zeros_like(logs)
    hit[np.arange(len(truth)), truth] = 1.0
    for _ in range(_STEPS):
        told = _scaled(probabilities, slope, shift)
        mean = (told * logs).sum(axis=1)
        spread = (told * logs**2).sum(axis=1) - mean**2
        step_of = np.array([((mean - (hit * logs).sum(axis=1)).mean()), (told[:, -1] - hit[:, -1]).mean()])
        bend = np.array([[spread.mean(), 0.0], [0.0, 1.0]])
        if two:
            last = told[:, -1]
            bend[0, 1] = bend[1, 0] = (last * (logs[:, -1] - mean)).mean()
            bend[1, 1] = (last * (1 - last)).mean()
        else:
            step_of[1] = 0.0
        step = np.linalg.solve(bend + 1e-6 * np.eye(2), step_of)
        step = np.clip(step, -1.0, 1.0)
        slope, shift = float(np.clip(slope - step[0], *_SLOPES)), float(shift - step[1])
        if np.abs(step).max() < 1e-8:
            break
    return float(f"{slope:.6g}"), float(f"{shift:.6g}")


def _isotonic(probabilities: Floats, truth: Ints) -> Curve:
    """Pool adjacent violators over bins of equal counts."""
    order = np.argsort(probabilities[:, 1], kind="stable")
    bins = max(1, min(_MOST_BINS, len(order) // _FEWEST_IN_BIN))
    pools: list[tuple[float, float, int]] = []  # sum of stated, of true, rows
    for part in np.array_split(order, bins):
        pools.append((float(probabilities[part, 1].sum()), float((truth[part] == 1).sum()), len(part)))
        while len(pools) > 1 and pools[-2][1] * pools[-1][2] >= pools[-1][1] * pools[-2][2]:
            last, before = pools.pop(), pools.pop()
            pools.append((last[0] + before[0], last[1] + before[1], last[2] + before[2]))
    at = [min(1.0, float(f"{stated / rows:.6g}")) for stated, _, rows in pools]
    to = [float(f"{true / rows:.6g}") for _, true, rows in pools]
    return Curve(at=tuple(at), to=tuple(to))


def _brier(probabilities: Floats, truth: Ints) -> float:
    hit = np.zeros_like(probabilities)
    hit[np.arange(len(truth)), truth] = 1.0
    return float(f"{((probabilities - hit) ** 2).sum(axis=1).mean():.6g}")
