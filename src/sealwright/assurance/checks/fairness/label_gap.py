"""Source of bias, labels: do the outcomes the model learned from already differ by group?

A difference may be real, may be past injustice written down as fact, or may come from how the outcome was
observed. Which of them, the rows cannot tell.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, REGRESSION, Check, Outcome
from sealwright.assurance.comparison import each_attribute, gap_finding
from sealwright.assurance.gaps import mean_gap, rate_gap
from sealwright.assurance.model import Finding, Group, NotPerformed

__all__ = ["CHECK"]

_RATE, _MEAN = "fairness.label_gap", "fairness.target_gap"


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    name = _MEAN if case.task == "regression" else _RATE
    return each_attribute(case, [name], partial(_judge, case, rng, name), needs_favourable=name == _RATE)


def _judge(case: Case, rng: np.random.Generator, name: str, attribute: Attribute) -> Iterator[Finding | NotPerformed]:
    train = next(one for one in case.train_attributes if one.name == attribute.name)
    rows = np.bincount(train.codes, minlength=len(train.levels)).astype(np.int64)
    judged = np.flatnonzero(rows >= case.spec.smallest_group)
    spread = float(case.train.truth.std()) if name == _MEAN else 1.0
    about = Group(attribute=attribute.name)
    if train.problem or judged.size < 2 or spread == 0:
        why = train.problem or (
            "the target is the same in every training row"
            if spread == 0
            else f"{judged.size} of {rows.size} groups have {case.spec.smallest_group} training rows; a comparison needs two"
        )
        yield NotPerformed(check=name, why=why, group=about)
        return
    n = int(rows[judged].sum())
    if name == _MEAN:
        groups = [case.train.truth[train.rows_of(int(place))] / spread for place in judged]
        gap = mean_gap(groups, case.spec.bootstrap, case.spec.confidence, rng)
        text = "Largest difference between groups in the mean target among training rows, in its standard deviations."
        yield gap_finding(name, train, judged, gap, n, "sd of the target", text)
        return
    hits = np.bincount(train.codes[case.train.truth == case.favourable], minlength=rows.size)[judged]
    gap = rate_gap(hits[None], rows[judged][None], case.spec.bootstrap, case.spec.confidence, rng)
    text = "Largest difference between groups in the share of training rows whose true outcome is the favourable one."
    yield gap_finding(name, train, judged, gap, n, "share", text)


CHECK = Check(name="fairness.label_gap", files={_RATE: CLASSES, _MEAN: REGRESSION}, run=_run, needs_training=True)
