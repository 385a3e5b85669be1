"""Attribute inference: does having the model help to guess a sensitive attribute of a person whose other data is known?

The attacker knows a row's other features and its true outcome, and guesses the attribute with and without what the model
says. Much can be guessed without any model: only the difference is the model's doing, and only what it is larger for
training rows than for others is due to memory (Jayaraman & Evans 2022, arXiv:2209.01292). If the attribute is a feature, the
model is asked about every value it might have (Fredrikson et al. 2014; Yeom et al. 2018).
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case, Sample
from sealwright.assurance.check import ALL, Check, Outcome
from sealwright.assurance.comparison import each_attribute, large_enough, too_few
from sealwright.assurance.features import Features
from sealwright.assurance.intervals import Interval, agresti_min, difference
from sealwright.assurance.leakage.membership import confidences
from sealwright.assurance.linear import fit_logistic, learn_encoding
from sealwright.assurance.model import Finding, Group, NotPerformed

__all__ = ["CHECK"]

_EXCESS, _MEMORY = "privacy.attribute_excess", "privacy.attribute_member_excess"
_MOST_LEVELS = 10  # groups guessed among; an attribute with more has the largest ones guessed
_PENALTY = 1.0

Ints = NDArray[np.int64]


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    return each_attribute(case, [_EXCESS, _MEMORY], partial(_judge, case, rng))


def _judge(case: Case, rng: np.random.Generator, fresh: Attribute) -> Iterator[Finding | NotPerformed]:
    about = Group(attribute=fresh.name)
    known = next(one for one in case.train_attributes if one.name == fresh.name)
    if known.problem:
        yield from (NotPerformed(check=name, why=known.problem, group=about) for name in (_EXCESS, _MEMORY))
        return
    levels = _guessed(case, known, fresh)
    if len(levels) < 2:
        judged = large_enough(case, known)[: len(levels)]
        yield from (too_few(case, name, known, judged, "enough rows") for name in (_EXCESS, _MEMORY))
        return
    train, codes = _rows(case, case.train, known, levels, rng)
    test, other_codes = _rows(case, case.test, fresh, levels, rng)
    alone, helped = _matrices(case, known, levels, train, test)
    halves = _dealt(codes, rng), _dealt(other_codes, rng)
    right = [_right(matrix, (codes, other_codes), halves, len(levels)) for matrix in (alone, helped)]
    seen, unseen = (
        _excess(right[1][part], right[0][part], of, case.spec.confidence)
        for part, of in enumerate((codes, other_codes))
    )
    base = float(np.mean([right[0][0][codes == place].mean() for place in range(len(levels))]))
    note = f"guessed among {', '.join(levels)}; right without the model: {base:.3g}"
    whom = "guessing it from the other features and the outcome"
    yield _finding(
        _EXCESS,
        seen,
        codes.size,
        about,
        f"Rise of the share guessed right, groups alike, by asking the model besides {whom}.",
        note,
    )
    apart = difference(*seen, *unseen)
    words = "The rise of attribute inference by asking the model: for training rows minus for test rows."
    yield _finding(_MEMORY, (seen[0] - unseen[0], apart), codes.size + other_codes.size, about, words, note)


def _guessed(case: Case, known: Attribute, fresh: Attribute) -> tuple[str, ...]:
    """Levels with enough rows in both samples, the largest first, in the order of the attribute."""
    least = case.spec.smallest_group
    rows = {level: int(known.rows_of(place).sum()) for place, level in enumerate(known.levels)}
    also = {level: int(fresh.rows_of(place).sum()) for place, level in enumerate(fresh.levels)}
    enough = [level for level in known.levels if rows[level] >= least and also.get(level, 0) >= least]
    kept = sorted(enough, key=lambda level: (-rows[level], level))[:_MOST_LEVELS]
    return tuple(level for level in known.levels if level in kept)


def _rows(
    case: Case, sample: Sample, attribute: Attribute, levels: tuple[str, ...], rng: np.random.Generator
) -> tuple[tuple[Features, NDArray[Any], Floats], Ints]:
    """Rows of these levels within the budget: features, truth, what the model answered, and the positions of their levels."""
    place_of = {level: place for place, level in enumerate(levels)}
    codes = np.array([place_of.get(level, -1) for level in attribute.levels])[attribute.codes]
    rows = np.flatnonzero(codes >= 0)
    most = case.spec.budget.fairness_rows
    if rows.size > most:
        rows = np.sort(rng.choice(rows, most, replace=False))
    return (sample.features.take(rows), sample.truth[rows], sample.outputs[rows]), codes[rows].astype(np.int64)


def _matrices(
    case: Case,
    attribute: Attribute,
    levels: tuple[str, ...],
    train: tuple[Features, NDArray[Any], Floats],
    test: tuple[Features, NDArray[Any], Floats],
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """What the attacker knows without and with the model, for training and for test rows."""
    names = case.interface.names
    blanked = [_without(part[0], names, attribute.name) for part in (train, test)]
    encoding = learn_encoding(blanked[0])
    alone = [
        np.column_stack([encoding.matrix(rows), _told(case, part[1])])
        for rows, part in zip(blanked, (train, test), strict=True)
    ]
    said = [_said(case, attribute, levels, part) for part in (train, test)]
    centre, spread = said[0].mean(axis=0), said[0].std(axis=0)
    scaled = [(one - centre) / np.where(spread > 0, spread, 1.0) for one in said]
    helped = [np.column_stack(pair) for pair in zip(alone, scaled, strict=True)]
    return (alone[0], alone[1]), (helped[0], helped[1])


def _without(rows: Features, names: tuple[str, ...], attribute: str) -> Features:
    """The rows with the attribute's own column emptied, if the model takes it."""
    if attribute not in names:
        return rows
    place = names.index(attribute)
    empty: Any = np.nan if place < rows.numbers.shape[1] else ""
    return rows.with_column(place, np.full(len(rows), empty))


def _told(case: Case, truth: NDArray[Any]) -> Floats:
    """The true outcome as columns."""
    if case.task != "regression":
        return np.asarray(np.eye(len(case.interface.classes))[truth][:, 1:], dtype=np.float64)
    spread = float(case.train.truth.std()) or 1.0
    return np.asarray((truth - case.train.truth.mean()) / spread, dtype=np.float64)[:, None]


def _said(
    case: Case, attribute: Attribute, levels: tuple[str, ...], part: tuple[Features, NDArray[Any], Floats]
) -> Floats:
    """What the model says: how sure it is of the truth, as the row is or with each level in place of the attribute."""
    rows, truth, outputs = part
    names = case.interface.names
    if attribute.name not in names:
        own = outputs if case.task == "regression" else np.max(outputs, axis=1)
        return np.column_stack([confidences(case.task, truth, outputs), own])
    place = names.index(attribute.name)
    columns = []
    for level in levels:
        value = _value(case, attribute, level, place)
        asked = rows.with_column(place, np.full(len(rows), value))
        columns.append(confidences(case.task, truth, case.predict(asked)))
    return np.column_stack(columns)


def _value(case: Case, attribute: Attribute, level: str, place: int) -> Any:
    """A value of the column that falls into the level: the middle one of the training rows that have it."""
    column = case.train.features.column(place)
    known = next(one for one in case.train_attributes if one.name == attribute.name)
    found = column[known.rows_of(known.levels.index(level))]
    if column.dtype == object:
        return found[0]
    finite = np.sort(found[np.isfinite(found)])
    return finite[finite.size // 2] if finite.size else np.nan


def _dealt(codes: Ints, rng: np.random.Generator) -> Ints:
    """Halves 0 and 1, each group parted evenly."""
    half = np.empty(codes.size, dtype=np.int64)
    for place in np.unique(codes):
        rows = np.flatnonzero(codes == place)
        half[rows] = rng.permutation(rows.size) % 2
    return half


def _right(
    matrix: tuple[Floats, Floats], codes: tuple[Ints, Ints], halves: tuple[Ints, Ints], levels: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each training and each test row was guessed right by an attacker that learned from the other half."""
    right = tuple(np.zeros(one.size, dtype=np.bool_) for one in codes)
    for half in (0, 1):
        learn = halves[0] != half
        asked = range(1 if levels == 2 else levels)
        fitted = [fit_logistic(matrix[0][learn], codes[0][learn] == place, _PENALTY) for place in asked]
        odds = [np.log((codes[0][learn] == place).mean() / (codes[0][learn] != place).mean()) for place in asked]
        for part in (0, 1):
            judge = halves[part] == half
            logits = np.column_stack(
                [matrix[part][judge] @ w + c - prior for (w, c), prior in zip(fitted, odds, strict=True)]
            )
            guess = (logits[:, 0] < 0).astype(np.int64) if levels == 2 else np.argmax(logits, axis=1)
            right[part][judge] = guess == codes[part][judge]
    return right[0], right[1]


def _excess(
    helped: NDArray[np.bool_], alone: NDArray[np.bool_], codes: Ints, confidence: float
) -> tuple[float, Interval]:
    """Mean over groups of the share guessed right with the model minus without it, rows paired."""
    values, below, above = [], 0.0, 0.0
    for place in np.unique(codes):
        with_it, without = helped[codes == place], alone[codes == place]
        only = int((with_it & ~without).sum()), int((without & ~with_it).sum())
        value = (only[0] - only[1]) / with_it.size
        low, high = agresti_min(*only, with_it.size, confidence)
        values.append(value)
        below, above = below + (value - low) ** 2, above + (high - value) ** 2
    mean, k = float(np.mean(values)), len(values)
    return mean, (mean - float(np.sqrt(below)) / k, mean + float(np.sqrt(above)) / k)


def _finding(check: str, found: tuple[float, Interval], n: int, about: Group, definition: str, note: str) -> Finding:
    value, (low, high) = found
    return Finding(
        check=check, value=value, low=low, high=high, n=n, unit="share", definition=definition, group=about, note=note
    )


CHECK = Check(name="privacy.attribute_inference", files={_EXCESS: ALL, _MEMORY: ALL}, run=_run, needs_training=True)
