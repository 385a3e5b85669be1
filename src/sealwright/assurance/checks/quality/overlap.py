"""How many test rows the model has already seen in training."""

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome
from sealwright.assurance.model import Finding
from sealwright.data.quality import row_keys, seen_in

__all__ = ["CHECK"]


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    names = (*case.interface.names, case.interface.target)
    seen = seen_in(row_keys(case.test_table, names), row_keys(case.train_table, names))
    low, high = case.share_interval(int(seen.sum()), seen.size)
    finding = Finding(
        check="quality.overlap_share",
        value=float(seen.mean()),
        low=low,
        high=high,
        n=seen.size,
        unit="share",
        definition="Share of test rows that also occur in the training rows, equal in every feature and the target.",
    )
    return Outcome(findings=(finding,))


CHECK = Check(name="quality.overlap", files={"quality.overlap_share": ALL}, run=_run, needs_training=True)
