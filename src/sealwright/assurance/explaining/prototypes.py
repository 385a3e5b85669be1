"""Rows that stand for others, and rows they do not stand for: prototypes and criticisms.

Prototypes are added one at a time so that they come as near as possible, in maximum mean discrepancy under a kernel of the
mixed distance, to the rows of their outcome; criticisms are the rows where the two densities differ most (Kim, Khanna &
Koyejo 2016). Deterministic, and bounded by how many rows are handed in.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats

__all__ = ["Prototypes", "choose_prototypes", "kernel_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prototypes:
    """Positions of rows, in the order they were chosen, and the outcome each stands for."""

    rows: NDArray[np.intp]
    outcomes: NDArray[np.int64]
    criticisms: NDArray[np.intp]

    def first(self, each: int) -> NDArray[np.intp]:
        """Which of `rows` are among the first `each` of their outcome."""
        seen: dict[int, int] = {}
        kept = []
        for place, outcome in enumerate(self.outcomes.tolist()):
            seen[outcome] = seen.get(outcome, 0) + 1
            if seen[outcome] <= each:
                kept.append(place)
        return np.array(kept, dtype=np.intp)


def kernel_of(apart: Floats) -> Floats:
    """exp(-distance / median distance)."""
    off = apart[~np.eye(len(apart), dtype=np.bool_)] if apart.shape[0] == apart.shape[1] else apart.ravel()
    width = float(np.median(off)) if off.size else 1.0
    return np.asarray(np.exp(-apart / (width or 1.0)))


def choose_prototypes(apart: Floats, decided: NDArray[np.int64], each: int, criticisms: int) -> Prototypes:
    """At most `each` prototypes for every outcome that occurs, and as many `criticisms` over all of them.

    Parameters
    ----------
    apart : float array, shape (n, n)
        Distances between the candidates.
    decided : int array, shape (n,)
    """
    kernel = kernel_of(apart)
    rows: list[int] = []
    outcomes: list[int] = []
    gaps = np.zeros(len(decided))
    for outcome in np.unique(decided[decided >= 0]).tolist():
        members = np.flatnonzero(decided == outcome)
        chosen = _greedy(kernel[np.ix_(members, members)], min(each, members.size))
        rows += members[chosen].tolist()
        outcomes += [outcome] * len(chosen)
        inside = kernel[np.ix_(members, members)]
        gaps[members] = np.abs(inside.mean(axis=1) - inside[:, chosen].mean(axis=1))
    gaps[rows] = -np.inf
    worst = np.argsort(-gaps, kind="stable")[:criticisms]
    return Prototypes(
        rows=np.array(rows, dtype=np.intp),
        outcomes=np.array(outcomes, dtype=np.int64),
        criticisms=worst[np.isfinite(gaps[worst])],
    )


def _greedy(kernel: Floats, wanted: int) -> list[int]:
    """The rows whose addition lowers the discrepancy most, one after the other."""
    towards = kernel.mean(axis=1)
    own = np.diag(kernel)
    chosen: list[int] = []
    among = 0.0  # sum of the kernel between the chosen
    to_chosen = np.zeros(len(kernel))
    attraction = 0.0
    for _ in range(wanted):
        m = len(chosen) + 1
        after = 2 * (attraction + towards) / m - (among + 2 * to_chosen + own) / m**2
        after[chosen] = -np.inf
        best = int(np.argmax(after))
        among += 2 * to_chosen[best] + own[best]
        attraction += float(towards[best])
        to_chosen = to_chosen + kernel[best]
        chosen.append(best)
    return chosen
