"""What happens to images on their way: noise, blur, light, a thing in front, a turned camera, compression.

Each change takes pixels of shape (n, height, width, channels) from 0 to 1, a strength, and a generator; the result is
of the same shape and range. Pure functions.
"""

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.images.pictures import Pixels

__all__ = ["CHANGES"]

_GREY = 0.5
_BLOCK = 8  # pixels a side, as JPEG cuts an image


def noise(pixels: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    """Normal noise of standard deviation `strength` on every value."""
    return _kept(pixels + strength * rng.standard_normal(pixels.shape), pixels)


def blur(pixels: Pixels, strength: float, rng: np.random.Generator) -> Pixels:  # noqa: ARG001 - one shape for all
    """A Gaussian blur of `strength` shorter sides."""
    from scipy.ndimage import gaussian_filter  # scipy is heavy; few checks need it

    sd = strength * min(pixels.shape[1:3])
    return _kept(gaussian_filter(pixels, (0, sd, sd, 0), mode="nearest"), pixels)


def brightness(pixels: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    """Each image lighter or darker by `strength`, by lot."""
    return _kept(pixels + strength * _signs(pixels, rng), pixels)


def contrast(pixels: Pixels, strength: float, rng: np.random.Generator) -> Pixels:  # noqa: ARG001 - as above
    """Values drawn to the mean of their image; `strength` 1 leaves nothing but the mean."""
    mean = pixels.mean(axis=(1, 2), keepdims=True)
    return _kept(mean + (1 - strength) * (pixels - mean), pixels)


def occlusion(pixels: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    """A grey square somewhere, covering about `strength` of the image and at least one pixel."""
    height, width = pixels.shape[1:3]
    high, wide = (min(side, max(1, round(side * strength**0.5))) for side in (height, width))
    covered = pixels.copy()
    for place in range(len(pixels)):
        top, left = rng.integers(0, height - high + 1), rng.integers(0, width - wide + 1)
        covered[place, top : top + high, left : left + wide] = _GREY
    return covered


def rotation(pixels: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    """Turned about the middle by `strength` degrees, either way by lot; what comes in is what stood at the edge."""
    from scipy.ndimage import rotate

    signs = _signs(pixels, rng)[:, 0, 0, 0]
    turned = np.empty(pixels.shape)
    for sign in (-1.0, 1.0):
        chosen = signs == sign
        turned[chosen] = rotate(
            pixels[chosen], sign * strength, axes=(1, 2), reshape=False, order=1, mode="nearest", prefilter=False
        )
    return _kept(turned, pixels)


def shift(pixels: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    """Moved by `strength` sides, at least one pixel, in one of four directions by lot."""
    far = [max(1, round(strength * side)) for side in pixels.shape[1:3]]
    moves = [(far[0], 0), (-far[0], 0), (0, far[1]), (0, -far[1])]
    which = rng.integers(0, 4, len(pixels))
    moved = np.empty_like(pixels)
    for place, (down, right) in enumerate(moves):
        chosen = which == place
        moved[chosen] = _moved(pixels[chosen], down, right)
    return moved


def compression(pixels: Pixels, strength: float, rng: np.random.Generator) -> Pixels:  # noqa: ARG001 - as above
    """Cosine coefficients of blocks of 8 x 8 rounded to a step of `strength`, as JPEG does before it packs them.

    One step for all coefficients; JPEG has a table of them (ITU-T T.81, annex K).
    """
    from scipy.fft import dctn, idctn

    high, wide = (-side % _BLOCK for side in pixels.shape[1:3])
    padded = np.pad(pixels.astype(np.float64), ((0, 0), (0, high), (0, wide), (0, 0)), mode="edge")
    n, height, width, colours = padded.shape
    blocks = padded.reshape(n, height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK, colours)
    coefficients = dctn(blocks, axes=(2, 4), norm="ortho")
    back = idctn(np.round(coefficients / strength) * strength, axes=(2, 4), norm="ortho").reshape(padded.shape)
    whole: Pixels = np.asarray(back, dtype=np.float64)
    return _kept(whole[:, : pixels.shape[1], : pixels.shape[2]], pixels)


CHANGES = {
    "noise": (noise, "noise on pixels"),
    "blur": (blur, "blur"),
    "brightness": (brightness, "lighter or darker"),
    "contrast": (contrast, "less contrast"),
    "occlusion": (occlusion, "a grey square in front"),
    "rotation": (rotation, "rotation"),
    "shift": (shift, "shift"),
    "compression": (compression, "compression in blocks"),
}


def _kept(changed: NDArray[np.floating], like: Pixels) -> Pixels:
    within: Pixels = np.clip(changed, 0, 1).astype(like.dtype)
    return within


def _signs(pixels: Pixels, rng: np.random.Generator) -> NDArray[np.float64]:
    return np.where(rng.random(len(pixels)) < 0.5, -1.0, 1.0)[:, None, None, None]


def _moved(pixels: Pixels, down: int, right: int) -> Pixels:
    """Moved, the edge repeated where nothing came in."""
    height, width = pixels.shape[1:3]
    rows = np.clip(np.arange(height) - down, 0, height - 1)
    columns = np.clip(np.arange(width) - right, 0, width - 1)
    moved: Pixels = pixels[:, rows][:, :, columns]
    return moved
