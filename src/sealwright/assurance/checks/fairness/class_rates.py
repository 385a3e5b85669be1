"""With more than two classes: is any class decided more often for one group than for another?"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.case import Case
from sealwright.assurance.check import MULTICLASS, Check, Outcome
from sealwright.assurance.comparison import each_attribute, gap_finding, large_enough, too_few
from sealwright.assurance.gaps import rate_gap
from sealwright.assurance.model import Finding, NotPerformed

__all__ = ["CHECK"]

_CHECK = "fairness.class_rate_gap"


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    return each_attribute(case, [_CHECK], partial(_judge, case, rng))


def _judge(case: Case, rng: np.random.Generator, attribute: Attribute) -> Iterator[Finding | NotPerformed]:
    judged = large_enough(case, attribute)
    if judged.size < 2:
        yield too_few(case, _CHECK, attribute, judged, "enough rows")
        return
    classes, levels = len(case.interface.classes), len(attribute.levels)
    table = np.bincount(case.decisions * levels + attribute.codes, minlength=classes * levels).reshape(classes, levels)
    hits = table[:, judged]
    rows = np.broadcast_to(hits.sum(axis=0), hits.shape)
    gap = rate_gap(hits, rows, case.spec.bootstrap, case.spec.confidence, rng)
    text = "Largest difference between groups in the share that is decided to be of one class, over all classes."
    found = gap_finding(_CHECK, attribute, judged, gap, int(hits.sum()), "share", text)
    yield replace(found, note=f"largest for class {case.interface.classes[gap.kind]}; {found.note}")


CHECK = Check(name=_CHECK, files={_CHECK: MULTICLASS}, run=_run)
