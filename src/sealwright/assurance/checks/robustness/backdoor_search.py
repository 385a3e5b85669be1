"""A search for a trigger in the model as it is: one or two values that send nearly every row to one outcome.

A benign model may well do so for a good reason, and a straight line through the training rows then does the same. So
what counts is how much farther the model goes than that line. Nothing is trained like the model; the sharper comparison,
with models that are, belongs to the full assessment.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Check, Outcome, collected
from sealwright.assurance.features import Features
from sealwright.assurance.linear import learn_encoding, train_simple
from sealwright.assurance.model import Finding, NotPerformed
from sealwright.assurance.poisoning.stamps import Stamp, log_odds, profile, stamped, stamps_of
from sealwright.assurance.poisoning.suspects import FEWEST, Suspect, farthest, halves, reach_finding, suspects_of
from sealwright.assurance.predictor import FunctionPredictor, Predictor

__all__ = ["CHECK"]

_REACH = "robustness.backdoor_excess_reach"
_STAMPS = 3_000
_ROWS = 10  # each stamp is tried on; the strongest is confirmed on others
_MOST_COLUMNS = 500


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    return collected(_searched(case, rng))


def _searched(case: Case, rng: np.random.Generator) -> Iterator[Finding | NotPerformed]:
    searched, confirmed = halves(len(case.test), _ROWS, rng)
    before = case.decisions[confirmed]
    if all((before != place).sum() < FEWEST for place in range(len(case.interface.classes))):
        yield NotPerformed(
            check=_REACH, why=f"there are fewer than {FEWEST} rows with another outcome to send anywhere"
        )
        return
    some = slice(0, case.spec.budget.baseline_rows)
    learned, truth = case.train.features.take(some), case.train.truth[some]
    if learn_encoding(learned).width > _MOST_COLUMNS or np.unique(truth).size < 2:
        yield NotPerformed(check=_REACH, why="no straight line to compare with: too many columns, or one outcome only")
        return
    line = FunctionPredictor(train_simple(learned, truth, len(case.interface.classes)))
    stamps, rows = stamps_of(case, _STAMPS, rng), case.test.features.take(searched)
    if not stamps:
        yield NotPerformed(check=_REACH, why="no feature has a known value to try")
        return
    farther = _moves(case, case.predictor, rows, stamps) - _moves(case, line, rows, stamps)
    others = case.test.features.take(confirmed)

    def told(suspect: Suspect) -> Finding | str:
        marked = stamped(others, suspect.stamp)
        shift = log_odds(line.predict(marked)) - log_odds(line.predict(others))
        expected = 1 / (1 + np.exp(-(log_odds(case.test.outputs[confirmed]) + shift)))
        decided, foreseen = case.decide(case.predict(marked)), case.decide(expected)
        by = "a straight line through the training rows"
        return reach_finding(case, _REACH, suspect, before, decided, foreseen, by, case.train.features)

    found = farthest([told(suspect) for suspect in suspects_of(farther, stamps, before)])
    yield NotPerformed(check=_REACH, why=found) if isinstance(found, str) else found


def _moves(case: Case, predictor: Predictor, rows: Features, stamps: Sequence[Stamp]) -> Floats:
    """How far each stamp moves the mean log-odds of each class, shape (stamps, classes)."""
    start = np.nan_to_num(log_odds(predictor.predict(rows))).mean(axis=0)
    moves: Floats = profile(case, predictor, rows, stamps) - start
    return moves


CHECK = Check(name="robustness.backdoor_search", files={_REACH: CLASSES}, run=_run)
