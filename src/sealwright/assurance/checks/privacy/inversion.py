"""Model inversion: are the inputs a model is surest of rows it learned from?

For every class, inputs are searched with nothing but answers (black box; the idea of Fredrikson et al. 2015,
doi:10.1145/2810103.2813677) within what contract and rows allow. An input typical of its class is near to training and to test
rows alike: that is learning. Nearer to training rows is memory.
"""

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Check, Outcome, collected, skipped
from sealwright.assurance.constraints.making import constraints_of
from sealwright.assurance.features import Features
from sealwright.assurance.leakage.inversion import distances, random_rows, searched
from sealwright.assurance.leakage.sampling import drawn, too_few_rows
from sealwright.assurance.model import Finding, NotPerformed

__all__ = ["CHECK"]

_SHARE, _DISTANCE = "privacy.inversion_member_share", "privacy.inversion_distance"
_MOST_ROWS = 2_000  # members, and as many others, that reconstructions are compared with
_MOST_CLASSES = 10
_FEWEST = 10  # different rows the reconstructions lie next to; below this they say nothing


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    if why := too_few_rows(case):
        return skipped([_SHARE, _DISTANCE], why)
    limits = constraints_of(case)
    counts = np.bincount(case.train.truth, minlength=len(case.interface.classes))
    classes = np.argsort(-counts, kind="stable")[:_MOST_CLASSES]
    wanted = np.repeat(classes, case.spec.leakage.starts)
    start = random_rows(limits, wanted.size, case.test.features.numbers.dtype, rng)

    def sure(rows: Features) -> Floats:
        said = case.predict(rows)[np.arange(wanted.size), wanted]
        return np.where(np.isfinite(said), said, -1.0)

    found = searched(sure, limits, start, case.spec.leakage.rounds, rng)
    chosen = drawn(case, _MOST_ROWS, rng)
    members, others = case.train.features.take(chosen.members), case.test.features.take(chosen.others)
    to_members, to_others = (distances(found, rows, limits.scale) for rows in (members, others))
    queries = wanted.size * (case.spec.leakage.rounds + 1)
    note = (
        f"{wanted.size} inputs from {queries:,} queries; mean confidence from {sure(start).mean():.3g} to"
        f" {sure(found).mean():.3g}; distance to the middle of their class as a share of that of random inputs:"
        f" {_to_middle(case, found, start, wanted, limits.scale):.3g}"
    )
    usual = float(np.median(distances(others, members, limits.scale).min(axis=1)))
    return collected([_shares(case, to_members, to_others, note), _distance(to_members, usual, note)])


def _shares(case: Case, to_members: Floats, to_others: Floats, note: str) -> Finding | NotPerformed:
    """Of the different rows that reconstructions lie next to, the share that are training rows."""
    nearest = np.argmin(np.concatenate([to_members, to_others], axis=1), axis=1)
    rows = np.unique(nearest)
    if rows.size < _FEWEST:
        why = f"the reconstructions lie next to {rows.size} different rows; {_FEWEST} are needed to say whose they are"
        return NotPerformed(check=_SHARE, why=why)
    hits = int((rows < to_members.shape[1]).sum())
    low, high = case.share_interval(hits, rows.size)
    return Finding(
        check=_SHARE,
        value=hits / rows.size,
        low=low,
        high=high,
        n=rows.size,
        unit="share",
        definition="Of the training and test rows nearest to inputs reconstructed from the model's answers, the share that"
        " are training rows; 0.5 is chance.",
        note=note,
    )


def _distance(to_members: Floats, usual: float, note: str) -> Finding | NotPerformed:
    if usual <= 0:
        return NotPerformed(check=_DISTANCE, why="test rows equal training rows, so no distance says who is near")
    return Finding(
        check=_DISTANCE,
        value=float(np.median(to_members.min(axis=1))) / usual,
        n=to_members.shape[0],
        unit="times",
        definition="Median distance from reconstructed inputs to the nearest training row, in that of test rows; below 1 a"
        " reconstruction comes nearer than a row of the same kind does by itself.",
        note=note,
    )


def _to_middle(case: Case, found: Features, start: Features, wanted: np.ndarray, scale: Floats) -> float:
    """Distance to the means and most frequent texts of the class, reconstructed over random inputs."""
    ratio = []
    for place in np.unique(wanted):
        rows = case.train.features.take(np.flatnonzero(case.train.truth == place))
        numbers = np.nan_to_num(np.nanmean(np.column_stack([rows.numbers.T, np.zeros(rows.numbers.shape[1])]), axis=1))
        middle = Features(
            numbers=numbers[None, :],
            strings=np.array([[_often(one) for one in rows.strings.T]], dtype=object).reshape(1, -1),
        )
        own = np.flatnonzero(wanted == place)
        far = [distances(one.take(own), middle, scale).mean() for one in (found, start)]
        ratio.append(far[0] / far[1] if far[1] > 0 else 1.0)
    return float(np.mean(ratio))


def _often(column: np.ndarray) -> str:
    values, counts = np.unique(column.astype(str), return_counts=True)
    return str(values[int(np.argmax(counts))]) if values.size else ""


CHECK = Check(name="privacy.inversion", files={_SHARE: CLASSES, _DISTANCE: CLASSES}, run=_run, needs_training=True)
