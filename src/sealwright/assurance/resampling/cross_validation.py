"""How good a way of training is: trained on some rows, judged on others, again and again.

Answers: which score will a model trained this way have on new rows, and how sure is that?
Does not answer: how good is this one finished model? The suites judge that, on rows held out.

The scores of folds share their training rows and so hang together; a plain t interval is far too narrow.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.intervals import Interval
from sealwright.assurance.resampling.folds import Split
from sealwright.assurance.resampling.training import Data, Measure, Train, answered, measure_of, trainer
from sealwright.kernel import InvalidInput

__all__ = [
    "CrossValidation",
    "Nested",
    "compare_by_folds",
    "corrected_interval",
    "cross_validate",
    "nested_cross_validate",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossValidation:
    """Scores by split, their mean, and its corrected interval (none where there is just one split)."""

    scores: tuple[float, ...]
    train_scores: tuple[float, ...]
    mean: float
    interval: Interval | None
    rows: tuple[tuple[int, int], ...]  # training and judged rows of each split
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nested:
    """What choosing among candidates and then training the chosen one yields on rows neither has seen."""

    result: CrossValidation
    chosen: tuple[str, ...]  # candidate chosen inside each outer split


def cross_validate(
    model: Any, data: Data, splits: Sequence[Split], score: str | Measure, confidence: float = 0.95
) -> CrossValidation:
    """Train on the training rows of each split and score the answers for the others.

    Parameters
    ----------
    model : callable or scikit-learn estimator
        See `trainer`.
    splits : sequence of Split
        From `k_folds`, `stratified_folds`, `grouped_folds`, `time_ordered_folds`, or any of these `repeated`.
    score : str or callable
        A name in `SCORES`, or a function of (truth, outputs); more is better.

    Raises
    ------
    InvalidInput
        No splits, an unknown score, or a split on which the score is undefined.
    """
    if not splits:
        raise InvalidInput("Cross-validation needs at least one split.")
    train, measure = trainer(model), measure_of(score)
    told = [_scored(train, measure, data, split, number) for number, split in enumerate(splits, start=1)]
    return _summary([test for test, _ in told], [seen for _, seen in told], splits, confidence)


def nested_cross_validate(
    candidates: Mapping[str, Any],
    data: Data,
    outer: Sequence[Split],
    inner: Any,
    score: str | Measure,
    confidence: float = 0.95,
) -> Nested:
    """Choose among candidates inside each outer split, then score the chosen one outside of it.

    Choosing by the same scores one reports makes them too good (Cawley & Talbot 2010); here the rows of the
    outer score never took part in the choice.

    Parameters
    ----------
    candidates : mapping
        Name to way of training. Of equally good ones the first is chosen.
    inner : callable
        Gives the splits of a `Data`: `lambda part: stratified_folds(part.y, 5, rng)`.
    """
    if not candidates or not outer:
        raise InvalidInput("Nested cross-validation needs at least one candidate and one outer split.")
    measure, chosen, told = measure_of(score), [], []
    for number, split in enumerate(outer, start=1):
        part = Data(X=data.X[split.train], y=data.y[split.train])
        splits = inner(part)
        means = {name: cross_validate(model, part, splits, measure).mean for name, model in candidates.items()}
        best = max(means, key=means.__getitem__)
        chosen.append(best)
        told.append(_scored(trainer(candidates[best]), measure, data, split, number))
    result = _summary([test for test, _ in told], [seen for _, seen in told], outer, confidence)
    return Nested(result=result, chosen=tuple(chosen))


def compare_by_folds(
    first: CrossValidation, second: CrossValidation, confidence: float = 0.95
) -> tuple[float, Interval, float]:
    """First minus second on the same splits: difference, interval and p-value of the corrected resampled t-test.

    Raises
    ------
    InvalidInput
        The two were not judged on splits of the same sizes, or on just one.
    """
    if first.rows != second.rows or len(first.rows) < 2:
        raise InvalidInput("Two cross-validations are compared on the same splits, two or more of them.")
    apart = np.subtract(first.scores, second.scores)
    error = _corrected_error(apart, first.rows)
    from scipy.special import stdtr

    mean = float(apart.mean())
    p = 2 * float(stdtr(apart.size - 1, -abs(mean) / error)) if error > 0 else float(mean == 0)
    return mean, corrected_interval(apart, first.rows, confidence), p


def corrected_interval(scores: Floats, rows: Sequence[tuple[int, int]], confidence: float) -> Interval:
    """Interval of the mean of scores of splits that share training rows.

    Notes
    -----
    mean ± t s sqrt(1/J + n_test / n_train), t with J - 1 degrees of freedom: the corrected resampled t of Nadeau &
    Bengio 2003 (doi:10.1023/A:1024068626366), used for repeated folds by Bouckaert & Frank 2004. The extra term
    stands for the correlation of the splits, which cannot be estimated from them (Bengio & Grandvalet 2004).
    """
    from scipy.special import stdtrit

    half = float(stdtrit(scores.size - 1, 0.5 + confidence / 2)) * _corrected_error(scores, rows)
    mean = float(scores.mean())
    return mean - half, mean + half


def _corrected_error(scores: Floats, rows: Sequence[tuple[int, int]]) -> float:
    ratio = sum(test for _, test in rows) / sum(train for train, _ in rows)
    return float(scores.std(ddof=1)) * math.sqrt(1 / scores.size + ratio)


def _scored(train: Train, measure: Measure, data: Data, split: Split, number: int) -> tuple[float, float]:
    """Scores on the judged and on the training rows of one split."""
    answer = train(data.X[split.train], data.y[split.train])
    scores = tuple(measure(data.y[rows], answered(answer, data, rows)) for rows in (split.test, split.train))
    if not all(map(math.isfinite, scores)):
        raise InvalidInput(
            f"The score is undefined on split {number}: {split.test.size} judged rows, perhaps all of one outcome.\n"
            "Take fewer or stratified folds, or a score of single rows such as negative_log_loss."
        )
    return scores[0], scores[1]


def _summary(scores: list[float], seen: list[float], splits: Sequence[Split], confidence: float) -> CrossValidation:
    values = np.array(scores)
    rows = tuple((split.train.size, split.test.size) for split in splits)
    several = values.size > 1
    return CrossValidation(
        scores=tuple(scores),
        train_scores=tuple(seen),
        mean=float(values.mean()),
        interval=corrected_interval(values, rows, confidence) if several else None,
        rows=rows,
        note="" if several else "one single split: how much the score would vary is not known",
    )
