"""On which scale a model is explained, and how one comes from there to what the model answers.

Boosted trees and logistic models add up on the log-odds scale, forests and regressions on the scale of the answers.
Contributions are stated on the scale on which they add up; whether they do is checked on the answers themselves.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case

__all__ = ["Link", "answered", "explained_outcomes", "linked", "tolerance", "unit_of"]

Link = Literal["identity", "logit", "softmax"]

_DOUBLE, _SINGLE = 1e-6, 1e-5  # of the scale; single precision holds seven digits, and a sum of many terms loses one


def explained_outcomes(case: Case) -> tuple[int, ...]:
    """Columns of the answers that are explained: the positive class, the favourable one, else every class."""
    if case.task == "regression":
        return (0,)
    if case.task == "binary":
        return (case.positive,)
    return tuple(range(len(case.interface.classes))) if case.favourable is None else (case.favourable,)


def linked(outputs: Floats, link: Link, place: int = 1) -> Floats:
    """Answers on the scale of `link`, shape (n, outputs); for "logit" that of the class at `place`. May be infinite."""
    if outputs.ndim == 1:
        return outputs[:, None]
    if link == "identity":
        return outputs
    with np.errstate(divide="ignore", invalid="ignore"):
        if link == "logit":
            chance = outputs[:, [place]]
            return np.asarray(np.log(chance) - np.log(outputs[:, [1 - place]]))
        logs = np.log(outputs)
        return np.asarray(logs - logs.mean(axis=1, keepdims=True))


def answered(sums: Floats, link: Link) -> Floats:
    """Back from the scale of `link`, shape (n, outputs)."""
    if link == "identity":
        return sums
    if link == "logit":
        with np.errstate(over="ignore"):
            return np.asarray(1 / (1 + np.exp(-sums)))
    raised = np.exp(sums - sums.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def tolerance(case: Case) -> float:
    """Largest additivity error that is still rounding, as a share of the scale of the answers."""
    return _SINGLE if case.interface.precision == "float32" else _DOUBLE


def unit_of(case: Case, link: Link) -> str:
    if case.task == "regression":
        return "target units"
    return "probability" if link == "identity" else "log-odds"


def largest(values: NDArray[np.float64]) -> float:
    """The largest absolute value; infinite where one is NaN."""
    return float(np.abs(np.nan_to_num(values, nan=np.inf)).max(initial=0.0))
