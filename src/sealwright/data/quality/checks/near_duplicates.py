"""Rows that are almost copies of another row."""

import numpy as np

from sealwright.data.quality.check import Asked, Check, Checked, not_performed
from sealwright.data.quality.checks.duplicates import keys_of
from sealwright.data.quality.model import Fault
from sealwright.data.quality.nearness import near_pairs

__all__ = ["CHECK"]

_HIGH = 0.01


def _run(asked: Asked) -> Checked:
    frame = asked.frame
    found = near_pairs(frame, similar=asked.settings.similar_cells)
    if found.why_not:
        return not_performed(found.why_not)
    keys = keys_of(frame, list(frame.compared))
    near = keys[found.one] != keys[found.other]  # copies in every cell are exact duplicates
    rows = np.unique(found.other[near])
    if not rows.size:
        return Checked()
    fault = Fault(
        check="quality.near_duplicates",
        severity="high" if rows.size / frame.rows >= _HIGH else "medium",
        columns=(),
        rows=frame.named(rows, asked.settings.rows_named),
        count=int(rows.size),
        of=frame.rows,
        unit="rows",
        found=f"{rows.size:,} of {frame.rows:,} rows are equal to an earlier row in at least"
        f" {asked.settings.similar_cells:.0%} of their cells, which chance does not explain.",
        why="One case recorded twice with a slip counts twice, and may stand on both sides of the split.",
        todo="Compare these rows with their source; drop near copies by a declared step (drop_near_duplicates).",
    )
    return Checked(faults=(fault,))


CHECK = Check(name="near_duplicates", run=_run)
