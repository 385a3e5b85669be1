"""With predicted numbers: is a group predicted too high or too low, and how much larger are its errors?"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import REGRESSION, Check, Outcome
from sealwright.assurance.comparison import each_attribute, gap_finding, large_enough, not_judged, too_few
from sealwright.assurance.gaps import Gap, mean_gap, widest_gap
from sealwright.assurance.intervals import mean_interval
from sealwright.assurance.model import Finding, Group, NotPerformed

__all__ = ["CHECK"]

_MEAN, _GAP, _RATIO = "fairness.mean_residual", "fairness.mean_residual_gap", "fairness.error_ratio"
_TEXTS = {
    _MEAN: "Mean prediction minus mean true value within the group, in standard deviations of the target.",
    _GAP: "Largest difference between groups in the mean of prediction minus true value, in standard deviations of the"
    " target.",
    _RATIO: "Lowest mean absolute error of any group divided by the highest; 1 means errors of equal size.",
}


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    return each_attribute(case, list(_TEXTS), partial(_judge, case, rng))


def _judge(case: Case, rng: np.random.Generator, attribute: Attribute) -> Iterator[Finding | NotPerformed]:
    spread = float(case.test.truth.std())
    if spread == 0:
        about = Group(attribute=attribute.name)
        why = "the target is the same in every test row"
        yield from (NotPerformed(check=name, why=why, group=about) for name in _TEXTS)
        return
    residuals = (case.test.outputs - case.test.truth) / spread
    judged = large_enough(case, attribute)
    for place in range(len(attribute.levels)):
        if place in judged:
            yield _of_group(case, attribute, place, residuals[attribute.rows_of(place)])
        else:
            yield not_judged(case, _MEAN, attribute, place)
    if judged.size < 2:
        yield from (too_few(case, name, attribute, judged, "enough rows") for name in (_GAP, _RATIO))
        return
    groups = [residuals[attribute.rows_of(place)] for place in judged]
    n = sum(own.size for own in groups)
    gap = mean_gap(groups, case.spec.bootstrap, case.spec.confidence, rng)
    yield gap_finding(_GAP, attribute, judged, gap, n, "sd of the target", _TEXTS[_GAP])
    ratio = _ratio(case, [np.abs(own) for own in groups], rng)
    if ratio is None:
        why = "a group is predicted without any error, so there is no ratio"
        yield NotPerformed(check=_RATIO, why=why, group=Group(attribute=attribute.name))
    else:
        yield gap_finding(_RATIO, attribute, judged, ratio, n, "ratio", _TEXTS[_RATIO])


def _of_group(case: Case, attribute: Attribute, place: int, own: Floats) -> Finding:
    mean, (low, high) = mean_interval(own, case.spec.confidence)
    return Finding(
        check=_MEAN,
        value=mean,
        low=low,
        high=high,
        n=own.size,
        unit="sd of the target",
        definition=_TEXTS[_MEAN],
        group=Group(attribute=attribute.name, level=attribute.levels[place]),
        note="above zero: predicted too high on average" if mean > 0 else "",
    )


def _ratio(case: Case, errors: list[Floats], rng: np.random.Generator) -> Gap | None:
    """Simultaneous on the log scale, where the standard error of a mean is its coefficient of variation."""
    means = np.array([own.mean() for own in errors])
    if (means == 0).any():
        return None
    relative = np.array([own.std(ddof=1) / np.sqrt(own.size) for own in errors]) / means
    order = np.lexsort((means, np.array([own.size for own in errors])))
    deviations = np.empty((case.spec.bootstrap, means.size))
    deviations[:, order] = rng.normal(0, relative[order], size=deviations.shape)
    gap = widest_gap(np.log(means), deviations, relative, case.spec.confidence)
    value = float(means.min() / means.max())
    low, high = float(np.exp(-gap.interval[1])), float(np.exp(-gap.interval[0]))
    return Gap(value, (min(low, value), max(high, value)), 0, gap.higher, gap.lower)


CHECK = Check(name="fairness.residuals", files=dict.fromkeys(_TEXTS, REGRESSION), run=_run)
