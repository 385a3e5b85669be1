"""A model as somebody holds it, as the predictor that checks ask: probabilities in the order of the classes, or values.

Answers: how is this estimator, module, function or file asked?
Does not answer: is it any good. It is run as it is; what it answers is checked like every model's answers.
An ONNX file carries no code and runs in onnxruntime; every other object is one the caller made and trusts already. Nothing is
ever read from a pickle.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.certified.reading import Reading
from sealwright.assurance.elsewhere.given_rows import GivenRows
from sealwright.assurance.evasion.slopes import Slopes
from sealwright.assurance.features import Features
from sealwright.assurance.predictor import Inside, UnusablePredictions
from sealwright.assurance.spec import class_text
from sealwright.kernel import InvalidInput
from sealwright.registry import Unreadable

__all__ = ["GivenModel", "Native", "classes_of", "is_regressor", "is_torch"]

_BATCH = 8_192  # rows per call, so that a large table does not become one large matrix


class Native(Protocol):
    """Rows somebody holds, which know the form a model takes them in."""

    def native(self, features: Features) -> Any:
        """The rows of `features` as the model takes them."""


class GivenModel:
    """Something that predicts, asked in the form its rows came in.

    Parameters
    ----------
    model : object
        With `predict_proba` or `predict` (scikit-learn and what follows it), a torch module, or a function of the rows.
    rows : Native
        Says how rows are given to it.
    task : str
        binary, multiclass or regression.
    classes : sequence of str
        In the order wanted; empty for regression.

    Raises
    ------
    InvalidInput
        The object cannot be asked, or its classes are not those of the target.
    """

    def __init__(self, model: Any, rows: Native, task: str, classes: Sequence[str]) -> None:
        self._rows, self._task, self._classes = rows, task, tuple(classes)
        self._model = model
        self._ask = _asked(model, task)
        own = classes_of(model)
        if own is not None and task != "regression" and set(own) != set(classes):
            raise InvalidInput(
                f"The model knows the outcomes {', '.join(own[:20])}; the rows have {', '.join(list(classes)[:20])}.\n"
                "They must be the same. Name them in the order of its answers with classes=[...]."
            )
        self._order = [own.index(one) for one in classes] if own is not None and task != "regression" else None
        order = None if self._order is None else tuple(self._order)
        self.inside = Inside(kind="estimator", model=model, given=rows.native, order=order)

    def opened(self) -> Reading:
        """A scikit-learn model of numbers opened up; raises `Unreadable` for others."""
        if not (isinstance(self._rows, GivenRows) and isinstance(self._rows.like, np.ndarray)):
            raise Unreadable("models made elsewhere are opened up only where their rows are an array of numbers")
        from sealwright.assurance.adapters.sklearn_reading import read_sklearn  # few checks need it

        return read_sklearn(self._model, self._task, self._order)

    def slopes(self, positive: int, threshold: float) -> Slopes | None:
        """Gradients of a torch module; None for anything else, or where it does not say logits of each class."""
        if not is_torch(self._model) or self._task == "regression":
            return None
        from sealwright.assurance.adapters.torch_module import TorchSlopes  # only where there is a module

        return TorchSlopes(self._model, len(self._classes), positive, threshold)

    def predict(self, features: Features) -> Floats:
        """Probabilities of shape (n, classes), or values of shape (n,)."""
        if not len(features):
            return np.empty((0,) if self._task == "regression" else (0, len(self._classes)))
        return np.concatenate([self._answer(part) for part in features.slices(_BATCH)])

    def _answer(self, features: Features) -> Floats:
        return self.answer(self._rows.native(features), len(features))

    def answer(self, rows: Any, n: int) -> Floats:
        """The same for n rows in the form the model takes."""
        try:
            raw = np.asarray(self._ask(rows), dtype=np.float64)
        except Exception as error:  # whatever somebody's model raises on rows it does not like
            text = str(error).splitlines()[0][:200] if str(error) else ""
            raise UnusablePredictions(f"The model failed on {n} rows with {type(error).__name__}: {text}") from error
        if self._task == "regression":
            return raw
        if self._task == "binary" and (raw.ndim == 1 or raw.shape[1:] == (1,)):
            chance = raw.reshape(-1)  # of the second class, as scikit-learn orders them
            raw = np.column_stack([1 - chance, chance])
        return raw if self._order is None else raw[:, self._order]


def classes_of(model: Any) -> list[str] | None:
    """The outcomes a model names, in the order of its answers; None where it names none."""
    own = getattr(model, "classes_", None)
    return None if own is None else [class_text(_plain(one)) for one in np.asarray(own).tolist()]


def is_regressor(model: Any) -> bool | None:
    """Whether a model says what it is; None where it does not."""
    if hasattr(model, "predict_proba"):
        return False
    kind = getattr(model, "_estimator_type", None)
    if kind is None and hasattr(model, "__sklearn_tags__"):
        kind = model.__sklearn_tags__().estimator_type
    return {"regressor": True, "classifier": False}.get(str(kind))


def _asked(model: Any, task: str) -> Callable[[Any], Any]:
    """The call that gives probabilities or values."""
    if is_torch(model):
        from sealwright.assurance.adapters.torch_module import torch_call  # only where there is a module to ask

        return torch_call(model, task)
    if task != "regression" and hasattr(model, "predict_proba"):
        return model.predict_proba  # type: ignore[no-any-return]
    if task == "regression" and hasattr(model, "predict"):
        return model.predict  # type: ignore[no-any-return]
    if hasattr(model, "predict"):
        raise InvalidInput(
            f"This {type(model).__name__} says which outcome it chose, and not how sure it is.\n"
            "Calibration, ranking and thresholds need probabilities: give a model with predict_proba, or a function of the rows"
            " that returns them."
        )
    if callable(model):
        return model  # type: ignore[no-any-return]
    raise InvalidInput(
        f"A {type(model).__name__} cannot be asked for predictions.\n"
        "Give an estimator with predict_proba or predict, a torch module, a function of the rows, or the path of an ONNX file."
    )


def is_torch(model: Any) -> bool:
    """Whether it is a module of torch, told without loading torch."""
    return any(one.__module__.startswith("torch.nn") for one in type(model).__mro__)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
