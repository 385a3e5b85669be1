"""Does the difference remain, vanish or turn round when like is compared with like (Simpson's paradox)?

The two groups whose favourable shares lie farthest apart are compared again within strata of one feature:
the declared one (assurance.legitimate), or the one that changes the difference most. In the second case the
interval is as wide as picking one of so many makes it (Bonferroni). Whether the feature is a good reason for
a difference, or a proxy that hides one, no number can say.
"""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Check, Outcome
from sealwright.assurance.comparison import Ints, each_attribute, farthest_apart, large_enough, tally, too_few
from sealwright.assurance.gaps import rate_gap
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed, Series
from sealwright.assurance.strata import Common, common_difference, strata_of

__all__ = ["CHECK"]

_CHECK = "fairness.conditional_gap"
_DEFINITION = (
    "Favourable share of the group that gets it most often overall minus that of the group that gets it least often,"
    " compared within strata of one feature (Mantel-Haenszel); below zero where the difference turns round."
)
_FEWEST = 5  # a stratum in which a group has fewer rows is not drawn: it would show single rows
_MOST_FEATURES = 500


class _View(NamedTuple):
    feature: str
    names: tuple[str, ...]
    hits: Ints  # shape (2, strata): the higher group, then the lower
    rows: Ints
    common: Common


def _run(case: Case, rng: np.random.Generator) -> Outcome:
    return each_attribute(case, [_CHECK], partial(_judge, case, rng), needs_favourable=True)


def _judge(case: Case, rng: np.random.Generator, attribute: Attribute) -> Iterator[Finding | NotPerformed | Figure]:
    assert case.favourable is not None
    judged = large_enough(case, attribute)
    if judged.size < 2:
        yield too_few(case, _CHECK, attribute, judged, "enough rows")
        return
    counts = tally(case, attribute, case.favourable)
    hits, rows = counts.selected[judged][None], counts.rows[judged][None]
    crude = rate_gap(hits, rows, case.spec.bootstrap, case.spec.confidence, rng)
    if crude.value == 0:
        why = "the groups get the favourable outcome equally often, so there is no difference to look into"
        yield NotPerformed(check=_CHECK, why=why, group=Group(attribute=attribute.name))
        return
    pair = farthest_apart(counts, judged)
    features = _candidates(case, attribute)
    tries = len(features) * judged.size * (judged.size - 1) // 2
    sure = 1 - (1 - case.spec.confidence) / max(1, tries)
    views = [view for name in features if (view := _view(case, attribute, pair, name, sure)) is not None]
    if not views:
        why = "no feature has a stratum with rows of both groups"
        yield NotPerformed(check=_CHECK, why=why, group=Group(attribute=attribute.name))
        return
    most = max(views, key=lambda view: abs(view.common.value - crude.value))
    levels = attribute.levels[pair[0]], attribute.levels[pair[1]]
    yield _finding(case, attribute, levels, most, (crude.value, crude.interval[0]), len(features))
    yield _figure(case, attribute, levels, most)


def _candidates(case: Case, attribute: Attribute) -> tuple[str, ...]:
    if case.spec.legitimate is not None:
        return (case.spec.legitimate,)
    return tuple(name for name in case.interface.names if name != attribute.name)[:_MOST_FEATURES]


def _view(case: Case, attribute: Attribute, pair: tuple[int, int], feature: str, confidence: float) -> _View | None:
    codes, names = strata_of(case.test.features.column(case.interface.names.index(feature)))
    chosen = case.decisions == case.favourable
    rows, hits = np.zeros((2, len(names)), dtype=np.int64), np.zeros((2, len(names)), dtype=np.int64)
    for line, place in enumerate(pair):
        own = attribute.rows_of(place)
        rows[line] = np.bincount(codes[own], minlength=len(names))
        hits[line] = np.bincount(codes[own & chosen], minlength=len(names))
    common = common_difference(hits, rows, confidence)
    return None if common is None else _View(feature, names, hits, rows, common)


def _finding(
    case: Case, attribute: Attribute, levels: tuple[str, str], view: _View, crude: tuple[float, float], tried: int
) -> Finding:
    value, (low, high), strata, rows = view.common
    overall, overall_low = crude
    return Finding(
        check=_CHECK,
        value=value,
        low=low,
        high=high,
        n=rows,
        unit="share",
        definition=_DEFINITION,
        group=Group(attribute=attribute.name),
        note=f"{levels[0]} minus {levels[1]}: {overall:+.1%} overall, {value:+.1%} within {strata} strata of {view.feature}"
        f"{'' if case.spec.legitimate else f' (of {tried} features the one that changes it most)'};"
        f" {_words(overall, overall_low, value, low, high)}",
    )


def _words(overall: float, overall_low: float, value: float, low: float, high: float) -> str:
    """What became of the difference, as far as the intervals can tell."""
    if value < 0:
        if overall_low > 0 and high < 0:
            return "the difference reverses (Simpson's paradox): neither sign can be put down to chance"
        return "the sign changes, but chance may account for it"
    if overall_low > 0 and low > 0:
        return "the difference remains" + ("" if value > overall / 2 else ", at less than half its size")
    return "within strata, chance may account for what is left"


def _figure(case: Case, attribute: Attribute, levels: tuple[str, str], view: _View) -> Figure:
    used = np.flatnonzero((view.rows >= _FEWEST).all(axis=0))
    series = []
    for line, level in enumerate(levels):
        hits, rows = view.hits[line, used].tolist(), view.rows[line, used].tolist()
        ends = [case.share_interval(k, n) for k, n in zip(hits, rows, strict=True)]
        series.append(
            Series(
                name=level,
                x=tuple(view.names[at] for at in used),
                y=tuple(k / n for k, n in zip(hits, rows, strict=True)),
                low=tuple(low for low, _ in ends),
                high=tuple(high for _, high in ends),
                n=tuple(rows),
            )
        )
    return Figure(
        name=f"fairness.conditional.{attribute.name}",
        kind="bars",
        title=f"Favourable outcomes by {attribute.name}, within {view.feature}",
        x=view.feature,
        y="share",
        series=tuple(series),
    )


CHECK = Check(name="fairness.conditional", files={_CHECK: CLASSES}, run=_run)
