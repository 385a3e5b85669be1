"""What is around a row of a case: one outcome of its model as a function, and neighbours as the rows learned from show them."""

from collections.abc import Callable

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.constraints.making import constraints_of
from sealwright.assurance.explaining.coded import coded_by
from sealwright.assurance.explaining.scale import explained_outcomes
from sealwright.assurance.explaining.surrogate import Neighbourhood
from sealwright.assurance.features import Features

__all__ = ["asked", "neighbourhood_of"]

_MOST_SEEN = 1_000


def asked(case: Case, outcome: int | None = None) -> Callable[[Features], Floats]:
    """The model as a function from features to one number: the first explained outcome, or the one named."""
    place = explained_outcomes(case)[0] if outcome is None else outcome

    def ask(features: Features) -> Floats:
        outputs = case.predict(features)
        return outputs if outputs.ndim == 1 else outputs[:, place]

    return ask


def neighbourhood_of(case: Case, rng: np.random.Generator) -> Neighbourhood:
    """Neighbours within the ranges of the constraints; nothing is held fixed, since nobody is asked to change."""
    learned = case.train.features
    if len(learned) > _MOST_SEEN:
        learned = learned.take(np.sort(rng.choice(len(learned), _MOST_SEEN, replace=False)))
    coded = coded_by(learned, case.test.features)
    return Neighbourhood(coded=coded, constraints=constraints_of(case), seen=coded.matrix(learned))
