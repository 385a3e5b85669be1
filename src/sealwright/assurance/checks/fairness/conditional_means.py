"""With predicted numbers: does a difference of means remain, vanish or turn round when like is compared with like?

The two groups whose mean predictions lie farthest apart are compared again within strata of one feature: the declared
one (assurance.legitimate), or the one that changes the difference most. In the second case the interval is as wide
as picking one of so many makes it (Bonferroni). The same for residuals (prediction minus true value).
"""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import REGRESSION, Check, Outcome
from sealwright.assurance.comparison import Ints, each_attribute, large_enough, too_few
from sealwright.assurance.intervals import Interval, z_of
from sealwright.assurance.model import Finding, Group, NotPerformed
from sealwright.assurance.strata import strata_of

__all__ = ["CHECK"]

_TEXTS = {
    "fairness.conditional_prediction_gap": "Mean prediction of the group with the highest minus that of the group with the"
    " lowest, compared within strata of one feature, in standard deviations of the target; below zero where it turns round.",
    "fairness.conditional_residual_gap": "The same for prediction minus true value: of the group with the highest mean minus"
    " that of the group with the lowest, within strata, in standard deviations of the target.",
}
_FEWEST = 2  # rows of a group in a stratum, below which it has no variance
_MOST_FEATURES = 500


class _View(NamedTuple):
    feature: str
    value: float
    interval: Interval
    strata: int
    rows: int


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    return each_attribute(case, list(_TEXTS), partial(_judge, case))


def _judge(case: Case, attribute: Attribute) -> Iterator[Finding | NotPerformed]:
    about, judged = Group(attribute=attribute.name), large_enough(case, attribute)
    spread = float(case.test.truth.std())
    measures = (case.test.outputs, case.test.outputs - case.test.truth)
    for name, values in zip(_TEXTS, measures, strict=True):
        if judged.size < 2:
            yield too_few(case, name, attribute, judged, "enough rows")
        elif spread == 0:
            yield NotPerformed(check=name, why="the target is the same in every test row", group=about)
        else:
            yield _of_measure(case, attribute, name, values / spread)


def _of_measure(case: Case, attribute: Attribute, name: str, values: Floats) -> Finding | NotPerformed:
    judged = large_enough(case, attribute)
    means = np.array([values[attribute.rows_of(int(place))].mean() for place in judged])
    pair = int(judged[int(np.argmax(means))]), int(judged[int(np.argmin(means))])
    crude = float(means.max() - means.min())
    features = _candidates(case, attribute)
    tries = len(features) * judged.size * (judged.size - 1) // 2
    sure = 1 - (1 - case.spec.confidence) / max(1, tries)
    views = [view for one in features if (view := _view(case, attribute, pair, one, values, sure)) is not None]
    if crude == 0 or not views:
        why = "the groups do not differ" if crude == 0 else "no feature has a stratum with rows of both groups"
        return NotPerformed(check=name, why=why, group=Group(attribute=attribute.name))
    most = max(views, key=lambda view: abs(view.value - crude))
    high, low = attribute.levels[pair[0]], attribute.levels[pair[1]]
    picked = "" if case.spec.legitimate else f" (of {len(features)} features the one that changes it most)"
    return Finding(
        check=name,
        value=most.value,
        low=most.interval[0],
        high=most.interval[1],
        n=most.rows,
        unit="sd of the target",
        definition=_TEXTS[name],
        group=Group(attribute=attribute.name),
        note=f"{high} minus {low}: {crude:+.3f} overall, {most.value:+.3f} within {most.strata} strata of"
        f" {most.feature}{picked}; {_words(crude, most)}",
    )


def _candidates(case: Case, attribute: Attribute) -> tuple[str, ...]:
    if case.spec.legitimate is not None:
        return (case.spec.legitimate,)
    return tuple(name for name in case.interface.names if name != attribute.name)[:_MOST_FEATURES]


def _view(
    case: Case, attribute: Attribute, pair: tuple[int, int], feature: str, values: Floats, confidence: float
) -> _View | None:
    """Differences within strata, weighed by n1 n0 / (n1 + n0), as Mantel and Haenszel weigh rates."""
    codes, names = strata_of(case.test.features.column(case.interface.names.index(feature)))
    (n1, m1, v1), (n0, m0, v0) = (_moments(codes, attribute.rows_of(at), values, len(names)) for at in pair)
    both = (n1 >= _FEWEST) & (n0 >= _FEWEST)
    if not both.any():
        return None
    weights = n1[both] * n0[both] / (n1[both] + n0[both])
    weights = weights / weights.sum()
    value = float((weights * (m1[both] - m0[both])).sum())
    variance = float((weights**2 * (v1[both] / n1[both] + v0[both] / n0[both])).sum())
    half = z_of(confidence) * float(np.sqrt(variance))
    return _View(feature, value, (value - half, value + half), int(both.sum()), int((n1 + n0)[both].sum()))


def _moments(codes: Ints, own: np.ndarray, values: Floats, strata: int) -> tuple[Floats, Floats, Floats]:
    """Rows, means and variances of one group in each stratum."""
    n = np.bincount(codes[own], minlength=strata).astype(np.float64)
    safe = np.maximum(n, 1.0)
    mean = np.bincount(codes[own], weights=values[own], minlength=strata) / safe
    away = (values[own] - mean[codes[own]]) ** 2
    return n, mean, np.bincount(codes[own], weights=away, minlength=strata) / np.maximum(n - 1, 1.0)


def _words(crude: float, view: _View) -> str:
    low, high = view.interval
    if view.value < 0:
        return (
            "the difference reverses (Simpson's paradox)"
            if high < 0
            else "the sign changes, but chance may account for it"
        )
    if low > 0:
        return "the difference remains" + ("" if view.value > crude / 2 else ", at less than half its size")
    return "within strata, chance may account for what is left"


CHECK = Check(name="fairness.conditional_means", files=dict.fromkeys(_TEXTS, REGRESSION), run=_run)
