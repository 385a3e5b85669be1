"""The same row in other company: alone, in another order, twice, among very many, and no row at all.

What a person is told must not depend on who else asked in the same moment, bit for bit.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, collected
from sealwright.assurance.features import Features
from sealwright.assurance.model import Finding
from sealwright.assurance.predictor import answers

__all__ = ["CHECK"]

_DIFFER, _LARGEST, _FAILED = "stress.batch_differing_share", "stress.batch_largest_difference", "stress.batch_failures"
_SINGLY = 200  # rows asked one at a time


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    n = min(len(case.test), case.spec.budget.robustness_rows)
    rows = np.sort(rng.choice(len(case.test), n, replace=False))
    features = case.test.features.take(rows)
    whole = case.test.outputs[rows].reshape(n, -1)
    differing, largest, failed, parts = np.zeros(n, dtype=np.bool_), 0.0, [], []
    for name, places, asked in _arrangements(case, features, rng):
        try:
            outputs = np.concatenate(
                [answers(case.predictor, part, case.interface, gaps_allowed=True) for part in asked]
            )
        except Exception:  # a model may fail in any way of its own  # noqa: BLE001
            failed.append(name)
            continue
        apart = _apart(outputs.reshape(places.size, whole.shape[1]), whole[places])
        np.logical_or.at(differing, places, apart > 0)
        if apart.size and apart.max() > 0:
            parts.append(name)
            largest = max(largest, float(apart.max()))
    low, high = case.share_interval(int(differing.sum()), n)
    share = Finding(
        check=_DIFFER,
        value=float(differing.mean()),
        low=low,
        high=high,
        n=n,
        unit="share",
        definition="Share of rows whose prediction changes in any bit when they are asked alone, in another order,"
        " twice, or among very many.",
        note=", ".join(parts),
    )
    most = Finding(
        check=_LARGEST,
        value=largest,
        n=n,
        unit="probability" if case.task != "regression" else f"units of {case.interface.target}",
        definition="Largest change of any prediction when its row is asked in other company.",
    )
    failures = Finding(
        check=_FAILED,
        value=len(failed),
        n=n,
        unit="count",
        definition="Number of arrangements the model gives no usable answer to: one row at a time, another order,"
        f" every row twice, {case.spec.stress.huge_batch:,} rows at once, no row at all.",
        note=", ".join(failed),
    )
    return collected([share, most, failures])


def _arrangements(
    case: Case, features: Features, rng: np.random.Generator
) -> Iterator[tuple[str, NDArray[np.intp], Iterator[Features]]]:
    """A name, the place of each answer among the rows, and what is asked."""
    n = len(features)
    shuffled, every = rng.permutation(n), np.arange(n)
    singly = every[:_SINGLY]
    yield "one row at a time", singly, (features.take(slice(place, place + 1)) for place in singly)
    for name, places in (
        ("another order", shuffled),
        ("every row twice", np.repeat(every, 2)),
        ("very many rows", np.resize(shuffled, case.spec.stress.huge_batch)),
        ("no row", every[:0]),
    ):
        yield name, places, iter([features.take(places)])


def _apart(outputs: Floats, whole: Floats) -> Floats:
    """Largest difference in each row; infinite where only one of two answers exists."""
    missing = np.isnan(outputs) != np.isnan(whole)
    apart = np.where(missing, np.finfo(np.float64).max, np.abs(np.nan_to_num(outputs) - np.nan_to_num(whole)))
    return np.asarray(apart.max(axis=1, initial=0.0))


CHECK = Check(name="stress.batches", files={_DIFFER: ALL, _LARGEST: ALL, _FAILED: ALL}, run=_run)
