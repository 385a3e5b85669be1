"""Do a few typical rows explain the decisions: is a row decided like the prototype it resembles most?

Prototypes are rows learned from, chosen for each decided outcome. They are personal data, so nothing of them is filed but how
well they stand for others; `sw.explain` shows them to who holds the rows.
"""

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Check, Outcome, skipped
from sealwright.assurance.explaining.typical import Typical, typical_of
from sealwright.assurance.model import Figure, Finding, Series

__all__ = ["CHECK"]

_COVERAGE, _FAR = "explanation.prototype_coverage", "explanation.prototype_distance"
_MOST_ROWS = 2_000


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    typical = typical_of(case)
    if isinstance(typical, str):
        return skipped([_COVERAGE, _FAR], typical)
    n = len(case.test)
    rows = np.arange(n) if n <= _MOST_ROWS else np.sort(rng.choice(n, _MOST_ROWS, replace=False))
    apart = typical.coded.apart(case.test.features.take(rows), typical.features)
    decided = case.decisions[rows]
    alike = [_alike(typical, apart, decided, each) for each in range(1, case.spec.explanation.prototypes + 1)]
    return Outcome(
        findings=(_coverage(case, typical, decided, alike[-1]), _distance(typical, apart)),
        figures=(_figure(case, alike),),
    )


def _alike(typical: Typical, apart: Floats, decided: np.ndarray, each: int) -> np.ndarray:
    kept = typical.chosen.first(each)
    nearest = kept[np.argmin(apart[:, kept], axis=1)]
    return np.asarray(typical.chosen.outcomes[nearest] == decided)


def _coverage(case: Case, typical: Typical, decided: np.ndarray, alike: np.ndarray) -> Finding:
    hits = int(alike.sum())
    low, high = case.share_interval(hits, alike.size)
    shares = np.bincount(decided[decided >= 0], minlength=len(case.interface.classes)) / max(1, decided.size)
    return Finding(
        check=_COVERAGE,
        value=hits / alike.size,
        low=low,
        high=high,
        n=alike.size,
        unit="share",
        definition="Share of rows that the model decides like the prototype nearest to them.",
        note=f"{typical.chosen.rows.size} prototypes among {typical.candidates:,} {case.learned_words};"
        f" naming the commonest decision for every row would score {shares.max():.2f}",
    )


def _distance(typical: Typical, apart: Floats) -> Finding:
    criticised = typical.coded.apart(typical.criticisms, typical.features).min(axis=1)
    said = (
        f"; the {criticised.size} rows they stand for least are {criticised.mean():.2f} away" if criticised.size else ""
    )
    nearest = apart.min(axis=1)
    return Finding(
        check=_FAR,
        value=float(nearest.mean()),
        n=nearest.size,
        unit="distance",
        definition="Mean distance of a row from its nearest prototype: over all features, the mean of the difference in"
        " standard deviations (at most three), or one for another category.",
        note=f"a tenth of the rows are {np.quantile(nearest, 0.9):.2f} or farther away{said}",
    )


def _figure(case: Case, alike: list[np.ndarray]) -> Figure:
    ends = [case.share_interval(int(one.sum()), one.size) for one in alike]
    return Figure(
        name=_COVERAGE,
        kind="lines",
        title="How far a few typical rows explain the decisions",
        x="prototypes for each outcome",
        y="share of rows decided like the nearest",
        series=(
            Series(
                name="coverage",
                x=tuple(float(place + 1) for place in range(len(alike))),
                y=tuple(float(one.mean()) for one in alike),
                low=tuple(low for low, _ in ends),
                high=tuple(high for _, high in ends),
            ),
        ),
        note=f"{alike[0].size} test rows",
    )


CHECK = Check(name="explanation.prototypes", files={_COVERAGE: CLASSES, _FAR: CLASSES}, run=_run)
