"""Integrated gradients: a score shared out among pixels along the straight way from an image that says nothing.

Sundararajan et al. 2017 (arXiv:1703.01365). The shares must add up to the difference of the scores (completeness); how far
they miss it is returned beside them, since it says whether the steps were fine enough.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.images.asking import Gradients
from sealwright.assurance.images.pictures import Pixels

__all__ = ["Shared", "integrated", "shared_out"]

_STEPS = (32, 128, 512)  # finer while the shares miss the score
_LARGEST_MISS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Scores shared out among pixels, as finely as was needed."""

    shares: Pixels  # shape (n, h, w, c)
    error: float  # the largest miss, as a share of the mean difference of scores
    steps: int

    @property
    def refused(self) -> str:
        """Why the shares are not to be used, or ""."""
        far = not self.error <= _LARGEST_MISS
        return f"the attributions miss the score by {self.error:.3g} of it, so they are refused" if far else ""


def shared_out(
    gradients: Gradients, pixels: Pixels, chosen: NDArray[np.int64], baseline: Pixels, batches: Iterable[slice]
) -> Shared:
    """Integrated gradients with more steps until they add up; `batches` parts the images so that each fits in memory."""
    parts, shares, error, steps = list(batches), np.zeros(pixels.shape), np.inf, 0
    for steps in _STEPS:
        found = [integrated(gradients, pixels[one], chosen[one], baseline, steps) for one in parts]
        shares, wanted, missed = (np.concatenate([part[at] for part in found]) for at in range(3))
        error = float(missed.max()) / (float(np.abs(wanted).mean()) or 1.0)
        if error <= _LARGEST_MISS:
            break
    return Shared(shares=shares, error=error, steps=steps)


def integrated(
    gradients: Gradients, pixels: Pixels, chosen: NDArray[np.int64], baseline: Pixels, steps: int
) -> tuple[Pixels, Floats, Floats]:
    """Attributions (n, h, w, c), what they must add up to (n,), and by how much they miss it (n,).

    `chosen` names the class whose score is shared out; the midpoint rule with `steps` points.
    """
    total = np.zeros(pixels.shape)
    way = pixels - baseline
    for step in range(steps):
        at = (baseline + (step + 0.5) / steps * way).astype(pixels.dtype)
        total += gradients.of_score(at, chosen)[1]
    shares = way * total / steps
    begun = np.broadcast_to(baseline, pixels.shape).astype(pixels.dtype)
    wanted = gradients.of_score(pixels, chosen)[0] - gradients.of_score(begun, chosen)[0]
    missed: Floats = np.abs(shares.sum(axis=(1, 2, 3)) - wanted)
    return shares, wanted, missed
