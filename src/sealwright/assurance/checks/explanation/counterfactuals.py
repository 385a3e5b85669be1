"""What would have to change for the favourable outcome, is it possible at all, and is more asked of some than of others?

For unfavourably decided test rows a cheap possible change is searched under the constraints of the project. Prices are
those of the constraints: standard deviations and switched categories. What nobody can find out by asking the model may still
be cheaper: costs are upper bounds, the same search for everybody. The gap of costs between groups is the recourse gap
(Gupta et al. 2019, arXiv:1909.03166); where no change is found, the budget counts as its cost.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Check, Outcome, collected, skipped
from sealwright.assurance.constraints.making import constraints_of
from sealwright.assurance.explaining.counterfactual import Counterfactuals, cheapest_changes
from sealwright.assurance.explaining.wanted import score_for
from sealwright.assurance.intervals import mean_interval, z_of
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed, Series
from sealwright.assurance.paired import normal_p, p_words

__all__ = ["CHECK"]

_SHARE, _COST, _CHANGES, _GAP = (
    "explanation.counterfactual_share",
    "explanation.counterfactual_cost",
    "explanation.counterfactual_changes",
    "explanation.recourse_gap",
)
_ALL_OF_THEM = [_SHARE, _COST, _CHANGES, _GAP]
_FEWEST = 10
_SHOWN = 30


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    if case.favourable is None:
        return skipped(_ALL_OF_THEM, "no outcome to hope for: name one under assurance.favourable")
    refused = np.flatnonzero((case.decisions != case.favourable) & (case.decisions >= 0))
    if refused.size < _FEWEST:
        why = f"{refused.size} of the test rows are decided unfavourably; needed are {_FEWEST}"
        return skipped(_ALL_OF_THEM, why)
    rules = constraints_of(case)
    if not rules.movable:
        return skipped(_ALL_OF_THEM, "no feature can change: assurance.constraints and compared columns fix them all")
    most = case.spec.explanation.counterfactual_rows
    lines = refused if refused.size <= most else np.sort(rng.choice(refused, most, replace=False))
    budget = case.spec.explanation.counterfactual_budget
    found = cheapest_changes(
        score_for(case, case.favourable), rules, case.test.features.take(lines), case.train.features, budget
    )
    return collected([*_findings(case, found, budget), *_gaps(case, found, lines, budget), _figure(case, found)])


def _findings(case: Case, found: Counterfactuals, budget: float) -> Iterator[Finding | NotPerformed]:
    n, hits = found.found.size, int(found.found.sum())
    low, high = case.share_interval(hits, n)
    yield Finding(
        check=_SHARE,
        value=hits / n,
        low=low,
        high=high,
        n=n,
        unit="share",
        definition="Share of unfavourably decided rows for which a possible change that costs at most"
        f" {budget:g} leads to the favourable outcome.",
        note=f"{found.queries:,} queries; each changed row was asked about again and is allowed by the constraints",
    )
    if hits < 2:
        for check in (_COST, _CHANGES):
            yield NotPerformed(check=check, why=f"a change was found for {hits} rows, so there is no mean")
        return
    costs, counts = found.cost[found.found], found.changed[found.found].sum(axis=1).astype(np.float64)
    for check, values, unit, words in (
        (_COST, costs, "price", "Mean price of the changes found, in standard deviations and switched categories."),
        (_CHANGES, counts, "count", "Mean number of features that change, where a change was found."),
    ):
        value, (low, high) = mean_interval(values, case.spec.confidence)
        yield Finding(check=check, value=value, low=max(0.0, low), high=high, n=hits, unit=unit, definition=words)


def _gaps(
    case: Case, found: Counterfactuals, lines: NDArray[np.intp], budget: float
) -> Iterator[Finding | NotPerformed]:
    capped = np.where(found.found, np.minimum(found.cost, budget), budget)
    if not case.attributes:
        yield NotPerformed(check=_GAP, why="no column forms groups: name some under assurance.groups")
    for attribute in case.attributes:
        yield _gap(case, attribute, capped, lines)


def _gap(case: Case, attribute: Attribute, capped: Floats, lines: NDArray[np.intp]) -> Finding | NotPerformed:
    about, least = Group(attribute=attribute.name), case.spec.smallest_part
    parts = {str(level): capped[attribute.rows_of(place)[lines]] for place, level in enumerate(attribute.levels)}
    parts = {level: values for level, values in parts.items() if values.size >= max(2, least)}
    if len(parts) < 2:
        why = attribute.problem or (
            f"fewer than two groups of {attribute.name} have {least} unfavourably decided rows among the {lines.size}"
        )
        return NotPerformed(check=_GAP, why=why, group=about)
    means = {level: float(values.mean()) for level, values in parts.items()}
    errors = {level: float(values.var(ddof=1)) / values.size for level, values in parts.items()}
    dearest = max(means, key=lambda level: (means[level], level))
    cheapest = min(means, key=lambda level: (means[level], level))
    if dearest == cheapest:  # all means are equal
        dearest, cheapest = list(means)[:2]
    gap, error = means[dearest] - means[cheapest], float(np.sqrt(errors[dearest] + errors[cheapest]))
    half = z_of(case.spec.confidence) * error
    pairs = len(list(combinations(parts, 2)))
    corrected = min(1.0, normal_p(gap, error) * pairs)
    words = "; ".join(f"{level} {means[level]:.2f} ({parts[level].size} rows)" for level in parts)
    return Finding(
        check=_GAP,
        value=gap,
        low=gap - half,
        high=gap + half,
        n=sum(values.size for values in parts.values()),
        unit="price",
        definition="Largest difference between groups in the mean price of the change asked of unfavourably decided rows;"
        " where none was found the budget counts.",
        group=about,
        note=f"{words[:400]}; {p_words(corrected, 'Welch, normal' + (', all pairs' if pairs > 1 else ''))}",
    )


def _figure(case: Case, found: Counterfactuals) -> Figure:
    shares = found.changed[found.found].mean(axis=0) if found.found.any() else np.zeros(len(case.interface.names))
    shown = [int(place) for place in np.argsort(-shares, kind="stable")[:_SHOWN] if shares[place] > 0]
    return Figure(
        name="explanation.counterfactual",
        kind="bars",
        title="What would have to change",
        x="feature",
        y="share of changes found that move it",
        series=(
            Series(
                name="changed",
                x=tuple(case.interface.names[place] for place in shown),
                y=tuple(float(shares[place]) for place in shown),
            ),
        ),
        note=f"{int(found.found.sum())} changed rows of {found.found.size} decided unfavourably",
    )


CHECK = Check(name="explanation.counterfactuals", files=dict.fromkeys(_ALL_OF_THEM, CLASSES), run=_run)
