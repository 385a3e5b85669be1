"""Are made-up rows like the real ones: column by column, pair by pair, and to a classifier that looks at all at once?

Answers: the distances, beside what chance alone would give.
Does not answer: are they useful, are they somebody. A perfect copy is perfectly like the real rows; `closeness` finds it.
"""

from itertools import combinations

import numpy as np
from scipy import stats

from sealwright.data.augment.areas import area
from sealwright.data.augment.frame import Column, Floats, Frame, Ints
from sealwright.data.augment.learning import classifier, learnable
from sealwright.data.augment.report import Area, ColumnFidelity, Fidelity, PairFidelity

__all__ = ["association", "measure_fidelity"]

_KS_95 = 1.358  # of the Kolmogorov distribution
_MOST_ROWS = 5_000
_MOST_PAIRED = 40  # columns whose pairs are compared: 780 pairs
_PARTS = 5


def measure_fidelity(real: Frame, made: Frame, rng: np.random.Generator) -> Fidelity:
    """Compare made-up rows with real rows of the same groups.

    Parameters
    ----------
    real, made : Frame
        The same columns; the real rows mixed as the made-up ones are, group by group.
    """
    a, b = _some(real, rng), _some(made, rng)
    columns = tuple(_column(one, other) for one, other in zip(a.columns, b.columns, strict=True))
    places = [place for place, one in enumerate(a.columns) if _varies(one)][:_MOST_PAIRED]
    pairs = []
    for i, j in combinations(places, 2):
        kind, before = association(a.columns[i], a.columns[j])
        _, after = association(b.columns[i], b.columns[j])
        pairs.append(PairFidelity(columns=(a.columns[i].name, a.columns[j].name), kind=kind, real=before, made=after))
    return Fidelity(
        real_rows=real.rows,
        made_rows=made.rows,
        columns=columns,
        pairs=tuple(pairs),
        pair_by_chance=1.96 * float(np.sqrt(1 / max(a.rows, 1) + 1 / max(b.rows, 1))),
        told_apart=_told_apart(a, b, rng),
    )


def _some(frame: Frame, rng: np.random.Generator) -> Frame:
    return frame if frame.rows <= _MOST_ROWS else frame.take(rng.choice(frame.rows, _MOST_ROWS, replace=False))


def _varies(column: Column) -> bool:
    there = column.values[~column.missing]
    return bool(len(there)) and bool((there != there[0]).any())


def _column(real: Column, made: Column) -> ColumnFidelity:
    gap = float(made.missing.mean() - real.missing.mean())
    if real.levels is None:
        a, b = real.values[~real.missing], made.values[~made.missing]
        if not len(a) or not len(b):
            return ColumnFidelity(column=real.name, kind="ks", distance=abs(gap), by_chance=0.0, missing_gap=gap)
        distance = float(stats.ks_2samp(a, b, method="asymp").statistic)
        chance = _KS_95 * float(np.sqrt((len(a) + len(b)) / (len(a) * len(b))))
        return ColumnFidelity(column=real.name, kind="ks", distance=distance, by_chance=chance, missing_gap=gap)
    size = len(real.levels) + 1
    p = np.bincount(real.values.astype(np.int64) + 1, minlength=size) / len(real.values)
    q = np.bincount(made.values.astype(np.int64) + 1, minlength=size) / len(made.values)
    both = 1 / len(real.values) + 1 / len(made.values)
    chance = float(np.sqrt(2 / np.pi * p * (1 - p) * both).sum() / 2)  # mean of a folded normal, level by level
    return ColumnFidelity(
        column=real.name, kind="tv", distance=float(np.abs(p - q).sum() / 2), by_chance=chance, missing_gap=gap
    )


def association(one: Column, other: Column) -> tuple[str, float]:
    """How strongly two columns go together, over rows where both are known; 0 where one does not vary.

    Spearman's rank correlation of two numbers (-1 to 1); Cramér's V with Bergsma's correction of two categories (2013, J.
    Korean Stat. Soc. 42); the correlation ratio eta of a number by a category (0 to 1).
    """
    there = ~(one.missing | other.missing)
    a, b = one.values[there], other.values[there]
    if one.levels is None and other.levels is None:
        return "spearman", _spearman(a, b)
    if one.levels is not None and other.levels is not None:
        return "cramers_v", _cramers_v(a.astype(np.int64), b.astype(np.int64))
    codes, numbers = (b, a) if one.levels is None else (a, b)
    return "correlation_ratio", _eta(codes.astype(np.int64), numbers.astype(np.float64))


def _spearman(a: Floats | Ints, b: Floats | Ints) -> float:
    x, y = stats.rankdata(a), stats.rankdata(b)
    spread = float(x.std() * y.std()) if len(x) else 0.0
    return float(((x - x.mean()) * (y - y.mean())).mean() / spread) if spread > 0 else 0.0


def _cramers_v(a: Ints, b: Ints) -> float:
    _, i = np.unique(a, return_inverse=True)
    _, j = np.unique(b, return_inverse=True)
    r, k, n = (int(i.max()) + 1 if len(i) else 0), (int(j.max()) + 1 if len(j) else 0), len(a)
    if min(r, k) < 2:
        return 0.0
    table = np.bincount(i * k + j, minlength=r * k).reshape(r, k)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    phi = float(((table - expected) ** 2 / expected).sum()) / n
    phi = max(0.0, phi - (r - 1) * (k - 1) / (n - 1))
    least = min(r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1)) - 1
    return float(np.sqrt(phi / least)) if least > 0 else 0.0


def _eta(codes: Ints, numbers: Floats) -> float:
    _, places = np.unique(codes, return_inverse=True)
    if not len(numbers) or numbers.std() == 0:
        return 0.0
    counts = np.bincount(places)
    means = np.bincount(places, weights=numbers) / counts
    between = float((counts * (means - numbers.mean()) ** 2).sum())
    return float(np.sqrt(min(1.0, between / float(((numbers - numbers.mean()) ** 2).sum()))))


def _told_apart(real: Frame, made: Frame, rng: np.random.Generator) -> Area | None:
    """A classifier two-sample test (Lopez-Paz & Oquab 2017, arXiv:1610.06545), as many rows of both, cross-validated."""
    n = min(real.rows, made.rows)
    if n < 2 * _PARTS:
        return None
    x = np.vstack([learnable(one.take(rng.choice(one.rows, n, replace=False))) for one in (real, made)])
    y = np.repeat([0, 1], n)
    part = np.concatenate([rng.permutation(np.arange(n) % _PARTS) for _ in range(2)])
    scores = np.empty(2 * n)
    for held in range(_PARTS):
        model = classifier(real, int(rng.integers(2**31 - 1))).fit(x[part != held], y[part != held])
        scores[part == held] = model.predict_proba(x[part == held])[:, 1]
    return area(scores, y == 1)
