"""What a budget pays for, with room for rounding."""

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats

__all__ = ["ROUNDING", "affordable"]

ROUNDING = 1e-6
"""A number moved as far as a budget reaches may cost this share more once it is rounded to the model's precision."""


def affordable(costs: Floats, budget: float) -> NDArray[np.bool_]:
    """Which changes a budget pays for."""
    return np.asarray(costs <= budget * (1 + ROUNDING))
