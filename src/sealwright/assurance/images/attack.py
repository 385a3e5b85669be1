"""Attacks on images within a distance per pixel: with gradients in one step and in many, and without gradients.

An image counts as fooled at a distance if it is at a smaller one, since an attacker need not use all of it; so accuracy
never rises with the distance. Pixels stay between 0 and 1.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.images.pictures import Pixels

__all__ = ["Fooled", "Margin", "Slope", "fooled_by_squares", "fooled_by_steps"]

Fooled = NDArray[np.bool_]
Slope = Callable[[Pixels, NDArray[np.int64]], Pixels]  # gradient of the loss along the pixels
Margin = Callable[[Pixels, NDArray[np.int64]], Floats]  # chance of the true class minus the best other; NaN: no answer


def fooled_by_steps(
    pixels: Pixels,
    truth: NDArray[np.int64],
    epsilons: Sequence[float],
    steps: int,
    slope: Slope,
    turned: Callable[[Pixels, NDArray[np.int64]], Fooled],
) -> NDArray[np.bool_]:
    """Which images steps along the sign of the gradient fool, shape (distances, n); `epsilons` ascending.

    Notes
    -----
    One step: x + e sign(g) (Goodfellow et al. 2015, arXiv:1412.6572). Many: steps of 2.5 e / steps, each projected back
    (Madry et al. 2018, arXiv:1706.06083), begun at the image itself, and stopped as soon as the decision turns.
    """
    found = np.zeros((len(epsilons), len(pixels)), dtype=np.bool_)
    for at, epsilon in enumerate(epsilons):
        if at:
            found[at] = found[at - 1]
        size = epsilon if steps == 1 else 2.5 * epsilon / steps
        left = np.flatnonzero(~found[at])
        moved = pixels[left].copy()
        for _ in range(steps):
            if not left.size:
                break
            moved = moved + (size * np.sign(slope(moved, truth[left]))).astype(moved.dtype)
            moved = np.clip(moved, np.maximum(pixels[left] - epsilon, 0), np.minimum(pixels[left] + epsilon, 1))
            won = turned(moved, truth[left])
            found[at, left[won]] = True
            left, moved = left[~won], moved[~won]
    return found


def fooled_by_squares(
    pixels: Pixels, truth: NDArray[np.int64], epsilon: float, queries: int, margin: Margin, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Questions asked when random squares had turned each decision, shape (n,); 0 where they did not.

    Notes
    -----
    Stripes first, then squares of one sign per colour in places by lot, kept where they lower the margin, smaller and smaller
    (the idea of Andriushchenko et al. 2020, arXiv:1912.00049, with another schedule).
    """
    n, height, width, colours = pixels.shape
    fooled_at = np.zeros(n, dtype=np.int64)
    stripes = np.where(rng.random((n, 1, width, colours)) < 0.5, -epsilon, epsilon)
    best = np.clip(pixels + stripes, 0, 1).astype(pixels.dtype)
    least = np.nan_to_num(margin(best, truth), nan=np.inf)
    fooled_at[least < 0] = 1
    for asked in range(2, queries + 1):
        left = np.flatnonzero(fooled_at == 0)
        if not left.size:
            break
        share = 0.3 * (1 - asked / (queries + 1)) ** 2
        side = max(1, round((share * height * width) ** 0.5))
        high, wide = min(side, height), min(side, width)
        tried = best[left].copy()
        tops, lefts = rng.integers(0, height - high + 1, left.size), rng.integers(0, width - wide + 1, left.size)
        signs = np.where(rng.random((left.size, 1, 1, colours)) < 0.5, -epsilon, epsilon)
        for row, (place, top, side_at) in enumerate(zip(left, tops, lefts, strict=True)):
            window = (slice(top, top + high), slice(side_at, side_at + wide))
            tried[row][window] = np.clip(pixels[place][window] + signs[row], 0, 1)
        now = np.nan_to_num(margin(tried, truth[left]), nan=np.inf)
        better = now < least[left]
        best[left[better]], least[left[better]] = tried[better], now[better]
        fooled_at[left[now < 0]] = asked
    return fooled_at
