"""With predicted numbers: do groups get higher predictions, or larger errors?

Gaps are in standard deviations of the target, so that one limit can serve any unit.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.bars import bars
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import REGRESSION, Check, Outcome
from sealwright.assurance.comparison import each_attribute, gap_finding, large_enough, not_judged, too_few
from sealwright.assurance.gaps import mean_gap
from sealwright.assurance.intervals import mean_interval
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed

__all__ = ["CHECK"]

_PREDICTION, _ERROR = "fairness.mean_prediction", "fairness.mean_error"
_GAPS = {
    _PREDICTION: (
        "fairness.mean_prediction_gap",
        "Mean prediction for the group.",
        "Largest difference between groups in the mean prediction, in standard deviations of the target.",
    ),
    _ERROR: (
        "fairness.error_gap",
        "Mean absolute error within the group.",
        "Largest difference between groups in the mean absolute error, in standard deviations of the target.",
    ),
}


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    return each_attribute(case, list(CHECK.files), partial(_judge, case, rng))


def _judge(case: Case, rng: np.random.Generator, attribute: Attribute) -> Iterator[Finding | NotPerformed | Figure]:
    measures = {_PREDICTION: case.test.outputs, _ERROR: np.abs(case.test.outputs - case.test.truth)}
    series = []
    for name, values in measures.items():
        filed = [_level(case, attribute, place, name, values) for place in range(len(attribute.levels))]
        yield from filed
        yield _gap(case, rng, attribute, name, values)
        series.append(bars(name, [item for item in filed if isinstance(item, Finding)]))
    yield Figure(
        name=f"fairness.means.{attribute.name}",
        kind="bars",
        title=f"Predictions and errors by {attribute.name}",
        x=attribute.name,
        y=f"units of {case.interface.target}",
        series=tuple(series),
        note=attribute.how,
    )


def _level(case: Case, attribute: Attribute, place: int, name: str, values: Floats) -> Finding | NotPerformed:
    group = Group(attribute=attribute.name, level=attribute.levels[place])
    own = values[attribute.rows_of(place)]
    if own.size < case.spec.smallest_group:
        return not_judged(case, name, attribute, place)
    mean, (low, high) = mean_interval(own, case.spec.confidence)
    return Finding(
        check=name,
        value=mean,
        low=low,
        high=high,
        n=own.size,
        unit=f"units of {case.interface.target}",
        definition=_GAPS[name][1],
        group=group,
    )


def _gap(
    case: Case, rng: np.random.Generator, attribute: Attribute, name: str, values: Floats
) -> Finding | NotPerformed:
    check, _, text = _GAPS[name]
    judged = large_enough(case, attribute)
    if judged.size < 2:
        return too_few(case, check, attribute, judged, "enough rows")
    spread = float(case.test.truth.std())
    if spread == 0:
        about = Group(attribute=attribute.name)
        return NotPerformed(check=check, why="the target is the same in every test row", group=about)
    groups = [values[attribute.rows_of(place)] / spread for place in judged]
    gap = mean_gap(groups, case.spec.bootstrap, case.spec.confidence, rng)
    rows = sum(own.size for own in groups)
    return gap_finding(check, attribute, judged, gap, rows, "sd of the target", text)


CHECK = Check(
    name="fairness.means",
    files={name: REGRESSION for key, (gap, _, _) in _GAPS.items() for name in (key, gap)},
    run=_run,
)
