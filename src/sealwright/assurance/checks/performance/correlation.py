"""How far decisions and truth go together, with all four kinds of right and wrong counted: Matthews correlation.

Unlike accuracy and F1 it is not lifted by a class that is merely frequent (Chicco & Jurman 2020).
"""

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Check, Outcome, collected, skipped
from sealwright.assurance.model import Finding
from sealwright.assurance.tables import correlation, correlation_interval, decision_table

__all__ = ["CHECK"]

_CHECK = "performance.matthews_correlation"


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    table = decision_table(case.test.truth, case.decisions, len(case.interface.classes))
    if np.count_nonzero(table.sum(axis=1)) < 2:
        return skipped([_CHECK], "the test rows hold one single outcome, so nothing can go together with it")
    low, high = correlation_interval(table, case.spec.bootstrap, case.spec.confidence, rng)
    alike = np.count_nonzero(table.sum(axis=0)) == 1
    finding = Finding(
        check=_CHECK,
        value=float(correlation(table[None].astype(np.float64))[0]),
        low=low,
        high=high,
        n=len(case.test),
        unit="correlation",
        definition="Matthews correlation of decision and truth: 1 all right, 0 no better than blind, -1 all wrong.",
        note="all rows were decided alike, which counts as 0" if alike else "",
    )
    return collected([finding])


CHECK = Check(name="performance.correlation", files={_CHECK: CLASSES}, run=_run)
