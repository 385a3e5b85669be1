"""Is a simple local explanation true to the model: a line around each row, held against fresh rows around it.

Where the line does not say what the model answers there, the explanation of that row is refused, not shown with a caveat.
"""

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome
from sealwright.assurance.explaining.local import asked, neighbourhood_of
from sealwright.assurance.explaining.surrogate import local_surrogate
from sealwright.assurance.model import Figure, Finding, Series

__all__ = ["CHECK"]

_FIDELITY, _REFUSED = "explanation.local_fidelity", "explanation.local_refused_share"
_DRAWN = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    n, most = len(case.test), case.spec.explanation.local_rows
    rows = np.arange(n) if n <= most else np.sort(rng.choice(n, most, replace=False))
    around = neighbourhood_of(case, rng)
    ask = asked(case)
    coded = around.coded.matrix(case.test.features.take(rows))
    fits = np.array([local_surrogate(ask, around, row, rng).fidelity for row in coded])
    held = np.maximum(fits, 0.0)  # worse than a constant is as bad as one
    limit = case.spec.explanation.local_fidelity
    refused = int((fits < limit).sum())
    low, high = case.share_interval(refused, rows.size)
    median = float(np.median(held))
    ends = _median_interval(held, case.spec.confidence)
    return Outcome(
        findings=(
            Finding(
                check=_FIDELITY,
                value=median,
                low=ends[0],
                high=ends[1],
                n=rows.size,
                unit="R2",
                definition="Median weighted R squared of a straight line around a row, on fresh rows around it.",
                note="a line no better than a constant counts 0",
            ),
            Finding(
                check=_REFUSED,
                value=refused / rows.size,
                low=low,
                high=high,
                n=rows.size,
                unit="share",
                definition=f"Share of rows whose local surrogate has a fidelity below {limit:g} and is refused.",
            ),
        ),
        figures=(_figure(held),),
    )


def _median_interval(values: Floats, confidence: float) -> tuple[float, float]:
    """Order statistics that hold the median (binomial, normal approximation of the ranks)."""
    from statistics import NormalDist

    ordered, n = np.sort(values), values.size
    half = NormalDist().inv_cdf(0.5 + confidence / 2) * np.sqrt(n) / 2
    low, high = int(np.floor(n / 2 - half)), int(np.ceil(n / 2 + half))
    return float(ordered[max(0, low - 1)]), float(ordered[min(n - 1, high)])


def _figure(fits: Floats) -> Figure:
    return Figure(
        name=_FIDELITY,
        kind="lines",
        title="How true straight lines around single rows are",
        x="share of rows with at most this fidelity",
        y="weighted R squared on fresh rows",
        series=(Series(name="fidelity", x=_DRAWN, y=tuple(np.quantile(fits, _DRAWN))),),
        note=f"{fits.size} test rows",
    )


CHECK = Check(name="explanation.surrogate", files={_FIDELITY: ALL, _REFUSED: ALL}, run=_run)
