"""Training the model under judgement anew, on other rows: what poisoning, shadow models and influence need.

How it is trained the caller knows, since this room does not train: the pipeline brings the recipe with the parameters
the model was made with, `sw.assess` a clone of the estimator it was given.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from sealwright.assurance.predictor import Predictor

__all__ = ["Learn", "Teach"]


class Learn(Protocol):
    """Rows with features and target in, a trained model out. The same rows and seed give the same model."""

    def __call__(self, table: pa.Table, seed: int) -> Predictor: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Teach:
    """How a model like the one judged is made: same recipe, same parameters, no search."""

    words: str  # "boosting with the parameters of the model"
    learn: Learn
    told: Mapping[str, Any] | None = None  # the same as plain data, so that another process can do it; None: it cannot
