"""What can be said about an image without knowing what it shows: how light it is, and how much it varies."""

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.images.pictures import Pictures

__all__ = ["brightness_and_contrast"]


def brightness_and_contrast(pictures: Pictures, names: NDArray[np.object_]) -> dict[str, Floats]:
    """Mean and standard deviation of each image's pixels, 0 to 1, two arrays of shape (n,)."""
    mean, deviation = np.empty(len(names)), np.empty(len(names))
    for part in pictures.batches(len(names)):
        pixels = pictures.pixels(names[part])
        mean[part] = pixels.mean(axis=(1, 2, 3))
        deviation[part] = pixels.std(axis=(1, 2, 3))
    return {"brightness": np.round(mean, 4).astype(np.float64), "contrast": np.round(deviation, 4).astype(np.float64)}
