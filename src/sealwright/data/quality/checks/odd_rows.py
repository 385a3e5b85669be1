"""Rows whose values are each possible, but not together: an isolation forest (Liu, Ting, Zhou 2008).

The forest is fitted on drawn rows. Ten trees look at every row, fifty at the tenth of the rows that these find oddest. A score counts as odd if it lies beyond `_BEYOND` times the
spread of the upper half above the median score, and above 0.62: in a forest, 0.5 is usual and 1 is alone.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.data.quality.check import Asked, Check, Checked, not_performed
from sealwright.data.quality.frame import Floats
from sealwright.data.quality.matrix import drawn, matrix_of, scored
from sealwright.data.quality.model import Fault

__all__ = ["CHECK"]

_TREES, _FEW_TREES = 50, 10
_SECOND_LOOK = 0.1  # share of rows, the oddest by a few trees, that all trees look at
_LEAF_ROWS = 256
_BEYOND = 8.0
_LEAST_SCORE = 0.62
_FEWEST_ROWS, _FEWEST_COLUMNS = 200, 3
_HIGH = 0.01


def _run(asked: Asked) -> Checked:
    frame = asked.frame
    names = [name for name in frame.of_type("integer", "number", "boolean", "date") if name != frame.target]
    if frame.rows < _FEWEST_ROWS or len(names) < _FEWEST_COLUMNS:
        return not_performed("fewer than 200 rows or three columns of numbers")
    scores, usual = _scores(asked, names)
    odd = _odd(scores, usual)
    if not odd.any():
        return Checked()
    places = np.flatnonzero(odd)
    worst = places[np.argsort(-scores[places], kind="stable")]
    fault = Fault(
        check="quality.odd_rows",
        severity="medium" if places.size / frame.rows >= _HIGH else "low",
        columns=(),
        rows=frame.named(worst, asked.settings.rows_named),
        count=int(places.size),
        of=frame.rows,
        unit="rows",
        found=f"{places.size:,} rows are far from all others in their numbers taken together, the oddest first.",
        why="Each value may be right alone; together they often mean rows shifted by a column, mixed units or test entries.",
        todo="Look at these rows; correct them at their source, or drop them by a declared step (drop_rows).",
    )
    return Checked(faults=(fault,))


def _scores(asked: Asked, names: list[str]) -> tuple[Floats, tuple[float, float]]:
    """How odd each row is, 0 to 1, -inf for rows a few trees find ordinary; and the median and third quartile."""
    matrix = matrix_of(asked.frame, names)
    for place in range(matrix.shape[1]):
        column = matrix[:, place]
        gaps = np.isnan(column)
        if gaps.any():  # a gap is ordinary here; `missing` counts them
            column[gaps] = np.nanmedian(column) if not gaps.all() else 0.0
    rows = drawn(len(matrix), asked.settings.model_rows, asked.rng)
    few, all_trees = _forest(asked, matrix[rows], _FEW_TREES), _forest(asked, matrix[rows], _TREES)
    scores = -scored(matrix, few.score_samples)
    among = np.flatnonzero(scores >= np.quantile(scores, 1 - _SECOND_LOOK))
    usual = np.quantile(-scored(matrix[rows], all_trees.score_samples), [0.5, 0.75])
    found = np.full(len(matrix), -np.inf)
    found[among] = -scored(matrix[among], all_trees.score_samples)
    return found, (float(usual[0]), float(usual[1]))


def _forest(asked: Asked, matrix: NDArray[np.float32], trees: int) -> Any:
    from sklearn.ensemble import IsolationForest

    seed = int(asked.rng.integers(2**31))
    return IsolationForest(n_estimators=trees, max_samples=min(_LEAF_ROWS, len(matrix)), random_state=seed).fit(matrix)


def _odd(scores: Floats, usual: tuple[float, float]) -> NDArray[np.bool_]:
    middle, high = usual
    return np.asarray(scores > max(_LEAST_SCORE, middle + _BEYOND * (high - middle)))


CHECK = Check(name="odd_rows", run=_run)
