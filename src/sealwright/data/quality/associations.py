"""How columns go together: numbers with numbers, and every column with the target.

Answers: which columns say the same, and which say something about the target?
Does not answer: why, and nothing about cause.
Large tables are measured on rows drawn evenly: 50,000 are enough for two decimals.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sealwright.data.quality.frame import NUMERIC, Floats, Frame

__all__ = ["banded", "correlation_ratio", "correlations", "cramers_v", "every_nth", "with_target"]

_ROWS = 50_000
_FEWEST = 30
_BANDS = 20
_MOST_CODES = 1000


def every_nth(rows: int, most: int) -> NDArray[np.int64]:
    """Places of at most `most` rows, evenly spread: the same for the same table."""
    if rows <= most:
        return np.arange(rows, dtype=np.int64)
    return np.linspace(0, rows - 1, most).astype(np.int64)


def correlations(frame: Frame) -> Mapping[str, Mapping[str, float]]:
    """Pearson correlation of each two columns of numbers, over rows where both are known; each pair once.

    Pairs with fewer than 30 such rows, or a constant column, are left out.
    """
    found: Mapping[str, Mapping[str, float]] = frame.once("correlations", _correlations)
    return found


def _correlations(frame: Frame) -> Mapping[str, Mapping[str, float]]:
    names = [name for name in frame.of_type("integer", "number", "boolean") if frame.missing(name) < frame.rows]
    if len(names) < 2:
        return {}
    rows = every_nth(frame.rows, _ROWS)
    values = np.stack([frame.floats(name)[rows] for name in names], axis=1)
    known = np.isfinite(values)
    values = np.where(known, values, 0.0)
    centre = values.sum(0) / np.maximum(known.sum(0), 1)
    values = np.where(known, values - centre, 0.0)  # so that large values keep their digits
    matrix = _pairwise(values, known.astype(np.float64))
    found: dict[str, dict[str, float]] = {}
    for place, name in enumerate(names):
        row = {
            other: round(float(r), 4) for other, r in zip(names[:place], matrix[place], strict=False) if np.isfinite(r)
        }
        if row:
            found[name] = row
    return found


def _pairwise(values: Floats, known: Floats) -> Floats:
    """Correlations over the rows both columns have; NaN where that is undefined."""
    count = known.T @ known
    sums = values.T @ known  # of column i over the rows that j knows
    squares = (values**2).T @ known
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = values.T @ values - sums * sums.T / count
        variance = squares - sums**2 / count
        found = covariance / np.sqrt(variance * variance.T)
        tiny = variance <= 1e-12 * np.maximum(squares, 1e-300)
    found[(count < _FEWEST) | tiny | tiny.T] = np.nan
    return np.clip(found, -1.0, 1.0)


def with_target(frame: Frame) -> dict[str, float]:
    """How strongly each column goes with the target, 0 to 1.

    Classes: Cramér's V, numbers in twenty bands of equal size. Numbers to predict: the correlation ratio, root of
    the share of variance between the bands or categories. Missing is a band of its own.
    """
    if frame.target is None:
        return {}
    rows = every_nth(frame.rows, _ROWS)
    found = {}
    for name in frame.compared:
        if name == frame.target:
            continue
        bands = banded(frame, name, rows)
        if frame.task == "regression":
            measured = correlation_ratio(bands, frame.floats(frame.target)[rows])
        else:
            measured = cramers_v(bands, frame.codes(frame.target).places[rows])
        if measured is not None:
            found[name] = round(measured, 4)
    return found


def banded(frame: Frame, name: str, rows: NDArray[np.int64], bands: int = _BANDS) -> NDArray[np.int64]:
    """A column as small whole numbers, 0 for missing: bands of equal size of a number, or one for each category."""
    if frame.columns[name].type not in NUMERIC:
        return frame.codes(name).places[rows].astype(np.int64) + 1
    values = frame.floats(name)[rows]
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(rows.size, dtype=np.int64)
    edges = np.unique(np.quantile(values[known], np.linspace(0, 1, bands + 1)[1:-1]))
    return np.where(known, np.searchsorted(edges, values, side="right") + 1, 0).astype(np.int64)


def cramers_v(one: NDArray[np.int64], other: NDArray[np.integer]) -> float | None:
    """Cramér's V with Bergsma's correction for chance (2013, doi:10.1016/j.jkss.2012.10.002); None if undefined."""
    keep = other >= 0
    one, two, n = one[keep], other[keep].astype(np.int64), int(keep.sum())
    if n < _FEWEST or one.max() >= _MOST_CODES:
        return None
    width = int(two.max()) + 1
    table = np.bincount(one * width + two, minlength=(int(one.max()) + 1) * width).reshape(-1, width).astype(np.float64)
    table = table[table.sum(1) > 0][:, table.sum(0) > 0]
    r, k = table.shape
    if min(r, k) < 2:
        return None
    expected = np.outer(table.sum(1), table.sum(0)) / n
    phi = float(((table - expected) ** 2 / expected).sum()) / n
    phi = max(0.0, phi - (k - 1) * (r - 1) / (n - 1))
    r_, k_ = r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1)
    return min(1.0, float(np.sqrt(phi / min(r_ - 1, k_ - 1)))) if min(r_, k_) > 1 else None


def correlation_ratio(groups: NDArray[np.int64], values: Floats) -> float | None:
    """Root of the share of the variance of `values` that lies between the groups; None if undefined."""
    known = np.isfinite(values)
    groups, values = groups[known], values[known]
    if values.size < _FEWEST or np.ptp(values) == 0:
        return None
    values = values - values.mean()
    count = np.bincount(groups)
    sums = np.bincount(groups, weights=values)
    between = float((sums[count > 0] ** 2 / count[count > 0]).sum())
    return float(np.sqrt(min(1.0, between / float((values**2).sum()))))
