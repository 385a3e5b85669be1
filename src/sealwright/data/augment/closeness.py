"""Are made-up rows too close to the persons they were learned from?

Answers: how near do they lie to training rows, beside how near strangers of the same groups lie; can somebody be found
again by them?
Does not answer: every attack there is. What is found here is a reason to refuse; what is not found is no proof.

The baseline is real rows that were held out of the learning. A made-up row should be no nearer to the training rows
than such a stranger is (distance to the closest record, as in Platzer & Reutterer 2021, arXiv:2104.00635).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sealwright.data.augment.areas import area
from sealwright.data.augment.frame import Floats, Frame, row_keys
from sealwright.data.augment.report import Closeness
from sealwright.data.diversity.chance import exact_interval

__all__ = ["Trial", "measure_closeness", "reasons_against"]

_FEWEST_STRANGERS = 20
_NEAR = 0.05
_MOST_ASKED = 5_000  # rows whose nearest neighbour is looked for, a trial
_MOST_TRAINED = 50_000
_COPIES_MORE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One fold: what was learned from, who was held out, and what was made. All of the groups made for."""

    learned: Frame
    held: Frame
    made: Frame


def measure_closeness(trials: Sequence[Trial], rng: np.random.Generator) -> Closeness:
    """Distances of made-up rows and of strangers to the rows learned from, over all trials.

    Notes
    -----
    Distances are Euclidean over numbers in standard deviations and categories as 0 or 1 (each mismatch counts 1); a missing
    number counts as the mean and as a category. `near` is the share of made-up rows below the 5th percentile of the
    strangers' distances, ties divided as they are among strangers.
    """
    own, strange, own_ratio, strange_ratio = [], [], [], []
    copies, chance, scores, member = [], [], [], []
    for trial in trials:
        a, b, c = _encoded([trial.learned, trial.held, trial.made])
        learned = a if len(a) <= _MOST_TRAINED else a[rng.choice(len(a), _MOST_TRAINED, replace=False)]
        (d1, d2), (h1, h2) = _two_nearest(_some(c, rng), learned), _two_nearest(_some(b, rng), learned)
        own.append(d1)
        strange.append(h1)
        own_ratio.append(_ratio(d1, d2))
        strange_ratio.append(_ratio(h1, h2))
        known = set(row_keys(trial.learned).tolist())
        copies.append(np.array([key in known for key in row_keys(trial.made).tolist()]))
        chance.append(np.array([key in known for key in row_keys(trial.held).tolist()]))
        guess = [-_two_nearest(_some(rows, rng), c)[0] for rows in (a, b)]
        scores += guess
        member += [np.ones(len(guess[0]), dtype=np.bool_), np.zeros(len(guess[1]), dtype=np.bool_)]
    made, held = np.concatenate(own), np.concatenate(strange)
    near = _share_near(made, held)
    low, high = exact_interval(np.array([round(near * len(made))]), max(len(made), 1), 0.95)
    return Closeness(
        made_rows=len(made),
        strangers=len(held),
        copies=float(np.concatenate(copies).mean()),
        copies_of_strangers=float(np.concatenate(chance).mean()),
        near=near,
        near_interval=(float(low[0]), float(high[0])),
        distance=_two_quantiles(made),
        distance_of_strangers=_two_quantiles(held),
        ratio=float(np.median(np.concatenate(own_ratio))),
        ratio_of_strangers=float(np.median(np.concatenate(strange_ratio))),
        attack=area(np.concatenate(scores), np.concatenate(member)),
    )


def reasons_against(found: Closeness, most_near: float, most_found: float) -> tuple[str, ...]:
    """Why the rows are too close to real persons; () where nothing says so."""
    reasons = []
    if found.strangers < _FEWEST_STRANGERS:
        reasons.append(f"only {found.strangers} real rows could be held out to compare with, so nothing was shown")
    if found.copies > found.copies_of_strangers + _COPIES_MORE:
        reasons.append(
            f"{found.copies:.1%} of them are equal to a training row; of strangers, {found.copies_of_strangers:.1%} are"
        )
    if found.near_interval[0] > most_near:
        reasons.append(
            f"{found.near:.1%} of them lie nearer to a training row than 95 of 100 strangers do; at most {most_near:.0%} may"
        )
    if found.attack is not None and found.attack.interval[0] > most_found:
        reasons.append(
            f"by them, training rows are told from strangers with an area of {found.attack.value:.2f}; 0.5 would be chance"
        )
    return tuple(reasons)


def _encoded(frames: Sequence[Frame]) -> list[Floats]:
    """The frames in one space, scaled by the first."""
    first = frames[0]
    parts: list[list[Floats]] = [[] for _ in frames]
    for place, column in enumerate(first.columns):
        for rows, frame in zip(parts, frames, strict=True):
            rows.append(_coordinates(frame.columns[place].values, column.values, number=column.levels is None))
    return [np.hstack(rows) for rows in parts]


def _coordinates(
    values: Floats | np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    by: Floats | np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    *,
    number: bool,
) -> Floats:
    if not number:
        states = np.unique(by)
        return np.asarray((values[:, None] == states) / np.sqrt(2), dtype=np.float64)
    there = by[~np.isnan(by)]
    middle, spread = (float(there.mean()), float(there.std())) if len(there) else (0.0, 0.0)
    missing = np.isnan(values)
    scaled = np.where(missing, 0.0, (values - middle) / spread) if spread > 0 else np.zeros(len(values))
    return np.column_stack([scaled, missing.astype(np.float64)])


def _some(rows: Floats, rng: np.random.Generator) -> Floats:
    return rows if len(rows) <= _MOST_ASKED else rows[rng.choice(len(rows), _MOST_ASKED, replace=False)]


def _two_nearest(rows: Floats, among: Floats) -> tuple[Floats, Floats]:
    """Distance to the nearest and to the second nearest, shape (rows,) each."""
    from sklearn.neighbors import NearestNeighbors

    if not len(rows) or not len(among):
        return np.zeros(0), np.zeros(0)
    found, _ = NearestNeighbors(n_neighbors=min(2, len(among)), algorithm="brute").fit(among).kneighbors(rows)
    exact = np.where(found < 1e-6, 0.0, found)  # what brute force leaves of a distance of zero
    return exact[:, 0], exact[:, -1]


def _ratio(first: Floats, second: Floats) -> Floats:
    return np.divide(first, second, out=np.ones_like(first), where=second > 0)


def _share_near(made: Floats, held: Floats) -> float:
    """Share of made-up rows under the strangers' 5th percentile, where ties count as often as they do among strangers."""
    if not len(made) or not len(held):
        return 0.0
    limit = float(np.quantile(held, _NEAR, method="inverted_cdf"))
    tied = float((held == limit).mean())
    part = (_NEAR - float((held < limit).mean())) / tied if tied else 0.0
    return float((made < limit).mean() + part * (made == limit).mean())


def _two_quantiles(distances: Floats) -> tuple[float, float]:
    if not len(distances):
        return float("nan"), float("nan")
    low, middle = np.quantile(distances, [0.05, 0.5])
    return float(low), float(middle)
