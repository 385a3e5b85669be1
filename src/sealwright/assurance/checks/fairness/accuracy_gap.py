"""Is the model equally often right for every group?"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Check, Outcome
from sealwright.assurance.comparison import each_attribute, gap_finding, large_enough, not_judged, too_few
from sealwright.assurance.gaps import rate_gap
from sealwright.assurance.model import Finding, Group, NotPerformed

__all__ = ["CHECK"]

_RATE, _GAP = "fairness.accuracy", "fairness.accuracy_gap"


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    return each_attribute(case, [_RATE, _GAP], partial(_judge, case, rng))


def _judge(case: Case, rng: np.random.Generator, attribute: Attribute) -> Iterator[Finding | NotPerformed]:
    rows = np.bincount(attribute.codes, minlength=len(attribute.levels))
    right = np.bincount(attribute.codes[case.decisions == case.test.truth], minlength=len(attribute.levels))
    judged = large_enough(case, attribute)
    for place, level in enumerate(attribute.levels):
        group = Group(attribute=attribute.name, level=level)
        n = int(rows[place])
        if place not in judged:
            yield not_judged(case, _RATE, attribute, place)
            continue
        low, high = case.share_interval(int(right[place]), n)
        yield Finding(
            check=_RATE,
            value=right[place] / n,
            low=low,
            high=high,
            n=n,
            unit="share",
            definition="Share of the group's rows decided rightly.",
            group=group,
        )
    if judged.size < 2:
        yield too_few(case, _GAP, attribute, judged, "enough rows")
        return
    gap = rate_gap(right[judged][None], rows[judged][None], case.spec.bootstrap, case.spec.confidence, rng)
    text = "Largest difference between groups in the share decided rightly."
    yield gap_finding(_GAP, attribute, judged, gap, int(rows[judged].sum()), "share", text)


CHECK = Check(name="fairness.accuracy_gap", files={_RATE: CLASSES, _GAP: CLASSES}, run=_run)
