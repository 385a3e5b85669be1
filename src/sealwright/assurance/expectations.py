"""Expectations that hold without knowing the true outcome: change one column, compare the two answers.

A metamorphic relation (Chen et al. 1998) either holds for a row or not; what is told is the share of rows
for which it does not, and where among the levels of the features these lie. No row leaves this module.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, collected, skipped
from sealwright.assurance.features import Features
from sealwright.assurance.intervals import exact_share
from sealwright.assurance.model import Finding, Group, NotPerformed
from sealwright.assurance.predictor import no_answer
from sealwright.assurance.slice_columns import columns_of
from sealwright.assurance.stress_spec import Expectation

__all__ = ["expectation_check"]

_MOST_LEVELS = 30
_NONE = "no such expectation is declared: say under assurance.expectations what must {what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """Rows with one column changed, and which of them really changed."""

    features: Features
    changed: NDArray[np.bool_]


def expectation_check(name: str, kinds: Sequence[str], what: str, definition: str) -> Check:
    """The check that measures the declared expectations of some kinds, one finding each."""
    check = f"stress.{name}_violation_share"

    def run(case: Case, rng: np.random.Generator) -> Outcome:
        asked = [one for one in case.spec.expectations if one.expect in kinds]
        if not asked:
            return skipped([check], _NONE.format(what=what))
        rows = np.arange(len(case.test))
        if rows.size > case.spec.budget.robustness_rows:
            rows = np.sort(rng.choice(rows, case.spec.budget.robustness_rows, replace=False))
        return collected(_judge(case, one, rows, check, definition) for one in asked)

    return Check(name=f"stress.{name}", files={check: ALL}, run=run)


def _judge(
    case: Case, asked: Expectation, rows: NDArray[np.intp], check: str, definition: str
) -> Finding | NotPerformed:
    about = Group(attribute=asked.column, level=asked.words)
    if asked.column not in case.interface.names:
        why = f"the model does not take {asked.column}, so changing it cannot change an answer"
        return NotPerformed(check=check, why=why, group=about, applicable=False)
    if why := _senseless(case, asked):
        return NotPerformed(check=check, why=why, group=about)
    features, clean = case.test.features.take(rows), case.test.outputs[rows]
    judged, broken, furthest = np.zeros(rows.size, dtype=np.bool_), np.zeros(rows.size, dtype=np.bool_), 0.0
    for change in _changes(case, asked, features):
        outputs = case.predict(change.features)
        moves = _moves(case, outputs) - _moves(case, clean)
        wrong = _violated(case, asked, clean, outputs, moves) & change.changed
        judged |= change.changed
        broken |= wrong
        if wrong.any():
            furthest = max(furthest, float(np.nan_to_num(np.abs(moves[wrong])).max()))
    n, k = int(judged.sum()), int(broken.sum())
    if n == 0:
        return NotPerformed(check=check, why="no row could be changed: the column has one single value", group=about)
    low, high = exact_share(k, n, case.spec.confidence)
    return Finding(
        check=check,
        value=k / n,
        low=low,
        high=high,
        n=n,
        unit="share",
        definition=definition,
        group=about,
        note=_where(case, asked, rows, judged, broken, furthest) if k else "",
    )


def _senseless(case: Case, asked: Expectation) -> str:
    number = asked.column in [item.name for item in case.interface.numbers]
    if asked.expect != "same" and not number:
        return f"{asked.column} holds categories, which cannot be raised"
    if case.task == "multiclass" and asked.expect != "same" and case.favourable is None:
        return "no single outcome to point at: name one under assurance.favourable"
    return ""


def _changes(case: Case, asked: Expectation, features: Features) -> Iterator[_Change]:
    """Every change the expectation speaks of, each over all rows."""
    place = case.interface.names.index(asked.column)
    column = features.column(place)
    if place >= len(case.interface.numbers):
        for level in _levels(case, place):
            levels = np.full(len(features), level, dtype=object)
            yield _Change(features=features.with_column(place, levels), changed=np.asarray(column != level))
        return
    item = case.interface.numbers[place]
    if item.type == "boolean":
        for value in (1.0,) if asked.expect != "same" else (0.0, 1.0):
            moved = np.where(np.isnan(column), column, column.dtype.type(value))
            yield _Change(features=features.with_column(place, moved), changed=np.isfinite(column) & (column != value))
        return
    learned = case.train.features.numbers[:, place].astype(np.float64)
    by = asked.by or float(learned[np.isfinite(learned)].std())
    if item.type in ("integer", "date"):
        by = max(1.0, round(by))
    for step in (by, -by) if asked.expect == "same" else (by,):
        moved = np.clip(column.astype(np.float64) + step, _end(item.least, -np.inf), _end(item.most, np.inf))
        yield _Change(
            features=features.with_column(place, moved.astype(column.dtype)),
            changed=np.isfinite(column) & (moved.astype(column.dtype) != column),
        )


def _end(limit: float | None, otherwise: float) -> float:
    return otherwise if limit is None else limit


def _levels(case: Case, place: int) -> list[str]:
    """Levels to change to: the declared ones, or the most frequent of the training rows."""
    declared = case.interface.strings[place - len(case.interface.numbers)].categories
    values, first, counts = np.unique(
        case.train.features.column(place).astype(str), return_index=True, return_counts=True
    )
    frequent = [str(values[at]) for at in np.lexsort((first, -counts)) if values[at] != ""]
    return (list(declared) if 0 < len(declared) <= _MOST_LEVELS else frequent)[:_MOST_LEVELS]


def _moves(case: Case, outputs: Floats) -> Floats:
    """The score that must stay or move: shape (n,), or (n, classes) where no single outcome is meant."""
    if case.task == "regression" or case.favourable is None:
        return outputs
    return outputs[:, case.positive if case.task == "binary" else case.favourable]


def _violated(case: Case, asked: Expectation, clean: Floats, outputs: Floats, moves: Floats) -> NDArray[np.bool_]:
    """Rows for which the expectation does not hold; a row without an answer breaks every one."""
    silent = no_answer(outputs)
    moved = np.nan_to_num(moves.reshape(moves.shape[0], -1))
    slack = asked.tolerance + 1e-9  # two equal float32 scores may differ in the last bit
    if asked.expect == "rises":
        return silent | (moved < -slack).any(axis=1)
    if asked.expect == "falls":
        return silent | (moved > slack).any(axis=1)
    flipped = np.zeros_like(silent) if case.task == "regression" else case.decide(outputs) != case.decide(clean)
    return np.asarray(silent | flipped | (np.abs(moved) > slack).any(axis=1))


def _where(
    case: Case,
    asked: Expectation,
    rows: NDArray[np.intp],
    judged: NDArray[np.bool_],
    broken: NDArray[np.bool_],
    furthest: float,
) -> str:
    """The violations as aggregates: how far the score moves at most, and the level where they are most frequent."""
    best, text = float(broken.sum()) / float(judged.sum()), ""
    for column in columns_of(case, case.spec.smallest_group):
        codes, size = column.codes[rows], len(column.words)
        n = np.bincount(codes[judged], minlength=size + 2)[:size]
        k = np.bincount(codes[broken], minlength=size + 2)[:size]
        large = n >= case.spec.smallest_group
        if large.any() and column.name != asked.column:
            shares = np.where(large, k / np.maximum(n, 1), 0.0)
            at = int(np.argmax(shares))
            if shares[at] > best:
                best, text = float(shares[at]), f"; most often where {column.words[at]}: {k[at]} of {n[at]}"
    return f"the score moves by up to {furthest:.3g}{text}"
