"""Would the same row be decided otherwise if only the attribute were another?

Each row is asked about again with every other level of the attribute, all else as it is. That finds direct
use only: people whose sex differs differ in other features, too. Where the model does not take the
attribute there is nothing to flip, and what may stand in for it is measured by the proxies.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, REGRESSION, Check, Outcome
from sealwright.assurance.comparison import each_attribute, large_enough, too_few
from sealwright.assurance.intervals import mean_interval
from sealwright.assurance.model import Finding, Group, NotPerformed
from sealwright.assurance.predictor import no_answer

__all__ = ["CHECK"]

_SHARE, _SHIFT = "fairness.flip_share", "fairness.flip_shift"


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    name = _SHIFT if case.task == "regression" else _SHARE
    return each_attribute(case, [name], partial(_judge, case, rng, name))


def _judge(case: Case, rng: np.random.Generator, name: str, attribute: Attribute) -> Iterator[Finding | NotPerformed]:
    if attribute.name not in case.interface.names:
        why = (
            f"the model takes no {attribute.name}, so there is nothing to flip;"
            " whether other features stand in for it is measured by fairness.proxy_auc"
        )
        yield NotPerformed(check=name, why=why, group=Group(attribute=attribute.name), applicable=False)
        return
    judged = large_enough(case, attribute)
    if judged.size < 2:
        yield too_few(case, name, attribute, judged, "enough rows")
        return
    rows = np.arange(len(case.test))
    if rows.size > case.spec.budget.fairness_rows:
        rows = np.sort(rng.choice(rows, case.spec.budget.fairness_rows, replace=False))
    flipped = {int(place): _as_if(case, attribute, int(place), rows) for place in judged}
    silent = int(np.any([no_answer(outputs) for outputs in flipped.values()], axis=0).sum())
    found = _shift if case.task == "regression" else _share
    yield found(case, attribute, rows, flipped, f"; {silent} rows got no answer for some level" if silent else "")


def _as_if(case: Case, attribute: Attribute, place: int, rows: NDArray[np.intp]) -> Floats:
    """Predictions for `rows` if each had the level at `place`; rows that have it keep their own value."""
    position = case.interface.names.index(attribute.name)
    column, own = case.test.features.column(position), attribute.rows_of(place)
    values = np.where(own[rows], column[rows], _typical(column[own]))
    return case.predict(case.test.features.take(rows).with_column(position, values))


def _typical(values: NDArray[Any]) -> Any:
    """The middle value of a level: its only one, or a median that occurs."""
    ordered = np.sort(values.astype(str)) if values.dtype == object else np.sort(values)
    return ordered[(len(ordered) - 1) // 2]


def _share(case: Case, attribute: Attribute, rows: NDArray[np.intp], flipped: dict[int, Floats], also: str) -> Finding:
    decided = {place: case.decide(outputs) for place, outputs in flipped.items()}
    changed = np.any([chosen != case.decisions[rows] for chosen in decided.values()], axis=0)
    low, high = case.share_interval(int(changed.sum()), rows.size)
    note = ""
    if case.favourable is not None:
        shares = {place: float((chosen == case.favourable).mean()) for place, chosen in decided.items()}
        best, worst = max(shares, key=lambda p: shares[p]), min(shares, key=lambda p: shares[p])
        note = (
            f"favourable for {shares[best]:.1%} if all were {attribute.levels[best]},"
            f" for {shares[worst]:.1%} if all were {attribute.levels[worst]}"
        )
    return Finding(
        check=_SHARE,
        value=float(changed.mean()),
        low=low,
        high=high,
        n=rows.size,
        unit="share",
        definition="Share of rows decided otherwise for some other level of the attribute, all else as it is.",
        group=Group(attribute=attribute.name),
        note=note + also,
    )


def _shift(case: Case, attribute: Attribute, rows: NDArray[np.intp], flipped: dict[int, Floats], also: str) -> Finding:
    clean, spread = case.test.outputs[rows], float(case.test.truth.std()) or 1.0
    moved = np.max([np.abs(np.nan_to_num(outputs - clean)) for outputs in flipped.values()], axis=0) / spread
    value, (low, high) = mean_interval(moved, case.spec.confidence)
    return Finding(
        check=_SHIFT,
        value=value,
        low=max(0.0, low),
        high=high,
        n=rows.size,
        unit="sd of the target",
        definition="Mean of the farthest a row's prediction moves for any other level of the attribute, all else as it is.",
        group=Group(attribute=attribute.name),
        note=also.removeprefix("; "),
    )


CHECK = Check(name="fairness.flip_test", files={_SHARE: CLASSES, _SHIFT: REGRESSION}, run=_run)
