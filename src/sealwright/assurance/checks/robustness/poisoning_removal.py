"""Training rows taken away: those the model hangs on most, and, for comparison, as many at random.

Rows are withdrawn, deleted on request or lost. Which k matter most is guessed by leverage and by the pull on a straight
line; the model is then trained without them, and the guess that changes most counts.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, REGRESSION, Outcome, collected
from sealwright.assurance.model import Figure, Finding, NotPerformed
from sealwright.assurance.poisoning.curve import Poison, curve, curve_files, mean_moved
from sealwright.assurance.poisoning.influence import rankings
from sealwright.assurance.poisoning.lab import Lab, lab_check, wanted_outcome

__all__ = ["CHECK"]

_BY_LOT = "robustness.poisoning_removed_at_random"


def _run(case: Case, lab: Lab, rng: np.random.Generator) -> Outcome:
    return collected(_measured(case, lab, rng))


def _measured(case: Case, lab: Lab, rng: np.random.Generator) -> Iterator[Finding | NotPerformed | Figure]:
    settings = case.spec.poisoning
    wanted = None if case.task == "regression" else wanted_outcome(case, lab.truth)
    orders = rankings(lab.rows, lab.truth, lab.test, wanted)

    def worst(share: float) -> list[Floats]:
        size = max(1, round(share * len(lab.rows)))
        tried = [_without(lab, order[:size]) for order in orders.values()] or [_by_lot(lab, size, rng)]
        return [max(tried, key=lambda outputs: float(lab.moved(outputs).mean()))]

    yield from curve(
        case,
        lab,
        Poison(
            name="poisoning_removed",
            title="Training rows taken away",
            words="the {share} of the training rows on which it hangs most are taken away",
            along="share of training rows taken away",
            shares=settings.removed,
            reported=settings.removed_at,
            outputs=worst,
            note=f"the worst of {len(orders)} guesses ({', '.join(orders)}); another set may do more"
            if orders
            else "too many columns to guess which rows matter, so they are drawn by lot",
        ),
    )
    size = max(1, round(settings.removed_at * len(lab.rows)))
    by_lot = [lab.moved(_by_lot(lab, size, rng)) for _ in range(settings.repeats)]
    value, (low, high) = mean_moved(case, np.mean(by_lot, axis=0))
    what = "Mean distance predictions move" if case.task == "regression" else "Share of test decisions that change"
    yield Finding(
        check=_BY_LOT,
        value=value,
        low=low,
        high=high,
        n=len(lab.test),
        unit="sd of the target" if case.task == "regression" else "share",
        definition=f"{what} when {settings.removed_at:g} of the training rows, drawn by lot, are taken away.",
        note=f"{size} of {len(lab.rows):,} rows; mean of {settings.repeats} draws",
    )


def _by_lot(lab: Lab, size: int, rng: np.random.Generator) -> Floats:
    return _without(lab, rng.choice(len(lab.rows), size, replace=False))


def _without(lab: Lab, gone: NDArray[np.intp]) -> Floats:
    kept = np.setdiff1d(np.arange(len(lab.rows)), gone)
    return lab.ask(lab.learn(lab.rows.take(kept), lab.truth[kept]))


CHECK = lab_check(
    "robustness.poisoning_removed",
    curve_files("poisoning_removed") | {_BY_LOT: CLASSES | REGRESSION},
    _run,
)
