"""The profile of a table: what each column holds, in numbers that may be shown.

Answers: how many, how different, how large, how spread, which shape?
Does not answer: is that good. Findings say so.
Of a column that is personal, special or an identifier only aggregates are given: mean and spread where at least
ten rows stand behind them, and a histogram on rounded edges whose counts below ten are left out.
"""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sealwright.data.dates import FIRST_DAY, LAST_DAY, day_text
from sealwright.data.quality.associations import correlations, with_target
from sealwright.data.quality.frame import NUMERIC, Floats, Frame, NumberFacts
from sealwright.data.quality.model import ColumnFacts, Histogram, Profile
from sealwright.kernel import Progress, silent

__all__ = ["SMALLEST_SHOWN", "column_facts", "profile_of"]

SMALLEST_SHOWN = 10
"""Fewer rows than this are not shown of a column about persons: a count of one or two points at somebody."""
_BINS = 20
_TOP = 10


def profile_of(frame: Frame, *, progress: Progress = silent) -> Profile:
    """The profile of every column of a frame."""
    names = list(frame.columns)
    found: list[ColumnFacts] = []
    with ThreadPoolExecutor(2) as threads:  # sorting lets go of the interpreter
        for place, facts in enumerate(threads.map(lambda name: column_facts(frame, name), names)):
            found.append(facts)
            progress("profiling the columns", (place + 1) / len(names))
    return Profile(columns=tuple(found), correlations=correlations(frame), with_target=with_target(frame))


def column_facts(frame: Frame, name: str) -> ColumnFacts:
    """One column."""
    column = frame.columns[name]
    hidden = frame.hidden(name)
    about = {
        "name": name,
        "type": column.type,
        "data_class": column.data_class,
        "role": column.role,
        "rows": frame.rows,
        "missing": frame.missing(name),
        "hidden": hidden,
    }
    if column.type in NUMERIC:
        return _of_numbers(about, frame, name)
    if column.type == "text":
        return _of_text(about, frame, name)
    codes = frame.codes(name)
    order = np.argsort(-codes.counts, kind="stable")[:_TOP]
    top = () if hidden else tuple((codes.labels[place], int(codes.counts[place])) for place in order)
    return ColumnFacts(**about, distinct=len(codes.labels), top=top)  # type: ignore[arg-type]


def _of_numbers(about: dict[str, object], frame: Frame, name: str) -> ColumnFacts:
    facts = frame.facts(name)
    if facts is None:
        return ColumnFacts(**about, distinct=0)  # type: ignore[arg-type]
    is_date, hidden = frame.columns[name].type == "date", bool(about["hidden"])
    if frame.columns[name].role == "identifier" or (hidden and facts.count < SMALLEST_SHOWN):
        return ColumnFacts(**about, distinct=facts.distinct)  # type: ignore[arg-type]

    def say(value: float) -> float | str:
        return _day(value) if is_date else _short(value)

    values = frame.floats(name)
    finite = values[np.isfinite(values)]
    mean, std = _mean_and_std(finite)
    shown = {} if hidden else {f"{share:g}": say(value) for share, value in facts.quantiles.items()}
    return ColumnFacts(
        **about,  # type: ignore[arg-type]
        distinct=facts.distinct,
        least=None if hidden else say(facts.least),
        most=None if hidden else say(facts.most),
        mean=None if mean is None else say(mean),
        std=std,
        quantiles=shown or None,
        histogram=_histogram(finite, facts, is_date=is_date, hidden=hidden),
    )


def _mean_and_std(values: Floats) -> tuple[float | None, float | None]:
    """None where a double cannot hold it."""
    with np.errstate(all="ignore"):
        mean, std = float(values.mean()), float(values.std())
    return mean if math.isfinite(mean) else None, _short(std) if math.isfinite(std) else None


def _of_text(about: dict[str, object], frame: Frame, name: str) -> ColumnFacts:
    """Text is never shown, only how long it is; the extremes only where the column is not about persons."""
    column = frame.table.column(name)
    distinct = frame.distinct(name)
    lengths = pc.utf8_length(column.cast(pa.string()) if not pa.types.is_string(column.type) else column)
    if lengths.null_count == len(lengths):
        return ColumnFacts(**about, distinct=distinct)  # type: ignore[arg-type]
    found = {"mean": round(float(pc.mean(lengths).as_py()), 2)}
    if frame.columns[name].data_class not in {"personal", "special"}:
        ends = pc.min_max(lengths).as_py()
        found = {"least": float(ends["min"]), **found, "most": float(ends["max"])}
    return ColumnFacts(**about, distinct=distinct, text_length=found)  # type: ignore[arg-type]


def _histogram(values: Floats, facts: NumberFacts, *, is_date: bool, hidden: bool) -> Histogram | None:
    """Twenty bins between the 1st and 99th percentile (all values, where few are different), on rounded edges."""
    low, high = facts.quantiles[0.01], facts.quantiles[0.99]
    if not hidden and facts.distinct <= _BINS:
        low, high = facts.least, facts.most
    if not (high > low and 1e-290 < high - low < 1e290):
        return None
    edges = _round_edges(low, high, whole=is_date)
    counts = np.histogram(values, bins=len(edges) - 1, range=(edges[0], edges[-1]))[0]
    outside = int(values.size - counts.sum())

    def shown(count: int) -> int | None:
        return None if hidden and 0 < count < SMALLEST_SHOWN else count

    return Histogram(
        edges=tuple(_day(edge) if is_date else _short(float(edge)) for edge in edges),
        counts=tuple(shown(int(count)) for count in counts),
        outside=shown(outside),
    )


def _round_edges(low: float, high: float, *, whole: bool) -> Floats:
    """At most about twenty bins whose width is 1, 2 or 5 times a power of ten."""
    width = (high - low) / _BINS
    base = 10.0 ** math.floor(math.log10(width))
    step = next(factor * base for factor in (1.0, 2.0, 5.0, 10.0) if factor * base >= width * (1 - 1e-9))
    if whole:
        step = max(1.0, round(step))
    first = math.floor(low / step)
    last = max(first + 1, math.ceil(high / step))
    return np.arange(first, last + 1, dtype=np.float64) * step


def _day(value: float) -> str:
    """The date of a bin's edge, or of a mean; edges end with the calendar."""
    return day_text(min(max(round(value), FIRST_DAY), LAST_DAY))


def _short(value: float) -> float:
    return float(f"{value:.12g}")
