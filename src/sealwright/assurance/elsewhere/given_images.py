"""Images as somebody holds them, and the form their model takes them in.

The table has the column `image`, the digest of the pixels, and beside it, not given to the model, `brightness` and
`contrast`, the mean and the deviation of an image's pixels, for slices.

A function or an estimator is given the array as it came. A torch module is given floats from 0 to 1 of shape (n, c, h, w),
and an ONNX file what its input says, which is how both are made almost everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.elsewhere.given_model import GivenModel, is_torch
from sealwright.assurance.features import Features
from sealwright.assurance.images.asking import ImagePredictor
from sealwright.assurance.images.pictures import Pictures, Pixels
from sealwright.assurance.images.traits import brightness_and_contrast
from sealwright.assurance.modality import IMAGE

__all__ = ["GivenImages", "are_images", "given_images", "image_predictor"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenImages:
    """Images as a table of their digests; the pixels stand beside it."""

    table: pa.Table
    pictures: Pictures
    form: str = "as it came"  # or "torch", or "flat": one row of numbers an image
    numbers: tuple[str, ...] = ()
    strings: tuple[str, ...] = ("image",)
    modality: str = IMAGE

    def native(self, features: Features) -> Any:
        """The images of `features` as the model takes them."""
        return self.shaped(self.pictures.pixels(features.strings[:, 0]))

    def shaped(self, pixels: Pixels) -> Any:
        """Pixels, shape (n, height, width, channels) from 0 to 1, as the model takes them."""
        if self.form == "torch":
            return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))
        came = self.pictures.as_they_came(pixels)
        return came.reshape(len(came), -1) if self.form == "flat" else came


def are_images(data: Any) -> bool:
    """Whether this is an array with more dimensions than a table."""
    return getattr(data, "ndim", 0) in (3, 4) and hasattr(data, "dtype")


def given_images(data: Any, layout: str | None, model: Any, beside: GivenImages | None = None) -> GivenImages:
    """Take images over; with `beside`, they are kept together with images taken before.

    Raises
    ------
    InvalidInput
        Not images of one size from 0 to 255 or from 0 to 1, or their colours could be in two places.
    """
    array = np.asarray(data.numpy(force=True) if hasattr(data, "numpy") else data)
    if beside is not None:
        pictures, names = beside.pictures, beside.pictures.add(array)
    else:
        pictures = Pictures(array, layout)
        names = pictures.names
    traits = brightness_and_contrast(pictures, np.array(names, dtype=object))
    table = pa.table({"image": pa.array(names, pa.string()), **{name: pa.array(one) for name, one in traits.items()}})
    return GivenImages(table=table, pictures=pictures, form=_form(model, pictures))


def image_predictor(model: Any, given: GivenImages, task: str, classes: Sequence[str]) -> ImagePredictor:
    """A model of images: ONNX bytes, or whatever `GivenModel` asks."""
    if isinstance(model, bytes):
        from sealwright.assurance.adapters.onnx_images import OnnxImages  # only when there is a file to run

        return ImagePredictor(given.pictures, OnnxImages(model, given.pictures.shape, task, classes), len(classes))
    asked = GivenModel(model, given, task, classes)

    def answer(pixels: Pixels) -> Floats:
        return asked.answer(given.shaped(pixels), len(pixels))

    gradients = None
    if is_torch(model):
        from sealwright.assurance.adapters.torch_images import TorchGradients

        gradients = TorchGradients(model, task)
    return ImagePredictor(given.pictures, answer, len(classes), gradients)


def _form(model: Any, pictures: Pictures) -> str:
    if is_torch(model):
        return "torch"
    flat = getattr(model, "n_features_in_", None) == int(np.prod(pictures.shape))
    return "flat" if flat else "as it came"
