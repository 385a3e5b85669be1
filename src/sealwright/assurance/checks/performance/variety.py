"""Whether the model reads its input at all: how many different predictions it gives."""

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome
from sealwright.assurance.model import Finding

__all__ = ["CHECK"]

_CHECK = "performance.distinct_predictions"
_DIGITS = 9  # differences below are rounding, not an answer


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    outputs = case.test.outputs if case.task == "regression" else case.test.outputs[:, 0]
    distinct = np.unique(np.round(outputs, _DIGITS)).size
    variety = Finding(
        check=_CHECK,
        value=distinct,
        n=len(case.test),
        unit="count",
        definition="Number of different predictions the model gives for the test rows; 1 means it ignores its input.",
        note="the model gives every row the same prediction" if distinct == 1 else "",
    )
    return Outcome(findings=(variety,))


CHECK = Check(name="performance.variety", files={_CHECK: ALL}, run=_run)
