"""A model's answers beside the framework's, row by row, by ONNX Runtime from bytes.

Runs in a confined process of its own that never held the code that made the model.
"""

from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from sealwright.training.errors import RecipeFailed
from sealwright.training.model import PARITY_LIMIT
from sealwright.training.packed import Packed

__all__ = ["differences"]

_ROWS_AT_ONCE = 4_096


def differences(
    model: bytes,
    rows: Packed,
    expected: NDArray[np.float64] | None,
    task: str,
    width: int,
    positive: int | None,
) -> dict[str, Any]:
    """Largest difference and changed decisions over all rows.

    Parameters
    ----------
    expected : array, shape (rows, width), or None
        What the framework predicted; None only runs the model.

    Returns
    -------
    dict
        rows; largest (of probabilities, or as a share of the largest value for a regression); flips (rows whose
        decision differs: the most probable class, or "positive at 0.5"); ties (rows whose decision differs, but which
        the framework itself put within the parity limit of the boundary); scale (what differences were divided by).

    Raises
    ------
    RecipeFailed
        ONNX Runtime cannot run the model, or it gives another shape or values that are not finite.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        found = _run(session, rows, "value" if task == "regression" else "probabilities")
    except Exception as error:  # noqa: BLE001 (the runtime's errors share no base class)
        raise RecipeFailed(f"ONNX Runtime cannot run the model: {' '.join(str(error).split())[:300]}") from None
    if found.shape != (rows.rows, width) or not np.isfinite(found).all():
        raise RecipeFailed(f"The ONNX model gives {found.shape} values or values that are not finite.")
    if expected is None:
        return {"rows": rows.rows}
    flipped = tied = np.zeros(rows.rows, dtype=bool)
    if task != "regression":
        flipped = _decided(found, positive) != _decided(expected, positive)
        tied = flipped & _undecided(expected, positive)
    scale = float(np.abs(expected).max(initial=0.0)) or 1.0 if task == "regression" else 1.0
    return {
        "rows": int(expected.shape[0]),
        "largest": float(np.abs(found - expected).max(initial=0.0)) / scale,
        "flips": int((flipped & ~tied).sum()),
        "ties": int(tied.sum()),
        "scale": scale,
    }


def _run(session: Any, rows: Packed, output: str) -> NDArray[np.float64]:
    names = {item.name for item in session.get_inputs()}
    strings = rows.strings()
    parts = []
    for start in range(0, rows.rows, _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        inputs = {"numbers": rows.numbers[part], "strings": strings[part]}
        parts.append(session.run([output], {name: inputs[name] for name in names})[0])
    return np.concatenate(parts).astype(np.float64) if parts else np.empty((0, 1))


def _decided(probabilities: NDArray[np.float64], positive: int | None) -> NDArray[Any]:
    return probabilities.argmax(axis=1) if positive is None else probabilities[:, positive] >= 0.5


def _undecided(probabilities: NDArray[np.float64], positive: int | None) -> NDArray[np.bool_]:
    if positive is not None:
        return np.asarray(np.abs(probabilities[:, positive] - 0.5) <= PARITY_LIMIT)
    two = np.sort(probabilities, axis=1)[:, -2:]
    return np.asarray(two[:, 1] - two[:, 0] <= 2 * PARITY_LIMIT)
