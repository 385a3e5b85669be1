"""How many rows the data contract set aside."""

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, skipped
from sealwright.assurance.model import Finding

__all__ = ["CHECK"]

_CHECK = "quality.quarantine_share"


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    if case.quarantined is None:
        why = "these rows were not taken in through a data contract, so none were set aside"
        return skipped([_CHECK], why, applicable=False)
    rows = case.quarantined + case.train_table.num_rows + case.test_table.num_rows
    low, high = case.share_interval(case.quarantined, rows)
    finding = Finding(
        check=_CHECK,
        value=case.quarantined / rows,
        low=low,
        high=high,
        n=rows,
        unit="share",
        definition="Share of delivered rows that broke the data contract and were set aside.",
    )
    return Outcome(findings=(finding,))


CHECK = Check(name="quality.quarantine", files={_CHECK: ALL}, run=_run)
