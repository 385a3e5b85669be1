"""Columns that give the target away: the answer in disguise.

Each column alone predicts the target: by what the rows of the other half with its value (numbers in bands of equal
size) turned out to be. ROC area or R squared near 1 means that the column was written after the outcome was known.
"""

import numpy as np
from numpy.typing import NDArray

from sealwright.data.quality.associations import banded, every_nth
from sealwright.data.quality.check import Asked, Check, Checked, not_performed
from sealwright.data.quality.frame import Floats, Frame
from sealwright.data.quality.model import Fault

__all__ = ["CHECK", "PRIOR_ROWS", "lookup", "roc_area"]

PRIOR_ROWS = 5
"""A rare value is pulled toward the average by as many imagined rows."""
_ROWS = 50_000
_FEWEST = 100
_RANKED = 0.999  # rank correlation from which a number is the target on another scale


def lookup(train: NDArray[np.int64], outcomes: Floats, test: NDArray[np.int64]) -> Floats:
    """What rows with the same code turned out to be on average, pulled toward the overall average.

    Parameters
    ----------
    train, test : int array, shape (n,) and (m,)
        Codes of one column, 0 and up.
    outcomes : float array, shape (n, k)
        The outcome of each training row: one column per class, or the value itself.

    Returns
    -------
    float array, shape (m, k)
    """
    prior = outcomes.mean(axis=0)
    width = int(max(train.max(initial=0), test.max(initial=0))) + 1
    rows = np.bincount(train, minlength=width)[:, None]
    sums = np.stack([np.bincount(train, weights=column, minlength=width) for column in outcomes.T], axis=1)
    return np.asarray(((sums + PRIOR_ROWS * prior) / (rows + PRIOR_ROWS))[test])


def roc_area(positive: NDArray[np.bool_], scores: Floats) -> float | None:
    """Area under the ROC curve by ranks, ties shared; None with one class only."""
    ones, zeros = int(positive.sum()), int((~positive).sum())
    if not ones or not zeros:
        return None
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2
    return float((middle[place][positive].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def _run(asked: Asked) -> Checked:
    frame = asked.frame
    if frame.target is None:
        return not_performed("no target is named")
    rows = every_nth(frame.rows, _ROWS)
    if rows.size < _FEWEST:
        return not_performed("fewer than 100 rows")
    first = asked.rng.random(rows.size) < 0.5
    found = []
    for name in frame.compared:
        if name == frame.target or frame.columns[name].type == "text":
            continue
        score, ranked = _alone(frame, name, rows, first)
        if score >= asked.settings.leak_score or ranked >= _RANKED:
            found.append(_fault(asked, name, score, ranked, rows.size))
    return Checked(faults=tuple(found), rows=int(rows.size))


def _alone(frame: Frame, name: str, rows: NDArray[np.int64], first: NDArray[np.bool_]) -> tuple[float, float]:
    """How well a column alone predicts, the better half of the classes' areas counting; and its rank correlation."""
    assert frame.target is not None
    codes = banded(frame, name, rows, bands=200 if frame.task == "regression" and rows.size >= 10_000 else 20)
    if frame.task == "regression":
        truth = frame.floats(frame.target)[rows]
        guesses = _both_halves(codes, truth[:, None], first)[:, 0]
        spread = float(((truth - truth.mean()) ** 2).sum())
        score = 1 - float(((truth - guesses) ** 2).sum()) / spread if spread else 0.0
        return score, _rank_correlation(frame, name, rows, truth)
    places = frame.codes(frame.target).places[rows]
    known = places >= 0
    codes, places, first = codes[known], places[known], first[known]
    classes = np.eye(int(places.max()) + 1)[places]
    guesses = _both_halves(codes, classes, first)
    told = range(1, 2) if classes.shape[1] == 2 else range(classes.shape[1])
    areas = [area for k in told if (area := roc_area(classes[:, k] > 0, guesses[:, k])) is not None]
    return (float(np.min(areas)) if areas else 0.0), 0.0


def _both_halves(codes: NDArray[np.int64], outcomes: Floats, first: NDArray[np.bool_]) -> Floats:
    found = np.empty_like(outcomes)
    found[~first] = lookup(codes[first], outcomes[first], codes[~first])
    found[first] = lookup(codes[~first], outcomes[~first], codes[first])
    return found


def _rank_correlation(frame: Frame, name: str, rows: NDArray[np.int64], truth: Floats) -> float:
    """|Spearman| of a column of numbers with the target; 0 for other columns."""
    if frame.columns[name].type not in {"integer", "number"}:
        return 0.0
    values = frame.floats(name)[rows]
    known = np.isfinite(values)
    if known.sum() < _FEWEST or np.ptp(values[known]) == 0 or np.ptp(truth[known]) == 0:
        return 0.0
    ranks = [np.unique(one[known], return_inverse=True)[1].astype(np.float64) for one in (values, truth)]
    return abs(float(np.corrcoef(ranks[0], ranks[1])[0, 1]))


def _fault(asked: Asked, name: str, score: float, ranked: float, of: int) -> Fault:
    said = (
        f"the column rises and falls with the target (rank correlation {ranked:.4f})"
        if ranked >= _RANKED
        else f"the column alone predicts the target with "
        f"{'R squared' if asked.frame.task == 'regression' else 'a ROC area of'} {score:.3f}"
    )
    used = asked.frame.columns[name].role == "feature"
    return Fault(
        check="quality.leaking_columns",
        severity="high" if used else "low",
        columns=(name,),
        rows=(),
        count=of,
        of=of,
        unit="rows",
        found=f"{said[0].upper()}{said[1:]}.",
        why="So good a column is nearly always written after the outcome was known, and will be empty when the model is used.",
        todo="Ask when its value becomes known; if not before the prediction, leave it out (role: ignore).",
    )


CHECK = Check(name="leaking_columns", run=_run)
