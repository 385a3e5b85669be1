"""Categories nobody has seen: a new product, a new spelling."""

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.disturbance import CELLS, Disturbance, disturbance_check
from sealwright.assurance.features import Features

__all__ = ["CHECK"]

_UNSEEN = "(a category never seen)"


def _replaced(_case: Case, features: Features, strength: float, rng: np.random.Generator) -> Features:
    strings = np.where(rng.random(features.strings.shape) < strength, _UNSEEN, features.strings)
    return features.with_strings(strings.astype(object))


CHECK = disturbance_check(
    Disturbance(
        name="unseen_category",
        title="Unseen categories",
        words="{share} of all categories are replaced by one never seen in training",
        along="share of categories replaced",
        steps=CELLS,
        disturb=_replaced,
        impossible=lambda case: "" if case.interface.strings else "the model takes no categories",
        note=lambda _case: "when served, unknown categories are refused before the model",
    )
)
