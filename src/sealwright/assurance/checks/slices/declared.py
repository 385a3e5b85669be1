"""Each declared slice, measured, and compared with all the other rows."""

from collections.abc import Iterator

import numpy as np

from sealwright.assurance.bars import bars
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, collected
from sealwright.assurance.intervals import Interval, difference
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed
from sealwright.assurance.scores import sentence
from sealwright.assurance.slice_measures import MEASURES, Measure
from sealwright.assurance.slice_spec import SliceMeasure
from sealwright.assurance.slices import Slice

__all__ = ["CHECK"]

_BEYOND = "slices.changes_beyond_limit"
_NONE = "no slices are declared: name parts of the data that matter under assurance.slices"
_Changes = dict[tuple[str, SliceMeasure], tuple[float, Interval]]


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    measures = {name: one for name, one in MEASURES.items() if case.task in one.tasks}
    if not case.slices:
        names = [name for measure in measures for name in (f"slices.{measure}", f"slices.{measure}_change")]
        skips = [NotPerformed(check=name, why=_NONE, applicable=False) for name in names]
        return collected([*skips, NotPerformed(check=_BEYOND, why=_NONE)])
    changes: _Changes = {}
    items: list[Finding | NotPerformed | Figure] = []
    for name, measure in measures.items():
        for one in case.slices:
            items += _measured(case, one, name, measure, changes)
    return collected([*items, _beyond(case, changes), _figure(items)])


def _measured(
    case: Case, one: Slice, name: SliceMeasure, measure: Measure, changes: _Changes
) -> Iterator[Finding | NotPerformed]:
    check, about = f"slices.{name}", Group(attribute="slice", level=one.title)
    unit = measure.unit or f"units of {case.interface.target}"
    n = int(one.rows.sum())
    fewest = case.spec.smallest_group if n < case.spec.smallest_group else case.spec.smallest_part
    inside = measure.on(case, one.rows, fewest)
    if isinstance(inside, str):
        yield NotPerformed(check=check, why=f"the slice has {inside}", group=about)
        yield NotPerformed(check=f"{check}_change", why=f"the slice has {inside}", group=about)
        return
    yield Finding(
        check=check,
        value=inside.value,
        low=inside.interval[0],
        high=inside.interval[1],
        n=inside.n,
        unit=unit,
        definition=f"{sentence(measure.definition)}, in the slice.",
        group=about,
    )
    outside = measure.on(case, ~one.rows, case.spec.smallest_part)
    if isinstance(outside, str):
        yield NotPerformed(check=f"{check}_change", why=f"the other rows have {outside}", group=about)
        return
    change = inside.value - outside.value
    low, high = difference(inside.value, inside.interval, outside.value, outside.interval)
    changes[one.title, name] = measure.worsening(change, (low, high))
    yield Finding(
        check=f"{check}_change",
        value=change,
        low=low,
        high=high,
        n=inside.n + outside.n,
        unit=unit,
        definition=f"{sentence(measure.definition)}: in the slice minus in all other rows.",
        group=about,
    )


def _beyond(case: Case, changes: _Changes) -> Finding | NotPerformed:
    """How many declared limits are passed; the interval counts what surely is, and what may be."""
    limits = {(one.title, name): limit for one in case.slices for name, limit in one.declared.worst_change.items()}
    if not limits:
        why = "no limit is declared: give assurance.slices a worst_change"
        return NotPerformed(check=_BEYOND, why=why)
    if unknown := [f"{name} of {title}" for title, name in limits if (title, name) not in changes]:
        why = f"a limit is declared for what could not be measured: {', '.join(unknown[:10])}"
        return NotPerformed(check=_BEYOND, why=why)
    passed = [(key, limit) for key, limit in limits.items() if changes[key][0] > limit]
    return Finding(
        check=_BEYOND,
        value=len(passed),
        low=sum(changes[key][1][0] > limit for key, limit in limits.items()),
        high=sum(changes[key][1][1] > limit for key, limit in limits.items()),
        n=len(case.test),
        unit="count",
        definition="Number of declared slices and measures that are worse than all other rows by more than declared;"
        " the interval counts those that surely are, and those that may be.",
        note="; ".join(
            f"{name} of {title}: {changes[title, name][0]:.3g} worse, limit {limit:g}"
            for (title, name), limit in passed
        ),
    )


def _figure(items: list[Finding | NotPerformed | Figure]) -> Figure:
    main = ("slices.error_share", "slices.mean_absolute_error")
    shown = [one for one in items if isinstance(one, Finding) and one.check in main and one.group]
    return Figure(
        name="slices.declared",
        kind="bars",
        title="Error in the declared slices",
        x="slice",
        y=shown[0].unit if shown else "",
        series=(bars("in the slice", shown),) if shown else (),
    )


_FILES = {
    check: measure.tasks for name, measure in MEASURES.items() for check in (f"slices.{name}", f"slices.{name}_change")
}
CHECK = Check(name="slices.declared", files={**_FILES, _BEYOND: ALL}, run=_run)
