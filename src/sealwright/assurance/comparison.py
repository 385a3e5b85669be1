"""Groups side by side: how many of each were chosen, rightly or wrongly, and which are large enough to judge.

What every fairness check shares; the checks themselves each state one difference.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import Outcome, collected, skipped
from sealwright.assurance.gaps import Gap
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed

__all__ = [
    "Ints",
    "Tally",
    "each_attribute",
    "farthest_apart",
    "favour",
    "gap_finding",
    "large_enough",
    "not_judged",
    "sensitive",
    "tally",
    "too_few",
]

_NO_GROUPS = (
    "no groups are declared: name columns under assurance.groups, or give columns the role `sensitive` in the contract"
)
_NO_FAVOURABLE = "no outcome is declared favourable: name it under assurance.favourable"

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Counts by level, each of shape (levels,); `positives` are rows whose true outcome is the favourable one."""

    rows: Ints
    selected: Ints  # decided favourable
    positives: Ints
    hits: Ints  # positives decided favourable
    negatives: Ints
    false_alarms: Ints  # negatives decided favourable


def tally(case: Case, attribute: Attribute, favourable: int) -> Tally:
    """Count the test rows of each level of `attribute`."""
    chosen, deserving = case.decisions == favourable, case.test.truth == favourable

    def count(rows: NDArray[np.bool_]) -> Ints:
        return np.bincount(attribute.codes[rows], minlength=len(attribute.levels)).astype(np.int64)

    return Tally(
        rows=count(np.ones_like(chosen)),
        selected=count(chosen),
        positives=count(deserving),
        hits=count(deserving & chosen),
        negatives=count(~deserving),
        false_alarms=count(~deserving & chosen),
    )


def each_attribute(
    case: Case,
    names: Sequence[str],
    judge: Callable[[Attribute], Iterable[Finding | NotPerformed | Figure]],
    *,
    needs_favourable: bool = False,
) -> Outcome:
    """Run `judge` for every declared attribute, or say for which reason `names` were not performed."""
    if (none := sensitive(case, names)) is not None:
        return none
    if needs_favourable and case.favourable is None:
        return skipped(list(names), _NO_FAVOURABLE)
    items: list[Finding | NotPerformed | Figure] = []
    for attribute in case.attributes:
        about = Group(attribute=attribute.name)
        if attribute.problem:
            items += [NotPerformed(check=name, why=attribute.problem, group=about) for name in names]
        else:
            items += judge(attribute)
    return collected(items)


def sensitive(case: Case, names: Sequence[str]) -> Outcome | None:
    """None where groups are declared; else `names` not performed, since who is to be compared is not known."""
    return None if case.attributes else skipped(list(names), _NO_GROUPS)


def favour(case: Case) -> Floats:
    """What ranks the test rows, shape (n,): the probability of the favourable outcome, or the predicted number."""
    if case.task == "regression":
        return case.test.outputs
    assert case.favourable is not None
    return np.clip(case.test.outputs[:, case.favourable], 0, 1)


def large_enough(case: Case, attribute: Attribute, *parts: Ints) -> NDArray[np.intp]:
    """Positions of levels with enough rows, and enough rows in each of `parts` (rows of one true outcome)."""
    rows = np.bincount(attribute.codes, minlength=len(attribute.levels))
    judged = rows >= case.spec.smallest_group
    for part in parts:
        judged &= part >= case.spec.smallest_part
    return np.flatnonzero(judged)


def too_few(case: Case, name: str, attribute: Attribute, judged: NDArray[np.intp], what: str) -> NotPerformed:
    """A comparison that is not made, because fewer than two groups are large enough."""
    why = (
        f"{judged.size} of {len(attribute.levels)} groups have {what}; a comparison needs two"
        f" (fewest: {case.spec.smallest_group} rows a group, {case.spec.smallest_part} of one true outcome)"
    )
    return NotPerformed(check=name, why=why, group=Group(attribute=attribute.name))


def farthest_apart(counts: Tally, judged: NDArray[np.intp]) -> tuple[int, int]:
    """Positions of the groups chosen most and least often; of equals the largest, so that names do not decide."""
    rates, rows = counts.selected[judged] / counts.rows[judged], counts.rows[judged]
    return int(judged[np.lexsort((rows, rates))[-1]]), int(judged[np.lexsort((-rows, rates))[0]])


def not_judged(case: Case, name: str, attribute: Attribute, place: int) -> NotPerformed:
    """A group that is listed, not judged, because it is small."""
    in_group = int(attribute.rows_of(place).sum())
    why = f"the group has {in_group} test rows; fewer than {case.spec.smallest_group} are not judged"
    return NotPerformed(check=name, why=why, group=Group(attribute=attribute.name, level=attribute.levels[place]))


def gap_finding(
    name: str, attribute: Attribute, judged: NDArray[np.intp], gap: Gap, n: int, unit: str, definition: str
) -> Finding:
    """A finding about an attribute as a whole; the note names the two groups and those left out."""
    left_out = [level for place, level in enumerate(attribute.levels) if place not in judged]
    higher, lower = (attribute.levels[judged[place]] for place in (gap.higher, gap.lower))
    note = f"highest: {higher}; lowest: {lower}" if higher != lower else "all groups alike"
    if left_out:
        note += f"; not judged, too few rows: {', '.join(left_out[:20])}"
    return Finding(
        check=name,
        value=gap.value,
        low=gap.interval[0],
        high=gap.interval[1],
        n=n,
        unit=unit,
        definition=definition,
        group=Group(attribute=attribute.name),
        note=note,
    )
