"""Which kind of error falls on which group: wrongly refused, or wrongly favoured?

The false negative rate is one minus the true positive rate, so its gap equals that of equal opportunity; it
is filed under its own name, because the harm has that name.
"""

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

_MISSED, _FALSE = "fairness.false_negative_rate_gap", "fairness.false_positive_rate_gap"
_TEXTS = {
    _MISSED: "Largest difference between groups in the share of truly favourable rows that are refused.",
    _FALSE: "Largest difference between groups in the share of other rows that are decided favourably.",
}


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    return each_attribute(case, list(_TEXTS), partial(_judge, case, rng), needs_favourable=True)


def _judge(case: Case, rng: np.random.Generator, attribute: Attribute) -> Iterator[Finding | NotPerformed]:
    assert case.favourable is not None
    counts = tally(case, attribute, case.favourable)
    kinds = (
        (_MISSED, counts.positives - counts.hits, counts.positives, "the favourable"),
        (_FALSE, counts.false_alarms, counts.negatives, "another"),
    )
    for name, errors, rows, outcome in kinds:
        judged = large_enough(case, attribute, rows)
        if judged.size < 2:
            yield too_few(case, name, attribute, judged, f"enough rows of {outcome} true outcome")
            continue
        gap = rate_gap(errors[judged][None], rows[judged][None], case.spec.bootstrap, case.spec.confidence, rng)
        yield gap_finding(name, attribute, judged, gap, int(rows[judged].sum()), "share", _TEXTS[name])


CHECK = Check(name="fairness.error_rates", files=dict.fromkeys(_TEXTS, CLASSES), run=_run)
