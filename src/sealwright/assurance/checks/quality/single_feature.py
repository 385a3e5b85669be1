"""How much one feature alone gives away: a value near 1 means the answer leaked into the features.

Each feature is turned into what the training rows with its value turned out to be (numbers in twenty
bands of equal size), and that alone predicts the test rows.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, skipped
from sealwright.assurance.model import Figure, Finding, Series
from sealwright.assurance.scores import Score, headline, score_words
from sealwright.data.quality import lookup

__all__ = ["CHECK"]

_CHECK = "quality.single_feature_score"
_BANDS = 20
_SHOWN = 20


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    scores = {name: score for place, name in enumerate(case.interface.names) if (score := _alone(case, place))}
    if not scores:
        return skipped([_CHECK], "the test rows hold one single outcome, so nothing can be told apart")
    ranked = sorted(scores, key=lambda name: (-scores[name].value, name))
    best = scores[ranked[0]]
    low, high = best.interval(case.task, case.spec.confidence)
    unit, words = score_words(case.task)
    finding = Finding(
        check=_CHECK,
        value=best.value,
        low=low,
        high=high,
        n=len(case.test),
        unit=unit,
        definition=f"Strongest prediction any one feature makes alone: {words} on the test rows.",
        note=f"strongest: {ranked[0]}",
    )
    bars = Series(name="alone", x=tuple(ranked[:_SHOWN]), y=tuple(scores[name].value for name in ranked[:_SHOWN]))
    figure = Figure(
        name="quality.single_features",
        kind="bars",
        title="What each feature predicts alone",
        x="feature",
        y=unit,
        series=(bars,),
    )
    return Outcome(findings=(finding,), figures=(figure,))


def _alone(case: Case, place: int) -> Score | None:
    """The headline score of a lookup table over one feature."""
    train, test = _codes(case.train.features.column(place), case.test.features.column(place))
    guesses = lookup(train, _outcomes(case), test)
    return headline(case.interface, case.test.truth, guesses[:, 0] if case.task == "regression" else guesses)


def _outcomes(case: Case) -> Floats:
    """Training targets as columns: one per class, or the value itself."""
    if case.task == "regression":
        return np.asarray(case.train.truth[:, None], dtype=np.float64)
    return np.asarray(np.eye(len(case.interface.classes))[case.train.truth])


def _codes(train: NDArray[Any], test: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Both columns as small whole numbers: bands of a number, or one per text; an unseen text is 0."""
    if train.dtype == object:
        places = {value: place for place, value in enumerate(sorted(set(train.tolist())), start=1)}
        both = [
            np.array([places.get(value, 0) for value in column.tolist()], dtype=np.int64) for column in (train, test)
        ]
        return both[0], both[1]
    finite = train.astype(np.float64)
    finite = finite[np.isfinite(finite)]
    if finite.size == 0:
        return np.zeros(train.size, dtype=np.int64), np.zeros(test.size, dtype=np.int64)
    edges = np.unique(np.quantile(finite, np.linspace(0, 1, _BANDS + 1)[1:-1]))
    both = [
        np.where(np.isfinite(column), np.searchsorted(edges, column, side="right") + 1, 0).astype(np.int64)
        for column in (train.astype(np.float64), test.astype(np.float64))
    ]
    return both[0], both[1]


CHECK = Check(name="quality.single_feature", files={_CHECK: ALL}, run=_run, needs_training=True)
