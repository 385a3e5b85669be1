"""Images cut into patches: a map of what covering each does to the answer, and sums over patches.

A covered patch shows the mean image of the rows judged, which says as little as any image can.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.deletion import SHARES, Losses, how_many
from sealwright.assurance.images.pictures import Pictures, Pixels

__all__ = ["Patches", "Read", "deleted_patches", "mean_image", "occlusion_maps", "patches_of"]

Read = Callable[[Pixels, NDArray[np.int64]], Floats]  # the followed number of versions of one image each

_MOST = 14  # patches a side: 196 are one series of a figure


class Patches:
    """A grid over images of one size; patches are numbered row by row."""

    def __init__(self, height: int, width: int) -> None:
        self.rows, self.columns = min(_MOST, height), min(_MOST, width)
        down = (np.arange(height) * self.rows) // height
        across = (np.arange(width) * self.columns) // width
        self.of_pixel = down[:, None] * self.columns + across[None, :]  # shape (height, width)

    @property
    def number(self) -> int:
        return self.rows * self.columns

    def covered(self, image: Pixels, patches: NDArray[np.intp], with_: Pixels) -> Pixels:
        """One image, shape (h, w, c), with some patches showing those of `with_`."""
        hidden = np.isin(self.of_pixel, patches)
        return np.where(hidden[..., None], with_, image)

    def sums(self, maps: Pixels) -> Floats:
        """Values at pixels, shape (n, h, w, c), summed over each patch: shape (n, patches)."""
        flat = maps.sum(axis=3).reshape(len(maps), -1).astype(np.float64)
        members = np.eye(self.number)[self.of_pixel.ravel()]
        result: Floats = flat @ members
        return result

    def box(self, patch: int) -> tuple[int, int, int, int]:
        """The pixels of a patch: first row, first column, and the row and column after the last."""
        down, across = np.nonzero(self.of_pixel == patch)
        return int(down[0]), int(across[0]), int(down[-1]) + 1, int(across[-1]) + 1

    def where(self, patch: int) -> str:
        """A patch in words."""
        return f"row {patch // self.columns + 1} of {self.rows}, column {patch % self.columns + 1} of {self.columns}"


def patches_of(pictures: Pictures) -> Patches:
    """The grid for these images."""
    return Patches(pictures.shape[0], pictures.shape[1])


def mean_image(pictures: Pictures, names: NDArray[np.object_]) -> Pixels:
    """The mean of these images, shape (h, w, c)."""
    total = np.zeros(pictures.shape)
    for part in pictures.batches(len(names)):
        total += pictures.pixels(names[part]).sum(axis=0)
    mean: Pixels = (total / max(1, len(names))).astype(pictures.pixels(names[:1]).dtype)
    return mean


def occlusion_maps(patches: Patches, pixels: Pixels, whole: Floats, with_: Pixels, read: Read) -> Floats:
    """What each image's answer loses when a patch is covered: shape (n, patches); 0 where there is no answer.

    Zeiler & Fergus 2014 (arXiv:1311.2901), with the mean image as cover.
    """
    found = np.empty((len(pixels), patches.number))
    for place, image in enumerate(pixels):
        versions = np.stack([patches.covered(image, np.array([one]), with_) for one in range(patches.number)])
        found[place] = whole[place] - read(versions, np.full(patches.number, place))
    return np.nan_to_num(found)


def deleted_patches(
    patches: Patches,
    pixels: Pixels,
    maps: Floats,
    with_: Pixels,
    whole: Floats,
    read: Read,
    rng: np.random.Generator,
) -> Losses:
    """What answers lose when the patches of the largest effects are covered, and as many by lot; no answer: no loss."""
    guided: list[Floats] = []
    by_lot: list[Floats] = []
    for share in SHARES:
        most = how_many(patches.number, share)
        orders = (
            np.argsort(-maps, axis=1, kind="stable"),
            rng.permuted(np.tile(np.arange(patches.number), (len(maps), 1)), axis=1),
        )
        for losses, order in zip((guided, by_lot), orders, strict=True):
            versions = np.stack(
                [patches.covered(image, one[:most], with_) for image, one in zip(pixels, order, strict=True)]
            )
            losses.append(np.nan_to_num(whole - read(versions, np.arange(len(pixels)))))
    return guided, by_lot
