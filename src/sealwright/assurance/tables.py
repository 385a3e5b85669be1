"""Tables of true against decided classes: averages over classes, correlation, and how much they would move.

Pure functions. A table has shape (truth, decision); every measure takes a stack of them, (b, k, k), and gives (b,).
"""

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.intervals import Interval

__all__ = [
    "correlation",
    "correlation_interval",
    "decision_table",
    "mean_f1",
    "mean_precision",
    "mean_recall",
    "redrawn",
    "weighted_f1",
    "weighted_precision",
]

Ints = NDArray[np.int64]

_ADDED = 2.0  # rows added, spread evenly: half a row per cell of two classes, as Agresti & Caffo (2000) add
_EDGE = 1 - 1e-12  # correlations are kept this far from one before their logarithm is taken


def decision_table(truth: NDArray[np.generic], decisions: Ints, classes: int) -> Ints:
    """Rows by true and decided class position, shape (classes, classes)."""
    cells = np.bincount(truth.astype(np.int64) * classes + decisions, minlength=classes * classes)
    return cells.reshape(classes, classes).astype(np.int64)


def redrawn(table: Ints, size: int, rng: np.random.Generator) -> Floats:
    """`size` tables of as many rows, shape (size, k, k), drawn from `table` with two rows spread over its cells.

    The added rows keep a cell that happens to be empty from being taken for impossible. Drawn in the order of
    the counts, not of the names, so that renaming classes changes nothing.
    """
    k, n = table.shape[0], int(table.sum())
    chances = ((table + _ADDED / table.size) / (n + _ADDED)).ravel()
    order = np.lexsort((np.eye(k).ravel(), chances))
    drawn = np.empty((size, k * k))
    drawn[:, order] = rng.multinomial(n, chances[order], size=size)
    return drawn.reshape(size, k, k)


def mean_recall(tables: Floats) -> Floats:
    """Recall averaged over the classes that occur (balanced accuracy)."""
    rows = tables.sum(axis=2)
    return _mean(_ratio(_right(tables), rows), rows > 0)


def mean_precision(tables: Floats) -> Floats:
    """Precision averaged over the classes that occur or were decided; zero for one that was never decided."""
    return _mean(_ratio(_right(tables), tables.sum(axis=1)), _present(tables))


def mean_f1(tables: Floats) -> Floats:
    """F1 averaged over the classes that occur or were decided."""
    return _mean(_f1(tables), _present(tables))


def weighted_precision(tables: Floats) -> Floats:
    """Precision averaged over the true rows: each class counts by how often it occurs."""
    return _weighted(_ratio(_right(tables), tables.sum(axis=1)), tables)


def weighted_f1(tables: Floats) -> Floats:
    """F1 averaged over the true rows: each class counts by how often it occurs."""
    return _weighted(_f1(tables), tables)


def correlation(tables: Floats) -> Floats:
    """Matthews correlation of truth and decision, in [-1, 1]; 0 where all decisions, or all truths, are one class.

    Notes
    -----
    For two classes (Matthews 1975) the phi coefficient; for more its extension R_K (Gorodkin 2004).
    """
    true, decided = tables.sum(axis=2), tables.sum(axis=1)
    n = true.sum(axis=1)
    together = n * _right(tables).sum(axis=1) - (true * decided).sum(axis=1)
    spread = (n**2 - (true**2).sum(axis=1)) * (n**2 - (decided**2).sum(axis=1))
    return _ratio(together, np.sqrt(np.maximum(spread, 0.0)))


def correlation_interval(table: Ints, size: int, confidence: float, rng: np.random.Generator) -> Interval:
    """Interval of `correlation` by redrawn tables on Fisher's scale, where its spread hardly depends on its value."""
    value = float(correlation(table[None].astype(np.float64))[0])
    drawn = np.arctanh(np.clip(correlation(redrawn(table, size, rng)), -_EDGE, _EDGE))
    tail = (1 - confidence) / 2
    low, high = np.tanh(np.quantile(drawn, [tail, 1 - tail]))
    if low == high:  # a single row: nothing can vary, so nothing is known
        return -1.0, 1.0
    return min(float(low), value), max(float(high), value)


def _right(tables: Floats) -> Floats:
    right: Floats = np.diagonal(tables, axis1=1, axis2=2)
    return right


def _f1(tables: Floats) -> Floats:
    return _ratio(2 * _right(tables), tables.sum(axis=2) + tables.sum(axis=1))


def _present(tables: Floats) -> NDArray[np.bool_]:
    present: NDArray[np.bool_] = tables.sum(axis=2) + tables.sum(axis=1) > 0
    return present


def _ratio(a: Floats, b: Floats) -> Floats:
    ratio: Floats = np.divide(a, b, out=np.zeros_like(b), where=b > 0)
    return ratio


def _mean(values: Floats, counted: NDArray[np.bool_]) -> Floats:
    mean: Floats = np.where(counted, values, 0.0).sum(axis=1) / counted.sum(axis=1)
    return mean


def _weighted(values: Floats, tables: Floats) -> Floats:
    rows = tables.sum(axis=2)
    mean: Floats = (values * rows).sum(axis=1) / rows.sum(axis=1)
    return mean
