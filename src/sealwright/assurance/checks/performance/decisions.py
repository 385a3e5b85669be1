"""How often decisions are right, and in which way they are wrong."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.case import Case
from sealwright.assurance.check import BINARY, CLASSES, MULTICLASS, Check, Outcome, collected
from sealwright.assurance.intervals import (
    Interval,
    f1_interval,
    f_beta_interval,
    mean_of_two,
    on_logit_scale,
)
from sealwright.assurance.model import Figure, Finding, NotPerformed, Series
from sealwright.assurance.tables import (
    decision_table,
    mean_f1,
    mean_precision,
    mean_recall,
    weighted_f1,
    weighted_precision,
)

__all__ = ["CHECK"]

_DEFINITIONS = {
    "accuracy": "Share of test rows decided rightly.",
    "balanced_accuracy": "Share decided rightly within each outcome, averaged over the outcomes.",
    "precision": "Share of rows decided positive that are positive.",
    "recall": "Share of positive rows that are decided positive.",
    "specificity": "Share of negative rows that are decided negative.",
    "f1": "Harmonic mean of precision and recall of the positive class.",
    "f_beta": "Weighted harmonic mean of precision and recall of the positive class, recall counting beta times as much.",
    "macro_precision": "Share of rows decided to be of a class that are of it, averaged over the classes.",
    "weighted_precision": "Share of rows decided to be of a class that are of it, each class weighted by its rows.",
    "macro_f1": "Harmonic mean of precision and recall of each class, averaged over the classes.",
    "weighted_f1": "Harmonic mean of precision and recall of each class, each class weighted by its rows.",
}
_AVERAGES = {
    "balanced_accuracy": mean_recall,
    "macro_precision": mean_precision,
    "weighted_precision": weighted_precision,
    "macro_f1": mean_f1,
    "weighted_f1": weighted_f1,
}
_MOST_SHOWN = 30


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    table = decision_table(case.test.truth, case.decisions, len(case.interface.classes))
    right, n = int(np.trace(table)), int(table.sum())
    accuracy = _filed("accuracy", right / n, case.share_interval(right, n), n)
    rest = _two_classes(table, case) if case.task == "binary" else _many_classes(table, case, rng)
    return collected([accuracy, *rest, _confusion(table, case)])


def _two_classes(table: NDArray[np.int64], case: Case) -> Iterator[Finding | NotPerformed]:
    yes, no, confidence = case.positive, 1 - case.positive, case.spec.confidence
    hits, misses = int(table[yes, yes]), int(table[yes, no])
    false_alarms, passes = int(table[no, yes]), int(table[no, no])
    n, positives, negatives, chosen = int(table.sum()), hits + misses, false_alarms + passes, hits + false_alarms
    yield _share(case, "recall", hits, positives, "no test row is positive")
    yield _share(case, "specificity", passes, negatives, "no test row is negative")
    yield _share(case, "precision", hits, chosen, "no row was decided positive")
    if positives and negatives:
        recall, of_recall = hits / positives, case.share_interval(hits, positives)
        other, of_other = passes / negatives, case.share_interval(passes, negatives)
        yield _filed("balanced_accuracy", (recall + other) / 2, mean_of_two(recall, of_recall, other, of_other), n)
    else:
        yield _undefined("balanced_accuracy", "the test rows hold one single outcome")
    if positives or chosen:
        wrong = misses + false_alarms
        yield _filed("f1", 2 * hits / (2 * hits + wrong), f1_interval(hits, wrong, confidence), n)
        yield _f_beta(hits, misses, false_alarms, case, n)
    else:
        yield _undefined("f1", "no row is positive and none was decided positive")
        yield _undefined("f_beta", "no row is positive and none was decided positive")


def _share(case: Case, name: str, part: int, whole: int, why_not: str) -> Finding | NotPerformed:
    """A plain share of `whole` rows, or the reason why there is none."""
    if not whole:
        return _undefined(name, why_not)
    return _filed(name, part / whole, case.share_interval(part, whole), whole)


def _f_beta(hits: int, misses: int, false_alarms: int, case: Case, n: int) -> Finding:
    beta = case.spec.beta
    value, interval = f_beta_interval(hits, misses, false_alarms, beta, case.spec.confidence)
    return replace(_filed("f_beta", value, interval, n), note=f"beta {beta:g}")


def _many_classes(table: NDArray[np.int64], case: Case, rng: np.random.Generator) -> Iterator[Finding]:
    n, in_class = int(table.sum()), table.sum(axis=1)
    rarest = int(in_class[in_class > 0].min())
    drawn = rng.multinomial(n, table.ravel() / n, size=case.spec.bootstrap).reshape(-1, *table.shape)
    for name, measure in _AVERAGES.items():
        value = float(measure(table[None].astype(np.float64))[0])
        replicas = measure(drawn.astype(np.float64))
        yield _filed(name, value, on_logit_scale(value, float(replicas.std()), rarest, case.spec.confidence), n)


def _filed(name: str, value: float, interval: Interval, n: int) -> Finding:
    low, high = interval
    check, definition = f"performance.{name}", _DEFINITIONS[name]
    return Finding(check=check, value=value, low=low, high=high, n=n, unit="share", definition=definition)


def _undefined(name: str, why: str) -> NotPerformed:
    return NotPerformed(check=f"performance.{name}", why=why)


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
        "performance.specificity": BINARY,
        "performance.f1": BINARY,
        "performance.f_beta": BINARY,
        "performance.macro_precision": MULTICLASS,
        "performance.weighted_precision": MULTICLASS,
        "performance.macro_f1": MULTICLASS,
        "performance.weighted_f1": MULTICLASS,
    },
    run=_run,
)
