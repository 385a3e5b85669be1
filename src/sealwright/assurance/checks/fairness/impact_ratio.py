"""How many favourable outcomes does the worst-off group get for each one of the best-off group?

A ratio of rates, as used in employment selection. It is a description, not a test of law.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Check, Outcome
from sealwright.assurance.comparison import each_attribute, gap_finding, large_enough, tally, too_few
from sealwright.assurance.gaps import rate_ratio
from sealwright.assurance.model import Finding, Group, NotPerformed

__all__ = ["CHECK"]

_CHECK = "fairness.impact_ratio"
_DEFINITION = "Lowest selection rate of any group divided by the highest; a description, not a legal test."


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    return each_attribute(case, [_CHECK], partial(_judge, case, rng), needs_favourable=True)


def _judge(case: Case, rng: np.random.Generator, attribute: Attribute) -> Iterator[Finding | NotPerformed]:
    assert case.favourable is not None
    counts = tally(case, attribute, case.favourable)
    judged = large_enough(case, attribute)
    if judged.size < 2:
        yield too_few(case, _CHECK, attribute, judged, "enough rows")
        return
    rows = counts.rows[judged]
    ratio = rate_ratio(counts.selected[judged], rows, case.spec.bootstrap, case.spec.confidence, rng)
    if ratio is None:
        about = Group(attribute=attribute.name)
        yield NotPerformed(check=_CHECK, why="no row of any group gets the favourable outcome", group=about)
        return
    yield gap_finding(_CHECK, attribute, judged, ratio, int(rows.sum()), "ratio", _DEFINITION)


CHECK = Check(name=_CHECK, files={_CHECK: CLASSES}, run=_run)
