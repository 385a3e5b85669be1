"""In which direction a feature moves the prediction: the mean prediction as that feature alone is varied.

Partial dependence (Friedman 2001), drawn for the features along which it moves most. Grids are evenly
spaced between quantiles of the training data, so no point is a row of data.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, collected, skipped
from sealwright.assurance.features import Features
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed, Series
from sealwright.assurance.ranking import midranks

__all__ = ["CHECK"]

_CHECK = "explanation.direction"
_GRID = 20
_ROWS = 200  # rows averaged at each point of a grid
_MOST_FEATURES = 500
_DRAWN = 6
_MOST_CATEGORIES = 30
_MOST_CLASSES = 5


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    rows = np.arange(len(case.test))
    if rows.size > _ROWS:
        rows = np.sort(rng.choice(rows, _ROWS, replace=False))
    features = case.test.features.take(rows)
    places = range(min(len(case.interface.names), _MOST_FEATURES))
    curves = {place: curve for place in places if (curve := _curve(case, features, place)) is not None}
    if not curves:
        return skipped([_CHECK], "no feature could be varied: each holds one single value")
    top = sorted(curves, key=lambda place: (-_reach(curves[place][1]), place))[:_DRAWN]
    drawn = [_figure(case, place, *curves[place], len(rows)) for place in top]
    return collected([*_directions(case, top, curves, len(rows)), *drawn])


def _curve(case: Case, features: Features, place: int) -> tuple[NDArray[np.generic], Floats] | None:
    """Grid values of a feature and mean outputs there, shape (grid, outputs); None if it cannot be varied."""
    grid = _grid(case, place)
    if len(grid) < 2:
        return None
    variants = (features.with_column(place, np.full(len(features), value, dtype=grid.dtype)) for value in grid)
    means: Floats = np.stack([np.atleast_1d(outputs.mean(axis=0)) for outputs in case.predict_each(variants)])
    return (grid, means) if np.isfinite(means).all() else None


def _grid(case: Case, place: int) -> NDArray[np.generic]:
    column = case.train.features.column(place)
    if place >= len(case.interface.numbers):
        values, counts = np.unique(column[column != ""].astype(str), return_counts=True)
        common = np.argsort(-counts, kind="stable")[:_MOST_CATEGORIES]
        return values[np.sort(common)].astype(object)
    known = column[np.isfinite(column)].astype(np.float64)
    if known.size == 0:
        return np.zeros(0)
    kind = case.interface.numbers[place].type
    if kind == "boolean":
        return np.unique(known)
    low, high = np.quantile(known, [0.025, 0.975])
    grid = np.linspace(low, high, _GRID)
    return np.unique(np.round(grid) if kind in ("integer", "date") else grid)


def _reach(means: Floats) -> float:
    return float((means.max(axis=0) - means.min(axis=0)).max())


def _directions(
    case: Case, top: list[int], curves: dict[int, tuple[NDArray[np.generic], Floats]], n: int
) -> Iterator[Finding | NotPerformed]:
    outcome = 0 if case.task == "regression" else (case.positive if case.task == "binary" else case.favourable)
    if outcome is None:
        yield NotPerformed(check=_CHECK, why="no single outcome to point at: name one under assurance.favourable")
        return
    numbers = [place for place in top if place < len(case.interface.numbers)]
    if not numbers:
        yield NotPerformed(check=_CHECK, why="none of the features that move the prediction most is a number")
    for place in numbers:
        about = Group(attribute=case.interface.names[place])
        grid, means = curves[place]
        response = means[:, outcome]
        if np.ptp(response) == 0:
            yield NotPerformed(check=_CHECK, why="the mean prediction does not change along the feature", group=about)
            continue
        yield Finding(
            check=_CHECK,
            value=float(np.corrcoef(midranks(grid.astype(np.float64)), midranks(response))[0, 1]),
            n=n,
            unit="rank correlation",
            definition="Whether the mean prediction only rises (1), only falls (-1) or does neither along the feature.",
            group=about,
            note=f"the mean prediction ranges from {response.min():.4g} to {response.max():.4g}",
        )


def _figure(case: Case, place: int, grid: NDArray[np.generic], means: Floats, n: int) -> Figure:
    name = case.interface.names[place]
    number = place < len(case.interface.numbers)
    x = tuple(float(value) for value in grid) if number else tuple(str(value) for value in grid)
    if case.task == "regression":
        series = [Series(name="prediction", x=x, y=tuple(means[:, 0]))]
    else:
        shown = [case.positive] if case.task == "binary" else list(range(len(case.interface.classes)))
        shown = sorted(shown, key=lambda outcome: (-float(np.ptp(means[:, outcome])), outcome))[:_MOST_CLASSES]
        series = [Series(name=case.interface.classes[outcome], x=x, y=tuple(means[:, outcome])) for outcome in shown]
    return Figure(
        name=f"explanation.dependence.{name}",
        kind="lines" if number else "bars",
        title=f"Mean prediction along {name}",
        x=name,
        y="mean prediction",
        series=tuple(series),
        note=f"{n} test rows, all other features as they are",
    )


CHECK = Check(name="explanation.dependence", files={_CHECK: ALL}, run=_run)
