"""Coverage told: overall, for each group, between groups, and where the answer is accepted as it stands."""

from collections.abc import Iterator

import numpy as np

from sealwright.assurance.attributes import Attribute
from sealwright.assurance.bars import bars
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.comparison import each_attribute, gap_finding, large_enough, not_judged, too_few
from sealwright.assurance.conformal import splits_of
from sealwright.assurance.gaps import rate_gap
from sealwright.assurance.intervals import exact_share
from sealwright.assurance.model import Figure, Finding, Group, NotPerformed

__all__ = ["covered_by_group", "covered_share", "covered_where"]


def covered_share(case: Case, form: str, words: str, covered: Floats) -> Finding:
    """`uncertainty.<form>coverage`, with an exact interval over distinct rows.

    Parameters
    ----------
    covered : float array, shape (n,)
        Share of splits in which each row was covered.
    """
    n, k = covered.size, float(covered.sum())
    low, high = exact_share(min(k, n), n, case.spec.confidence)
    return Finding(
        check=f"uncertainty.{form}coverage",
        value=k / n,
        low=low,
        high=high,
        n=n,
        unit="share",
        definition=f"{words}: share of rows that hold the truth; promised is {case.spec.uncertainty.coverage:.0%}.",
        note=f"{splits_of(n, case.spec.uncertainty.splits)} random halvings of the test rows, each half calibrating for the other",
    )


def covered_where(case: Case, form: str, where: str, k: float, n: float) -> Finding | NotPerformed:
    """`uncertainty.<form>accepted_coverage`: coverage where the answer would be taken as it stands."""
    check = f"uncertainty.{form}accepted_coverage"
    if n < case.spec.smallest_group:
        why = f"{n:.0f} rows would be accepted as they stand; fewer than {case.spec.smallest_group} are not judged"
        return NotPerformed(check=check, why=why)
    low, high = exact_share(min(k, n), n, case.spec.confidence)
    return Finding(
        check=check,
        value=k / n,
        low=low,
        high=high,
        n=round(n),
        unit="share",
        definition=f"{where}: share of rows that hold the truth.",
    )


def covered_by_group(
    case: Case, form: str, words: str, covered: Floats, rng: np.random.Generator
) -> Iterator[Finding | NotPerformed | Figure]:
    """`uncertainty.<form>group_coverage` of each group and `…coverage_gap` of each attribute."""
    names = [f"uncertainty.{form}group_coverage", f"uncertainty.{form}coverage_gap"]

    def judge(attribute: Attribute) -> Iterator[Finding | NotPerformed | Figure]:
        yield from _one_attribute(case, names, words, covered, attribute, rng)

    outcome = each_attribute(case, names, judge)
    yield from outcome.findings
    yield from outcome.figures
    yield from outcome.not_performed


def _one_attribute(
    case: Case, names: list[str], words: str, covered: Floats, attribute: Attribute, rng: np.random.Generator
) -> Iterator[Finding | NotPerformed | Figure]:
    of_level, gap_name = names
    levels = len(attribute.levels)
    rows = np.bincount(attribute.codes, minlength=levels)
    hits = np.minimum(np.bincount(attribute.codes, weights=covered, minlength=levels), rows)
    judged, filed = large_enough(case, attribute), []
    for place, level in enumerate(attribute.levels):
        if place not in judged:
            yield not_judged(case, of_level, attribute, place)
            continue
        low, high = exact_share(float(hits[place]), int(rows[place]), case.spec.confidence)
        filed.append(
            Finding(
                check=of_level,
                value=hits[place] / rows[place],
                low=low,
                high=high,
                n=int(rows[place]),
                unit="share",
                definition=f"{words}: share of the group's rows that hold the truth.",
                group=Group(attribute=attribute.name, level=level),
            )
        )
    yield from filed
    if filed:
        yield Figure(
            name=f"{of_level}.{attribute.name}",
            kind="bars",
            title=f"Coverage by {attribute.name}",
            x=attribute.name,
            y="share",
            series=(bars(words, filed),),
            note=attribute.how,
        )
    if judged.size < 2:
        yield too_few(case, gap_name, attribute, judged, "enough rows")
        return
    gap = rate_gap(hits[judged][None], rows[judged][None], case.spec.bootstrap, case.spec.confidence, rng)
    text = f"{words}: largest difference between groups in the share of rows that hold the truth."
    yield gap_finding(gap_name, attribute, judged, gap, int(rows[judged].sum()), "share", text)
