"""Does the mean curve along a number tell the truth: do single rows follow it, and does it hold where rows really are?

Individual curves and accumulated local effects beside partial dependence, for the numbers along which answers move most.
Texts have no order in which effects could accumulate, so they are left to partial dependence.
"""

from collections.abc import Iterator

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, collected, skipped
from sealwright.assurance.explaining.effects import accumulated, centred_alike, heterogeneity, individual_curves
from sealwright.assurance.explaining.local import asked
from sealwright.assurance.features import Features
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed, Series

__all__ = ["CHECK"]

_ALIKE, _DISAGREE = "explanation.heterogeneity", "explanation.dependence_disagreement"
_ROWS = 200
_BINS = 20
_MOST_NUMBERS = 100
_DRAWN = 4
_BANDS = (0.1, 0.25, 0.5, 0.75, 0.9)
_WARNED = 0.5


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    n = len(case.test)
    rows = case.test.features.take(np.arange(n) if n <= _ROWS else np.sort(rng.choice(n, _ROWS, replace=False)))
    found = [
        curve
        for place in range(min(len(case.interface.numbers), _MOST_NUMBERS))
        if (curve := _Curve.of(case, rows, place)) is not None
    ]
    if not found:
        why = "no number has enough different values to move along; words have no order"
        return skipped([_ALIKE, _DISAGREE], why)
    top = sorted(found, key=lambda curve: (-curve.reach, curve.place))[:_DRAWN]
    return collected(item for curve in top for item in _said(case, curve))


class _Curve:
    """One number: its grid, the curve of each row there, and the accumulated effects."""

    def __init__(self, place: int, grid: Floats, curves: Floats, effects: Floats) -> None:
        self.place, self.grid, self.curves, self.effects = place, grid, curves, effects
        self.mean: Floats = curves.mean(axis=0)
        self.reach = max(float(np.ptp(self.mean)), float(np.ptp(effects)))

    @classmethod
    def of(cls, case: Case, rows: Features, place: int) -> "_Curve | None":
        column = case.train.features.column(place).astype(np.float64)
        known = column[np.isfinite(column)]
        grid = np.unique(np.quantile(known, np.linspace(0.025, 0.975, _BINS + 1))) if known.size else known
        here = rows.take(np.flatnonzero(np.isfinite(rows.column(place).astype(np.float64))))
        if grid.size < 3 or len(here) < 2:
            return None
        ask = asked(case)
        curves, effects = individual_curves(ask, here, place, grid), accumulated(ask, here, place, grid)
        if not (np.isfinite(curves).all() and np.isfinite(effects).all()):
            return None
        return cls(place, grid, curves, effects)


def _said(case: Case, curve: _Curve) -> Iterator[Finding | NotPerformed | Figure]:
    about, n = Group(attribute=case.interface.names[curve.place]), len(curve.curves)
    apart = centred_alike(curve.mean, curve.effects)
    yield Finding(
        check=_ALIKE,
        value=heterogeneity(curve.curves),
        n=n,
        unit="share",
        definition="Share of how far single rows' answers move along the feature that their mean curve does not show.",
        group=about,
        note="0: every row follows the mean; 1: rows go opposite ways and the mean stays flat",
    )
    yield Finding(
        check=_DISAGREE,
        value=apart,
        n=n,
        unit="share",
        definition="Distance between partial dependence and accumulated local effects along the feature, over the larger"
        " spread of the two.",
        group=about,
        note="the two disagree: the feature moves together with others, trust accumulated effects"
        if apart > _WARNED
        else "",
    )
    yield _figure(case, curve)


def _figure(case: Case, curve: _Curve) -> Figure:
    name = case.interface.names[curve.place]
    x = tuple(float(value) for value in curve.grid)
    bands = np.quantile(curve.curves - curve.curves.mean(axis=1, keepdims=True), _BANDS, axis=0)
    series = [
        Series(name=f"rows, quantile {share:g}", x=x, y=tuple(bands[place])) for place, share in enumerate(_BANDS)
    ]
    series += [
        Series(name="mean (partial dependence)", x=x, y=tuple(curve.mean - curve.mean.mean())),
        Series(name="accumulated local effects", x=x, y=tuple(curve.effects - curve.effects.mean())),
    ]
    return Figure(
        name=f"explanation.effects.{name}",
        kind="lines",
        title=f"Single rows and accumulated effects along {name}",
        x=name,
        y="answer, each curve minus its mean",
        series=tuple(series),
        note=f"{len(curve.curves)} test rows; grid at quantiles of the {case.learned_words}",
    )


CHECK = Check(name="explanation.effects", files={_ALIKE: ALL, _DISAGREE: ALL}, run=_run)
