"""How often decisions are right, and in which way they are wrong."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import BINARY, CLASSES, MULTICLASS, Check, Outcome, collected
from sealwright.assurance.intervals import Interval, f1_interval, mean_of_two, on_logit_scale, wilson
from sealwright.assurance.model import Figure, Finding, NotPerformed, Series

__all__ = ["CHECK"]

_DEFINITIONS = {
    "accuracy": "Share of test rows decided rightly.",
    "balanced_accuracy": "Share decided rightly within each outcome, averaged over the outcomes.",
    "precision": "Share of rows decided positive that are positive.",
    "recall": "Share of positive rows that are decided positive.",
    "f1": "Harmonic mean of precision and recall of the positive class.",
    "macro_f1": "Harmonic mean of precision and recall of each class, averaged over the classes.",
}
_MOST_SHOWN = 30


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    k = len(case.interface.classes)
    table = np.bincount(case.test.truth * k + case.decisions, minlength=k * k).reshape(k, k)  # [truth, decision]
    right, n = int(np.trace(table)), int(table.sum())
    accuracy = _filed("accuracy", right / n, wilson(right, n, case.spec.confidence), n)
    rest = _two_classes(table, case) if case.task == "binary" else _many_classes(table, case, rng)
    return collected([accuracy, *rest, _confusion(table, case)])


def _two_classes(table: NDArray[np.int64], case: Case) -> Iterator[Finding | NotPerformed]:
    yes, no, confidence = case.positive, 1 - case.positive, case.spec.confidence
    hits, misses = int(table[yes, yes]), int(table[yes, no])
    false_alarms, passes = int(table[no, yes]), int(table[no, no])
    n, positives, negatives, chosen = int(table.sum()), hits + misses, false_alarms + passes, hits + false_alarms
    if positives:
        recall, of_recall = hits / positives, wilson(hits, positives, confidence)
        yield _filed("recall", recall, of_recall, positives)
        if negatives:
            other, of_other = passes / negatives, wilson(passes, negatives, confidence)
            yield _filed("balanced_accuracy", (recall + other) / 2, mean_of_two(recall, of_recall, other, of_other), n)
    else:
        yield _undefined("recall", "no test row is positive")
    if not positives or not negatives:
        yield _undefined("balanced_accuracy", "the test rows hold one single outcome")
    if chosen:
        yield _filed("precision", hits / chosen, wilson(hits, chosen, confidence), chosen)
    else:
        yield _undefined("precision", "no row was decided positive")
    if positives or chosen:
        wrong = misses + false_alarms
        yield _filed("f1", 2 * hits / (2 * hits + wrong), f1_interval(hits, wrong, confidence), n)
    else:
        yield _undefined("f1", "no row is positive and none was decided positive")


def _many_classes(table: NDArray[np.int64], case: Case, rng: np.random.Generator) -> Iterator[Finding]:
    n, in_class = int(table.sum()), table.sum(axis=1)
    rarest = int(in_class[in_class > 0].min())
    drawn = rng.multinomial(n, table.ravel() / n, size=case.spec.bootstrap).reshape(-1, *table.shape)
    for name, measure in (("balanced_accuracy", _mean_recall), ("macro_f1", _mean_f1)):
        value = float(measure(table[None].astype(np.float64))[0])
        replicas = measure(drawn.astype(np.float64))
        yield _filed(name, value, on_logit_scale(value, float(replicas.std()), rarest, case.spec.confidence), n)


def _filed(name: str, value: float, interval: Interval, n: int) -> Finding:
    low, high = interval
    check, definition = f"performance.{name}", _DEFINITIONS[name]
    return Finding(check=check, value=value, low=low, high=high, n=n, unit="share", definition=definition)


def _undefined(name: str, why: str) -> NotPerformed:
    return NotPerformed(check=f"performance.{name}", why=why)


def _mean_recall(tables: Floats) -> Floats:
    """Recall averaged over the classes that occur, for tables of shape (b, truth, decision)."""
    rows = tables.sum(axis=2)
    right = np.diagonal(tables, axis1=1, axis2=2)
    recall = np.divide(right, rows, out=np.zeros_like(rows), where=rows > 0)
    result: Floats = recall.sum(axis=1) / (rows > 0).sum(axis=1)
    return result


def _mean_f1(tables: Floats) -> Floats:
    """F1 averaged over the classes that occur or were decided, for tables of shape (b, truth, decision)."""
    right = np.diagonal(tables, axis1=1, axis2=2)
    both = tables.sum(axis=2) + tables.sum(axis=1)
    f1 = np.divide(2 * right, both, out=np.zeros_like(both), where=both > 0)
    result: Floats = f1.sum(axis=1) / (both > 0).sum(axis=1)
    return result


def _confusion(table: NDArray[np.int64], case: Case) -> Figure:
    classes = case.interface.classes
    shown = np.sort(np.argsort(-table.sum(axis=1), kind="stable")[:_MOST_SHOWN])
    names = tuple(classes[place] for place in shown)
    series = tuple(Series(name=classes[row], x=names, y=tuple(table[row, shown].astype(float))) for row in shown)
    return Figure(
        name="performance.confusion",
        kind="matrix",
        title="Decisions against the truth",
        x="decided",
        y="true outcome",
        series=series,
        note="" if len(classes) <= _MOST_SHOWN else f"the {_MOST_SHOWN} most frequent of {len(classes)} classes",
    )


CHECK = Check(
    name="performance.decisions",
    files={
        "performance.accuracy": CLASSES,
        "performance.balanced_accuracy": CLASSES,
        "performance.precision": BINARY,
        "performance.recall": BINARY,
        "performance.f1": BINARY,
        "performance.macro_f1": MULTICLASS,
    },
    run=_run,
)
