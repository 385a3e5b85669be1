"""Whether an attribution is faithful: deleting what it calls important must hurt more than deleting anything else.

The deletion curve of Petsiuk et al. 2018 (arXiv:1806.07421), held against deletions by lot of the same size.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.intervals import mean_interval
from sealwright.assurance.model import Figure, Finding, Series

__all__ = ["SHARES", "Deletion", "Losses", "deletion_of", "fidelity", "how_many"]

SHARES = (0.1, 0.2, 0.3, 0.5)

Losses = tuple[list[Floats], list[Floats]]
"""What answers lose for each of `SHARES`: with the most important parts deleted, and with as many by lot; shape (n,) each."""

_DRAWS = 10  # deletions by lot of one row, which has no others to average over


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """The same for one row: what its answer loses, averaged over `SHARES`."""

    guided: float  # without the parts called most important
    by_lot: float  # without as many drawn by lot, averaged over `draws`
    draws: int

    @property
    def fidelity(self) -> float:
        """At or below 0 the attribution says nothing."""
        return self.guided - self.by_lot


def how_many(n: int, share: float) -> int:
    """How many of n parts are deleted: at least one where there is any."""
    return min(n, max(1, round(n * share))) if n else 0


def deletion_of(losses: Callable[[int], Losses]) -> Deletion:
    """The deletion of one row, given what that many copies of it lose."""
    guided, by_lot = losses(_DRAWS)
    return Deletion(guided=float(np.mean(guided)), by_lot=float(np.mean(by_lot)), draws=_DRAWS)


def fidelity(
    check: str, guided: Sequence[Floats], by_lot: Sequence[Floats], confidence: float, parts: str, what: str
) -> tuple[Finding, Figure]:
    """The finding and the curve.

    Parameters
    ----------
    guided, by_lot : sequence of float arrays, shape (n,)
        What each row's answer loses, for each of `SHARES`.
    parts : str
        "words", "patches".
    """
    gains = np.mean([a - b for a, b in zip(guided, by_lot, strict=True)], axis=0)
    value, (low, high) = mean_interval(gains, confidence)
    finding = Finding(
        check=check,
        value=value,
        low=low,
        high=high,
        n=gains.size,
        unit="probability" if what.startswith("probability") else what,
        definition=f"How much more the {what} falls when the {parts} called most important are deleted than when as many are by"
        " lot, averaged over the shares of the curve; at or below 0 the attribution says nothing.",
    )
    lines = {"most important first": guided, "by lot": by_lot}
    figure = Figure(
        name=check,
        kind="lines",
        title=f"Deleting {parts}",
        x=f"share of {parts} deleted",
        y=f"loss of {what}",
        series=tuple(
            Series(name=name, x=(0.0, *SHARES), y=(0.0, *(float(one.mean()) for one in losses)))
            for name, losses in lines.items()
        ),
    )
    return finding, figure
