"""Does the favourable decision mean the same in every group (predictive parity)?

Of those decided favourably, how many truly are? Where base rates differ, no model short of a perfect one
can have this alike and both error rates alike as well (Chouldechova 2017; Kleinberg et al. 2017), so a gap
here and none in equalised odds is no contradiction.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Check, Outcome
from sealwright.assurance.comparison import each_attribute, gap_finding, large_enough, not_judged, tally, too_few
from sealwright.assurance.gaps import rate_gap
from sealwright.assurance.model import Finding, Group, NotPerformed

__all__ = ["CHECK"]

_RATE, _GAP = "fairness.positive_predictive_value", "fairness.predictive_parity_gap"


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    return each_attribute(case, [_RATE, _GAP], partial(_judge, case, rng), needs_favourable=True)


def _judge(case: Case, rng: np.random.Generator, attribute: Attribute) -> Iterator[Finding | NotPerformed]:
    assert case.favourable is not None
    counts = tally(case, attribute, case.favourable)
    judged = large_enough(case, attribute, counts.selected)
    for place, level in enumerate(attribute.levels):
        n, group = int(counts.selected[place]), Group(attribute=attribute.name, level=level)
        if counts.rows[place] < case.spec.smallest_group:
            yield not_judged(case, _RATE, attribute, place)
        elif place not in judged:
            why = f"{n} rows of the group are decided favourably; fewer than {case.spec.smallest_part}"
            yield NotPerformed(check=_RATE, why=why, group=group)
        else:
            low, high = case.share_interval(int(counts.hits[place]), n)
            yield Finding(
                check=_RATE,
                value=counts.hits[place] / n,
                low=low,
                high=high,
                n=n,
                unit="share",
                definition="Share of the group's favourable decisions whose true outcome is the favourable one.",
                group=group,
            )
    if judged.size < 2:
        yield too_few(case, _GAP, attribute, judged, "enough rows decided favourably")
        return
    rows = counts.selected[judged]
    gap = rate_gap(counts.hits[judged][None], rows[None], case.spec.bootstrap, case.spec.confidence, rng)
    text = "Largest difference between groups in the share of favourable decisions that are right."
    yield gap_finding(_GAP, attribute, judged, gap, int(rows.sum()), "share", text)


CHECK = Check(name="fairness.predictive_parity", files={_RATE: CLASSES, _GAP: CLASSES}, run=_run)
