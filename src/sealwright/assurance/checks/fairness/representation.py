"""Source of bias, representation: are groups as frequent in the training data as among the people it is for?

Held against declared shares (assurance.reference), else against the test rows. The second tells apart only
how training and test rows were drawn: both may lack the same people.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome
from sealwright.assurance.comparison import each_attribute
from sealwright.assurance.intervals import Interval, difference
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed, Series

__all__ = ["CHECK"]

_SHARE, _GAP = "fairness.training_share", "fairness.representation_gap"
_SHOWN = 40


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    return each_attribute(case, [_SHARE, _GAP], partial(_judge, case))


def _judge(case: Case, attribute: Attribute) -> Iterator[Finding | NotPerformed | Figure]:
    train = next(one for one in case.train_attributes if one.name == attribute.name)
    about = Group(attribute=attribute.name)
    if train.problem:
        yield from (NotPerformed(check=name, why=train.problem, group=about) for name in (_SHARE, _GAP))
        return
    declared = case.spec.reference.get(attribute.name)
    learned, n = _rows(train), len(train.codes)
    tested, m = _rows(attribute), len(attribute.codes)
    wanted = declared or {level: rows / m for level, rows in tested.items()}
    levels = list(dict.fromkeys([*attribute.levels, *train.levels, *wanted]))
    for level in levels:
        k = learned.get(level, 0)
        low, high = case.share_interval(k, n)
        yield Finding(
            check=_SHARE,
            value=k / n,
            low=low,
            high=high,
            n=n,
            unit="share",
            definition="Share of the group among the training rows.",
            group=Group(attribute=attribute.name, level=level),
            note=f"{'declared' if declared else 'of the test rows'}: {wanted.get(level, 0.0):.1%}",
        )
    sure = 1 - (1 - case.spec.confidence) / len(levels)  # all groups at once
    off = {level: learned.get(level, 0) / n - wanted.get(level, 0.0) for level in levels}
    intervals = {
        level: _interval(
            case, learned.get(level, 0), n, sure, wanted.get(level, 0.0), None if declared else tested.get(level, 0), m
        )
        for level in levels
    }
    yield _gap(attribute, off, intervals, n, bool(declared))
    yield _figure(attribute, levels, learned, n, wanted, bool(declared))


def _rows(attribute: Attribute) -> dict[str, int]:
    counts = np.bincount(attribute.codes, minlength=len(attribute.levels)).tolist()
    return dict(zip(attribute.levels, counts, strict=True))


def _interval(case: Case, k: int, n: int, confidence: float, wanted: float, tested: int | None, m: int) -> Interval:
    """Of the training share minus what is wanted: exact if declared, else a share of the test rows."""
    of_wanted = (wanted, wanted) if tested is None else case.share_interval(tested, m, confidence)
    return difference(k / n, case.share_interval(k, n, confidence), wanted, of_wanted)


def _gap(
    attribute: Attribute, off: dict[str, float], intervals: dict[str, Interval], n: int, declared: bool
) -> Finding:
    far = max(off, key=lambda level: (round(abs(off[level]), 12), -off[level]))  # of two as far, the rarer
    value = abs(off[far])
    low = max(0.0, *(max(ends[0], -ends[1]) for ends in intervals.values()))
    high = max(max(ends[1], -ends[0]) for ends in intervals.values())
    against = "the declared share" if declared else "its share among the test rows"
    if value == 0:
        note = "every group as frequent"
    else:
        note = f"farthest off: {far}, {'too frequent' if off[far] > 0 else 'too rare'} by {value:.1%}"
    limit = "" if declared else "; no reference is declared, so this cannot show who is missing from both"
    return Finding(
        check=_GAP,
        value=value,
        low=min(low, value),
        high=min(1.0, max(high, value)),
        n=n,
        unit="share",
        definition=f"Largest distance of a group's share among the training rows from {against}.",
        group=Group(attribute=attribute.name),
        note=note + limit,
    )


def _figure(
    attribute: Attribute, levels: list[str], learned: dict[str, int], n: int, wanted: dict[str, float], declared: bool
) -> Figure:
    shown = levels[:_SHOWN]
    return Figure(
        name=f"fairness.representation.{attribute.name}",
        kind="bars",
        title=f"Who the model learned from, by {attribute.name}",
        x=attribute.name,
        y="share",
        series=(
            Series(name="training", x=tuple(shown), y=tuple(learned.get(level, 0) / n for level in shown)),
            Series(
                name="declared" if declared else "test",
                x=tuple(shown),
                y=tuple(wanted.get(level, 0.0) for level in shown),
            ),
        ),
    )


CHECK = Check(name="fairness.representation", files={_SHARE: ALL, _GAP: ALL}, run=_run, needs_training=True)
