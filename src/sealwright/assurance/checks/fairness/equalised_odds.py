"""Are both kinds of error equally likely in every group (equalised odds)?"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Check, Outcome
from sealwright.assurance.comparison import each_attribute, gap_finding, large_enough, tally, too_few
from sealwright.assurance.gaps import rate_gap
from sealwright.assurance.model import Finding, NotPerformed

__all__ = ["CHECK"]

_CHECK = "fairness.equalised_odds_gap"
_DEFINITION = "Larger of two differences between groups: in the true positive rate and in the false positive rate."


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    return each_attribute(case, [_CHECK], partial(_judge, case, rng), needs_favourable=True)


def _judge(case: Case, rng: np.random.Generator, attribute: Attribute) -> Iterator[Finding | NotPerformed]:
    assert case.favourable is not None
    counts = tally(case, attribute, case.favourable)
    judged = large_enough(case, attribute, counts.positives, counts.negatives)
    if judged.size < 2:
        yield too_few(case, _CHECK, attribute, judged, "enough rows of both true outcomes")
        return
    hits = np.stack([counts.hits[judged], counts.false_alarms[judged]])
    rows = np.stack([counts.positives[judged], counts.negatives[judged]])
    gap = rate_gap(hits, rows, case.spec.bootstrap, case.spec.confidence, rng)
    found = gap_finding(_CHECK, attribute, judged, gap, int(rows.sum()), "share", _DEFINITION)
    which = ("true", "false")[gap.kind]
    yield replace(found, note=f"larger in the {which} positive rate; {found.note}")


CHECK = Check(name=_CHECK, files={_CHECK: CLASSES}, run=_run)
