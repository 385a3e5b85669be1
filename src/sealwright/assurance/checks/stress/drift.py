"""Other people than before: what the error becomes when the mean of one feature drifts up or down.

The test rows are weighted by exponential tilting, each feature in turn, a category by the share of each of
its levels. What the rows look like besides stays; the drift of the world may be of another kind.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.breaking import Reading, holds_up_to
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, collected, skipped
from sealwright.assurance.model import Figure, Finding, Series
from sealwright.assurance.slice_measures import row_loss
from sealwright.assurance.weighting import Weighted, effective_rows, tilted, weighted_mean

__all__ = ["CHECK"]

_RISE, _HOLDS = "stress.drift_error_rise", "stress.drift_holds_up_to"
_MOST_DIRECTIONS = 200
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Direction:
    words: str  # "higher age", "more purpose = car"
    values: Floats
    sign: float


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    rows = np.arange(len(case.test))
    if rows.size > case.spec.budget.explanation_rows:
        rows = np.sort(rng.choice(rows, case.spec.budget.explanation_rows, replace=False))
    loss = row_loss(case)[rows]
    scale = 1.0 if case.task != "regression" else (float(case.test.truth.std()) or 1.0)
    directions = list(_directions(case, rows))[:_MOST_DIRECTIONS]
    rises: dict[str, dict[float, Weighted]] = {}
    for one in directions:
        for shift in case.spec.stress.drift:
            weights = tilted(one.values, one.sign * shift)
            if weights is not None and effective_rows(weights) >= case.spec.smallest_group:
                rises.setdefault(one.words, {})[shift] = _rise(loss / scale, weights)
    shifts = [shift for shift in case.spec.stress.drift if any(shift in found for found in rises.values())]
    if not shifts:
        return skipped([_RISE, _HOLDS], "no feature can drift on these rows: too few, or all alike")
    # the worst of many directions is picked, so each interval holds for all at once (Bonferroni)
    confidence = 1 - (1 - case.spec.confidence) / len(directions)
    at = min(shifts, key=lambda shift: (abs(shift - 0.5), shift))
    worst = {shift: _worst(rises, shift) for shift in shifts}
    readings = [
        (
            shift,
            [
                Reading(
                    what=f"rise of the error, {words}",
                    value=found.value,
                    interval=found.interval(confidence),
                    limit=case.spec.stress.breaks_at.error_rise,
                )
            ],
        )
        for shift, (words, found) in worst.items()
    ]
    finding = _finding(case, at, *worst[at], confidence, rows.size, len(directions))
    top = sorted(rises, key=lambda words: -max(found.value for found in rises[words].values()))[:_SHOWN]
    return collected(
        [
            finding,
            holds_up_to(_HOLDS, "sd of the feature", readings, rows.size, f"worst of {len(directions)} directions"),
            _figure(case, {words: rises[words] for words in top}),
        ]
    )


def _directions(case: Case, rows: NDArray[np.intp]) -> Iterator[_Direction]:
    features = case.test.features
    for place, item in enumerate(case.interface.numbers):
        values = features.numbers[rows, place].astype(np.float64)
        known = np.isfinite(values)
        if known.any():
            filled = np.where(known, values, values[known].mean())  # rows without a value keep their weight
            for sign, word in ((1.0, "higher"), (-1.0, "lower")):
                yield _Direction(words=f"{word} {item.name}", values=filled, sign=sign)
    for place, text in enumerate(case.interface.strings):
        column = features.strings[rows, place]
        levels, counts = np.unique(column.astype(str), return_counts=True)
        for level in levels[counts >= case.spec.smallest_group]:
            named = f"{text.name} = {level}" if level else f"missing {text.name}"
            values = np.asarray(column == level, dtype=np.float64)
            yield _Direction(words=f"more {named}", values=values, sign=1.0)


def _rise(loss: Floats, weights: Floats) -> Weighted:
    after = weighted_mean(loss, weights)
    return Weighted(value=after.value - float(loss.mean()), influence=after.influence - (loss - loss.mean()))


def _worst(rises: dict[str, dict[float, Weighted]], shift: float) -> tuple[str, Weighted]:
    possible = {words: found[shift] for words, found in rises.items() if shift in found}
    words = max(possible, key=lambda one: possible[one].value)
    return words, possible[words]


def _finding(
    case: Case, shift: float, words: str, found: Weighted, confidence: float, n: int, directions: int
) -> Finding:
    low, high = found.interval(confidence)
    error = "share decided wrongly" if case.task != "regression" else "mean absolute error, in sd of the target,"
    return Finding(
        check=_RISE,
        value=found.value,
        low=low,
        high=high,
        n=n,
        unit="share" if case.task != "regression" else "sd of the target",
        definition=f"Largest rise of the {error} when the mean of one feature drifts by {shift:g} of its sd.",
        note=f"{words}; worst of {directions} directions, the interval holds for all of them at once",
    )


def _figure(case: Case, rises: dict[str, dict[float, Weighted]]) -> Figure:
    return Figure(
        name="stress.drift",
        kind="lines",
        title="Drifting features",
        x="drift of the mean, in sd of the feature",
        y="rise of the share decided wrongly"
        if case.task != "regression"
        else "rise of the error, in sd of the target",
        series=tuple(
            Series(name=words, x=(0.0, *found), y=(0.0, *(one.value for one in found.values())))
            for words, found in rises.items()
        ),
        note="the directions in which the error rises most",
    )


CHECK = Check(name="stress.drift", files={_RISE: ALL, _HOLDS: ALL}, run=_run)
