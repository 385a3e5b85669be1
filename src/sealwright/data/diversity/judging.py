"""Which findings hold when all tests of a report are counted together, and what each group is called.

Answers: is a group absent, under-represented, too small, or is it hard to say?
Does not answer: how its numbers came about. That is `measuring`.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sealwright.data.diversity.chance import benjamini_hochberg, holm
from sealwright.data.diversity.report import GroupLine, Margin, State
from sealwright.data.diversity.spec import DiversitySpec

__all__ = ["adjusted"]


def adjusted(margins: Sequence[Margin], spec: DiversitySpec) -> list[Margin]:
    """Margins with p-values that count all tests of the report, and with the state of each group."""
    fits = _holm([margin.fit.p if margin.fit is not None else None for margin in margins])
    gaps = _holm([margin.outcome.p if margin.outcome is not None else None for margin in margins])
    tested = [group.p for margin in margins for group in margin.groups if group.p is not None]
    of_groups = iter(benjamini_hochberg(np.array(tested)) if tested else ())
    result = []
    for margin, fit, gap in zip(margins, fits, gaps, strict=True):
        lines = [
            group if group.p is None else replace(group, adjusted=float(next(of_groups))) for group in margin.groups
        ]
        plain = len(margin.attributes) == 1
        result.append(
            replace(
                margin,
                groups=tuple(replace(line, state=_state(line, spec, plain=plain)) for line in lines),
                fit=replace(margin.fit, adjusted=fit) if margin.fit is not None and fit is not None else None,
                outcome=replace(margin.outcome, adjusted=gap)
                if margin.outcome is not None and gap is not None
                else None,
            )
        )
    return result


def _holm(values: Sequence[float | None]) -> list[float | None]:
    there = [value for value in values if value is not None]
    adjusted = iter(holm(np.array(there)) if there else ())
    return [None if value is None else float(next(adjusted)) for value in values]


def _state(line: GroupLine, spec: DiversitySpec, *, plain: bool) -> State:
    below = line.ratio is not None and line.ratio < spec.under
    told = below and line.adjusted is not None and line.adjusted <= spec.false_discovery
    if line.rows == 0:
        if told or (plain and line.reference != 0):
            return "absent"
        return "unsure" if below else "empty"
    if told:
        return "under"
    if line.rows < spec.at_least:
        return "few"
    return "unsure" if below else "enough"
