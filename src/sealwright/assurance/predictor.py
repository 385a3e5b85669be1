"""The model under judgement, whatever it is: something that turns features into probabilities or values.

What comes back is checked every time: a shape that does not fit, probabilities outside 0 to 1, NaN.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.features import Features
from sealwright.assurance.interface import Interface
from sealwright.kernel import InvalidInput

__all__ = ["FunctionPredictor", "Inside", "Predictor", "UnusablePredictions", "answers", "no_answer"]

_ROUNDING = 1e-3  # float32 probabilities of many classes may miss a sum of 1 by this much


class UnusablePredictions(InvalidInput):
    """The model answered with something that is not a prediction for these rows."""

    code = "assurance.predictions_unusable"


class Predictor(Protocol):
    """Rows in, raw outputs out. Deterministic: the same rows give the same bits."""

    def predict(self, features: Features) -> Floats:
        """Probabilities of shape (n, classes), or values of shape (n,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What is known about how a predictor works, for explanations that are exact where the model can be read.

    A predictor without an `inside` is a black box, and is explained as one.
    """

    kind: Literal["onnx", "estimator"]
    model: Any  # bytes, or an estimator
    given: Callable[[Features], Any]  # rows as the model takes them: arrays by input name, or an array or frame
    order: tuple[int, ...] | None = None  # where each class of the interface stands among the model's own


class FunctionPredictor:
    """A plain function over `Features`, for models that are not ONNX."""

    def __init__(self, function: Callable[[Features], NDArray[np.floating]]) -> None:
        self._function = function

    def predict(self, features: Features) -> Floats:
        return np.asarray(self._function(features), dtype=np.float64)


def answers(predictor: Predictor, features: Features, interface: Interface, *, gaps_allowed: bool = False) -> Floats:
    """Checked predictions, shape (n, classes) or (n,).

    With `gaps_allowed`, rows without a finite answer come back as NaN (see `no_answer`); otherwise they are refused.

    Raises
    ------
    UnusablePredictions
        Wrong shape, probabilities outside [0, 1] or not summing to 1, or (unless allowed) NaN or infinity.
    """
    raw = predictor.predict(features)
    outputs = raw[:, 0] if interface.task == "regression" and raw.ndim == 2 and raw.shape[1] == 1 else raw
    wanted = (len(features),) if interface.task == "regression" else (len(features), len(interface.classes))
    if outputs.shape != wanted:
        raise UnusablePredictions(
            f"The model answered with shape {raw.shape}; {interface.task} with {len(features)} rows needs {wanted}."
        )
    broken = no_answer(outputs)
    if broken.any() and not gaps_allowed:
        raise UnusablePredictions(
            f"The model gave NaN or infinity for {int(broken.sum()):,} of {len(features):,} unchanged rows.\n"
            "Handle missing and extreme values inside the model, then train again."
        )
    outputs = np.where(broken if outputs.ndim == 1 else broken[:, None], np.nan, outputs)
    if interface.task != "regression":
        _refuse_non_probabilities(outputs[~broken])
    return outputs


def no_answer(outputs: Floats) -> NDArray[np.bool_]:
    """True for rows in which any output is NaN or infinite."""
    finite = np.isfinite(outputs)
    return np.asarray(~(finite if outputs.ndim == 1 else finite.all(axis=1)))


def _refuse_non_probabilities(outputs: Floats) -> None:
    if outputs.size == 0:
        return
    least, most = float(outputs.min()), float(outputs.max())
    off = float(np.abs(outputs.sum(axis=1) - 1).max())
    if least < -_ROUNDING or most > 1 + _ROUNDING or off > _ROUNDING:
        raise UnusablePredictions(
            f"The model's outputs are not probabilities: they range from {least:.4g} to {most:.4g} and "
            f"miss a sum of 1 by up to {off:.3g}.\nLet the graph end with probabilities (softmax or predict_proba)."
        )
