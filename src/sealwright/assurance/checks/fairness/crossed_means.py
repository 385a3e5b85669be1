"""With predicted numbers: is a group that only appears when attributes are crossed predicted unlike everybody else?

Every crossed group that is large enough is held against all other rows by Welch's test, for the prediction and for the
residual (prediction minus true value); all p-values are adjusted together (Benjamini & Hochberg 1995). Whether a
high number is good or bad the data does not say, so the test looks both ways.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import REGRESSION, Check, Outcome, collected, skipped
from sealwright.assurance.comparison import large_enough, sensitive
from sealwright.assurance.crossing import crossed_attributes
from sealwright.assurance.intervals import z_of
from sealwright.assurance.model import Finding, Group, NotPerformed
from sealwright.assurance.paired import normal_p

__all__ = ["CHECK"]

_PREDICTION, _RESIDUAL = "fairness.crossed_prediction_gap", "fairness.crossed_residual_gap"
_COUNT = "fairness.crossed_groups_apart"
_TEXTS = {
    _PREDICTION: "Largest distance between the mean prediction of a crossed group and that of all other rows, in standard"
    " deviations of the target.",
    _RESIDUAL: "Largest distance between a crossed group and all other rows in the mean of prediction minus true value, in"
    " standard deviations of the target.",
}
_ALL = (*_TEXTS, _COUNT)
_NAMED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Apart:
    """One crossed group against all others, in one measure."""

    check: str
    attribute: str
    level: str
    rows: int
    difference: float  # group minus others
    error: float

    @property
    def p(self) -> float:
        return normal_p(self.difference, self.error)


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    if (none := sensitive(case, _ALL)) is not None:
        return none
    crossed = crossed_attributes(case)
    if isinstance(crossed, str):
        return skipped(_ALL, crossed, applicable=False)
    spread = float(case.test.truth.std())
    if spread == 0:
        return skipped(_ALL, "the target is the same in every test row")
    measures = {
        _PREDICTION: case.test.outputs / spread,
        _RESIDUAL: (case.test.outputs - case.test.truth) / spread,
    }
    apart = [one for attribute in crossed for one in _held_against_others(case, attribute, measures)]
    return collected(_findings(case, crossed, apart))


def _held_against_others(case: Case, attribute: Attribute, measures: dict[str, Floats]) -> Iterator[_Apart]:
    for place in large_enough(case, attribute):
        own = attribute.rows_of(int(place))
        if (~own).sum() < 2:
            continue
        for check, values in measures.items():
            a, b = values[own], values[~own]
            yield _Apart(
                check=check,
                attribute=attribute.name,
                level=attribute.levels[place],
                rows=a.size,
                difference=float(a.mean() - b.mean()),
                error=float(np.sqrt(a.var(ddof=1) / a.size + b.var(ddof=1) / b.size)),
            )


def _findings(case: Case, crossed: list[Attribute], apart: list[_Apart]) -> Iterator[Finding | NotPerformed]:
    if not apart:
        why = f"no crossed group is large enough (fewest: {case.spec.smallest_group} rows)"
        yield from (NotPerformed(check=name, why=why) for name in _ALL)
        return
    from sealwright.data.diversity import benjamini_hochberg

    adjusted = dict(zip(apart, benjamini_hochberg(np.array([one.p for one in apart])).tolist(), strict=True))
    for attribute in crossed:
        for check in _TEXTS:
            ones = [one for one in apart if one.check == check and one.attribute == attribute.name]
            if ones:
                yield _farthest(case, attribute, ones, adjusted)
            else:
                why = f"no crossed group is large enough (fewest: {case.spec.smallest_group} rows)"
                yield NotPerformed(check=check, why=why, group=Group(attribute=attribute.name))
    found = {one.level: min(adjusted[one], 1.0) for one in apart if adjusted[one] <= 1 - case.spec.confidence}
    named = sorted(found, key=lambda level: (found[level], level))
    yield Finding(
        check=_COUNT,
        value=len(found),
        n=len(case.test),
        unit="count",
        definition="Number of crossed groups whose mean prediction or mean residual lies apart from that of all others, at an"
        f" adjusted p of at most {1 - case.spec.confidence:.3g}.",
        note="; ".join(
            [
                f"of {len({(one.attribute, one.level) for one in apart})} crossed groups",
                *(f"{one} (p = {found[one]:.2g})" for one in named[:_NAMED]),
            ]
        ),
    )


def _farthest(case: Case, attribute: Attribute, ones: list[_Apart], adjusted: dict[_Apart, float]) -> Finding:
    one = max(ones, key=lambda item: (abs(item.difference), item.rows))
    half = z_of(1 - (1 - case.spec.confidence) / len(ones)) * one.error  # it was picked as the farthest of so many
    value = abs(one.difference)
    return Finding(
        check=one.check,
        value=value,
        low=max(0.0, value - half),
        high=value + half,
        n=len(case.test),
        unit="sd of the target",
        definition=_TEXTS[one.check],
        group=Group(attribute=attribute.name),
        note=f"farthest: {one.level} ({one.rows} rows, {one.difference:+.3f}); adjusted p = {adjusted[one]:.2g}"
        f" (Welch's test, Benjamini-Hochberg over {len(adjusted)} tests)",
    )


CHECK = Check(name="fairness.crossed_means", files=dict.fromkeys(_ALL, REGRESSION), run=_run)
