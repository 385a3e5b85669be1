"""Does the ONNX model say what the framework said, on every hold-out row?

Answers: largest difference and changed decisions, measured from the model's bytes by a process that never held
the code that made the model.
Does not answer: whether that is good enough for a use; a policy decides.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.engines import Limits
from sealwright.training.confined import ask
from sealwright.training.errors import ModelUnusable, RecipeFailed
from sealwright.training.model import Parity
from sealwright.training.packed import Packed, bytes_of
from sealwright.training.packing import Shape

__all__ = ["measure_parity"]


def measure_parity(
    model: bytes,
    predictions: NDArray[np.float64] | None,
    holdout: Packed,
    shape: Shape,
    *,
    limits: Limits,
    hidden: Sequence[Path] = (),
    on_line: Callable[[str], None] | None = None,
) -> Parity | None:
    """Run a model on the hold-out rows, confined, and compare.

    Parameters
    ----------
    model : bytes
        ONNX; untrusted.
    predictions : float64 array, shape (rows, classes or 1), or None
        What the framework predicted for the same rows; None only checks that the model runs.

    Raises
    ------
    ModelUnusable
        ONNX Runtime cannot run it, or it gives other outputs than the interface says.
    """
    described, bodies = holdout.to_wire("holdout")
    bodies["model"] = memoryview(model)
    if predictions is not None:
        bodies["predictions"] = bytes_of(predictions, "<f8")
    header = {
        "job": "parity",
        "task": shape.task,
        "width": max(1, len(shape.classes)),
        "positive": shape.classes.index(shape.positive) if shape.positive is not None else None,
        "holdout": described,
    }
    try:
        answer = ask(header, bodies, limits=limits, hidden=hidden, on_line=on_line, what="comparing with ONNX")
    except RecipeFailed as error:
        raise ModelUnusable(str(error)) from None
    return _parity(answer.result) if predictions is not None else None


def _parity(result: dict[str, Any]) -> Parity:
    try:
        return Parity(
            rows=int(result["rows"]),
            largest=float(result["largest"]),
            flips=int(result["flips"]),
            ties=int(result["ties"]),
            scale=float(result["scale"]),
        )
    except (KeyError, TypeError, ValueError):
        raise ModelUnusable("The comparison with the ONNX model gave no readable answer.") from None
