"""Are the scores themselves spread differently over the groups, whatever the threshold?

Two distances over all pairs of groups: the largest vertical one between cumulative distributions
(Kolmogorov-Smirnov) and the area between them (Wasserstein). Both grow by chance alone, so each comes with
the chance of such a distance if group membership were dealt out at random, the largest pair counted.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import combinations

import numpy as np

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome
from sealwright.assurance.comparison import each_attribute, favour, gap_finding, large_enough, too_few
from sealwright.assurance.distributions import Cells, cells_of, kolmogorov_smirnov, permuted, redrawn, wasserstein
from sealwright.assurance.gaps import Gap, triangle
from sealwright.assurance.model import Figure, Finding, NotPerformed, Series

__all__ = ["CHECK"]

_KS, _W1 = "fairness.score_ks_gap", "fairness.score_wasserstein_gap"
_TEXTS = {
    _KS: "Largest Kolmogorov-Smirnov distance between the score distributions of two groups.",
    _W1: "Largest Wasserstein-1 distance between the score distributions of two groups: how far scores must move.",
}
_POINTS, _LINES = 21, 8


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    return each_attribute(case, list(_TEXTS), partial(_judge, case, rng), needs_favourable=case.task != "regression")


def _judge(case: Case, rng: np.random.Generator, attribute: Attribute) -> Iterator[Finding | NotPerformed | Figure]:
    judged = large_enough(case, attribute)
    if judged.size < 2:
        yield from (too_few(case, name, attribute, judged, "enough rows") for name in _TEXTS)
        return
    scale = (float(case.test.truth.std()) or 1.0) if case.task == "regression" else 1.0
    groups = [favour(case)[attribute.rows_of(place)] / scale for place in judged]
    cells = cells_of(groups)
    chance = permuted(cells, partial(_largest, cells.middles), case.spec.bootstrap, rng)
    apart = _apart(cells, case.spec.bootstrap, rng)
    unit = "sd of the target" if case.task == "regression" else "share"
    measures = ((_KS, kolmogorov_smirnov(groups), "share", 1.0), (_W1, wasserstein(groups), unit, _most(case)))
    for at, (name, (value, higher, lower), units, most) in enumerate(measures):
        interval = triangle(value, apart[:, :, at], case.spec.confidence, most)
        gap = Gap(value, interval, 0, higher, lower)
        found = gap_finding(name, attribute, judged, gap, sum(one.size for one in groups), units, _TEXTS[name])
        yield replace(found, note=f"permutation p = {chance[at]:.2g} ({case.spec.bootstrap} times); {found.note}")
    yield _figure(case, attribute, [attribute.levels[place] for place in judged], groups)


def _most(case: Case) -> float:
    return np.inf if case.task == "regression" else 1.0


def _largest(middles: Floats, counts: Floats) -> Floats:
    """Both distances over all pairs, shape (b, 2), of counts of shape (b, groups, cells)."""
    below = np.cumsum(counts, axis=2) / counts.sum(axis=2, keepdims=True)
    tall = (below.max(axis=1) - below.min(axis=1)).max(axis=1)
    steps = np.diff(middles)
    wide = np.zeros(len(counts))
    for a, b in combinations(range(counts.shape[1]), 2):
        np.maximum(wide, np.abs(below[:, a, :-1] - below[:, b, :-1]) @ steps, out=wide)
    return np.column_stack([tall, wide])


def _apart(cells: Cells, size: int, rng: np.random.Generator) -> Floats:
    """How far each group, drawn anew, falls from itself by both distances: shape (size, groups, 2)."""
    found, steps = [], np.diff(cells.middles)
    truth = np.cumsum(cells.smooth, axis=1)
    for drawn in redrawn(cells, size, rng):
        off = np.abs(np.cumsum(drawn, axis=2) / cells.rows[:, None] - truth)
        found.append(np.stack([off.max(axis=2), off[:, :, :-1] @ steps], axis=2))
    return np.concatenate(found)


def _figure(case: Case, attribute: Attribute, levels: list[str], groups: list[Floats]) -> Figure:
    every = np.concatenate(groups)
    grid = np.linspace(0, 1, _POINTS) if case.task != "regression" else np.linspace(every.min(), every.max(), _POINTS)
    lines = tuple(
        Series(name=level, x=tuple(grid), y=tuple(np.searchsorted(np.sort(own), grid, side="right") / own.size))
        for level, own in zip(levels[:_LINES], groups, strict=False)
    )
    words = (
        "predicted number, in sd of the target"
        if case.task == "regression"
        else "probability of the favourable outcome"
    )
    return Figure(
        name=f"fairness.scores.{attribute.name}",
        kind="lines",
        title=f"Scores by {attribute.name}",
        x=words,
        y="share of the group at or below",
        series=lines,
        note=attribute.how,
    )


CHECK = Check(name="fairness.score_distributions", files=dict.fromkeys(_TEXTS, ALL), run=_run)
