"""Are similar people decided alike (individual fairness)?

For each row, its nearest neighbours by all features but the declared attributes (Zemel et al. 2013,
consistency). Numbers count in standard deviations of the training data, a different category counts one.
What counts as similar is a choice that features cannot make: this is a description of the model, no verdict.
"""

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, REGRESSION, Check, Outcome, skipped
from sealwright.assurance.comparison import sensitive
from sealwright.assurance.features import Features
from sealwright.assurance.intervals import mean_interval
from sealwright.assurance.model import Finding

__all__ = ["CHECK"]

_ALIKE, _APART = "fairness.individual_consistency", "fairness.individual_distance"
_AT_ONCE = 250  # rows compared with all others at a time
_SAME = 1e-9  # squared distances closer than this are ties; all of a tie count, in equal parts


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    name = _APART if case.task == "regression" else _ALIKE
    if (none := sensitive(case, [name])) is not None:
        return none
    n, k = len(case.test), case.spec.neighbours
    rows = np.arange(n)
    if n > case.spec.budget.fairness_rows:
        rows = np.sort(rng.choice(n, case.spec.budget.fairness_rows, replace=False))
    hidden = {attribute.name for attribute in case.attributes}
    kept = [place for place, feature in enumerate(case.interface.names) if feature not in hidden]
    if rows.size <= k or not kept:
        return skipped([name], f"{rows.size} rows with {len(kept)} features to compare; needed are {k + 1} and one")
    numbers, texts = _coordinates(case, case.test.features.take(rows), kept)
    weights = ((at, _weights(numbers, texts, at, k)) for at in range(0, rows.size, _AT_ONCE))
    if case.task == "regression":
        outputs = case.test.outputs[rows] / (float(case.test.truth.std()) or 1.0)
        own = np.concatenate([np.abs(outputs[at : at + _AT_ONCE] - w @ outputs) for at, w in weights])
        return Outcome(findings=(_distance(case, own),))
    chosen = np.eye(len(case.interface.classes))[case.decisions[rows]]
    own = np.concatenate([(chosen[at : at + _AT_ONCE] * (w @ chosen)).sum(axis=1) for at, w in weights])
    return Outcome(findings=(_share(case, own, float((chosen.mean(axis=0) ** 2).sum())),))


def _coordinates(case: Case, features: Features, kept: list[int]) -> tuple[Floats, Floats]:
    """Numbers scaled by the training rows, missing at their mean and marked; texts as whole numbers."""
    width = len(case.interface.numbers)
    numbers, texts = [], []
    for place in kept:
        column = features.column(place)
        if place >= width:
            texts.append(np.unique(column.astype(str), return_inverse=True)[1])
            continue
        known = case.train.features.column(place).astype(np.float64)
        known = known[np.isfinite(known)]
        there = np.isfinite(column)
        spread = float(known.std()) if known.size else 0.0
        scaled = (np.where(there, column, 0) - known.mean()) / spread if spread > 0 else np.zeros(len(column))
        numbers += [np.where(there, scaled, 0.0), (~there).astype(np.float64)]
    n = len(features)
    return np.reshape(numbers, (-1, n)).T.astype(np.float64), np.reshape(texts, (-1, n)).astype(np.float64)


def _weights(numbers: Floats, texts: Floats, at: int, k: int) -> Floats:
    """What each row counts as a neighbour of the rows from `at` on: shape (at most 250, n), lines sum to 1."""
    here = slice(at, at + _AT_ONCE)
    squares = (numbers**2).sum(axis=1)
    apart = np.maximum(squares[here, None] + squares - 2 * numbers[here] @ numbers.T, 0.0)
    for column in texts:
        apart += column[here, None] != column
    lines = np.arange(len(apart))
    apart[lines, at + lines] = np.inf
    limit = np.partition(apart, k - 1, axis=1)[:, k - 1 : k]
    closer, tied = apart < limit - _SAME, np.abs(apart - limit) <= _SAME
    left = k - closer.sum(axis=1, keepdims=True)
    result: Floats = (closer + tied * left / tied.sum(axis=1, keepdims=True)) / k
    return result


def _share(case: Case, own: Floats, by_chance: float) -> Finding:
    value = float(min(own.mean(), 1.0))
    low, high = case.share_interval(value * own.size, own.size)
    return Finding(
        check=_ALIKE,
        value=value,
        low=low,
        high=high,
        n=own.size,
        unit="share",
        definition=f"Mean share of a row's {case.spec.neighbours} nearest neighbours, by features other than the"
        " declared attributes, that are decided like it.",
        note=f"decisions dealt out at random would show {by_chance:.2f}",
    )


def _distance(case: Case, own: Floats) -> Finding:
    value, (low, high) = mean_interval(own, case.spec.confidence)
    return Finding(
        check=_APART,
        value=value,
        low=max(0.0, low),
        high=high,
        n=own.size,
        unit="sd of the target",
        definition=f"Mean distance of a row's prediction from the mean prediction of its {case.spec.neighbours}"
        " nearest neighbours, by features other than the declared attributes.",
    )


CHECK = Check(name="fairness.consistency", files={_ALIKE: CLASSES, _APART: REGRESSION}, run=_run)
