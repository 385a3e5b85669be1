"""Whether the model is better than the version before it, on the same rows."""

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, CLASSES, Check, Outcome, collected, skipped
from sealwright.assurance.rival import against

__all__ = ["CHECK"]

_GAIN, _DECISIONS = "performance.gain_over_previous", "performance.decisions_over_previous"


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    if case.previous is None:
        files = [_GAIN, *([] if case.task == "regression" else [_DECISIONS])]
        return skipped(files, "no earlier version was given to compare with", applicable=False)
    return collected(against(case, case.previous, "previous", "the previous version", rng))


CHECK = Check(name="performance.previous", files={_GAIN: ALL, _DECISIONS: CLASSES}, run=_run)
