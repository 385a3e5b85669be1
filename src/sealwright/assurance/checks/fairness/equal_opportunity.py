"""Are those who deserve the favourable outcome equally likely to get it (equal opportunity)?"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Check, Outcome
from sealwright.assurance.comparison import each_attribute, gap_finding, large_enough, tally, too_few
from sealwright.assurance.gaps import rate_gap
from sealwright.assurance.model import Finding, NotPerformed

__all__ = ["CHECK"]

_CHECK = "fairness.equal_opportunity_gap"
_DEFINITION = "Largest difference between groups in the share of truly favourable rows that are decided so."


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    return each_attribute(case, [_CHECK], partial(_judge, case, rng), needs_favourable=True)


def _judge(case: Case, rng: np.random.Generator, attribute: Attribute) -> Iterator[Finding | NotPerformed]:
    assert case.favourable is not None
    counts = tally(case, attribute, case.favourable)
    judged = large_enough(case, attribute, counts.positives)
    if judged.size < 2:
        yield too_few(case, _CHECK, attribute, judged, "enough rows of the favourable true outcome")
        return
    rows = counts.positives[judged]
    gap = rate_gap(counts.hits[judged][None], rows[None], case.spec.bootstrap, case.spec.confidence, rng)
    yield gap_finding(_CHECK, attribute, judged, gap, int(rows.sum()), "share", _DEFINITION)


CHECK = Check(name=_CHECK, files={_CHECK: CLASSES}, run=_run)
