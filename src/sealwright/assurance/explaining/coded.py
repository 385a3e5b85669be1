"""Mixed rows as one matrix of numbers and back, and how far apart two rows are.

A text becomes the number of its level. Distances count numbers in standard deviations of the rows learned from (at most
`_FARTHEST` each) and a different text as one, and are the mean over columns, so that wide tables compare like narrow ones.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.features import Features

__all__ = ["Coded", "coded_by"]

_FARTHEST = 3.0


@dataclass(frozen=True, slots=True)
class Coded:
    """The levels of every text column, and the scale of every number."""

    levels: tuple[NDArray[np.object_], ...]  # sorted, per text column
    centres: Floats  # shape (numbers,)
    scales: Floats  # shape (numbers,), > 0
    precision: np.dtype[np.floating]

    @property
    def width(self) -> int:
        return self.centres.size + len(self.levels)

    def matrix(self, features: Features) -> Floats:
        """Numbers, then level numbers, shape (n, width); a text seen nowhere before is -1."""
        codes = [_codes(features.strings[:, place], known) for place, known in enumerate(self.levels)]
        columns = [features.numbers.astype(np.float64), np.reshape(codes, (len(self.levels), len(features))).T]
        return np.concatenate(columns, axis=1)

    def features(self, matrix: Floats) -> Features:
        """The rows of a matrix made by `matrix`; -1 becomes the missing text."""
        split = self.centres.size
        strings = np.empty((len(matrix), len(self.levels)), dtype=object)
        for place, known in enumerate(self.levels):
            codes = matrix[:, split + place].astype(np.int64)
            strings[:, place] = np.append(known, "")[codes]
        return Features(numbers=matrix[:, :split].astype(self.precision), strings=strings)

    def scaled(self, features: Features) -> tuple[Floats, Floats]:
        """Standardised numbers (missing at the mean) and level numbers, both shape (n, …)."""
        matrix = self.matrix(features)
        split = self.centres.size
        numbers = (matrix[:, :split] - self.centres) / self.scales
        return np.nan_to_num(numbers, nan=0.0, posinf=_FARTHEST, neginf=-_FARTHEST), matrix[:, split:]

    def apart(self, one: Features, other: Features) -> Floats:
        """Distance of every row of `one` from every row of `other`, shape (n, m)."""
        (a, s), (b, t) = self.scaled(one), self.scaled(other)
        total = np.zeros((len(one), len(other)))
        for place in range(a.shape[1]):
            total += np.minimum(np.abs(a[:, place, None] - b[None, :, place]), _FARTHEST)
        for place in range(s.shape[1]):
            total += s[:, place, None] != t[None, :, place]
        return total / max(1, self.width)


def coded_by(*parts: Features) -> Coded:
    """Levels from all parts, scales from the first."""
    numbers = np.where(np.isfinite(parts[0].numbers), parts[0].numbers.astype(np.float64), np.nan)
    known = np.isfinite(numbers)
    counts = np.maximum(known.sum(axis=0), 1)
    centres = np.where(known, numbers, 0.0).sum(axis=0) / counts
    spread = np.sqrt((np.where(known, numbers - centres, 0.0) ** 2).sum(axis=0) / counts)
    levels = tuple(
        np.unique(np.concatenate([part.strings[:, place] for part in parts]).astype(str)).astype(object)
        for place in range(parts[0].strings.shape[1])
    )
    return Coded(levels, centres, np.where(spread > 0, spread, 1.0), parts[0].numbers.dtype)


def _codes(column: NDArray[np.object_], known: NDArray[np.object_]) -> Floats:
    if not known.size:
        return np.full(column.size, -1.0)
    texts, names = column.astype(str), known.astype(str)
    at = np.minimum(np.searchsorted(names, texts), known.size - 1)
    return np.where(names[at] == texts, at, -1).astype(np.float64)
