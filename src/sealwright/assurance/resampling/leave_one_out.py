"""Leave-one-out: each row predicted by a model that learned from all others.

Exact in one fit for least squares and ridge regression; for anything else it trains one model per row, says
so beforehand, and refuses above a budget.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.intervals import Interval, z_of
from sealwright.assurance.resampling.folds import leave_one_out_folds
from sealwright.assurance.resampling.training import Data, answered, trainer
from sealwright.kernel import InvalidInput

__all__ = ["LeaveOneOut", "TooCostly", "leave_one_out", "leave_one_out_cost", "press"]

_DEGENERATE = 1e-10  # a row whose leverage is this near to 1 alone determines a weight


class TooCostly(InvalidInput):
    """Leave-one-out would train more models than the budget allows."""

    code = "assurance.too_costly"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveOneOut:
    """Outputs for rows left out, and their mean loss: squared error of values, log loss of probabilities."""

    outputs: Floats  # (n,) values or (n, classes)
    loss: float
    interval: Interval
    fits: int
    how: str


def leave_one_out_cost(model: Any, data: Data, clock: Callable[[], float] = time.perf_counter) -> tuple[int, float]:
    """How many trainings leave-one-out takes, and about how many seconds, by the time of the first one.

    Parameters
    ----------
    clock : callable
        Gives seconds.
    """
    if _penalty(model) is not None:
        return 1, _seconds(lambda: press(np.asarray(data.X, dtype=np.float64), data.y, _penalty(model) or 0.0), clock)
    others, train = np.arange(1, len(data)), trainer(model)
    first = _seconds(lambda: answered(train(data.X[others], data.y[others]), data, np.arange(1)), clock)
    return len(data), first * len(data)


def leave_one_out(model: Any, data: Data, most_fits: int = 1_000, confidence: float = 0.95) -> LeaveOneOut:
    """Predict every row from all others.

    A scikit-learn `LinearRegression` or `Ridge` is done exactly in one fit. A pipeline around one is not, because
    its first steps are fitted to the rows too.

    Raises
    ------
    TooCostly
        There are more rows than `most_fits` and no closed form.
    """
    penalty = _penalty(model)
    if penalty is not None:
        outputs, fits, how = press(np.asarray(data.X, dtype=np.float64), data.y, penalty), 1, "exact, from one fit"
    else:
        if len(data) > most_fits:
            fits, seconds = leave_one_out_cost(model, data)
            raise TooCostly(
                f"Leave-one-out would train {fits:,} models of this kind, about {_long(seconds)} by the time of one;"
                f" the budget is {most_fits:,} models.\n"
                f"{_why_not_exact(model)}\nRaise most_fits, or repeat 10 folds ten times, which trains 100."
            )
        train = trainer(model)
        told = [
            answered(train(data.X[split.train], data.y[split.train]), data, split.test)
            for split in leave_one_out_folds(len(data))
        ]
        outputs, fits, how = np.concatenate(told).astype(np.float64), len(data), f"{len(data):,} fits"
    losses = _losses(data, outputs)
    half = z_of(confidence) * float(losses.std(ddof=1)) / math.sqrt(losses.size)
    loss = float(losses.mean())
    return LeaveOneOut(outputs=outputs, loss=loss, interval=(max(0.0, loss - half), loss + half), fits=fits, how=how)


def press(X: Floats, y: Floats, penalty: float = 0.0) -> Floats:
    """Leave-one-out predictions of ridge regression with a free constant, shape (n,), from one fit.

    Parameters
    ----------
    penalty : float
        Times the squared weights; 0 is least squares.

    Raises
    ------
    InvalidInput
        A row alone determines a weight, so without it there is no unique fit.

    Notes
    -----
    y - e / (1 - h) with residuals e and leverages h = 1/n + diag(X (X'X + penalty I)⁻¹ X'), X centred: Allen 1974
    (PRESS); exact because leaving a row out is a change of rank one, and the penalty does not depend on n.
    """
    moved, level = X - X.mean(axis=0), float(y.mean())
    left, sizes, _ = np.linalg.svd(moved, full_matrices=False)
    kept = sizes > np.finfo(np.float64).eps * max(X.shape) * (sizes[0] if sizes.size else 0.0)
    shrunk = sizes[kept] ** 2 / (sizes[kept] ** 2 + penalty)
    left = left[:, kept]
    errors = y - level - (left * shrunk) @ (left.T @ (y - level))
    free = 1 - 1 / y.size - (left**2) @ shrunk
    if (free < _DEGENERATE).any():
        raise InvalidInput(
            f"{int((free < _DEGENERATE).sum())} rows alone determine a weight, so without them there is no unique fit.\n"
            "Drop columns, or use a ridge regression with a penalty."
        )
    outputs: Floats = y - errors / free
    return outputs


def _seconds(run: Callable[[], object], clock: Callable[[], float]) -> float:
    began = clock()
    run()
    return clock() - began


def _long(seconds: float) -> str:
    """A duration in the unit people would use."""
    for unit, size in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.2g} seconds"


def _penalty(model: Any) -> float | None:
    """The ridge penalty of an estimator with a closed form; None where there is none."""
    if not hasattr(model, "get_params"):
        return None
    from sklearn.linear_model import LinearRegression, Ridge

    settings = model.get_params()
    if not settings.get("fit_intercept", False) or settings.get("positive", False):
        return None
    if type(model) is LinearRegression:
        return 0.0
    return float(model.alpha) if type(model) is Ridge and isinstance(model.alpha, (int, float)) else None


def _why_not_exact(model: Any) -> str:
    if hasattr(model, "steps"):
        return "The steps of a pipeline are fitted to the rows too, so the closed form would not be exact."
    return "Only least squares and ridge regression with a constant have an exact closed form."


def _losses(data: Data, outputs: Floats) -> Floats:
    if outputs.ndim == 1:
        return np.asarray((data.y - outputs) ** 2, dtype=np.float64)
    stated = outputs[np.arange(len(data)), data.y.astype(np.intp)]
    return np.asarray(-np.log(np.clip(stated, np.finfo(np.float64).eps, 1)))
