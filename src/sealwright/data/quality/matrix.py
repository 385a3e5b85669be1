"""Columns as the matrix a model is fitted on, and scoring of every row in pieces by two threads.

Answers: what does a model of this table see?
Does not answer: what is learned. The models live and die in their check.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sealwright.data.quality.frame import Frame

__all__ = ["alone", "drawn", "matrix_of", "scored"]

_PIECE = 50_000


def alone() -> None:
    """Let this thread start no threads of its own: threads that wait for each other cost more than they bring."""
    import sklearn.ensemble  # noqa: F401 - its OpenMP must be loaded, or the limit does not reach it

    threadpool_limits(1)


def matrix_of(frame: Frame, names: Sequence[str]) -> NDArray[np.float32]:
    """Columns side by side, missing as NaN: shape (rows, columns)."""
    found = np.empty((frame.rows, len(names)), dtype=np.float32)
    for place, name in enumerate(names):
        with np.errstate(over="ignore"):
            found[:, place] = frame.as_numbers(name)
    found[~np.isfinite(found)] = np.nan
    return found


def drawn(rows: int, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Places of at most `most` rows, drawn without repeat, in order."""
    if rows <= most:
        return np.arange(rows, dtype=np.int64)
    return np.sort(rng.choice(rows, most, replace=False))


def scored(matrix: NDArray[np.float32], score: Callable[[NDArray[np.float32]], NDArray[Any]]) -> NDArray[Any]:
    """What `score` says of every row, in order; it lets go of the interpreter, so two threads share the work."""
    pieces = [matrix[start : start + _PIECE] for start in range(0, len(matrix), _PIECE)]
    with ThreadPoolExecutor(2, initializer=alone) as threads:
        return np.concatenate(list(threads.map(score, pieces)))
