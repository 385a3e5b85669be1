"""Is the model worse than the version before on some part of the data, though perhaps better on the whole?

Parts are the declared slices, the groups that are compared, and all rows together. Both versions answer the same rows, so errors are
compared row by row; the interval of the worst part counts that it was picked as the worst of so many.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bars import bars
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, collected, skipped
from sealwright.assurance.intervals import Interval, agresti_min, mean_interval
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed

__all__ = ["CHECK"]

_CHANGE, _WORST = "slices.change_from_before", "slices.worse_than_before"


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    if case.previous is None:
        return skipped([_CHANGE, _WORST], "no earlier version was given to compare with", applicable=False)
    parts = list(_parts(case))
    ours, theirs = _loss(case, case.test.outputs), _loss(case, case.previous)
    large = [(about, rows) for about, rows in parts if rows.sum() >= case.spec.smallest_group]
    small = [
        NotPerformed(
            check=_CHANGE,
            why=f"it has {int(rows.sum())} test rows; fewer than {case.spec.smallest_group} are not judged",
            group=about,
        )
        for about, rows in parts
        if rows.sum() < case.spec.smallest_group
    ]
    changes = [_change(case, about, ours[rows], theirs[rows]) for about, rows in large]
    return collected([*changes, *small, _worst(case, changes, large, ours, theirs, small), *_figures(changes)])


def _parts(case: Case) -> Iterator[tuple[Group, NDArray[np.bool_]]]:
    yield Group(attribute="rows", level="all"), np.ones(len(case.test), dtype=np.bool_)
    for one in case.slices:
        yield Group(attribute="slice", level=one.title), one.rows
    for attribute in case.attributes:
        for place, level in enumerate(attribute.levels):
            yield Group(attribute=attribute.name, level=level), attribute.rows_of(place)


def _loss(case: Case, outputs: Floats) -> Floats:
    """Per row 1 for a wrong decision; the absolute error of a number in sd of the target."""
    if case.task == "regression":
        return np.asarray(np.abs(outputs - case.test.truth) / (float(case.test.truth.std()) or 1.0))
    return np.asarray(case.decide(outputs) != case.test.truth, dtype=np.float64)


def _interval(case: Case, ours: Floats, theirs: Floats, confidence: float) -> tuple[float, Interval]:
    """Rise of the error and its paired interval."""
    if case.task == "regression":
        return mean_interval(ours - theirs, confidence)
    worse, better = int(((ours == 1) & (theirs == 0)).sum()), int(((ours == 0) & (theirs == 1)).sum())
    return (worse - better) / ours.size, agresti_min(worse, better, ours.size, confidence)


def _words(case: Case) -> tuple[str, str]:
    if case.task == "regression":
        return "sd of the target", "Mean distance between prediction and truth"
    return "share", "Share of rows decided wrongly"


def _change(case: Case, about: Group, ours: Floats, theirs: Floats) -> Finding:
    value, (low, high) = _interval(case, ours, theirs, case.spec.confidence)
    unit, error = _words(case)
    return Finding(
        check=_CHANGE,
        value=value,
        low=low,
        high=high,
        n=ours.size,
        unit=unit,
        definition=f"{error} in this part: of the model minus of the previous version.",
        group=about,
        note=f"{ours.mean():.3g}, before {theirs.mean():.3g}",
    )


def _worst(
    case: Case,
    changes: list[Finding],
    large: list[tuple[Group, NDArray[np.bool_]]],
    ours: Floats,
    theirs: Floats,
    small: list[NotPerformed],
) -> Finding | NotPerformed:
    if not changes:
        return NotPerformed(check=_WORST, why=f"no part has {case.spec.smallest_group} test rows")
    sure = 1 - (1 - case.spec.confidence) / len(large)
    ends = [_interval(case, ours[rows], theirs[rows], sure)[1] for _, rows in large]
    at = max(range(len(changes)), key=lambda place: changes[place].value)
    group, (unit, error) = changes[at].group, _words(case)
    named = "all rows" if at == 0 else f"{group.attribute} {group.level}" if group else ""
    return Finding(
        check=_WORST,
        value=changes[at].value,
        low=min(changes[at].value, max(low for low, _ in ends)),
        high=max(high for _, high in ends),
        n=changes[at].n,
        unit=unit,
        definition=f"{error}: largest rise over the previous version in any declared slice, any compared group, or all rows; below zero if"
        " every part became better. The interval holds for all parts at once.",
        note=f"in {named}, of {len(large)} parts" + (f"; {len(small)} are too small to judge" if small else ""),
    )


def _figures(changes: list[Finding]) -> Iterator[Figure]:
    if changes:
        yield Figure(
            name="slices.before",
            kind="bars",
            title="Change of the error since the previous version",
            x="part of the data",
            y=changes[0].unit,
            series=(bars("rise of the error", changes),),
        )


CHECK = Check(name="slices.before", files={_CHANGE: ALL, _WORST: ALL}, run=_run)
