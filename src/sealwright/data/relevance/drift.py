"""Drift between the periods in which rows were collected.

Answers: which columns look different in a period than in all others, by how much, and is it more than chance?
Does not answer: why: a law, a new form, a broken export. A person who knows the process says so.

Each period with enough rows is held against all other rows. How much: the population stability index over bins that hold
a tenth of all rows each (categories as they are), missing being a bin. More than chance: a Kolmogorov-Smirnov
test of numbers, a chi-squared test of categories; all p values of a table together are held to a false discovery
rate of 5 % (Benjamini, Hochberg 1995). A column drifted if both say so: p small and index at least 0.1.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.data.quality import Frame
from sealwright.data.relevance_spec import RelevanceSpec

__all__ = ["Drift", "Periods", "benjamini_hochberg", "drift_between_periods", "periods_of", "stability_index"]

MODERATE, STRONG = 0.1, 0.25
"""Customary readings of the index: below 0.1 stable, from 0.25 on another population."""
_RATE = 0.05
_BINS, _FINE_BINS = 10, 256
_NUMERIC = ("integer", "number")
_ORDINALS = {"month": 12, "quarter": 4, "year": 1}
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One column in one period, held against all other periods."""

    column: str
    period: str  # "2026-03", "2026-Q1", "2026"
    rows: int  # of the period
    index: float  # population stability index, 0 and up
    divergence: float  # Jensen-Shannon distance, 0 to 1
    p: float
    adjusted_p: float  # over all columns and periods
    drifted: bool

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Periods:
    """Which period each row lies in: places in `names`, -1 where it has no date."""

    places: NDArray[np.int64]
    names: tuple[str, ...]
    counts: NDArray[np.int64]


def periods_of(frame: Frame, spec: RelevanceSpec) -> Periods:
    """Divide rows by month, quarter or year."""
    days = frame.floats(spec.date)
    known = np.isfinite(days)
    months = np.where(known, days, 0.0).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    ordinals = np.where(known, months // (12 // _ORDINALS[spec.periods]), np.iinfo(np.int64).min)
    found, places = np.unique(ordinals[known], return_inverse=True)
    where = np.full(frame.rows, -1, dtype=np.int64)
    where[known] = places
    names = tuple(_name(int(ordinal), spec.periods) for ordinal in found)
    return Periods(where, names, np.bincount(places, minlength=len(names)).astype(np.int64))


def drift_between_periods(frame: Frame, spec: RelevanceSpec) -> tuple[Drift, ...]:
    """Every column but identifiers, texts and dates, in every period with enough rows, the strongest first.

    Empty where fewer than two periods have `smallest_period` rows.
    """
    periods = periods_of(frame, spec)
    wide = np.flatnonzero(periods.counts >= spec.smallest_period)
    if wide.size < 2:
        return ()
    rows: list[tuple[str, int, float, float, float]] = []
    for name in frame.of_type(*_NUMERIC, "category", "boolean"):
        counts, fine = _tables(frame, name, periods)
        for place in wide:
            inside, others = counts[place], counts.sum(0) - counts[place]
            p = _ks(fine, int(place)) if fine is not None else _chi_squared(inside, others)
            rows.append((name, int(place), stability_index(inside, others), _jensen_shannon(inside, others), p))
    adjusted = benjamini_hochberg(np.array([row[4] for row in rows]))
    found = [
        Drift(
            column=name,
            period=periods.names[place],
            rows=int(periods.counts[place]),
            index=round(index, 6),
            divergence=round(distance, 6),
            p=p,
            adjusted_p=float(q),
            drifted=bool(q <= _RATE and index >= MODERATE),
        )
        for (name, place, index, distance, p), q in zip(rows, adjusted, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: (-one.index, one.column, one.period)))


def stability_index(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Population stability index of two counts over the same bins: sum (p - q) ln(p / q); half a row is added to each."""
    p, q = (one + 0.5) / (one.sum() + 0.5 * one.size), (other + 0.5) / (other.sum() + 0.5 * other.size)
    return float(((p - q) * np.log(p / q)).sum())


def benjamini_hochberg(p: Floats) -> Floats:
    """p values adjusted for the false discovery rate: reject where they are at most the rate wanted."""
    if not p.size:
        return p
    order = np.argsort(p)
    scaled = p[order] * p.size / np.arange(1, p.size + 1)
    found = np.empty_like(p)
    found[order] = np.minimum(1.0, np.minimum.accumulate(scaled[::-1])[::-1])
    return found


def _tables(frame: Frame, name: str, periods: Periods) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    """Rows by period and bin, bin 0 for missing; and for numbers by fine bins, for the test."""
    dated = periods.places >= 0
    if frame.columns[name].type not in _NUMERIC:
        codes = frame.codes(name).places.astype(np.int64) + 1
        return _counted(periods, codes, dated, len(frame.codes(name).labels) + 1), None
    values = frame.floats(name)
    known = np.isfinite(values)
    if not known.any():
        return _counted(periods, np.zeros(frame.rows, dtype=np.int64), dated, 1), None
    some = values[known][:: max(1, int(known.sum()) // 200_000)]
    found = []
    for bins in (_BINS, _FINE_BINS):
        edges = np.unique(np.quantile(some, np.linspace(0, 1, bins + 1)[1:-1]))
        places = np.where(known, np.searchsorted(edges, values, side="right") + 1, 0)
        found.append(_counted(periods, places.astype(np.int64), dated, edges.size + 2))
    return found[0], found[1]


def _counted(periods: Periods, bins: NDArray[np.int64], dated: NDArray[np.bool_], width: int) -> NDArray[np.int64]:
    flat = np.bincount(periods.places[dated] * width + bins[dated], minlength=len(periods.names) * width)
    return flat.reshape(-1, width).astype(np.int64)


def _ks(fine: NDArray[np.int64], place: int) -> float:
    """p of the two-sample Kolmogorov-Smirnov test on binned values: the distance is never larger than the true one."""
    from scipy.stats import kstwobign

    inside, others = fine[place, 1:], fine[:, 1:].sum(0) - fine[place, 1:]
    n, m = int(inside.sum()), int(others.sum())
    if not n or not m:
        return 1.0
    distance = float(np.abs(np.cumsum(inside) / n - np.cumsum(others) / m).max())
    return float(kstwobign.sf(distance * np.sqrt(n * m / (n + m))))


def _chi_squared(inside: NDArray[np.int64], others: NDArray[np.int64]) -> float:
    """p of Pearson's chi-squared test; bins that expect fewer than five rows are put together."""
    from scipy.stats import chi2

    table = np.stack([inside, others]).astype(np.float64)
    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    small = expected.min(axis=0) < 5
    table = np.column_stack([table[:, ~small], table[:, small].sum(axis=1)]) if small.any() else table
    table = table[:, table.sum(0) > 0]
    if table.shape[1] < 2 or not table.sum(1).all():
        return 1.0
    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    return float(chi2.sf(((table - expected) ** 2 / expected).sum(), table.shape[1] - 1))


def _jensen_shannon(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Root of the Jensen-Shannon divergence in bits (Lin 1991), 0 to 1."""
    p, q = one / max(one.sum(), 1), other / max(other.sum(), 1)
    middle = (p + q) / 2

    def against(a: Floats) -> float:
        held = a > 0
        return float((a[held] * np.log2(a[held] / middle[held])).sum())

    return float(np.sqrt(max(0.0, (against(p) + against(q)) / 2)))


def _name(ordinal: int, period: str) -> str:
    per = _ORDINALS[period]
    year, part = 1970 + ordinal // per, ordinal % per + 1
    return f"{year}" if per == 1 else f"{year}-Q{part}" if per == 4 else f"{year}-{part:02}"


def strongest(drifts: tuple[Drift, ...]) -> Mapping[str, Drift]:
    """The strongest drift of each column that drifted."""
    found: dict[str, Drift] = {}
    for drift in drifts:
        if drift.drifted and (drift.column not in found or drift.index > found[drift.column].index):
            found[drift.column] = drift
    return found
