"""The lab: models like the judged one, trained on rows an attacker has changed.

Every model of one check is trained with one seed, so that what differs between two of them is their rows.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import Check, Outcome, skipped
from sealwright.assurance.features import Features
from sealwright.assurance.predictor import Predictor, answers
from sealwright.kernel import SealwrightError

__all__ = ["Lab", "joined", "lab_check", "wanted_outcome"]

_MOST_TEST_ROWS = 2_000


class Lab:
    """Training rows, test rows, and how a model is made from the first. `rng` draws which of them, if they are many."""

    def __init__(self, case: Case, rng: np.random.Generator) -> None:
        assert case.teach is not None, "lab checks need teaching"
        self.case = case
        self._learn = case.teach.learn
        self._seed = int(rng.integers(2**31))
        kept = _some(len(case.train), case.spec.poisoning.rows, rng)
        self.rows, self.truth = case.train.features.take(kept), case.train.truth[kept]
        judged = _some(len(case.test), min(case.spec.budget.robustness_rows, _MOST_TEST_ROWS), rng)
        self.test, self.test_truth = case.test.features.take(judged), case.test.truth[judged]
        self.clean = self.ask(self.learn(self.rows, self.truth))  # of the model trained on the rows as they are

    def learn(self, rows: Features, truth: NDArray[np.generic], seed: int | None = None) -> Predictor:
        """A model trained on these rows; truth as class positions or values."""
        return self._learn(_table(self.case, rows, truth), self._seed if seed is None else seed)

    def ask(self, predictor: Predictor, rows: Features | None = None) -> Floats:
        """What a trained model says about rows; the test rows where none are given."""
        asked = self.test if rows is None else rows
        return answers(predictor, asked, self.case.interface, gaps_allowed=True)

    def moved(self, outputs: Floats) -> Floats:
        """Per test row: 1 if the decision differs from the clean model's, or the distance in sd of the target."""
        if self.case.task == "regression":
            distance: Floats = np.nan_to_num(np.abs(outputs - self.clean)) / (float(self.test_truth.std()) or 1.0)
            return distance
        return np.asarray(self.case.decide(outputs) != self.case.decide(self.clean), dtype=np.float64)


def lab_check(
    name: str, files: Mapping[str, frozenset[str]], run: Callable[[Case, Lab, np.random.Generator], Outcome]
) -> Check:
    """A thorough check that trains; what cannot be trained is said instead of measured."""

    def guarded(case: Case, rng: np.random.Generator) -> Outcome:
        try:
            return run(case, Lab(case, rng), rng)
        except (SealwrightError, ValueError) as error:  # a learner's own refusal of rows it cannot learn from
            said = " ".join(str(error).split())[:200]
            return skipped([one for one, tasks in files.items() if case.task in tasks], f"no model learns here: {said}")

    return Check(name=name, files=files, run=guarded, needs_teaching=True, thorough=True)


def wanted_outcome(case: Case, truth: NDArray[np.generic]) -> int:
    """What an attacker wants: the favourable outcome, or, where none is named, the rarest."""
    if case.favourable is not None:
        return case.favourable
    counts = np.bincount(truth.astype(np.int64), minlength=len(case.interface.classes))
    return int(np.argmin(np.where(counts > 0, counts, counts.max() + 1)))


def joined(*parts: Features) -> Features:
    """The rows of all parts, one after the other."""
    return Features(
        numbers=np.concatenate([part.numbers for part in parts]),
        strings=np.concatenate([part.strings for part in parts]),
    )


def _table(case: Case, rows: Features, truth: NDArray[np.generic]) -> pa.Table:
    """Rows as a table to learn from: every number as float64, every text as text, classes by their names."""
    columns: dict[str, pa.Array] = {}
    for place, number in enumerate(case.interface.numbers):
        columns[number.name] = pa.array(rows.numbers[:, place].astype(np.float64))
    for place, text in enumerate(case.interface.strings):
        columns[text.name] = pa.array(rows.strings[:, place].tolist(), type=pa.string())
    if case.task == "regression":
        columns[case.interface.target] = pa.array(truth.astype(np.float64))
    else:
        names = np.array(case.interface.classes, dtype=object)
        columns[case.interface.target] = pa.array(names[truth.astype(np.int64)].tolist(), type=pa.string())
    return pa.table(columns)


def _some(rows: int, most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    if rows <= most:
        return np.arange(rows)
    return np.sort(rng.choice(rows, most, replace=False))
