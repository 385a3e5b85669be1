"""How many features never vary, so that nothing can be learned from them."""

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome
from sealwright.assurance.model import Finding
from sealwright.data.quality import is_constant

__all__ = ["CHECK"]


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    names = case.interface.names
    constant = [name for name in names if is_constant(case.train_table.column(name))]
    finding = Finding(
        check="quality.constant_columns",
        value=len(constant),
        n=case.train_table.num_rows,
        unit="count",
        definition="Number of features that hold one single value in all training rows.",
        note=", ".join(constant[:20]),
    )
    return Outcome(findings=(finding,))


CHECK = Check(name="quality.constants", files={"quality.constant_columns": ALL}, run=_run, needs_training=True)
