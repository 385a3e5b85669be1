"""A training with the user's code: import it, call it, check and convert what it returns.

Whatever it raises ends as `RecipeFailed` with the lines of the traceback that lie in the user's files and none of ours.
"""

import random
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.training.errors import RecipeFailed
from sealwright.training.job import Job, Made
from sealwright.training.packed import Packed
from sealwright.training.teachable import check_target
from sealwright.training.training_data import TrainingData, frame_of

__all__ = ["train_own_code"]

_MOST_TRACE = 4_000


def train_own_code(job: Job, folder: Path, progress: Callable[[str, float], None]) -> Made:
    """Call "module:function" and turn its answer into ONNX.

    Parameters
    ----------
    folder : Path
        Where the files of the recipe lie; becomes the last place to import from.

    Raises
    ------
    RecipeFailed
        The code raised, or returned something that cannot be used.
    """
    notes = check_target(job.task, job.target, job.classes)
    function = _function(job.recipe, folder)
    data = TrainingData(
        task=job.task,
        numbers=job.rows.numbers,
        strings=job.rows.strings(),
        target=job.target,
        classes=job.classes,
        positive=job.classes[job.positive] if job.task == "binary" else None,
        number_names=job.number_names,
        string_names=job.string_names,
        seed=job.seed,
        params=dict(job.params),
        progress=lambda line, share: progress(f"{job.recipe}: {line}", 0.05 + 0.7 * min(max(share, 0.0), 1.0)),
    )
    _seed(job.seed)
    made = _guarded(folder, f"{job.recipe} raised an error", lambda: function(data))
    # only now, so that code which fails does so at once
    from sklearn.base import BaseEstimator

    from sealwright.training.adapters.onnx_own import converted, tidied

    width = (len(job.number_names), len(job.string_names))
    if isinstance(made, bytes):
        notes.append(
            "the recipe returned ONNX itself: there is no framework model to compare it with or to cross-validate"
        )
        model = tidied(made, job.task, len(job.classes), *width)
        return Made(model=model, predictions=None, parameters=dict(job.params), cv={}, search=[], notes=notes)
    if not isinstance(made, BaseEstimator):
        raise RecipeFailed(
            f"{job.recipe} returned {_kind(made)}; expected a fitted scikit-learn estimator or the bytes of an ONNX model."
        )
    predict = _predictor(job, folder, made)
    predictions = predict(job.holdout)
    cv = _checked_again(job, folder, made, notes, progress)
    progress("writing the model as ONNX", 0.96)
    model = converted(made, job.task, len(job.classes), *width)
    return Made(model=model, predictions=predictions, parameters=dict(job.params), cv=cv, search=[], notes=notes)


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)


def _kind(value: object) -> str:
    return f"a {type(value).__module__}.{type(value).__qualname__}"[:120]


def _function(recipe: str, folder: Path) -> Callable[[TrainingData], Any]:
    module_name, _, name = recipe.partition(":")
    sys.path.append(str(folder))  # last, so that no file of a project stands in for an installed library
    module = _guarded(folder, f"{module_name} cannot be imported", lambda: _imported(module_name))
    if not Path(getattr(module, "__file__", None) or "/").is_relative_to(folder):
        raise RecipeFailed(f"{module_name} is also the name of an installed module. Give your file another name.")
    function = getattr(module, name, None)
    if not callable(function):
        raise RecipeFailed(f"{module_name} has no function {name!r}. Define it: def {name}(data): …")
    return function  # type: ignore[no-any-return]


def _imported(name: str) -> Any:
    __import__(name)
    return sys.modules[name]


def _guarded(folder: Path, what: str, act: Callable[[], Any]) -> Any:
    """Run the user's code; whatever it raises becomes one error of ours. A `SystemExit` too."""
    try:
        return act()
    except MemoryError:
        raise
    except BaseException as error:  # noqa: BLE001 (any failure of foreign code is an answer, not an accident)
        raise RecipeFailed(f"{what}: {_last_line(error)}", trace=_own_lines(error, folder)) from None


def _last_line(error: BaseException) -> str:
    return "".join(traceback.format_exception_only(error)).strip()[:1_000]


def _own_lines(error: BaseException, folder: Path) -> str:
    """The traceback without frames outside the recipe's folder, with file names relative to it."""
    frames = []
    for found in traceback.extract_tb(error.__traceback__):
        path = Path(found.filename)
        if path.is_relative_to(folder):
            line = f"  {path.relative_to(folder)}, line {found.lineno}, in {found.name}"
            frames.append(f"{line}\n    {found.line}" if found.line else line)
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).is_relative_to(folder):
        frames.append(
            f"  {Path(error.filename).relative_to(folder)}, line {error.lineno}\n    {(error.text or '').strip()}"
        )
    return "\n".join(frames)[-_MOST_TRACE:]


def _predictor(job: Job, folder: Path, estimator: Any) -> Callable[[Packed], NDArray[np.float64]]:
    """Predictions in the order of the interface's classes."""
    if job.task != "regression" and not hasattr(estimator, "predict_proba"):
        raise RecipeFailed(
            f"{job.recipe} returned {_kind(estimator)}, which gives no probabilities.\n"
            "Return a classifier with predict_proba, for example wrapped in CalibratedClassifierCV."
        )

    def predict(rows: Packed) -> NDArray[np.float64]:
        frame = frame_of(rows.numbers, rows.strings())
        what = f"the estimator of {job.recipe} cannot predict data.frame"
        if job.task == "regression":
            values = np.asarray(_guarded(folder, what, lambda: estimator.predict(frame)), dtype=np.float64)
            return _shaped(values.reshape(rows.rows, -1), 1, job.recipe)
        found = np.asarray(_guarded(folder, what, lambda: estimator.predict_proba(frame)), dtype=np.float64)
        places = [int(place) for place in estimator.classes_]
        result = np.zeros((rows.rows, len(job.classes)))
        result[:, places] = _shaped(found, len(places), job.recipe)
        return result

    return predict


def _shaped(found: NDArray[np.float64], width: int, recipe: str) -> NDArray[np.float64]:
    if found.ndim != 2 or found.shape[1] != width or not np.isfinite(found).all():
        raise RecipeFailed(f"The estimator of {recipe} predicts {found.shape} values or values that are not finite.")
    return found


def _checked_again(
    job: Job, folder: Path, estimator: Any, notes: list[str], progress: Callable[[str, float], None]
) -> dict[str, Any]:
    """Cross-validate fresh copies of the estimator; what cannot be copied is said, not hidden."""
    from sklearn.base import clone

    from sealwright.training.adapters.cross_validation import cross_validated

    def fit_rows(rows: Packed, target: NDArray[Any]) -> Callable[[Packed], NDArray[np.float64]]:
        _seed(job.seed)
        fresh = _guarded(
            folder,
            "a copy of the estimator cannot be trained",
            lambda: clone(estimator).fit(frame_of(rows.numbers, rows.strings()), target),
        )
        return _predictor(job, folder, fresh)

    try:
        return cross_validated(job, fit_rows, notes, progress)
    except RecipeFailed as error:
        notes.append(f"cross-validation was not performed: {str(error).splitlines()[0][:300]}")
        return {}
