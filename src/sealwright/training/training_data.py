"""What your own training code gets.

    # my_module.py, in the project folder; sealwright.yaml says  recipe: my_module:train
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder


    def train(data):
        columns = ColumnTransformer([
            ("numbers", SimpleImputer(), data.number_places),
            ("strings", OneHotEncoder(handle_unknown="ignore", sparse_output=False), data.string_places),
        ])
        model = GradientBoostingClassifier(random_state=data.seed, **data.params)
        return make_pipeline(columns, model).fit(data.frame, data.target)

It returns a fitted scikit-learn estimator that takes `data.frame`, or the bytes of an ONNX model that takes the
inputs "numbers" (float32) and "strings" (text) and gives "probabilities" or "value". It runs confined: no network,
no files but the installed packages and the files of the recipe, a temporary folder, limits on memory and time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.training.recipes import Value

__all__ = ["TrainingData"]


@dataclass(frozen=True, kw_only=True)
class TrainingData:
    """Training rows. The hold-out rows are not here, so nothing can be tuned on them."""

    task: str
    """binary, multiclass or regression."""
    numbers: NDArray[np.float32]
    """Shape (rows, number columns); NaN where missing, booleans 0 or 1, dates as days since 1970-01-01."""
    strings: NDArray[np.object_]
    """Shape (rows, string columns); "" where missing."""
    target: NDArray[Any]
    """Classes as their position in `classes` (int32), or values (float64)."""
    classes: tuple[str, ...]
    """Names of the classes; () for a regression."""
    positive: str | None
    """The class a binary model looks for."""
    number_names: tuple[str, ...]
    string_names: tuple[str, ...]
    seed: int
    """numpy's and Python's global generators are seeded with it already; pass it to every random_state."""
    params: Mapping[str, Value]
    """What `training.params` in sealwright.yaml says."""
    progress: Callable[[str, float], None]
    """Tell the person who waits: progress("epoch 3 of 10", 0.3)."""

    @property
    def frame(self) -> NDArray[Any]:
        """Numbers, then strings, as one array: float32 if there are only numbers, else objects."""
        return frame_of(self.numbers, self.strings)

    @property
    def number_places(self) -> list[int]:
        """Column positions of the numbers in `frame`."""
        return list(range(len(self.number_names)))

    @property
    def string_places(self) -> list[int]:
        """Column positions of the strings in `frame`."""
        return list(range(len(self.number_names), len(self.number_names) + len(self.string_names)))


def frame_of(numbers: NDArray[np.float32], strings: NDArray[np.object_]) -> NDArray[Any]:
    """Both inputs side by side."""
    if not strings.shape[1]:
        return numbers
    return np.concatenate([numbers.astype(object), strings], axis=1) if numbers.shape[1] else strings
