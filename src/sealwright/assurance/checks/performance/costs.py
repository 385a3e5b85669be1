"""What the decisions cost, by the project's own prices, and what deciding everyone alike would cost.

A cost is per decision, by true and decided class; a benefit is a negative cost.
"""

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Check, Outcome, skipped
from sealwright.assurance.intervals import Interval
from sealwright.assurance.model import Figure, Finding, Series
from sealwright.assurance.tables import decision_table, redrawn

__all__ = ["CHECK"]

_COST, _SAVING = "performance.mean_cost", "performance.cost_saving"
_NONE_DECLARED = "no costs are declared: say under assurance.costs what each kind of decision costs"
_POINTS = 100


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    if case.spec.costs is None:
        return skipped([_COST, _SAVING], _NONE_DECLARED)
    classes, prices = case.interface.classes, _prices(case)
    table = decision_table(case.test.truth, case.decisions, len(classes))
    n = int(table.sum())
    learned = np.bincount(case.train.truth, minlength=len(classes))
    alike = int(np.argmin(learned @ prices))  # the cheapest single decision, chosen on the training rows
    saved = prices[:, [alike]] - prices
    drawn = redrawn(table, case.spec.bootstrap, rng)
    cost, of_cost = _mean(table, prices, drawn, case.spec.confidence)
    saving, of_saving = _mean(table, saved, drawn, case.spec.confidence)
    findings = (
        Finding(
            check=_COST,
            value=cost,
            low=of_cost[0],
            high=of_cost[1],
            n=n,
            unit="cost per decision",
            definition="Mean cost of a decision on the test rows, by the costs the project declares.",
            note=_threshold_words(case, prices, cost) if case.task == "binary" else "",
        ),
        Finding(
            check=_SAVING,
            value=saving,
            low=of_saving[0],
            high=of_saving[1],
            n=n,
            unit="cost per decision",
            definition="Mean cost of deciding every row alike minus mean cost of the model's decisions.",
            note=f"cheapest decision for all {case.learned_words}: {classes[alike]}",
        ),
    )
    return Outcome(findings=findings, figures=(_figure(case, prices),) if case.task == "binary" else ())


def _prices(case: Case) -> Floats:
    """Costs by true and decided class position."""
    declared = case.spec.costs or {}
    return np.array(
        [
            [declared.get(true, {}).get(decided, 0.0) for decided in case.interface.classes]
            for true in case.interface.classes
        ]
    )


def _mean(table: NDArray[np.int64], prices: Floats, drawn: Floats, confidence: float) -> tuple[float, Interval]:
    """The mean price over the cells of `table`, with a percentile interval from redrawn tables."""
    n = table.sum()
    value = float((table * prices).sum() / n)
    tail = (1 - confidence) / 2
    low, high = np.quantile((drawn * prices).sum(axis=(1, 2)) / n, [tail, 1 - tail])
    return value, (min(float(low), value), max(float(high), value))


def _over_thresholds(case: Case, prices: Floats) -> tuple[Floats, Floats]:
    """Mean cost on the test rows if the positive class were decided at or above each threshold."""
    yes, no = case.positive, 1 - case.positive
    thresholds = np.linspace(0, 1, _POINTS + 1)[1:]
    truth, scores = case.test.truth == yes, case.test.outputs[:, yes]
    hits = _at_or_above(scores[truth], thresholds)
    alarms = _at_or_above(scores[~truth], thresholds)
    of_positives = hits * prices[yes, yes] + (truth.sum() - hits) * prices[yes, no]
    of_negatives = alarms * prices[no, yes] + ((~truth).sum() - alarms) * prices[no, no]
    return thresholds, (of_positives + of_negatives) / truth.size


def _at_or_above(scores: Floats, thresholds: Floats) -> Floats:
    return (scores.size - np.searchsorted(np.sort(scores), thresholds, side="left")).astype(np.float64)


def _threshold_words(case: Case, prices: Floats, cost: float) -> str:
    """The cheapest threshold on these rows, and the one that calibrated probabilities would call for (Elkan 2001)."""
    thresholds, means = _over_thresholds(case, prices)
    best = int(np.argmin(means))
    words = (
        f"at the threshold {case.spec.threshold:g}; the cheapest on these rows is {thresholds[best]:g} with"
        f" {min(means[best], cost):.4g}, a little too good because it was looked for on them"
    )
    yes, no = case.positive, 1 - case.positive
    alarm, miss = prices[no, yes] - prices[no, no], prices[yes, no] - prices[yes, yes]
    if alarm > 0 and miss > 0:
        words += f"; true probabilities would call for {alarm / (alarm + miss):.3g}"
    return words


def _figure(case: Case, prices: Floats) -> Figure:
    thresholds, means = _over_thresholds(case, prices)
    return Figure(
        name="performance.cost",
        kind="lines",
        title="What decisions cost, by threshold",
        x="threshold",
        y="mean cost of a decision",
        series=(Series(name="model", x=tuple(thresholds), y=tuple(means), n=(len(case.test),) * len(thresholds)),),
        note=f"The project decides at {case.spec.threshold:g}.",
    )


CHECK = Check(name="performance.costs", files={_COST: CLASSES, _SAVING: CLASSES}, run=_run)
