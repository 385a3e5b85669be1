"""SMOTE: new rows on the line between a real row and one of its nearest neighbours in the same group.

Answers: rows of a group by interpolation (numbers) and by majority of the neighbours (categories)?
Does not answer: are they too close to real persons? They lie between two of them; `closeness` measures how near.
Chawla et al. 2002 (JAIR 16); SMOTE-NC for mixed columns, as in imbalanced-learn.
"""

import numpy as np

from sealwright.data.augment.frame import Floats, Frame, Ints, frames_like

__all__ = ["interpolate"]


def interpolate(group: Frame, rows: int, neighbours: int, rng: np.random.Generator) -> Frame:
    """New rows of a group.

    Parameters
    ----------
    group : Frame
        Real training rows of one group and class, at least two.
    neighbours : int
        How many nearest rows count.

    Notes
    -----
    Numbers are measured in standard deviations of the group, so that money does not outweigh years. A missing number
    counts as the median, and whether it is missing as a category.
    """
    numbers, states, scale = _parts(group)
    features = np.hstack([numbers, states])
    flags = np.array([False] * numbers.shape[1] + [True] * states.shape[1])
    made = _resampled(features, flags, rows, min(neighbours, group.rows - 1), int(rng.integers(2**31 - 1)))
    return _back(group, made[:, ~flags] * scale, np.rint(made[:, flags]).astype(np.int64))


def _parts(group: Frame) -> tuple[Floats, Floats, Floats]:
    """Numbers in standard deviations, categories (and what is missing) as codes from 0, and the scale."""
    numbers, states = [], []
    for column in group.columns:
        if column.levels is not None:
            states.append(column.values + 1.0)
            continue
        missing = column.missing
        middle = float(np.median(column.values[~missing])) if not missing.all() else 0.0
        numbers.append(np.where(missing, middle, column.values))
        if missing.any():
            states.append(missing.astype(np.float64))
    wide = np.column_stack(numbers) if numbers else np.zeros((group.rows, 0))
    scale = wide.std(axis=0)
    scale[scale == 0] = 1.0
    return wide / scale, np.column_stack(states) if states else np.zeros((group.rows, 0)), scale


def _resampled(
    features: Floats, flags: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], rows: int, k: int, seed: int
) -> Floats:
    """The made-up rows of imbalanced-learn. A second class, which it wants, is one row that takes no part."""
    from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC  # type: ignore[import-untyped]

    n = len(features)
    options = {"sampling_strategy": {1: n + rows}, "k_neighbors": k, "random_state": seed}
    if flags.all():
        sampler = SMOTEN(**options)
    elif flags.any():
        sampler = SMOTENC(categorical_features=np.flatnonzero(flags).tolist(), **options)
    else:
        sampler = SMOTE(**options)
    made, _ = sampler.fit_resample(np.vstack([features[:1], features]), np.array([0] + [1] * n))
    return np.asarray(made[n + 1 :], dtype=np.float64)


def _back(group: Frame, numbers: Floats, states: Ints) -> Frame:
    number, state = iter(numbers.T), iter(states.T)
    made: list[Floats | Ints] = []
    for column in group.columns:
        if column.levels is not None:
            made.append(next(state) - 1)
        else:
            values = next(number)
            made.append(np.where(next(state) == 1, np.nan, values) if column.missing.any() else values)
    return frames_like(group, made)
