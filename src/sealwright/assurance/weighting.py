"""Means of weighted rows: what a number would be if some kinds of rows were more common.

Pure functions over arrays. A weighted mean rests on fewer rows than there are; how many, `effective_rows` says.
"""

from dataclasses import dataclass

import numpy as np

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.intervals import Interval, z_of

__all__ = ["Weighted", "effective_rows", "tilted", "weighted_mean"]

_STEPS = 60  # halvings: the tilt is then exact to the last digits of a float
_STEEPEST = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighted:
    """A weighted quantity and what each row contributes: standard error = sqrt(sum(influence**2)) / n."""

    value: float
    influence: Floats

    def interval(self, confidence: float) -> Interval:
        half = z_of(confidence) * float(np.sqrt(np.sum(self.influence**2))) / self.influence.size
        return self.value - half, self.value + half


def weighted_mean(values: Floats, weights: Floats) -> Weighted:
    """sum(w v) / sum(w), with the linearised influence of a ratio (Särndal et al. 1992, ch. 5.5)."""
    mean = float((weights * values).sum() / weights.sum())
    return Weighted(value=mean, influence=weights * (values - mean) / weights.mean())


def effective_rows(weights: Floats) -> float:
    """(sum w)^2 / sum w^2: so many rows of equal weight would tell as much (Kish 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def tilted(values: Floats, shift: float) -> Floats | None:
    """Weights exp(t z) that move the mean of `values` by `shift` standard deviations; mean 1.

    Exponential tilting moves a mean with the least change of the distribution, in relative entropy
    (Csiszár 1975). None where no weights on these rows move it so far, or all values are equal.
    """
    spread = float(values.std())
    if spread == 0:
        return None
    z = (values - values.mean()) / spread

    def at(t: float) -> Floats:
        weights = np.exp(t * z - (t * z).max())
        scaled: Floats = weights / weights.mean()
        return scaled

    low, high = -_STEEPEST, _STEEPEST
    if not (at(low) * z).mean() < shift < (at(high) * z).mean():
        return None
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if (at(middle) * z).mean() < shift else (low, middle)
    return at((low + high) / 2)
