"""When rows are ranked by score: who is in the top, and who is seen?

The top is a share of the ranking (assurance.top); exposure is what position is worth to attention, one
divided by the binary logarithm of the rank plus one (Singh & Joachims 2018). Rows of equal score share their
places. The draws that give intervals rank groups of unchanged size anew.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome
from sealwright.assurance.comparison import each_attribute, favour, gap_finding, large_enough, not_judged, too_few
from sealwright.assurance.distributions import cells_of, redrawn
from sealwright.assurance.gaps import widest_gap
from sealwright.assurance.model import Finding, Group, NotPerformed

__all__ = ["CHECK"]

_LEVEL, _TOP, _EXPOSURE = "fairness.top_share_ratio", "fairness.top_share_gap", "fairness.exposure_gap"


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    needs = case.task != "regression"
    return each_attribute(case, list(CHECK.files), partial(_judge, case, rng), needs_favourable=needs)


def _judge(case: Case, rng: np.random.Generator, attribute: Attribute) -> Iterator[Finding | NotPerformed]:
    judged = large_enough(case, attribute)
    yield from (
        not_judged(case, _LEVEL, attribute, place) for place in range(len(attribute.levels)) if place not in judged
    )
    if judged.size < 2:
        yield from (too_few(case, name, attribute, judged, "enough rows") for name in (_TOP, _EXPOSURE))
        if judged.size:
            yield too_few(case, _LEVEL, attribute, judged, "enough rows")
        return
    groups = [favour(case)[attribute.rows_of(place)] for place in judged]
    sizes = np.array([own.size for own in groups])
    n = int(sizes.sum())
    values = _standing(_counted(groups), case.spec.top)[0]
    cells = cells_of(groups)
    truth = _standing((cells.smooth * sizes[:, None])[None], case.spec.top)[0]
    drawn = np.concatenate([_standing(some, case.spec.top) for some in redrawn(cells, case.spec.bootstrap, rng)])
    apart = drawn - truth  # shape (size, 2, groups)
    errors = apart.std(axis=0)
    for at, place in enumerate(judged):
        yield _of_group(case, attribute, int(place), float(values[0, at]), apart[:, 0, at], n)
    top = f"the top {case.spec.top:.0%} of the ranking"
    texts = {
        _TOP: f"Largest difference between groups in their share of {top}, each divided by their share of all rows.",
        _EXPOSURE: "Largest difference between groups in mean exposure, 1 / log2(rank + 1), divided by that of all rows.",
    }
    for at, (name, text) in enumerate(texts.items()):
        gap = widest_gap(values[at], apart[:, at], errors[at], case.spec.confidence)
        yield gap_finding(name, attribute, judged, gap, n, "ratio", text)


def _of_group(case: Case, attribute: Attribute, place: int, value: float, apart: Floats, n: int) -> Finding:
    tail = (1 - case.spec.confidence) / 2
    least, most = np.quantile(apart, [tail, 1 - tail])
    return Finding(
        check=_LEVEL,
        value=value,
        low=max(0.0, min(value, value - float(most))),
        high=max(value, value - float(least)),
        n=n,
        unit="ratio",
        definition=f"Share of the group in the top {case.spec.top:.0%} of the ranking divided by its share of all rows.",
        group=Group(attribute=attribute.name, level=attribute.levels[place]),
    )


def _counted(groups: list[Floats]) -> Floats:
    """Rows of each group at each distinct score, the lowest first: shape (1, groups, scores)."""
    scores = np.unique(np.concatenate(groups))
    counts = [np.bincount(np.searchsorted(scores, own), minlength=scores.size) for own in groups]
    return np.stack(counts)[None].astype(np.float64)


def _standing(counts: Floats, top: float) -> Floats:
    """Share of the top by share of all, and relative exposure: shape (b, 2, groups) of counts (b, groups, cells)."""
    falling = counts[:, :, ::-1]
    together = falling.sum(axis=1)
    seen = together.cumsum(axis=1)
    n = round(float(seen[0, -1]))
    before, seats = seen - together, max(1.0, np.ceil(top * n))
    in_top = _by_row(np.clip(seats - before, 0, together), together)
    worth = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, n + 2)))])
    gained = np.interp(seen, np.arange(n + 1), worth) - np.interp(before, np.arange(n + 1), worth)
    mean = worth[-1] / n
    rows = counts.sum(axis=2)
    share = np.einsum("bgc,bc->bg", falling, in_top) / rows / (seats / n)
    exposure = np.einsum("bgc,bc->bg", falling, _by_row(gained, together)) / rows / mean
    return np.stack([share, exposure], axis=1)


def _by_row(total: Floats, rows: Floats) -> Floats:
    return np.divide(total, rows, out=np.zeros_like(total), where=rows > 0)


CHECK = Check(name="fairness.ranking", files=dict.fromkeys((_LEVEL, _TOP, _EXPOSURE), ALL), run=_run)
