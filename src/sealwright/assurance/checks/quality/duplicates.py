"""How many rows are exact copies of another row."""

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome
from sealwright.assurance.model import Finding
from sealwright.data.quality import repeats_of, row_keys

__all__ = ["CHECK"]


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    names = (*case.interface.names, case.interface.target)
    keys = np.concatenate([row_keys(table, names) for table in (case.train_table, case.test_table)])
    copies = int(repeats_of(keys).sum())
    low, high = case.share_interval(copies, keys.size)
    finding = Finding(
        check="quality.duplicate_share",
        value=copies / keys.size,
        low=low,
        high=high,
        n=keys.size,
        unit="share",
        definition="Share of rows that repeat an earlier row in every feature and in the target.",
    )
    return Outcome(findings=(finding,))


CHECK = Check(name="quality.duplicates", files={"quality.duplicate_share": ALL}, run=_run)
