"""Private naive Bayes: noisy counts of each class, and of each value or band within each class.

One row stands in one cell of every column's table and in one of the classes': replacing it moves the counts by at most
sqrt(2 (columns + 1)). Gaussian noise of that sensitivity keeps (epsilon, delta); what follows reads noisy counts only.
(After Vaidya et al. 2013, doi:10.1109/WI-IAT.2013.80, who add Laplace noise.)
"""

import math

import numpy as np
from numpy.typing import NDArray

from sealwright.training.accounting import gaussian_scale
from sealwright.training.adapters.private.layers import Layers, banded
from sealwright.training.adapters.private.made import Asked, Guarantee
from sealwright.training.encoding import Encoding

__all__ = ["learn_naive_bayes"]

Floats = NDArray[np.float64]


def learn_naive_bayes(asked: Asked, encoding: Encoding) -> tuple[Layers, Guarantee, dict[str, float]]:
    """Log-probabilities of all cells as one layer over bands and values."""
    bands, steps = int(asked.parameters["bands"]), int(asked.parameters["bands"]) - 1
    scale = gaussian_scale(asked.epsilon, asked.delta)
    sensitivity = math.sqrt(2 * (asked.columns + 1))
    counter = _Counter(asked, scale * sensitivity)
    seen = banded(asked.matrix, asked.numbers, bands) if asked.numbers else asked.matrix
    flags = {place: asked.numbers * steps + k for k, place in enumerate(encoding.flagged)}
    weights = np.zeros((seen.shape[1], asked.classes))
    start = counter.of_classes()
    for place in range(asked.numbers):
        own = slice(place * steps, (place + 1) * steps)
        codes = seen[:, own].sum(axis=1).astype(np.int64)
        if place in flags:  # a missing number is a cell of its own
            codes = np.where(seen[:, flags[place]] > 0, bands, codes)
        cells = counter.of_cells(codes, bands + (place in flags))
        start += cells[0]
        weights[own] = np.diff(cells[:bands], axis=0)  # each edge that is passed changes the band by one
        if place in flags:  # a missing number lies in the middle, which the flag takes back
            weights[flags[place]] = cells[bands] - cells[_middle(bands)]
    at = asked.numbers * steps + len(encoding.flagged)
    for text in encoding.texts:
        own = slice(at, at + len(text.words))
        cells = counter.of_cells(
            np.argmax(np.column_stack([seen[:, own], np.full(len(seen), 0.5)]), axis=1), len(text.words) + 1
        )
        weights[own] = cells[:-1] - cells[-1]  # the last cell: a value the contract does not have
        start += cells[-1]
        at += len(text.words)
    guarantee = Guarantee(
        mechanism="Gaussian noise on every count of a naive Bayes model.",
        unit="one row replaced by another",
        scale=scale,
        sensitivity=sensitivity,
        details={"bands": bands},
    )
    return Layers(layers=((weights, start),), numbers=asked.numbers, bands=bands), guarantee, {}


def _middle(bands: int) -> int:
    """The band zero falls into."""
    return int((np.zeros(1) > np.linspace(-1, 1, bands + 1)[1:-1]).sum())


class _Counter:
    """Counts with noise, as log-probabilities within each class."""

    def __init__(self, asked: Asked, spread: float) -> None:
        self._target, self._classes, self._noise, self._spread = asked.target, asked.classes, asked.noise, spread

    def of_classes(self) -> Floats:
        """Log-probability of each class, shape (classes,)."""
        counts = np.bincount(self._target, minlength=self._classes)[None, :]
        held = self._held(counts)[0]
        return np.asarray(np.log(held / held.sum()))

    def of_cells(self, codes: NDArray[np.int64], cells: int) -> Floats:
        """Log-probability of each cell within each class, shape (cells, classes)."""
        table = np.bincount(codes * self._classes + self._target, minlength=cells * self._classes)
        held = self._held(table.reshape(cells, self._classes))
        return np.asarray(np.log(held / held.sum(axis=0)))

    def _held(self, counts: NDArray[np.intp]) -> Floats:
        """Noisy counts that are at least as large as their noise: a cell says nothing until it stands out."""
        noisy = counts + self._noise.normal(scale=self._spread, size=counts.shape)
        return np.asarray(np.maximum(noisy, 0.0) + max(1.0, self._spread))
