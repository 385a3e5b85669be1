"""How many test rows belong to groups too small to judge. Small groups are counted, not hidden."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome
from sealwright.assurance.comparison import each_attribute, large_enough
from sealwright.assurance.model import Figure, Finding, Group, Series

__all__ = ["CHECK"]

_CHECK = "fairness.rows_not_judged_share"
_SHOWN = 100


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    return each_attribute(case, [_CHECK], partial(_judge, case))


def _judge(case: Case, attribute: Attribute) -> Iterator[Finding | Figure]:
    judged = large_enough(case, attribute)
    rows = np.bincount(attribute.codes, minlength=len(attribute.levels))
    small = [f"{level} ({rows[place]})" for place, level in enumerate(attribute.levels) if place not in judged]
    yield Finding(
        check=_CHECK,
        value=1 - float(rows[judged].sum()) / max(1, int(rows.sum())),
        n=int(rows.sum()),
        unit="share",
        definition=f"Share of test rows in groups of fewer than {case.spec.smallest_group} rows, which are not judged.",
        group=Group(attribute=attribute.name),
        note="; ".join(filter(None, [attribute.how, f"not judged: {', '.join(small[:20])}" if small else ""])),
    )
    yield Figure(
        name=f"fairness.sizes.{attribute.name}",
        kind="bars",
        title=f"Test rows by {attribute.name}",
        x=attribute.name,
        y="rows",
        series=(Series(name="rows", x=attribute.levels[:_SHOWN], y=tuple(rows[:_SHOWN].astype(float))),),
        note=attribute.how,
    )


CHECK = Check(name="fairness.coverage", files={_CHECK: ALL}, run=_run)
