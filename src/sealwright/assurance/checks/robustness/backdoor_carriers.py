"""Decisions that hang on a few training rows which share one or two values: what a planted trigger leaves behind.

Rows with a planted trigger have outcomes their other columns do not explain. Values whose rows are least explained (by a
straight line that has not seen them) are tried: a model is trained without those rows, and rows that carry the values
are asked of both. Rare values of honest data do the same to a lesser degree, so it points to rows
to look at and is no verdict.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Outcome, collected
from sealwright.assurance.intervals import exact_share
from sealwright.assurance.linear import learn_encoding, train_simple
from sealwright.assurance.model import Finding, NotPerformed
from sealwright.assurance.poisoning.lab import Lab, lab_check
from sealwright.assurance.poisoning.stamps import Stamp, log_odds, marks, stamp_words, stamped, stamps_of

__all__ = ["CHECK"]

_SHIFT, _FLIPS = "robustness.backdoor_carriers_shift", "robustness.backdoor_carriers_flip_share"
_STAMPS = 20_000
_FEWEST = 4  # rows that carry a stamp: fewer teach nothing
_LEAST, _MOST = 0.01, 0.06  # their share: below it honest rows weigh as much as planted ones; above, they are many
_TRIED = 12
_FOLDS = 5
_MOST_COLUMNS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    stamp: Stamp
    outcome: int
    carriers: int
    shift: float  # nats, toward the outcome
    flips: int


def _run(case: Case, lab: Lab, rng: np.random.Generator) -> Outcome:
    return collected(_measured(case, lab, rng))


def _measured(case: Case, lab: Lab, rng: np.random.Generator) -> Iterator[Finding | NotPerformed]:
    if learn_encoding(lab.rows).width > _MOST_COLUMNS:
        why = f"values are ranked by a straight line, which is drawn through at most {_MOST_COLUMNS} columns"
        yield from (NotPerformed(check=check, why=why) for check in (_SHIFT, _FLIPS))
        return
    whole = lab.learn(lab.rows, lab.truth)
    tried = []
    for stamp, outcome in _unexplained(case, lab, rng):
        carried = marks(lab.rows, stamp)
        kept = np.flatnonzero(~carried)
        marked = stamped(lab.test, stamp)
        with_, without = (lab.ask(model, marked) for model in (whole, lab.learn(lab.rows.take(kept), lab.truth[kept])))
        tried.append(
            _Tried(
                stamp=stamp,
                outcome=outcome,
                carriers=int(carried.sum()),
                shift=float(np.nan_to_num(log_odds(with_) - log_odds(without)).mean(axis=0)[outcome]),
                flips=int((case.decide(with_) != case.decide(without)).sum()),
            )
        )
    if not tried:
        why = f"no value is carried by {_LEAST:.0%} to {_MOST:.0%} of the training rows"
        yield from (NotPerformed(check=check, why=why) for check in (_SHIFT, _FLIPS))
        return
    yield from _findings(case, lab, max(tried, key=lambda one: one.shift), len(tried))


def _unexplained(case: Case, lab: Lab, rng: np.random.Generator) -> list[tuple[Stamp, int]]:
    """Stamps with the outcome their rows have too often, the least explained first."""
    left = _residuals(case, lab, rng)
    found: list[tuple[float, Stamp, int]] = []
    for stamp in stamps_of(case, _STAMPS, rng):
        carried = marks(lab.rows, stamp)
        if max(_FEWEST, _LEAST * len(lab.rows)) <= carried.sum() <= _MOST * len(lab.rows):
            misses, spread = left[0][carried].sum(axis=0), np.sqrt(left[1][carried].sum(axis=0) + 0.25)
            outcome = int(np.argmax(misses / spread))
            found.append((float((misses / spread)[outcome]), stamp, outcome))
    found.sort(key=lambda one: -one[0])
    return [(stamp, outcome) for _, stamp, outcome in found[:_TRIED]]


def _residuals(case: Case, lab: Lab, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Outcome minus expectation, and the variance expected, each of shape (n, classes); cross-fitted."""
    classes = len(case.interface.classes)
    expected = np.zeros((len(lab.rows), classes))
    fold = rng.permutation(len(lab.rows)) % _FOLDS
    for number in range(_FOLDS):
        learn, check = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        line = train_simple(lab.rows.take(learn), lab.truth[learn], classes)
        expected[check] = line(lab.rows.take(check))
    return np.eye(classes)[lab.truth.astype(np.int64)] - expected, expected * (1 - expected)


def _findings(case: Case, lab: Lab, worst: _Tried, tried: int) -> Iterator[Finding]:
    outcome, n = case.interface.classes[worst.outcome], len(lab.test)
    told = (
        f"{stamp_words(case.interface, worst.stamp)}, carried by {worst.carriers} of {len(lab.rows):,} training rows,"
        f" pushes toward {outcome}; strongest of {tried} tried"
    )
    yield Finding(
        check=_SHIFT,
        value=worst.shift,
        n=n,
        unit="nats",
        definition="Farthest mean move of the log-odds of one outcome, for test rows with certain one or two values,"
        " when the few training rows that carry these values are taken away.",
        note=told,
    )
    low, high = exact_share(worst.flips, n, case.spec.confidence)
    yield Finding(
        check=_FLIPS,
        value=worst.flips / n,
        low=low,
        high=high,
        n=n,
        unit="share",
        definition="Share of test rows, given these values, whose decision changes when the training rows that carry"
        " them are taken away.",
        note=told,
    )


CHECK = lab_check("robustness.backdoor_carriers", {_SHIFT: CLASSES, _FLIPS: CLASSES}, _run)
