"""Members and others: as many training as test rows, drawn evenly, with how sure the model is of each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.case import Case, Sample
from sealwright.assurance.leakage.membership import Scores, confidences

__all__ = ["Drawn", "drawn", "scores_of", "too_few_rows"]

_FEWEST = 30  # members and others; below this an attack is judged by chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Positions among the rows of `case.train` and of `case.test`, as many of each."""

    members: NDArray[np.intp]
    others: NDArray[np.intp]


def drawn(case: Case, most: int, rng: np.random.Generator) -> Drawn:
    """At most `most` training and as many test rows, by lot; ascending."""
    size = min(len(case.train), len(case.test), most)
    members, others = (np.sort(rng.choice(len(one), size, replace=False)) for one in (case.train, case.test))
    return Drawn(members=members, others=others)


def scores_of(case: Case, rows: Drawn) -> Scores:
    """How sure the model is of what is true of these rows."""
    return Scores(members=_of(case, case.train)[rows.members], others=_of(case, case.test)[rows.others])


def _of(case: Case, sample: Sample) -> NDArray[np.float64]:
    return confidences(case.task, sample.truth, sample.outputs)


def too_few_rows(case: Case) -> str:
    """Why no attack is judged here; "" if there are enough rows."""
    size = min(len(case.train), len(case.test))
    return "" if size >= _FEWEST else f"{size} training and as many test rows; an attack is judged on {_FEWEST} or more"
