"""Images kept beside the table of rows: a cell of the table names its image by the digest of the pixels.

So rows have an order, copies and a digest like any others, and pixels are unpacked only for the rows that are asked about.
A digest is SHA-256 over the shape, the type and the bytes of the image as it came.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.kernel import InvalidInput

__all__ = ["LAYOUTS", "Pictures", "Pixels"]

Pixels = NDArray[np.floating]  # shape (n, height, width, channels), 0 to 1

LAYOUTS = ("nhw", "nhwc", "nchw")
_CHANNELS = (1, 3, 4)
_CELLS = 1_000_000  # pixel values of one batch: a small network makes tens of times as many inside


class Pictures:
    """Images of one size. The array they came in is kept as it is, and not copied.

    Parameters
    ----------
    data : array of shape (n, h, w), (n, h, w, c) or (n, c, h, w)
        uint8 from 0 to 255, or floats from 0 to 1.
    layout : str, optional
        "nhw", "nhwc" or "nchw"; left out: what the shape says.

    Raises
    ------
    InvalidInput
        Another shape or range, or a shape that could be read in two ways.
    """

    def __init__(self, data: NDArray[Any], layout: str | None = None) -> None:
        self.layout = _layout_of(data, layout)
        _refuse_other_values(data)
        self.kind = data.dtype
        self._blocks: list[NDArray[Any]] = []
        self._place: dict[str, tuple[int, int]] = {}
        self.shape = _upright(data[:1], self.layout).shape[1:]
        self.names = self.add(data)

    def add(self, data: NDArray[Any]) -> list[str]:
        """Also keep these; the names of all of them in order."""
        _refuse_other_values(data)
        if data.dtype != self.kind or _upright(data[:1], self.layout).shape[1:] != self.shape:
            raise InvalidInput(
                f"These images are {data.dtype} of shape {data.shape[1:]}; the others are {self.kind} of (height, width,"
                f" channels) {self.shape}.\nAll images must be of one size, layout and type."
            )
        names = [_digest(image) for image in data]
        for place, name in enumerate(names):
            self._place.setdefault(name, (len(self._blocks), place))
        self._blocks.append(data)
        return names

    def pixels(self, names: NDArray[np.object_]) -> Pixels:
        """The images of these names, shape (n, height, width, channels), 0 to 1."""
        places = [self._place[str(name)] for name in names]
        found = [self._blocks[block][place] for block, place in places]
        if not found:
            return np.empty((0, *self.shape))
        stacked = _upright(np.stack(found), self.layout)
        if self.kind == np.uint8:
            return stacked.astype(np.float32) / np.float32(255)
        return stacked.astype(np.float64 if self.kind == np.float64 else np.float32)

    def batches(self, n: int) -> Iterator[slice]:
        """Consecutive parts of n images, each small enough for memory."""
        step = max(1, _CELLS // int(np.prod(self.shape)))
        return (slice(start, min(n, start + step)) for start in range(0, n, step))

    def as_they_came(self, pixels: Pixels) -> NDArray[Any]:
        """Pixels in the layout, type and range the images came in."""
        values = np.round(pixels * 255).astype(np.uint8) if self.kind == np.uint8 else pixels.astype(self.kind)
        if self.layout == "nhw":
            return np.ascontiguousarray(values[..., 0])
        return np.ascontiguousarray(values.transpose(0, 3, 1, 2) if self.layout == "nchw" else values)


def _layout_of(data: NDArray[Any], said: str | None) -> str:
    if said is not None and (said not in LAYOUTS or len(said) != data.ndim):
        raise InvalidInput(
            f"layout is one of {', '.join(LAYOUTS)} and names each dimension; got {said!r} for an array of shape {data.shape}."
        )
    if said is not None or data.ndim == 3:
        return said or "nhw"
    if data.ndim != 4 or 0 in data.shape:
        raise InvalidInput(f"Images are an array of shape (n, h, w), (n, h, w, c) or (n, c, h, w); got {data.shape}.")
    last, first = data.shape[3] in _CHANNELS, data.shape[1] in _CHANNELS
    if last == first:
        raise InvalidInput(
            f"Which dimension of {data.shape} are the colours? Say layout='nhwc' or layout='nchw' (1, 3 or 4 colours)."
        )
    return "nhwc" if last else "nchw"


def _upright(data: NDArray[Any], layout: str) -> NDArray[Any]:
    """The same images as (n, height, width, channels)."""
    if layout == "nhw":
        return data[..., None]
    return data.transpose(0, 2, 3, 1) if layout == "nchw" else data


def _refuse_other_values(data: NDArray[Any]) -> None:
    if data.dtype == np.uint8 or not data.size:
        return
    if data.dtype.kind != "f":
        raise InvalidInput(f"Images hold uint8 from 0 to 255, or floats from 0 to 1; these hold {data.dtype}.")
    least, most = float(data.min()), float(data.max())
    if not (least >= 0 and most <= 1):
        raise InvalidInput(
            f"Images of floats range from 0 to 1; these range from {least:.4g} to {most:.4g}.\n"
            "Scale them, and let the model do its own scaling (mean and deviation) inside."
        )


def _digest(image: NDArray[Any]) -> str:
    running = hashlib.sha256(f"{image.shape} {image.dtype} ".encode())
    running.update(np.ascontiguousarray(image).tobytes())
    return running.hexdigest()
