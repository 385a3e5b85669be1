"""Numbers that are a little off: a scale that drifts, a rounding, a typing slip.

The noise respects the contract: whole numbers stay whole, ranges hold.
"""

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.disturbance import NOISE, Disturbance, disturbance_check
from sealwright.assurance.features import Features

__all__ = ["CHECK"]


def _noisy(case: Case, features: Features, strength: float, rng: np.random.Generator) -> Features:
    numbers = features.numbers.astype(np.float64)
    known = case.train.features.numbers
    for place, item in enumerate(case.interface.numbers):
        if item.type == "boolean":
            continue
        learned = known[np.isfinite(known[:, place]), place].astype(np.float64)
        spread = float(learned.std()) if learned.size else 0.0
        moved = numbers[:, place] + strength * spread * rng.standard_normal(len(features))
        if item.type in ("integer", "date"):
            moved = np.round(moved)
        numbers[:, place] = np.clip(moved, item.least, item.most) if (item.least, item.most) != (None, None) else moved
    return features.with_numbers(numbers.astype(features.numbers.dtype))


def _impossible(case: Case) -> str:
    return "" if any(item.type != "boolean" for item in case.interface.numbers) else "the model takes no numbers"


CHECK = disturbance_check(
    Disturbance(
        name="noise",
        title="Noise on numbers",
        words="every number gets normal noise of {share} standard deviations",
        along="noise, in standard deviations of each number",
        steps=NOISE,
        disturb=_noisy,
        impossible=_impossible,
        note=lambda _case: "whole numbers stay whole and ranges of the contract hold",
    )
)
