"""How much each feature contributes to the answers, by Shapley values whose sums are the answers.

The method is chosen by the model and held against it on every explained row; what failed is named in the finding.
Contributions are against a sample of the rows learned from: what a feature adds to what is expected without knowing it.
"""

from collections.abc import Iterator

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import ALL, Check, Outcome, collected, skipped
from sealwright.assurance.explaining.attribution import Explained, explained
from sealwright.assurance.explaining.scale import tolerance, unit_of
from sealwright.assurance.intervals import mean_interval
from sealwright.assurance.model import Figure, Finding, Group, Series

__all__ = ["CHECK"]

_ERROR, _IMPORTANCE = "explanation.shapley_method_error", "explanation.shapley_importance"
_SHOWN = 30
_DRAWN = 6
_BINS = 10
_FEWEST_IN_BIN = 5
_MOST_LEVELS = 30


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    found = explained(case)
    if isinstance(found, str):
        return skipped([_ERROR, _IMPORTANCE], f"no method gives values that add up to the answers: {found}")
    if len(found.rows) < 2:
        return skipped([_ERROR, _IMPORTANCE], "the budget of queries (assurance.explanation.queries) explains one row")
    each = found.found.importance()
    order = [int(place) for place in np.argsort(-each.mean(axis=0), kind="stable")]
    return collected(
        [
            _error(case, found),
            *_importance(case, found, each, order),
            _bars(case, found, each, order),
            *_curves(case, found, order),
        ]
    )


def _error(case: Case, found: Explained) -> Finding:
    tried = "".join(f"; refused: {one.method}, {one.why}" for one in found.refused)
    asked = f"; {found.queries:,} queries" if found.queries else ""
    return Finding(
        check=_ERROR,
        value=found.error,
        n=len(found.rows),
        unit="share of scale",
        definition="Largest distance, over the explained rows, between the sum of all contributions and the model's"
        " answer, as a share of the scale of the answers.",
        note=f"method: {found.found.method}{asked}; accepted up to {tolerance(case):g}{tried}",
    )


def _importance(case: Case, found: Explained, each: Floats, order: list[int]) -> Iterator[Finding]:
    unit = unit_of(case, found.found.link)
    for place in order:
        value, (low, high) = mean_interval(each[:, place], case.spec.confidence)
        yield Finding(
            check=_IMPORTANCE,
            value=value,
            low=max(0.0, low),
            high=high,
            n=len(each),
            unit=unit,
            definition="Mean absolute Shapley value of the feature: how far knowing it moves the answer.",
            group=Group(attribute=case.interface.names[place]),
        )


def _bars(case: Case, found: Explained, each: Floats, order: list[int]) -> Figure:
    shown = order[:_SHOWN]
    stated = [mean_interval(each[:, place], case.spec.confidence) for place in shown]
    return Figure(
        name=_IMPORTANCE,
        kind="bars",
        title="What moves the answers",
        x="feature",
        y=f"mean absolute Shapley value, {unit_of(case, found.found.link)}",
        series=(
            Series(
                name="importance",
                x=tuple(case.interface.names[place] for place in shown),
                y=tuple(value for value, _ in stated),
                low=tuple(max(0.0, low) for _, (low, _) in stated),
                high=tuple(high for _, (_, high) in stated),
            ),
        ),
        note=f"{len(each)} test rows; {found.found.method}",
    )


def _curves(case: Case, found: Explained, order: list[int]) -> Iterator[Figure]:
    """Mean contribution along the features that matter most, in bins of several rows each."""
    if found.found.phi.shape[1] != 1:
        return  # several outcomes at once have no one direction
    for place in order[:_DRAWN]:
        phi, name = found.found.phi[:, 0, place], case.interface.names[place]
        number = place < len(case.interface.numbers)
        bins = (_by_number if number else _by_text)(found.rows.column(place), phi)
        if len(bins) < 2:
            continue
        yield Figure(
            name=f"explanation.shapley.{name}",
            kind="lines" if number else "bars",
            title=f"Contribution of {name}",
            x=name,
            y=f"mean Shapley value, {unit_of(case, found.found.link)}",
            series=(
                Series(
                    name=name,
                    x=_places(bins),
                    y=tuple(mean for _, mean, _ in bins),
                    n=tuple(count for _, _, count in bins),
                ),
            ),
            note=f"{len(phi)} test rows in bins of at least {_FEWEST_IN_BIN}",
        )


def _places(bins: list[tuple[float, float, int]] | list[tuple[str, float, int]]) -> tuple[float, ...] | tuple[str, ...]:
    texts = tuple(at for at, _, _ in bins if isinstance(at, str))
    return texts or tuple(float(at) for at, _, _ in bins)


def _by_number(column: np.ndarray, phi: Floats) -> list[tuple[float, float, int]]:
    values = column.astype(np.float64)
    known = np.flatnonzero(np.isfinite(values))
    if not known.size:
        return []
    edges = np.unique(np.quantile(values[known], np.linspace(0, 1, _BINS + 1)))
    at = np.clip(np.searchsorted(edges, values[known], side="right") - 1, 0, max(0, edges.size - 2))
    inside = [known[at == one] for one in range(edges.size)]
    return [
        (float(values[rows].mean()), float(phi[rows].mean()), rows.size)
        for rows in inside
        if rows.size >= _FEWEST_IN_BIN
    ]


def _by_text(column: np.ndarray, phi: Floats) -> list[tuple[str, float, int]]:
    levels, at, counts = np.unique(column.astype(str), return_inverse=True, return_counts=True)
    shown = [place for place in np.argsort(-counts, kind="stable")[:_MOST_LEVELS] if counts[place] >= _FEWEST_IN_BIN]
    return [
        (str(levels[place]) or "(missing)", float(phi[at == place].mean()), int(counts[place]))
        for place in sorted(shown)
    ]


CHECK = Check(name="explanation.shapley", files={_ERROR: ALL, _IMPORTANCE: ALL}, run=_run)
