"""With more than two classes: which of them the model knows, and which it only seems to."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bars import bars
from sealwright.assurance.case import Case
from sealwright.assurance.check import MULTICLASS, Check, Outcome, collected
from sealwright.assurance.intervals import Interval, f1_interval, on_logit_scale
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed
from sealwright.assurance.ranking import precision_area, roc_area
from sealwright.assurance.tables import decision_table

__all__ = ["CHECK"]

_DEFINITIONS = {
    "class_precision": ("share", "Share of rows decided to be of this class that are of it."),
    "class_recall": ("share", "Share of rows of this class that are decided to be of it."),
    "class_f1": ("share", "Harmonic mean of precision and recall of this class."),
    "class_roc_auc": ("auc", "The chance that a row of this class scores above one that is not (DeLong interval)."),
    "class_pr_auc": ("auc", "Average precision of ranking the rows by the probability of this class."),
}
_MOST_CLASSES = 50


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    table = decision_table(case.test.truth, case.decisions, len(case.interface.classes))
    told = np.sort(np.argsort(-table.sum(axis=1), kind="stable")[:_MOST_CLASSES])
    items = [item for place in told for item in (*_decided(case, table, int(place)), *_ranked(case, int(place)))]
    return collected([*items, _figure(items, len(told), len(table))])


def _decided(case: Case, table: NDArray[np.int64], place: int) -> Iterator[Finding | NotPerformed]:
    rows, chosen, right = int(table[place].sum()), int(table[:, place].sum()), int(table[place, place])
    if chosen:
        yield _filed(case, place, "class_precision", right / chosen, case.share_interval(right, chosen), chosen)
    else:
        yield _undefined(case, place, "class_precision", "no row was decided to be of this class")
    if rows:
        yield _filed(case, place, "class_recall", right / rows, case.share_interval(right, rows), rows)
    else:
        yield _undefined(case, place, "class_recall", "no test row is of this class")
    if rows or chosen:
        wrong = rows + chosen - 2 * right
        interval = f1_interval(right, wrong, case.spec.confidence)
        yield _filed(case, place, "class_f1", 2 * right / (2 * right + wrong), interval, rows)
    else:
        yield _undefined(case, place, "class_f1", "no test row is of this class and none was decided to be")


def _ranked(case: Case, place: int) -> Iterator[Finding | NotPerformed]:
    truth, scores = case.test.truth == place, case.test.outputs[:, place]
    fewest = int(min(truth.sum(), (~truth).sum()))
    for name, measure in (("class_roc_auc", roc_area), ("class_pr_auc", precision_area)):
        area = measure(truth, scores)
        if area is None:
            yield _undefined(case, place, name, "all test rows or none are of this class")
            continue
        interval = on_logit_scale(area.value, area.error, fewest, case.spec.confidence)
        yield _filed(case, place, name, area.value, interval, truth.size)


def _filed(case: Case, place: int, name: str, value: float, interval: Interval, n: int) -> Finding:
    unit, definition = _DEFINITIONS[name]
    return Finding(
        check=f"performance.{name}",
        value=value,
        low=interval[0],
        high=interval[1],
        n=n,
        unit=unit,
        definition=definition,
        group=_class(case, place),
    )


def _undefined(case: Case, place: int, name: str, why: str) -> NotPerformed:
    return NotPerformed(check=f"performance.{name}", why=why, group=_class(case, place))


def _class(case: Case, place: int) -> Group:
    return Group(attribute=case.interface.target, level=case.interface.classes[place])


def _figure(items: list[Finding | NotPerformed], told: int, classes: int) -> Figure:
    found = [item for item in items if isinstance(item, Finding) and item.check == "performance.class_f1"]
    return Figure(
        name="performance.classes",
        kind="bars",
        title="How well each class is told",
        x="class",
        y="F1",
        series=(bars("F1", found),),
        note="" if told == classes else f"the {told} most frequent of {classes} classes",
    )


CHECK = Check(name="performance.classes", files={f"performance.{name}": MULTICLASS for name in _DEFINITIONS}, run=_run)
