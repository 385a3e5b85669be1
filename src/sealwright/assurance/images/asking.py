"""Asking about images: those of the rows, and those a check has changed.

Changed images are made and asked about batch by batch, so that memory does not grow with their number.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.features import Features
from sealwright.assurance.images.pictures import Pictures, Pixels

__all__ = ["Change", "Gradients", "ImagePredictor", "ask_changed", "ask_pixels", "images_of"]

Change = Callable[[Pixels], Pixels]


class Gradients(Protocol):
    """What a model that can be looked into says besides its answers."""

    def of_loss(self, pixels: Pixels, truth: NDArray[np.int64]) -> Pixels:
        """Gradient of each image's cross-entropy along its pixels."""

    def of_score(self, pixels: Pixels, chosen: NDArray[np.int64]) -> tuple[Floats, Pixels]:
        """Each image's score (before the last sigmoid or softmax) of its chosen class, or value; and its gradient."""


class ImagePredictor:
    """A model of images.

    Parameters
    ----------
    pictures : Pictures
        Where the names in the rows lead.
    answer : callable
        From pixels, shape (n, height, width, channels), to probabilities or values.
    width : int
        Classes; 0 for values.
    gradients : Gradients, optional
        Where the model is a torch module.
    """

    def __init__(
        self, pictures: Pictures, answer: Callable[[Pixels], Floats], width: int, gradients: Gradients | None = None
    ) -> None:
        self.pictures, self.gradients = pictures, gradients
        self._answer, self._none = answer, (0, width) if width else (0,)

    def predict(self, features: Features) -> Floats:
        """Probabilities of shape (n, classes), or values of shape (n,)."""
        names = features.strings[:, 0]
        return self.ask(self.pictures.pixels(names[part]) for part in self.pictures.batches(len(names)))

    def ask(self, parts: Iterator[Pixels]) -> Floats:
        """The answers to images that come in parts."""
        answers = [self._answer(part) for part in parts]
        return np.concatenate(answers) if answers else np.empty(self._none)


class _Changed:
    """The same model, asked about changed images."""

    def __init__(self, model: ImagePredictor, change: Callable[[slice, Features], Pixels]) -> None:
        self._model, self._change = model, change

    def predict(self, features: Features) -> Floats:
        return self._model.ask(
            self._change(part, features.take(part)) for part in self._model.pictures.batches(len(features))
        )


def images_of(case: Case) -> ImagePredictor:
    """The model of a case about images."""
    assert isinstance(case.model, ImagePredictor), "a case of modality image is made with an ImagePredictor"
    return case.model


def ask_changed(case: Case, features: Features, change: Change) -> Floats:
    """Answers for the images of `features` after `change`, NaN where there is none; as `Case.predict`."""
    model = images_of(case)

    def changed(_part: slice, rows: Features) -> Pixels:
        return change(model.pictures.pixels(rows.strings[:, 0]))

    return replace(case, predictor=_Changed(model, changed)).predict(features)


def ask_pixels(case: Case, pixels: Pixels) -> Floats:
    """Answers for images that are no rows, shape (n, height, width, channels)."""
    rows = Features(numbers=np.empty((len(pixels), 0)), strings=np.empty((len(pixels), 1), dtype=object))
    return replace(case, predictor=_Changed(images_of(case), lambda part, _rows: pixels[part])).predict(rows)
