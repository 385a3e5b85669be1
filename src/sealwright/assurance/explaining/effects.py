"""How the answer moves along one number: averaged over rows, row by row, and accumulated in small steps.

Individual curves (ICE, Goldstein et al. 2015) show whether the mean hides rows that go the other way. Accumulated local
effects (ALE, Apley & Zhu 2020, doi:10.1111/rssb.12377, eq. 15-16) move each row only inside its own bin, so they never ask
about pairs of values that do not occur; for a linear model both give the coefficient.
"""

from collections.abc import Callable

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.features import Features, stacked

__all__ = ["accumulated", "centred_alike", "heterogeneity", "individual_curves"]

Ask = Callable[[Features], Floats]  # one number for each row


def individual_curves(ask: Ask, rows: Features, place: int, grid: Floats) -> Floats:
    """Answers of every row at every value of the grid, shape (n, grid)."""
    kind = rows.column(place).dtype
    each = [rows.with_column(place, np.full(len(rows), value, dtype=kind)) for value in grid]
    return ask(stacked(each)).reshape(len(grid), len(rows)).T


def heterogeneity(curves: Floats) -> float:
    """Share of how far single curves, each minus its own mean, move that the mean curve does not show: 0 all alike, 1 all cancel.

    Notes
    -----
    Mean over grid of the variance between centred curves, over the mean of their squares.
    """
    centred = curves - curves.mean(axis=1, keepdims=True)
    total = float((centred**2).mean())
    return 0.0 if total == 0 else float(centred.var(axis=0).mean() / total)


def accumulated(ask: Ask, rows: Features, place: int, edges: Floats) -> Floats:
    """ALE at the edges of the bins, shape (edges,), centred so that its mean over the rows is 0.

    Parameters
    ----------
    edges : float array, ascending
        Rows outside the first and last are left out; a bin without rows adds nothing.
    """
    values = rows.column(place).astype(np.float64)
    inside = np.flatnonzero((values >= edges[0]) & (values <= edges[-1]))
    bins = np.clip(np.searchsorted(edges, values[inside], side="left"), 1, edges.size - 1)
    some, kind = rows.take(inside), rows.column(place).dtype
    low, high = (ask(some.with_column(place, edges[at].astype(kind))) for at in (bins - 1, bins))
    counts = np.bincount(bins, minlength=edges.size)[1:]
    sums = np.bincount(bins, weights=high - low, minlength=edges.size)[1:]
    steps = np.divide(sums, counts, out=np.zeros(edges.size - 1), where=counts > 0)
    curve = np.concatenate([[0.0], np.cumsum(steps)])
    middles = (curve[1:] + curve[:-1]) / 2
    return np.asarray(curve - (middles @ counts) / max(1, counts.sum()))


def centred_alike(one: Floats, other: Floats) -> float:
    """Distance of two curves on one grid, each minus its mean: root mean square, over the larger spread; 0 alike.

    Two flat curves are alike.
    """
    a, b = one - one.mean(), other - other.mean()
    spread = max(float(np.sqrt((a**2).mean())), float(np.sqrt((b**2).mean())))
    return 0.0 if spread == 0 else float(np.sqrt(((a - b) ** 2).mean()) / spread)
