"""The model in the product's form: the fitted pipeline translated by the product's own exporter, and its interface.

Answers: which ONNX bytes are served, under which contract, and what does scikit-learn say about the rows asked?
Does not answer: how it is released; `ours` seals and releases it as any package.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from credit import CATEGORIES, CLASSES, NAMES, NUMBERS, STRINGS, TRAINING_ROWS, WHOLE, columns_of, pipeline, rows

__all__ = ["MANY", "Made", "make"]

MANY = 1000  # rows of the larger request, all of them outside the training rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One model, and what it must say about the rows that are asked for."""

    kind: str
    model: bytes
    classifier: bytes  # the same without its encoder: takes the matrix
    rows: list[dict[str, Any]]
    expected: list[list[float]]  # scikit-learn's probabilities of each row
    features: dict[str, Any]  # the interface, but for the project's name

    def write(self, folder: Path) -> None:
        """Put the ONNX files where the apps look for them."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.onnx").write_bytes(self.model)
        (folder / "classifier.onnx").write_bytes(self.classifier)


def make(kind: str) -> Made:
    """Train, ask scikit-learn, translate. In this order: the exporter moves the thresholds of the trees."""
    import pandas as pd
    from threadpoolctl import threadpool_limits

    from sealwright.training.adapters.onnx_export import export

    columns, _ = rows()
    with threadpool_limits(1):  # threads that wait for a core that is busy take longer than one alone
        fitted = pipeline(kind)
    asked = columns_of(columns, TRAINING_ROWS, MANY)
    expected = fitted.predict_proba(pd.DataFrame(asked)).tolist()
    whole, alone = _recipe(fitted, kind, encoded=True), _recipe(fitted, kind, encoded=False)
    return Made(
        kind=kind,
        model=export(whole, len(NUMBERS), len(STRINGS)),
        classifier=export(alone, alone.encoding.fill.size, 0),
        rows=asked,
        expected=expected,
        features=_features(),
    )


def _recipe(fitted: Any, kind: str, *, encoded: bool) -> Any:
    """The pipeline as a recipe of the product; without its encoding of texts, its input is the matrix they become."""
    from sealwright.training.adapters.estimators import Fitted
    from sealwright.training.encoding import Encoding, TextEncoding

    width = len(NUMBERS) if encoded else len(NUMBERS) + sum(len(words) for words in CATEGORIES.values())
    centre, factor = np.zeros(width, dtype=np.float32), np.ones(width, dtype=np.float32)
    if kind == "logistic":
        scaler = fitted[0].named_transformers_["numbers"]
        centre[: len(NUMBERS)], factor[: len(NUMBERS)] = scaler.mean_, 1 / scaler.scale_
    encoding = Encoding(
        style="scaled" if kind == "logistic" else "plain",
        fill=np.zeros(width, dtype=np.float32),
        empty=(),
        flagged=(),
        centre=centre,
        factor=factor,
        texts=tuple(TextEncoding(one_hot=True, words=words) for words in CATEGORIES.values()) if encoded else (),
    )
    return Fitted(task="binary", recipe=kind, classes=2, encoding=encoding, estimator=fitted[-1], present=(0, 1))


def _features() -> dict[str, Any]:
    """The data contract: ranges and categories of the training rows."""
    return {
        "format": 1,
        "task": "binary",
        "target": "outcome",
        "classes": list(CLASSES),
        "positive": CLASSES[1],
        "numbers": [
            {"name": name, "type": "integer" if name in WHOLE else "number", "nullable": False, "min": low, "max": high}
            for name, (low, high, _step) in NUMBERS.items()
        ],
        "strings": [
            {"name": name, "type": "category", "nullable": False, "categories": list(words)}
            for name, words in CATEGORIES.items()
        ],
        "outputs": {"probabilities": ["N", 2]},
        "order": list(NAMES),
    }
