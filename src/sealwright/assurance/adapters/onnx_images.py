"""An ONNX file whose input is a batch of images: the order of colours, the type and the range follow from that input.

Floats are given from 0 to 1, whole numbers from 0 to 255. Runs on the CPU, on one thread.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.adapters.onnx_file import opened, output_of, read_answers
from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.images.pictures import Pixels
from sealwright.assurance.predictor import UnusablePredictions
from sealwright.kernel import InvalidInput

__all__ = ["OnnxImages"]

_TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(uint8)": np.uint8}


class OnnxImages:
    """Asks the file about pixels.

    Raises
    ------
    InvalidInput
        onnxruntime cannot open it, or it does not take one batch of images of this size.
    """

    def __init__(self, model: bytes, shape: tuple[int, ...], task: str, classes: Sequence[str]) -> None:
        self._session = opened(model)
        self._task, self._classes = task, tuple(classes)
        self._output = output_of(self._session, task)
        inputs = self._session.get_inputs()
        self._kind = _TYPES.get(inputs[0].type) if len(inputs) == 1 else None
        self._order = _order(inputs[0].shape, shape) if self._kind is not None else None
        if self._order is None:
            found = ", ".join(f"{one.name} {one.type} {one.shape}" for one in inputs)
            raise InvalidInput(
                f"This ONNX file takes {found}; the images have (height, width, channels) {shape}.\n"
                "Expected one input of floats or uint8: (n, c, h, w), (n, h, w, c), (n, h, w) for one channel, or (n, values)."
            )
        self._name = str(inputs[0].name)

    def __call__(self, pixels: Pixels) -> Floats:
        """Probabilities of shape (n, classes), or values of shape (n,)."""
        try:
            (raw,) = self._session.run([self._output], {self._name: self._fed(pixels)})
        except Exception as error:  # onnxruntime raises its own unrelated types  # noqa: BLE001
            raise UnusablePredictions(f"The model failed on {len(pixels)} images: {str(error)[:200]}") from None
        return read_answers(raw, len(pixels), self._task, self._classes)

    def _fed(self, pixels: Pixels) -> NDArray[Any]:
        values = np.round(pixels * 255).astype(np.uint8) if self._kind is np.uint8 else pixels.astype(self._kind)
        if self._order == "nchw":
            values = values.transpose(0, 3, 1, 2)
        elif self._order == "nhw":
            values = values[..., 0]
        elif self._order == "flat":
            values = values.reshape(len(values), -1)
        return np.ascontiguousarray(values)


def _order(wanted: Sequence[Any] | None, shape: tuple[int, ...]) -> str | None:
    """How an input of this shape (names and None where a size is free) takes images; None if it cannot."""
    height, width, channels = shape
    sizes = [one if isinstance(one, int) else None for one in (wanted or ())[1:]]
    fits = {"nchw": (channels, height, width), "nhwc": shape, "flat": (height * width * channels,)}
    if channels == 1:
        fits["nhw"] = (height, width)
    for order, mine in fits.items():  # where all sizes are free, colours first, as torch writes it
        if len(sizes) == len(mine) and all(one in (None, own) for one, own in zip(sizes, mine, strict=True)):
            return order
    return None
