"""Do two ways to explain put the parts of a row in one order?"""

from collections.abc import Iterable

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.intervals import mean_interval
from sealwright.assurance.model import Finding, NotPerformed
from sealwright.assurance.ranking import midranks

__all__ = ["agreement", "rank_correlation"]


def agreement(
    check: str, case: Case, pairs: Iterable[tuple[Floats, Floats]], fewest: int, rows: str, parts: str, words: str
) -> Finding | NotPerformed:
    """Mean rank correlation of pairs of attributions; pairs in which nothing differs say nothing and are left out.

    Parameters
    ----------
    pairs : iterable of (values, values)
        Row by row, one value for each part.
    fewest : int
        Rows needed.
    rows, parts : str
        What they are called: documents and words, images and patches.
    words : str
        The definition.
    """
    correlations = (rank_correlation(one, other) for one, other in pairs)
    found = [one for one in correlations if np.isfinite(one)]
    if len(found) < fewest:
        return NotPerformed(check=check, why=f"in {len(found)} {rows} {parts} differ in effect; needed are {fewest}")
    value, (low, high) = mean_interval(np.array(found), case.spec.confidence)
    return Finding(
        check=check,
        value=value,
        low=max(-1.0, low),
        high=min(1.0, high),
        n=len(found),
        unit="rank correlation",
        definition=words,
    )


def rank_correlation(one: Floats, other: Floats) -> float:
    """Spearman's correlation of two attributions of one row; NaN where in one of them nothing differs."""
    if not (np.ptp(one) > 0 and np.ptp(other) > 0):
        return float("nan")
    return float(np.corrcoef(midranks(one), midranks(other))[0, 1])
