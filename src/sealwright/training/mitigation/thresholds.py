"""A threshold for each group, so that groups are decided alike, with no dice.

Hardt, Price & Srebro 2016 (arXiv:1610.02413) reach equality exactly by deciding some rows by lot. A person who is refused by
lot cannot be told why, so here each group has one threshold, and what gap remains is what the rows allow.
Pure functions over arrays.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Chosen", "choose_thresholds"]

_MOST_POINTS = 200  # thresholds tried in a group
_MOST_TARGETS = 400
_FEWEST = 5  # rows of one true outcome a group must have for its rates to mean anything
_EDGE = 1e-4

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """`thresholds[g]` lies in (0, 1); NaN for a group with too few rows, which keeps the common one."""

    thresholds: Floats
    gap: float  # on the rows they were chosen on, between groups that got one
    accuracy: float


@dataclass(frozen=True, slots=True)
class _Curve:
    """What each threshold of one group gives."""

    thresholds: Floats  # shape (points,)
    rates: Floats  # shape (points, kinds), what shall be alike
    right: Floats  # rows decided rightly


def choose_thresholds(
    scores: Floats, positive: NDArray[np.bool_], groups: NDArray[np.int32], constraint: str, allowed_gap: float
) -> Chosen:
    """The most accurate thresholds whose gap is at most `allowed_gap`; where there are none, those with the least gap.

    Parameters
    ----------
    scores : float array, shape (n,)
        Probabilities of rows that the model has not learned from, or it flatters itself.
    positive : bool array, shape (n,)
    constraint : str
        demographic_parity, equal_opportunity or equalised_odds.
    """
    curves: dict[int, _Curve] = {}
    for group in range(int(groups.max()) + 1):
        own = groups == group
        if min(int((positive & own).sum()), int((~positive & own).sum())) >= _FEWEST:
            curves[group] = _curve(scores[own], positive[own], constraint)
    thresholds = np.full(int(groups.max()) + 1, np.nan)
    if len(curves) < 2:
        return Chosen(thresholds=thresholds, gap=float("nan"), accuracy=float("nan"))
    best: tuple[tuple[float, float], list[int]] | None = None
    for target in _targets(list(curves.values())):
        places = [_nearest(one, target, allowed_gap) for one in curves.values()]
        rates = np.stack([one.rates[at] for one, at in zip(curves.values(), places, strict=True)])
        gap = float(np.ptp(rates, axis=0).max())
        right = sum(float(one.right[at]) for one, at in zip(curves.values(), places, strict=True))
        rank = (max(0.0, gap - allowed_gap), -right)
        if best is None or rank < best[0]:
            best = rank, places
    assert best is not None
    chosen = {g: (one, at) for (g, one), at in zip(curves.items(), best[1], strict=True)}
    for group, (one, at) in chosen.items():
        thresholds[group] = one.thresholds[at]
    rates = np.stack([one.rates[at] for one, at in chosen.values()])
    rows = int(np.isin(groups, list(chosen)).sum())
    return Chosen(thresholds=thresholds, gap=float(np.ptp(rates, axis=0).max()), accuracy=-best[0][1] / rows)


def _curve(scores: Floats, positive: NDArray[np.bool_], constraint: str) -> _Curve:
    distinct = np.unique(scores)
    middles = (distinct[1:] + distinct[:-1]) / 2
    if middles.size > _MOST_POINTS:
        middles = middles[np.unique(np.linspace(0, middles.size - 1, _MOST_POINTS).round().astype(int))]
    points = np.unique(np.clip(np.concatenate([[0.0], middles, [1.0]]), _EDGE, 1 - _EDGE))
    yes, no = np.sort(scores[positive]), np.sort(scores[~positive])
    hits = yes.size - np.searchsorted(yes, points, side="left")
    alarms = no.size - np.searchsorted(no, points, side="left")
    rates = {
        "demographic_parity": [(hits + alarms) / scores.size],
        "equal_opportunity": [hits / yes.size],
        "equalised_odds": [hits / yes.size, alarms / no.size],
    }[constraint]
    return _Curve(points, np.stack(rates, axis=1), (hits + no.size - alarms).astype(np.float64))


def _targets(curves: Sequence[_Curve]) -> Floats:
    """Rates that groups could have in common: those that some group can have."""
    every = np.unique(np.concatenate([one.rates for one in curves]), axis=0)
    kept = np.unique(np.linspace(0, len(every) - 1, _MOST_TARGETS).round().astype(int))
    return np.asarray(every[kept], dtype=np.float64)


def _nearest(curve: _Curve, target: Floats, allowed_gap: float) -> int:
    """The most accurate point within half the allowed gap of the target, or the nearest one."""
    off = np.abs(curve.rates - target).max(axis=1)
    within = off <= allowed_gap / 2
    if within.any():
        return int(np.flatnonzero(within)[np.argmax(curve.right[within])])
    return int(np.lexsort((-curve.right, off))[0])
