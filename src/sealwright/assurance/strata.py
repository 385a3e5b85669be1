"""Rates of two groups, compared within strata and put together again.

Pure functions over counts; no names, only positions.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.intervals import Interval, z_of

__all__ = ["Common", "common_difference", "strata_of"]

Ints = NDArray[np.int64]

_BANDS = 5
_MOST_TEXTS = 20


class Common(NamedTuple):
    """A difference that strata have in common."""

    value: float
    interval: Interval
    strata: int  # in which both groups have rows
    rows: int  # in those strata


def common_difference(hits: Ints, rows: Ints, confidence: float) -> Common | None:
    """The Mantel-Haenszel common difference of rates, first group minus second.

    Parameters
    ----------
    hits, rows : int arrays, shape (2, strata)
        Successes and rows of the two groups in each stratum.

    Returns
    -------
    Common or None
        None where no stratum holds rows of both groups.

    Notes
    -----
    Weights n1 n0 / (n1 + n0) (Greenland & Robins 1985); variance of Sato (1989), which holds both for few large
    and for many small strata.
    """
    both = (rows > 0).all(axis=0)
    if not both.any():
        return None
    (a, b), (n1, n0) = hits[:, both].astype(np.float64), rows[:, both].astype(np.float64)
    n = n1 + n0
    weight = float((n1 * n0 / n).sum())
    value = float(((a * n0 - b * n1) / n).sum() / weight)
    p = (n1**2 * b - n0**2 * a + n1 * n0 * (n0 - n1) / 2) / n**2
    q = (a * (n0 - b) + b * (n1 - a)) / (2 * n)
    variance = max(0.0, float(value * p.sum() + q.sum())) / weight**2
    half = z_of(confidence) * float(np.sqrt(variance))
    ends = max(-1.0, value - half), min(1.0, value + half)
    return Common(value, ends, int(both.sum()), int(n.sum()))


def strata_of(column: NDArray[np.generic]) -> tuple[Ints, tuple[str, ...]]:
    """A feature in strata: its most frequent values, the rest together; or a number in five bands of equal size.

    Returns
    -------
    codes : int array, shape (n,)
    names : tuple of str
        A missing value is a stratum of its own.
    """
    if column.dtype == object:
        return _texts(column.astype(str))
    values = column.astype(np.float64)
    known = values[np.isfinite(values)]
    distinct = np.unique(known)
    if distinct.size <= _BANDS:
        cuts: Floats = distinct[1:]
        names = [f"{value:g}" for value in distinct] or ["(none)"]
    else:
        cuts = np.unique(np.quantile(known, np.linspace(0, 1, _BANDS + 1)[1:-1]))
        names = [
            f"under {cuts[0]:.4g}",
            *(f"{low:.4g} to under {high:.4g}" for low, high in pairwise(cuts)),
        ]
        names.append(f"{cuts[-1]:.4g} and over")
    codes = np.where(np.isfinite(values), np.searchsorted(cuts, values, side="right"), len(names))
    return codes.astype(np.int64), (*names, "(missing)")


def _texts(column: NDArray[np.str_]) -> tuple[Ints, tuple[str, ...]]:
    values, codes, counts = np.unique(column, return_inverse=True, return_counts=True)
    names = [str(value) if value != "" else "(missing)" for value in values]
    if len(names) <= _MOST_TEXTS:
        return codes.astype(np.int64), tuple(names)
    common = np.argsort(-counts, kind="stable")[:_MOST_TEXTS]
    place = np.full(len(names), _MOST_TEXTS)
    place[common] = np.arange(_MOST_TEXTS)
    return place[codes].astype(np.int64), (*(names[at] for at in common), "(others)")
