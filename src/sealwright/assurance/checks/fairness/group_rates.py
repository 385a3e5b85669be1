"""What each group gets: how often chosen, how often rightly and wrongly chosen, how often decided rightly."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.bars import bars
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Check, Outcome
from sealwright.assurance.comparison import Ints, each_attribute, large_enough, not_judged, tally
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed

__all__ = ["CHECK"]

_RATES = {
    "fairness.selection_rate": "Share of the group that gets the favourable outcome.",
    "fairness.true_positive_rate": "Share of the group's rows with the favourable true outcome that are decided so.",
    "fairness.false_positive_rate": "Share of the group's other rows that are nevertheless decided favourably.",
}


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    return each_attribute(case, list(_RATES), partial(_judge, case), needs_favourable=True)


def _judge(case: Case, attribute: Attribute) -> Iterator[Finding | NotPerformed | Figure]:
    assert case.favourable is not None
    counts = tally(case, attribute, case.favourable)
    pairs = (
        (counts.selected, counts.rows),
        (counts.hits, counts.positives),
        (counts.false_alarms, counts.negatives),
    )
    judged = set(large_enough(case, attribute).tolist())
    series = []
    for name, (hits, rows) in zip(_RATES, pairs, strict=True):
        filed = [
            _one(case, attribute, place, name, hits, rows, place in judged) for place in range(len(attribute.levels))
        ]
        yield from filed
        series.append(bars(name, [item for item in filed if isinstance(item, Finding)]))
    yield Figure(
        name=f"fairness.rates.{attribute.name}",
        kind="bars",
        title=f"Rates by {attribute.name}",
        x=attribute.name,
        y="share",
        series=tuple(series),
        note=attribute.how,
    )


def _one(
    case: Case, attribute: Attribute, place: int, name: str, hits: Ints, rows: Ints, judged: bool
) -> Finding | NotPerformed:
    group = Group(attribute=attribute.name, level=attribute.levels[place])
    n, k = int(rows[place]), int(hits[place])
    if not judged:
        return not_judged(case, name, attribute, place)
    if n < (case.spec.smallest_part if name != "fairness.selection_rate" else 1):
        why = f"{n} rows of the group have the true outcome it is a rate of; fewer than {case.spec.smallest_part}"
        return NotPerformed(check=name, why=why, group=group)
    low, high = case.share_interval(k, n)
    return Finding(check=name, value=k / n, low=low, high=high, n=n, unit="share", definition=_RATES[name], group=group)


CHECK = Check(name="fairness.group_rates", files=dict.fromkeys(_RATES, CLASSES), run=_run)
