"""What is trained again and again: rows, a way of training, a score. The way comes from the caller.

A `Train` takes features and truth and returns a function that answers for other features. A scikit-learn
estimator will do as well; it is cloned before each use, and asked for probabilities where it has them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.ranking import roc_area
from sealwright.kernel import InvalidInput

__all__ = ["SCORES", "Answer", "Data", "Measure", "Train", "answered", "measure_of", "trainer"]

Answer = Callable[[Any], NDArray[Any]]
Train = Callable[[Any, NDArray[Any]], Answer]
Measure = Callable[[NDArray[Any], NDArray[Any]], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """Rows to train on and to be judged on."""

    X: Any  # (n, …): anything that takes an array of positions in brackets, as numpy does
    y: NDArray[Any]  # shape (n,): class positions 0 … k - 1 or booleans, or values

    def __post_init__(self) -> None:
        if len(self.X) != len(self.y) or len(self.y) < 2:
            raise InvalidInput(
                f"Features and truth must be as many rows, two or more; got {len(self.X)} and {len(self.y)}."
            )

    def __len__(self) -> int:
        return len(self.y)


def trainer(model: Any) -> Train:
    """`model` itself if it is a function, else the training of clones of a scikit-learn estimator.

    Raises
    ------
    InvalidInput
        It is neither.
    """
    if hasattr(model, "fit") and hasattr(model, "get_params"):
        return _estimator(model)
    if callable(model):
        trained: Train = model
        return trained
    raise InvalidInput(
        f"A {type(model).__name__} cannot be trained here. Pass a function of (X, y) that returns a function of X,"
        " or a scikit-learn estimator."
    )


def _estimator(model: Any) -> Train:
    def train(X: Any, y: NDArray[Any]) -> Answer:
        from sklearn.base import clone

        fitted = clone(model).fit(X, y)
        answer: Answer = fitted.predict_proba if hasattr(fitted, "predict_proba") else fitted.predict
        return answer

    return train


def answered(answer: Answer, data: Data, rows: NDArray[np.intp]) -> NDArray[Any]:
    """The answers for some rows.

    Raises
    ------
    InvalidInput
        Probabilities that leave out a class of `data`: the model never saw it.
    """
    outputs = np.asarray(answer(data.X[rows]))
    if outputs.ndim == 2 and outputs.shape[1] <= data.y.max():
        raise InvalidInput(
            f"A split trained without some class: {outputs.shape[1]} probabilities for {int(data.y.max()) + 1} classes.\n"
            "Use stratified folds, fewer folds, or leave very rare classes out."
        )
    return outputs


def measure_of(score: str | Measure) -> Measure:
    """A named score of `SCORES`, or the function itself.

    Raises
    ------
    InvalidInput
        There is no score of that name.
    """
    if not isinstance(score, str):
        return score
    if score not in SCORES:
        raise InvalidInput(f"There is no score {score!r}. The scores are: {', '.join(SCORES)}; or pass a function.")
    return SCORES[score]


def _positive(outputs: NDArray[Any]) -> Floats:
    chances: Floats = outputs[:, 1] if outputs.ndim == 2 else outputs
    return chances


def _accuracy(truth: NDArray[Any], outputs: NDArray[Any]) -> float:
    decided = outputs.argmax(axis=1) if outputs.ndim == 2 else outputs
    return float((decided == truth).mean())


def _roc_auc(truth: NDArray[Any], outputs: NDArray[Any]) -> float:
    area = roc_area(truth.astype(bool), _positive(outputs))
    return area.value if area else float("nan")


def _negative_log_loss(truth: NDArray[Any], outputs: NDArray[Any]) -> float:
    stated = outputs if outputs.ndim == 2 else np.column_stack([1 - outputs, outputs])
    tiny = float(np.finfo(np.float64).eps)
    return float(np.log(np.clip(stated[np.arange(truth.size), truth.astype(np.intp)], tiny, 1)).mean())


def _negative_brier(truth: NDArray[Any], outputs: NDArray[Any]) -> float:
    return -float(((_positive(outputs) - truth) ** 2).mean())


def _negative_mse(truth: NDArray[Any], outputs: NDArray[Any]) -> float:
    return -float(((truth - outputs) ** 2).mean())


def _negative_mae(truth: NDArray[Any], outputs: NDArray[Any]) -> float:
    return -float(np.abs(truth - outputs).mean())


def _r2(truth: NDArray[Any], outputs: NDArray[Any]) -> float:
    around = float(((truth - truth.mean()) ** 2).sum())
    return 1 - float(((truth - outputs) ** 2).sum()) / around if around > 0 else float("nan")


SCORES: dict[str, Measure] = {  # more is better, always; of two classes, class 1 is the positive one
    "accuracy": _accuracy,
    "roc_auc": _roc_auc,
    "negative_log_loss": _negative_log_loss,
    "negative_brier": _negative_brier,
    "negative_mse": _negative_mse,
    "negative_mae": _negative_mae,
    "r2": _r2,
}
