"""How many numbers lie far outside the bulk of their column."""

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, skipped
from sealwright.assurance.features import as_floats
from sealwright.assurance.model import Finding, Group, NotPerformed
from sealwright.data.quality import beyond_fences

__all__ = ["CHECK"]

_CHECK = "quality.outlier_share"


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    columns = [item.name for item in case.interface.numbers if item.type in ("integer", "number")]
    if not columns:
        return skipped([_CHECK], "the model takes no numbers", applicable=False)
    findings, skips = [], []
    for name in columns:
        values = np.concatenate([as_floats(table.column(name), name) for table in (case.train_table, case.test_table)])
        values = values[np.isfinite(values)]
        if values.size == 0:
            skips.append(NotPerformed(check=_CHECK, why="the column is empty", group=Group(attribute=name)))
            continue
        beyond = beyond_fences(values)
        if beyond is None:
            why = "the middle half of the column is one value, so nothing says how far is far"
            skips.append(NotPerformed(check=_CHECK, why=why, group=Group(attribute=name)))
            continue
        far = int(beyond.sum())
        low, high = case.share_interval(far, values.size)
        findings.append(
            Finding(
                check=_CHECK,
                value=far / values.size,
                low=low,
                high=high,
                n=values.size,
                unit="share",
                definition="Share of values more than three interquartile ranges outside the middle half.",
                group=Group(attribute=name),
            )
        )
    return Outcome(findings=tuple(findings), not_performed=tuple(skips))


CHECK = Check(name="quality.outliers", files={_CHECK: ALL}, run=_run)
