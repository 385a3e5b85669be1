"""Numbers kept with fewer digits: whole numbers as floats, float64 as float32, a report rounded by hand.

The model takes float32, seven digits; what a change of type does to a number is a rounding of this kind.
"""

import numpy as np

from sealwright.assurance.case import Case
from sealwright.assurance.disturbance import Disturbance, Steps, disturbance_check
from sealwright.assurance.features import Features

__all__ = ["CHECK"]


def _rounded(case: Case, features: Features, strength: float, rng: np.random.Generator) -> Features:
    numbers = features.numbers.astype(np.float64)
    for place, item in enumerate(case.interface.numbers):
        if item.type != "boolean":
            values = numbers[:, place]
            size = np.where(np.isfinite(values) & (values != 0), np.abs(values), 1.0)
            step = strength * 10.0 ** np.floor(np.log10(size))
            whole = item.type in ("integer", "date")
            offset = 0.0 if whole else rng.random()  # where the grid happens to lie
            rounded = (np.round(values / step - offset) + offset) * step
            numbers[:, place] = np.round(rounded) if whole else rounded
    return features.with_numbers(numbers.astype(features.numbers.dtype))


CHECK = disturbance_check(
    Disturbance(
        suite="stress",
        name="rounding",
        title="Fewer digits",
        words="every number is rounded to steps of {share} of its power of ten",
        along="log10 of the step, as a share of the number's power of ten",
        steps=Steps(
            strengths=lambda spec: spec.stress.rounding,
            reported=lambda spec: min(spec.stress.rounding, key=lambda step: abs(np.log10(step) + 3)),
            unit="share of the power of ten",
            drawn=lambda step: float(np.log10(step)) if step else -8.0,
        ),
        disturb=_rounded,
        impossible=lambda case: (
            "" if any(item.type != "boolean" for item in case.interface.numbers) else "the model takes no numbers"
        ),
        note=lambda _case: "whole numbers stay whole; the leftmost point is unrounded",
    )
)
