"""Integrated gradients: a score shared out among pixels along the straight way from an image that says nothing.

Sundararajan et al. 2017 (arXiv:1703.01365). The shares must add up to the difference of the scores (completeness); how far
they miss it is returned beside them, since it says whether the steps were fine enough.
"""

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.images.asking import Gradients
from sealwright.assurance.images.pictures import Pixels

__all__ = ["integrated"]


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
