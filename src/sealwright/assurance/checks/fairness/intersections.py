"""Is a group that only appears when attributes are crossed worse off than everybody else?

Women may fare well and the young may fare well, and young women badly. Every crossed group that is large
enough is held against all other rows by Fisher's exact test, towards worse only; p-values of all groups and
both rates are adjusted together, so that the expected share of false finds stays below one minus the
confidence (Benjamini & Hochberg 1995).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.bars import bars
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.check import CLASSES, Check, Outcome, collected, skipped
from sealwright.assurance.comparison import Ints, each_attribute, large_enough, sensitive, tally
from sealwright.assurance.crossing import crossed_attributes
from sealwright.assurance.intervals import difference
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed

__all__ = ["CHECK"]

_SELECTION, _OPPORTUNITY = "fairness.crossed_selection_gap", "fairness.crossed_opportunity_gap"
_COUNT = "fairness.crossed_groups_worse_off"
_TEXTS = {
    _SELECTION: "Share of all other rows that get the favourable outcome, minus that share in the worst-off group"
    " of the crossed attributes.",
    _OPPORTUNITY: "Share of all other truly favourable rows that are decided so, minus that share in the worst-off"
    " group of the crossed attributes.",
}
_ALL = (*_TEXTS, _COUNT)
_NAMED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Crossing:
    """One rate of the groups of some crossed attributes, each held against all other rows."""

    check: str
    attribute: Attribute  # the crossed one
    judged: tuple[int, ...]
    hits: Ints  # shape (judged,)
    rows: Ints
    all_hits: int
    all_rows: int

    @property
    def chance(self) -> Floats:
        """P(so few hits or fewer) if the group were drawn from all rows; the exact test, one-sided."""
        from scipy.stats import hypergeom

        return np.asarray(hypergeom.cdf(self.hits, self.all_rows, self.all_hits, self.rows), dtype=np.float64)

    @property
    def deficits(self) -> Floats:
        others = (self.all_hits - self.hits) / (self.all_rows - self.rows)
        return np.asarray(others - self.hits / self.rows)


def _run(case: Case, _rng: np.random.Generator) -> Outcome:
    if (none := sensitive(case, _ALL)) is not None:
        return none
    if case.favourable is None:
        return each_attribute(case, _ALL, lambda _: (), needs_favourable=True)
    crossed = crossed_attributes(case)
    if isinstance(crossed, str):
        return skipped(_ALL, crossed, applicable=False)
    crossings = [one for attribute in crossed for one in _both_rates(case, attribute) if len(one.judged)]
    return collected([*_findings(case, crossed, crossings), *_figures(case, crossings)])


def _both_rates(case: Case, attribute: Attribute) -> Iterator[_Crossing]:
    assert case.favourable is not None
    counts = tally(case, attribute, case.favourable)
    whole = large_enough(case, attribute)
    part = large_enough(case, attribute, counts.positives)
    for check, hits, rows, judged in (
        (_SELECTION, counts.selected, counts.rows, whole),
        (_OPPORTUNITY, counts.hits, counts.positives, part),
    ):
        judged = judged[rows[judged] < rows.sum()]  # a group of all rows has no others to be held against
        yield _Crossing(
            check=check,
            attribute=attribute,
            judged=tuple(judged.tolist()),
            hits=hits[judged],
            rows=rows[judged],
            all_hits=int(hits.sum()),
            all_rows=int(rows.sum()),
        )


def _findings(case: Case, crossed: list[Attribute], crossings: list[_Crossing]) -> Iterator[Finding | NotPerformed]:
    filed = {(one.check, one.attribute.name) for one in crossings}
    for attribute in crossed:
        for check in _TEXTS:
            if (check, attribute.name) not in filed:
                why = f"no crossed group is large enough (fewest: {case.spec.smallest_group} rows)"
                yield NotPerformed(check=check, why=why, group=Group(attribute=attribute.name))
    if not crossings:
        yield NotPerformed(check=_COUNT, why="no crossed group is large enough")
        return
    from sealwright.data.diversity import benjamini_hochberg

    adjusted = benjamini_hochberg(np.concatenate([one.chance for one in crossings]))
    parts = np.split(adjusted, np.cumsum([len(one.judged) for one in crossings])[:-1])
    yield from (_worst_off(case, one, p, adjusted.size) for one, p in zip(crossings, parts, strict=True))
    yield _count(case, crossings, parts)


def _worst_off(case: Case, one: _Crossing, adjusted: Floats, tests: int) -> Finding:
    at = int(np.argmax(one.deficits))
    k, n = int(one.hits[at]), int(one.rows[at])
    others, rest = one.all_hits - k, one.all_rows - n
    sure = 1 - (1 - case.spec.confidence) / len(one.judged)  # it was picked as the worst of so many
    low, high = difference(
        others / rest, case.share_interval(others, rest, sure), k / n, case.share_interval(k, n, sure)
    )
    return Finding(
        check=one.check,
        value=float(one.deficits[at]),
        low=max(-1.0, low),
        high=min(1.0, high),
        n=one.all_rows,
        unit="share",
        definition=_TEXTS[one.check],
        group=Group(attribute=one.attribute.name),
        note=f"worst off: {one.attribute.levels[one.judged[at]]} ({n} rows, {k / n:.1%} against {others / rest:.1%});"
        f" adjusted p = {adjusted[at]:.2g} (Fisher's exact test, Benjamini-Hochberg over {tests} tests)",
    )


def _count(case: Case, crossings: list[_Crossing], adjusted: list[Floats]) -> Finding:
    found: dict[str, float] = {}
    for one, p_values in zip(crossings, adjusted, strict=True):
        for place, p in zip(one.judged, p_values, strict=True):
            if p <= 1 - case.spec.confidence:
                level = one.attribute.levels[place]
                found[level] = min(float(p), found.get(level, 1.0))
    named = sorted(found, key=lambda level: (found[level], level))
    groups = len({(one.attribute.name, place) for one in crossings for place in one.judged})
    return Finding(
        check=_COUNT,
        value=len(found),
        n=len(case.test),
        unit="count",
        definition="Number of crossed groups that get the favourable outcome, or get it when they deserve it, less often"
        f" than all others, at an adjusted p of at most {1 - case.spec.confidence:.3g}.",
        note="; ".join([f"of {groups} crossed groups", *(f"{one} (p = {found[one]:.2g})" for one in named[:_NAMED])]),
    )


def _figures(case: Case, crossings: list[_Crossing]) -> Iterator[Figure]:
    for one in crossings:
        if one.check != _SELECTION:
            continue
        rates = []
        for place, k, n in zip(one.judged, one.hits.tolist(), one.rows.tolist(), strict=True):
            low, high = case.share_interval(k, n)
            about = Group(attribute=one.attribute.name, level=one.attribute.levels[place])
            text = "Share of the group that gets the favourable outcome."
            rates.append(
                Finding(
                    check=one.check, value=k / n, low=low, high=high, n=n, unit="share", definition=text, group=about
                )
            )
        yield Figure(
            name=f"fairness.crossed.{one.attribute.name.replace(' × ', '.')}",
            kind="bars",
            title=f"Favourable outcomes by {one.attribute.name}",
            x=one.attribute.name,
            y="share",
            series=(bars("selection rate", rates),),
        )


CHECK = Check(name="fairness.intersections", files=dict.fromkeys(_ALL, CLASSES), run=_run)
