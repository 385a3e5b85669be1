"""How far predicted numbers are from the true ones."""

import numpy as np

from sealwright.assurance.bootstrap import Floats, centred_interval, replicates
from sealwright.assurance.case import Case
from sealwright.assurance.check import REGRESSION, Check, Outcome, collected
from sealwright.assurance.model import Figure, Finding, NotPerformed, Series

__all__ = ["CHECK"]

_BINS = 10
_FEWEST = 5  # a bin of fewer rows is not drawn: it would show single rows
_BARS = 30


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    truth, errors = case.test.truth, case.test.outputs - case.test.truth
    shifted = truth - truth.mean()  # sums of squares of large numbers would cancel
    columns = np.column_stack([np.ones(truth.size), np.abs(errors), errors**2, shifted, shifted**2])
    value = _measures(np.ones((1, truth.size)) @ columns)[0]
    drawn = replicates(lambda counts: _measures(counts @ columns), truth.size, case.spec.bootstrap, rng, outputs=3)
    unit = f"units of {case.interface.target}"
    wanted = (
        ("mae", unit, 0.0, np.inf, "Mean absolute distance between prediction and truth."),
        ("rmse", unit, 0.0, np.inf, "Square root of the mean squared distance between prediction and truth."),
        ("r2", "R2", -np.inf, 1.0, "Share of the target's variance in the test rows that the predictions explain."),
    )
    items: list[Finding | NotPerformed | Figure] = []
    for place, (name, of_unit, least, most, text) in enumerate(wanted):
        check = f"performance.{name}"
        if not np.isfinite(value[place]):
            items.append(NotPerformed(check=check, why="the target is the same in every test row"))
            continue
        interval = centred_interval(value[place], drawn[:, place], case.spec.confidence, least, most)
        low, high = interval or (None, None)
        found = Finding(
            check=check, value=value[place], low=low, high=high, n=truth.size, unit=of_unit, definition=text
        )
        items.append(found)
    return collected([*items, _over_range(case.test.outputs, errors), _spread(errors)])


def _measures(sums: Floats) -> Floats:
    """Mean absolute error, root mean squared error and R squared from sums of shape (b, 5)."""
    n, absolute, squared, values, squares = sums.T
    around = squares / n - (values / n) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        explained = np.where(around > 0, 1 - squared / n / around, np.nan)
    return np.column_stack([absolute / n, np.sqrt(squared / n), explained])


def _over_range(outputs: Floats, errors: Floats) -> Figure:
    """Mean error by tenths of the predictions: a slope or a bend is a pattern the model missed."""
    parts = max(1, min(_BINS, outputs.size // _FEWEST))
    edges = np.unique(np.quantile(outputs, np.linspace(0, 1, parts + 1)[1:-1]))
    bins = np.searchsorted(edges, outputs, side="right")
    rows = np.bincount(bins)
    used = np.flatnonzero(rows >= _FEWEST)
    means = np.bincount(bins, weights=errors)[used] / rows[used]
    squares = np.bincount(bins, weights=errors**2)[used] / rows[used]
    spread = np.sqrt(np.maximum(squares - means**2, 0))
    line = Series(
        name="mean error",
        x=tuple(np.bincount(bins, weights=outputs)[used] / rows[used]),
        y=tuple(means),
        low=tuple(means - spread),
        high=tuple(means + spread),
        n=tuple(int(count) for count in rows[used]),
    )
    return Figure(
        name="performance.residuals",
        kind="lines",
        title="Error over the range of predictions",
        x="prediction (mean of bin)",
        y="prediction minus truth",
        series=(line,),
        note="Band: one standard deviation of the errors in the bin.",
    )


def _spread(errors: Floats) -> Figure:
    """How errors are distributed; the tails are gathered in the outer bars, so no bar is a single extreme row."""
    low, high = np.quantile(errors, [0.01, 0.99])
    edges = np.linspace(low, high, _BARS + 1) if high > low else np.array([low - 0.5, low + 0.5])
    counts, _ = np.histogram(np.clip(errors, edges[0], edges[-1]), bins=edges)
    bars = Series(
        name="rows",
        x=tuple((edges[1:] + edges[:-1]) / 2),
        y=tuple(counts / errors.size),
        n=tuple(int(count) for count in counts),
    )
    return Figure(
        name="performance.error_spread",
        kind="lines",
        title="Distribution of errors",
        x="prediction minus truth",
        y="share of rows",
        series=(bars,),
    )


CHECK = Check(
    name="performance.regression",
    files={"performance.mae": REGRESSION, "performance.rmse": REGRESSION, "performance.r2": REGRESSION},
    run=_run,
)
