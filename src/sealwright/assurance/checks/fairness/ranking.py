"""When rows are ranked by score: who is in the top, and who is seen?

The top is a share of the ranking (assurance.top); exposure is what position is worth to attention, one
divided by the binary logarithm of the rank plus one (Singh & Joachims 2018). Rows of equal score share their
places.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome
from sealwright.assurance.comparison import Ints, each_attribute, favour, gap_finding, large_enough, not_judged, too_few
from sealwright.assurance.gaps import Gap, rate_gap, widest_gap
from sealwright.assurance.model import Finding, Group, NotPerformed

__all__ = ["CHECK"]

_LEVEL, _TOP, _EXPOSURE = "fairness.top_share_ratio", "fairness.top_share_gap", "fairness.exposure_gap"


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    needs = case.task != "regression"
    return each_attribute(case, list(CHECK.files), partial(_judge, case, rng), needs_favourable=needs)


def _judge(case: Case, rng: np.random.Generator, attribute: Attribute) -> Iterator[Finding | NotPerformed]:
    judged = large_enough(case, attribute)
    if judged.size < 2:
        yield from (too_few(case, name, attribute, judged, "enough rows") for name in CHECK.files)
        return
    compared = np.isin(attribute.codes, judged)
    codes = np.searchsorted(judged, attribute.codes[compared])
    in_top, exposure = _places(favour(case)[compared], case.spec.top)
    rows = np.bincount(codes)
    hits = np.minimum(np.bincount(codes, weights=in_top), rows)
    for place in range(len(attribute.levels)):
        if place in judged:
            at = int(np.searchsorted(judged, place))
            yield _of_group(case, attribute, place, float(hits[at]), int(rows[at]), float(in_top.mean()))
        else:
            yield not_judged(case, _LEVEL, attribute, place)
    gap = rate_gap(hits[None], rows[None], case.spec.bootstrap, case.spec.confidence, rng)
    text = (
        f"Largest difference between groups in their share of the top {case.spec.top:.0%} of the ranking,"
        " each divided by their share of all rows."
    )
    scaled = _scaled(gap, 1 / float(in_top.mean()))
    yield gap_finding(_TOP, attribute, judged, scaled, codes.size, "ratio", text)
    text = "Largest difference between groups in mean exposure, 1 / log2(rank + 1), divided by that of all rows."
    seen = _exposure_gap(case, codes, exposure / exposure.mean(), rng)
    yield gap_finding(_EXPOSURE, attribute, judged, seen, codes.size, "ratio", text)


def _places(score: Floats, top: float) -> tuple[Floats, Floats]:
    """For each row, how much of a place in the top it has, and its exposure; rows of equal score share both."""
    _, codes, tied = np.unique(-score, return_inverse=True, return_counts=True)
    last = np.cumsum(tied)
    first = last - tied
    seats = max(1.0, np.ceil(top * score.size))
    worth = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, score.size + 2)))])
    return (np.clip(seats - first, 0, tied) / tied)[codes], ((worth[last] - worth[first]) / tied)[codes]


def _of_group(case: Case, attribute: Attribute, place: int, hits: float, n: int, of_all: float) -> Finding:
    low, high = case.share_interval(hits, n)
    return Finding(
        check=_LEVEL,
        value=hits / n / of_all,
        low=low / of_all,
        high=high / of_all,
        n=n,
        unit="ratio",
        definition=f"Share of the group in the top {case.spec.top:.0%} of the ranking divided by its share of all rows.",
        group=Group(attribute=attribute.name, level=attribute.levels[place]),
    )


def _scaled(gap: Gap, by: float) -> Gap:
    return replace(gap, value=gap.value * by, interval=(gap.interval[0] * by, gap.interval[1] * by))


def _exposure_gap(case: Case, codes: Ints, exposure: Floats, rng: np.random.Generator) -> Gap:
    """Means of groups, with the spread of all rows together: a group low in the ranking looks too alike by itself."""
    rows = np.bincount(codes)
    means = np.bincount(codes, weights=exposure) / rows
    errors = float(exposure.std(ddof=1)) / np.sqrt(rows)
    deviations, order = np.empty((case.spec.bootstrap, rows.size)), np.lexsort((means, rows))
    deviations[:, order] = rng.normal(0, errors[order], size=deviations.shape)
    return widest_gap(means, deviations, errors, case.spec.confidence)


CHECK = Check(name="fairness.ranking", files=dict.fromkeys((_LEVEL, _TOP, _EXPOSURE), ALL), run=_run)
