"""What a stamp does to decisions, beside what it is expected to do: the sentence and the number of every search."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.features import Features
from sealwright.assurance.intervals import agresti_min
from sealwright.assurance.model import Finding
from sealwright.assurance.poisoning.stamps import Stamp, marks, stamp_words

__all__ = ["FEWEST", "Suspect", "farthest", "halves", "reach_finding", "suspects_of"]

FEWEST = 10  # rows decided otherwise that a trigger must be tried on
_MOST_CONFIRMED = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """The strongest candidate of a search: a stamp and the outcome it pushes to."""

    stamp: Stamp
    outcome: int
    tried: int  # stamps searched


def halves(rows: int, searched: int, rng: np.random.Generator) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows to search with, and other rows to confirm on: what was picked as the largest is too large by luck."""
    order = rng.permutation(rows)
    cut = min(searched, rows // 2)
    return order[:cut], np.sort(order[cut : cut + _MOST_CONFIRMED])


def reach_finding(
    case: Case,
    check: str,
    suspect: Suspect,
    before: NDArray[np.int64],
    after: NDArray[np.int64],
    expected: NDArray[np.int64],
    by: str,
    training: Features,
) -> Finding | str:
    """Rows decided otherwise that the stamp sends to its outcome, minus those expected; or why there are too few.

    Parameters
    ----------
    before, after, expected : int arrays, shape (n,)
        Decisions of the confirming rows: as they are, stamped, and stamped as `by` expects them.
    """
    others = before != suspect.outcome
    n = int(others.sum())
    if n < FEWEST:
        return f"only {n} rows to confirm on get another outcome; it takes {FEWEST}"
    hit, foreseen = after[others] == suspect.outcome, expected[others] == suspect.outcome
    only, missed = int((hit & ~foreseen).sum()), int((~hit & foreseen).sum())
    low, high = agresti_min(only, missed, n, case.spec.confidence)
    carried = int(marks(training, suspect.stamp).sum())
    name = case.interface.classes[suspect.outcome]
    return Finding(
        check=check,
        value=(only - missed) / n,
        low=low,
        high=high,
        n=n,
        unit="share",
        definition="Share of rows decided otherwise that the most suspicious one or two values, written over every row,"
        f" send to one outcome, minus the share {by} expects.",
        note=f"{stamp_words(case.interface, suspect.stamp)}: {hit.mean():.0%} become {name}, {foreseen.mean():.0%}"
        f" expected; {carried} of {len(training):,} {case.learned_words} carry it; strongest of {suspect.tried:,} tried",
    )


def suspects_of(scores: Floats, stamps: Sequence[Stamp], before: NDArray[np.int64]) -> Iterator[Suspect]:
    """For each outcome that enough rows do not have yet, the stamp that pushes to it most; scores (stamps, classes)."""
    for place in range(scores.shape[1]):
        if (before != place).sum() >= FEWEST:
            yield Suspect(stamp=stamps[int(np.argmax(scores[:, place]))], outcome=place, tried=len(stamps))


def farthest(found: Sequence[Finding | str]) -> Finding | str:
    """The suspect with the largest reach, or why there is none."""
    measured = [one for one in found if isinstance(one, Finding)]
    if measured:
        return max(measured, key=lambda one: one.value)
    return next((one for one in found if isinstance(one, str)), f"fewer than {FEWEST} rows have another outcome")
