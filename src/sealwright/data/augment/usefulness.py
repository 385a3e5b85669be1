"""Do made-up rows help? A yardstick model is trained with and without them, and asked about real rows it has not seen.

Answers: made-up instead of real rows; made-up besides real rows, for everybody and for the groups they were made for.
Does not answer: whether the project's own model gains. Assurance measures that on the test rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sealwright.data.augment.areas import area, area_value, difference_interval, r2
from sealwright.data.augment.frame import Floats, Frame, Ints
from sealwright.data.augment.learning import classifier, learnable, regressor
from sealwright.data.augment.report import Area, Compared, Usefulness

__all__ = ["Fold", "measure_usefulness"]

_MOST_HELD = 20_000

Bools = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """One fold: all rows learned from and held out, which of them are of the groups, and the rows made up for those."""

    learned: Frame
    learned_in: Bools
    held: Frame
    held_in: Bools
    made: Frame


@dataclass(slots=True)
class _Answers:
    """Predictions for the held-out rows of all folds, one list for each way of training."""

    truth: list[Floats]
    by: dict[str, list[Floats]]


def measure_usefulness(
    folds: Sequence[Fold], features: Sequence[str], target: str, positive: int | None, rng: np.random.Generator
) -> Usefulness:
    """Train on each fold's rows with and without made-up ones and predict its held-out rows.

    Parameters
    ----------
    features : sequence of str
        Columns given to the yardstick model.
    positive : int or None
        Code of the positive class; None for more than two classes or a number.
    """
    seed = int(rng.integers(2**31 - 1))
    groups, everyone = (
        _Answers([], {"made": [], "real": [], "both": [], "all": []}),
        _Answers([], {"both": [], "all": []}),
    )
    for fold in folds:
        own = fold.learned.take(fold.learned_in)
        both = _with(fold.learned, fold.made)
        ways = {"made": fold.made, "real": own, "both": both, "all": fold.learned}
        said = {way: _answers(rows, fold.held, features, target, positive, seed) for way, rows in ways.items()}
        truth = _truth(fold.held, target, positive)
        for place, chosen in ((groups, fold.held_in), (everyone, np.ones(fold.held.rows, dtype=np.bool_))):
            place.truth.append(truth[chosen])
            for way, lists in place.by.items():
                lists.append(said[way][chosen])
    asked = (
        ("made-up instead of real rows of the groups, asked about the groups", groups, "made", "real"),
        ("made-up besides all real rows, asked about the groups", groups, "both", "all"),
        ("made-up besides all real rows, asked about everybody", everyone, "both", "all"),
    )
    number = folds[0].held.columns[folds[0].held.place(target)].levels is None
    measure = "r2" if number else "roc_auc" if positive is not None else "accuracy"
    compared = [_compared(what, where, one, other, measure, rng) for what, where, one, other in asked]
    notes = ["A comparison is left out: the held-out rows have one outcome only."] if None in compared else []
    return Usefulness(
        measure=measure,
        compared=tuple(one for one in compared if one is not None),
        notes=tuple(notes),
    )


def _with(real: Frame, made: Frame) -> Frame:
    columns = tuple(
        one.with_values(np.concatenate([one.values, other.values]))
        for one, other in zip(real.columns, made.columns, strict=True)
    )
    return Frame(columns=columns, rows=real.rows + made.rows)


def _truth(frame: Frame, target: str, positive: int | None) -> Floats:
    column = frame.columns[frame.place(target)]
    return (column.values == positive).astype(np.float64) if positive is not None else column.values.astype(np.float64)


def _answers(rows: Frame, held: Frame, features: Sequence[str], target: str, positive: int | None, seed: int) -> Floats:
    """What a model trained on `rows` says of each held-out row: a probability, a class, or a number."""
    places = [rows.place(name) for name in features]
    inputs = Frame(columns=tuple(rows.columns[place] for place in places), rows=rows.rows)
    asked = learnable(Frame(columns=tuple(held.columns[place] for place in places), rows=held.rows))
    truth = _truth(rows, target, positive)
    if not rows.rows or (truth == truth[0]).all():
        return np.full(held.rows, truth[0] if rows.rows else 0.0)
    number = rows.columns[rows.place(target)].levels is None
    model = (regressor if number else classifier)(inputs, seed).fit(learnable(inputs), truth)
    if number or positive is None:
        return np.asarray(model.predict(asked), dtype=np.float64)
    return np.asarray(model.predict_proba(asked)[:, 1], dtype=np.float64)


def _compared(
    what: str, where: _Answers, one: str, other: str, measure: str, rng: np.random.Generator
) -> Compared | None:
    truth = np.concatenate(where.truth)
    said = [np.concatenate(where.by[way]) for way in (one, other)]
    if len(truth) > _MOST_HELD:
        some = rng.choice(len(truth), _MOST_HELD, replace=False)
        truth, said = truth[some], [scores[some] for scores in said]
    if len(truth) < 2 or (truth == truth[0]).all():
        return None

    def value(scores: Floats, rows: Ints) -> float:
        return _value(scores[rows], truth[rows], measure)

    every = np.arange(len(truth))
    first, second = (_area(scores, truth, measure, rng) for scores in said)
    return Compared(
        what=what,
        first=first,
        second=second,
        difference=value(said[0], every) - value(said[1], every),
        interval=difference_interval(lambda rows: value(said[0], rows) - value(said[1], rows), len(truth), rng),
    )


def _value(scores: Floats, truth: Floats, measure: str) -> float:
    if measure == "roc_auc":
        return area_value(scores, truth == 1)
    return r2(scores, truth) if measure == "r2" else float((scores == truth).mean())


def _area(scores: Floats, truth: Floats, measure: str, rng: np.random.Generator) -> Area:
    if measure == "roc_auc" and (found := area(scores, truth == 1)) is not None:
        return found
    n = len(truth)
    return Area(
        value=_value(scores, truth, measure),
        interval=difference_interval(lambda rows: _value(scores[rows], truth[rows], measure), n, rng),
        n=n,
    )
