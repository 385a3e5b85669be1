"""False labels among the training rows: at random, all toward one outcome, and those of one group only.

Somebody who may label rows, or a source that labels badly, is the cheapest attack there is. The curve says how many
labels it takes. Labels of a regression are mirrored about the mean of the target.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, REGRESSION, Outcome, collected
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed
from sealwright.assurance.poisoning.curve import Poison, curve, curve_files, mean_moved
from sealwright.assurance.poisoning.lab import Lab, lab_check, wanted_outcome

__all__ = ["GROUPS", "RANDOM", "TARGETED"]

_GROUP = "robustness.poisoning_group_flip_share"
_MOST_GROUPS = 10
_LEFT = 10  # labels nobody falsifies: without one outcome there is nothing to learn


def _random(case: Case, lab: Lab, rng: np.random.Generator) -> Outcome:
    every = np.arange(len(lab.rows))
    what = "labels are mirrored about the mean" if case.task == "regression" else "labels are another class at random"

    def outputs(share: float) -> list[Floats]:
        return [_taught(lab, _flipped(case, lab, every, share, None, rng)) for _ in range(case.spec.poisoning.repeats)]

    return collected(curve(case, lab, _poison(case, "poisoning_random", "False labels at random", what, outputs)))


def _targeted(case: Case, lab: Lab, rng: np.random.Generator) -> Outcome:
    if case.task == "regression":
        others = np.flatnonzero(lab.truth < np.median(lab.truth))
        toward, target = "labels, all of the lower half, are mirrored about the mean", None
    else:
        target = wanted_outcome(case, lab.truth)
        others = np.flatnonzero(lab.truth != target)
        toward = f"labels are falsely {case.interface.classes[target]}"

    def outputs(share: float) -> list[Floats]:
        return [
            _taught(lab, _flipped(case, lab, others, share, target, rng)) for _ in range(case.spec.poisoning.repeats)
        ]

    note = f"of the training rows, {others.size:,} can be flipped so"
    poison = _poison(case, "poisoning_targeted", "False labels toward one outcome", toward, outputs, note)
    return collected(curve(case, lab, poison))


def _poison(
    case: Case, name: str, title: str, what: str, outputs: Callable[[float], list[Floats]], note: str = ""
) -> Poison:
    return Poison(
        name=name,
        title=title,
        words="{share} of the training " + what,
        along="share of training labels that are false",
        shares=case.spec.poisoning.labels,
        reported=case.spec.poisoning.labels_at,
        outputs=outputs,
        note=note,
    )


def _flipped(
    case: Case, lab: Lab, among: NDArray[np.intp], share: float, target: int | None, rng: np.random.Generator
) -> NDArray[np.generic]:
    """The labels, `share` of all rows falsified, or all but ten of `among` if there are fewer."""
    size = min(max(0, among.size - _LEFT), round(share * len(lab.rows)))
    chosen = rng.choice(among, size, replace=False)
    labels = lab.truth.copy()
    if case.task == "regression":
        labels[chosen] = 2 * labels.mean() - labels[chosen]
    elif target is not None:
        labels[chosen] = target
    else:
        away = rng.integers(1, len(case.interface.classes), chosen.size)
        labels[chosen] = (labels[chosen] + away) % len(case.interface.classes)
    return labels


def _taught(lab: Lab, labels: NDArray[np.generic]) -> Floats:
    return lab.ask(lab.learn(lab.rows, labels))


def _groups(case: Case, lab: Lab, rng: np.random.Generator) -> Outcome:
    return collected(_each_group(case, lab, rng))


def _each_group(case: Case, lab: Lab, rng: np.random.Generator) -> Iterator[Finding | NotPerformed | Figure]:
    """For each group: its own labels made false, its own decisions watched."""
    if not case.attributes:
        yield NotPerformed(check=_GROUP, why="no groups are compared: name columns under assurance.groups")
        return
    if len(lab.rows) != len(case.train) or len(lab.test) != len(case.test):
        yield NotPerformed(check=_GROUP, why="the rows were sampled, so a share of one group would be few rows")
        return
    done = 0
    for attribute, learned in zip(case.attributes, case.train_attributes, strict=True):
        for place, level in enumerate(attribute.levels):
            about = Group(attribute=attribute.name, level=level)
            judged = attribute.rows_of(place)
            mine = learned.rows_of(learned.levels.index(level)) if level in learned.levels else np.zeros(0, np.bool_)
            if judged.sum() < case.spec.smallest_group or mine.sum() < case.spec.smallest_group:
                yield NotPerformed(check=_GROUP, why=f"fewer than {case.spec.smallest_group} rows", group=about)
                continue
            if done == _MOST_GROUPS:
                yield NotPerformed(check=_GROUP, why=f"only the first {_MOST_GROUPS} groups are poisoned", group=about)
                continue
            done += 1
            among = np.flatnonzero(mine)
            yield _group_finding(case, lab, among, judged, about, rng)
    if not done:
        yield NotPerformed(check=_GROUP, why="no group has enough rows to be judged by itself")


def _group_finding(
    case: Case,
    lab: Lab,
    among: NDArray[np.intp],
    judged: NDArray[np.bool_],
    about: Group,
    rng: np.random.Generator,
) -> Finding:
    share = case.spec.poisoning.labels_at * among.size / len(lab.rows)
    runs = [
        lab.moved(_taught(lab, _flipped(case, lab, among, share, None, rng)))[judged]
        for _ in range(case.spec.poisoning.repeats)
    ]
    value, (low, high) = mean_moved(case, np.mean(runs, axis=0))
    what = "Mean distance (in sd of the target) predictions" if case.task == "regression" else "Share of decisions"
    verb = "move" if case.task == "regression" else "that change"
    return Finding(
        check=_GROUP,
        value=value,
        low=low,
        high=high,
        n=int(judged.sum()),
        unit="sd of the target" if case.task == "regression" else "share",
        definition=f"{what} about this group {verb} when {case.spec.poisoning.labels_at:g} of its training labels are false.",
        group=about,
        note=f"{round(share * len(lab.rows))} false labels; mean of {len(runs)} poisoned models",
    )


RANDOM = lab_check("robustness.poisoning_random", curve_files("poisoning_random"), _random)
TARGETED = lab_check("robustness.poisoning_targeted", curve_files("poisoning_targeted"), _targeted)
GROUPS = lab_check("robustness.poisoning_group", {_GROUP: CLASSES | REGRESSION}, _groups)
