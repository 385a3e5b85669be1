"""The model inside a peer's app: scikit-learn over pandas, or ONNX Runtime. Rows in, probabilities out.

The harness says which by two variables of the environment: BENCH_ENGINE (sklearn or onnx) and BENCH_FILES.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["Engine", "batching", "files", "open_engine", "packed", "session"]

Engine = Callable[[list[dict[str, Any]]], list[list[float]]]


def files() -> Path:
    """Where the harness put this app's model."""
    return Path(os.environ["BENCH_FILES"])


def batching() -> bool:
    """Whether the server's own adaptive batching is wanted."""
    return os.environ.get("BENCH_BATCHING") == "1"


def open_engine() -> Engine:
    """The model, loaded."""
    return _onnx() if os.environ["BENCH_ENGINE"] == "onnx" else _sklearn()


def session(name: str = "model.onnx") -> Any:
    """An ONNX Runtime session on one thread."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(str(files() / name), options, providers=["CPUExecutionProvider"])


def packed(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Rows as the model's two inputs."""
    import numpy as np
    from credit import NUMBERS, STRINGS

    return {
        "numbers": np.array([[row[name] for name in NUMBERS] for row in found], dtype=np.float32),
        "strings": np.array([[row[name] for name in STRINGS] for row in found], dtype=object),
    }


def _onnx() -> Engine:
    model = session()

    def answer(found: list[dict[str, Any]]) -> list[list[float]]:
        result: list[list[float]] = model.run(["probabilities"], packed(found))[0].tolist()
        return result

    return answer


def _sklearn() -> Engine:
    import pandas as pd
    from credit import kept

    model = kept(files())

    def answer(found: list[dict[str, Any]]) -> list[list[float]]:
        result: list[list[float]] = model.predict_proba(pd.DataFrame(found)).tolist()
        return result

    return answer
