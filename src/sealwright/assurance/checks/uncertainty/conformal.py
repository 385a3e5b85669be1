"""Sets of outcomes, or intervals of a number, built to hold the truth in nine of ten rows: how large must they be?

The test rows calibrate and judge in turn, halved by lot again and again. That the average row is then covered as
promised is arithmetic; what the model adds is how small the sets are, and for whom the promise does not hold.
"""

import math
from collections.abc import Iterator

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, CLASSES, REGRESSION, Check, Outcome, collected, skipped
from sealwright.assurance.conformal import Sets, adaptive_scores, halves, least_ambiguous_scores, sets, splits_of
from sealwright.assurance.conformal_bands import bands
from sealwright.assurance.coverage import covered_by_group, covered_share, covered_where
from sealwright.assurance.intervals import Interval, mean_interval
from sealwright.assurance.model import Figure, Finding, NotPerformed, Series

__all__ = ["CHECK"]

_FEWEST = 100  # with fewer than 50 rows to calibrate on, what is covered strays by more than four points
_SET, _ALONE, _WIDTH = "set_size", "singleton_share", "interval_width"
_FILES = {
    f"uncertainty.{form}{name}": tasks
    for form in ("", "adaptive_")
    for name, tasks in (
        *(("coverage", ALL), ("group_coverage", ALL), ("coverage_gap", ALL), ("accepted_coverage", ALL)),
        *((_SET, CLASSES), (_ALONE, CLASSES), (_WIDTH, REGRESSION)),
    )
}


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    n, coverage = len(case.test), case.spec.uncertainty.coverage
    fewest = max(_FEWEST, 4 * math.ceil(coverage / (1 - coverage)) + 4)  # a quarter of the rows must reach the quantile
    if n < fewest:
        asked = [name for name, tasks in _FILES.items() if case.task in tasks]
        return skipped(
            asked, f"there are {n} test rows; halves that calibrate each other for {coverage:.0%} need {fewest}"
        )
    return collected(_intervals(case, rng) if case.task == "regression" else _sets(case, rng))


def _sets(case: Case, rng: np.random.Generator) -> Iterator[Finding | NotPerformed | Figure]:
    stated = np.clip(case.test.outputs, 0, 1)
    forms = {
        "": ("The least ambiguous sets (LAC)", least_ambiguous_scores(stated)),
        "adaptive_": ("Adaptive sets (APS, randomised)", adaptive_scores(stated, rng.random(len(case.test)))),
    }
    n, asked, sizes = len(case.test), case.spec.uncertainty, []
    for form, (words, scores) in forms.items():
        told = sets(scores, case.test.truth, asked.coverage, halves(n, splits_of(n, asked.splits), rng))
        sizes.append((words, told.size))
        yield covered_share(case, form, words, told.covered)
        yield from covered_by_group(case, form, words, told.covered, rng)
        yield covered_where(
            case, form, f"{words} of exactly one outcome", float(told.alone_right.sum()), float(told.alone.sum())
        )
        yield from _set_sizes(case, form, words, told)
    yield _sizes_figure(sizes, len(case.interface.classes), case.spec.uncertainty.coverage)


def _set_sizes(case: Case, form: str, words: str, told: Sets) -> Iterator[Finding]:
    mean, (low, high) = mean_interval(told.size, case.spec.confidence)
    promise = f"built to hold the true outcome in {case.spec.uncertainty.coverage:.0%} of rows"
    n = len(case.test)
    yield Finding(
        check=f"uncertainty.{form}{_SET}",
        value=mean,
        low=max(0.0, low),
        high=high,
        n=n,
        unit="outcomes",
        definition=f"{words}, {promise}: mean number of outcomes in a set.",
    )
    alone = float(told.alone.sum())
    low, high = case.share_interval(min(alone, n), n)
    yield Finding(
        check=f"uncertainty.{form}{_ALONE}",
        value=alone / n,
        low=low,
        high=high,
        n=n,
        unit="share",
        definition=f"{words}, {promise}: share of rows whose set is one single outcome.",
        note=f"no outcome at all fits in {told.empty.mean():.1%} of rows",
    )


def _sizes_figure(sizes: list[tuple[str, Floats]], classes: int, coverage: float) -> Figure:
    most = min(classes, 20)
    x = tuple(str(size) if size < most or classes == most else f"{size} or more" for size in range(most + 1))
    series = []
    for words, size in sizes:
        shares = np.bincount(np.minimum(np.rint(size), most).astype(np.int64), minlength=most + 1) / size.size
        series.append(Series(name=words, x=x, y=tuple(map(float, shares))))
    title = f"Outcomes in a set that holds the truth in {coverage:.0%} of rows"
    return Figure(name="uncertainty.set_sizes", kind="bars", title=title, x="outcomes", y="share", series=tuple(series))


def _intervals(case: Case, rng: np.random.Generator) -> Iterator[Finding | NotPerformed | Figure]:
    n, splits = len(case.test), splits_of(len(case.test), case.spec.uncertainty.splits)
    forms = {
        form: (words, bands(case, halves(n, splits, rng), case.spec.confidence, adaptive=bool(form)))
        for form, words in (("", "Intervals of one width"), ("adaptive_", "Intervals as wide as errors of like rows"))
    }
    width = forms["adaptive_"][1].width
    accepted = (width <= np.median(width)).astype(np.float64)
    for form, (words, told) in forms.items():
        yield covered_share(case, form, words, told.covered)
        yield from covered_by_group(case, form, words, told.covered, rng)
        where = f"{words}, of the half of the rows with the smallest expected error"
        yield covered_where(case, form, where, float(told.covered @ accepted), float(accepted.sum()))
        yield _width(case, form, words, float(told.width.mean()), told.width_ends)
    yield _widths_figure(case, width)


def _width(case: Case, form: str, words: str, width: float, ends: Interval) -> Finding:
    spread = float(case.test.truth.std())
    return Finding(
        check=f"uncertainty.{form}{_WIDTH}",
        value=width,
        low=min(width, ends[0]),
        high=max(width, ends[1]),
        n=len(case.test),
        unit=f"units of {case.interface.target}",
        definition=f"{words}, built to hold the true number in {case.spec.uncertainty.coverage:.0%} of rows: mean width.",
        note=f"{width / spread:.3g} standard deviations of the target" if spread > 0 else "",
    )


def _widths_figure(case: Case, width: Floats) -> Figure:
    shares = np.linspace(0, 1, 21)
    line = Series(name="as wide as errors of like rows", x=tuple(shares), y=tuple(np.quantile(width, shares)))
    return Figure(
        name="uncertainty.interval_widths",
        kind="lines",
        title=f"Width of intervals that hold the truth in {case.spec.uncertainty.coverage:.0%} of rows",
        x="share of rows",
        y=case.interface.target,
        series=(line,),
    )


CHECK = Check(name="uncertainty.conformal", files=_FILES, run=_run)
