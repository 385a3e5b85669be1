"""The prototypes of a case: rows learned from that stand for each decided outcome. Row-level, never filed."""

from dataclasses import dataclass

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.case_making import generator_for
from sealwright.assurance.explaining.coded import Coded, coded_by
from sealwright.assurance.explaining.prototypes import Prototypes, choose_prototypes
from sealwright.assurance.features import Features

__all__ = ["Typical", "typical_of"]

_MOST_CANDIDATES = 1_000
_CRITICISMS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Typical:
    """Prototypes, with their rows."""

    chosen: Prototypes
    features: Features  # of the prototypes
    criticisms: Features
    coded: Coded
    candidates: int


def typical_of(case: Case) -> Typical | str:
    """Prototypes among the rows learned from, worked out once for a case; or why there are none."""
    return case.once("explaining.typical", lambda: _typical(case))


def _typical(case: Case) -> Typical | str:
    n, rng = len(case.train), generator_for(case.seed, "explaining/prototypes")
    most = min(n, _MOST_CANDIDATES)
    candidates = case.train.features.take(np.sort(rng.choice(n, most, replace=False)))
    decided = case.decide(case.predict(candidates))
    if np.unique(decided[decided >= 0]).size < 2:
        return "the model decides all rows learned from alike, so there is nothing to tell apart"
    coded = coded_by(case.train.features, case.test.features)
    chosen = choose_prototypes(
        coded.apart(candidates, candidates), decided, case.spec.explanation.prototypes, _CRITICISMS
    )
    return Typical(
        chosen=chosen,
        features=candidates.take(chosen.rows),
        criticisms=candidates.take(chosen.criticisms),
        coded=coded,
        candidates=most,
    )
