"""How unusual a row is: its distance from the rows learned from, with regard to how their columns go together.

Answers: which share of the rows learned from is less unusual than this one?
Does not answer: is the answer wrong? A usual row may be answered wrongly, an unusual one rightly.

Numbers become normal scores through their own quantiles, so that a heavy tail is no oddity; beyond the ends they go on in
robust widths. Missing and each common level of a text are columns of zeros and ones: a rare level has a small variance and
so a large distance. The squared Mahalanobis distance over all of them sees single odd values and odd pairs alike (it is the
likelihood ratio under a Gaussian copula); one matrix product serves all rows. docs/explanation/answers.md has what it finds.
"""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from sealwright.kernel import VerificationFailed
from sealwright.serving.checking.document import Scale, Usual
from sealwright.serving.contract import Batch, Contract

__all__ = ["FEWEST_ROWS", "Oddity", "usual_of"]

FEWEST_ROWS = 100
"""Fewer rows say nothing about what is usual."""

Floats = NDArray[np.float64]

_MOST_ROWS = 50_000
_MOST_COLUMNS = 256
_MOST_LEVELS = 30
_FEWEST_IN_LEVEL = 10  # rarer levels are one: they would single people out
_STEPS = 65  # quantiles of a number
_FURTHEST = 50.0  # widths
_SHRINKAGE = 0.02  # toward no correlation
_LEAST_VARIANCE = 0.5  # of a column of zeros and ones: half a row in all of them
_SHARES = 1001
_DIGITS = 6


def usual_of(contract: Contract, batch: Batch) -> Usual | None:
    """What the rows of a batch look like; None where there are fewer than `FEWEST_ROWS`."""
    if batch.rows < FEWEST_ROWS:
        return None
    rng = np.random.Generator(np.random.PCG64(batch.rows))
    order = rng.permutation(batch.rows)[:_MOST_ROWS]
    numbers = None if batch.numbers is None else batch.numbers[order]
    strings = None if batch.strings is None else batch.strings[order]
    drawn = Batch(len(order), numbers, strings)
    first = _shape(contract, drawn)
    encoded = _Encoder(contract, first)(drawn)
    half = len(order) // 2
    apart = np.concatenate([_far(encoded[half:], encoded[:half]), _far(encoded[:half], encoded[half:])])
    mean, covariance = _moments(encoded)
    upper = covariance[np.triu_indices(len(mean))]
    shares = np.quantile(apart, np.linspace(0, 1, _SHARES))
    return Usual(
        rows=len(order),
        numbers=first.numbers,
        levels=first.levels,
        mean=_short(mean),
        covariance=_short(upper),
        distances=_short(np.maximum.accumulate(shares)),
    )


class Oddity:
    """Scores rows of one contract. Compiled once for a version."""

    def __init__(self, contract: Contract, usual: Usual) -> None:
        """
        Raises
        ------
        VerificationFailed
            The document does not fit the contract, or holds no distance.
        """
        self._encoder = _Encoder(contract, usual)
        width = self._encoder.width
        fits = (len(usual.numbers), len(usual.levels)) == (len(contract.numbers), len(contract.strings))
        if not fits or len(usual.mean) != width or len(usual.covariance) != width * (width + 1) // 2:
            raise VerificationFailed(
                "What is usual is told of other columns than the model's.", link="package/answering.json"
            )
        covariance = np.zeros((width, width))
        covariance[np.triu_indices(width)] = usual.covariance
        covariance += np.triu(covariance, 1).T
        self._whiten = _whitening(covariance, usual.rows).astype(np.float32)
        self._origin = (np.array(usual.mean) @ self._whiten).astype(np.float32)
        self._distances = np.array(usual.distances)
        self._shares = np.linspace(0, 1, len(usual.distances))

    def distances(self, batch: Batch) -> Floats:
        """Squared distance of each row."""
        away = self._encoder(batch) @ self._whiten - self._origin
        return np.asarray(np.einsum("ij,ij->i", away, away), dtype=np.float64)

    def shares(self, batch: Batch) -> Floats:
        """Of each row, the share of rows learned from that are less unusual."""
        return np.interp(self.distances(batch), self._distances, self._shares)


class _Levels(dict[str, int]):
    """Places of the levels of one text; whatever is none of them has one place."""

    def __init__(self, levels: Sequence[str], first: int) -> None:
        super().__init__({level: first + at for at, level in enumerate(levels)})
        self._other = first + len(levels)

    def __missing__(self, _level: str) -> int:
        return self._other


class _Encoder:
    """From packed inputs to the columns that distances are taken over."""

    def __init__(self, contract: Contract, usual: "Usual | _Shape") -> None:
        scales = usual.numbers
        self._grids = [(np.array(scale.values), np.array(scale.scores)) for scale in scales]
        self._low = np.array([scale.values[0] for scale in scales])
        self._high = np.array([scale.values[-1] for scale in scales])
        self._width = np.array([scale.width for scale in scales])
        self._missing = [at for at, scale in enumerate(scales) if scale.missing]
        first = len(scales) + len(self._missing)
        self._texts: list[_Levels] = []
        for levels in usual.levels:
            self._texts.append(_Levels(levels, first))
            first += len(levels) + 1
        self.width = first
        self._strings = len(contract.strings)

    def __call__(self, batch: Batch) -> NDArray[np.float32]:
        encoded = np.zeros((batch.rows, self.width), dtype=np.float32)
        if batch.numbers is not None:
            self._numbers(batch.numbers, encoded)
        if batch.texts:
            places = [
                list(map(text.__getitem__, column)) for text, column in zip(self._texts, batch.texts, strict=True)
            ]
            encoded[np.arange(batch.rows), places] = 1.0
        return encoded

    def _numbers(self, numbers: NDArray[np.float32], encoded: NDArray[np.float32]) -> None:
        count = len(self._grids)
        for at, (values, scores) in enumerate(self._grids):
            encoded[:, at] = np.interp(numbers[:, at], values, scores)
        beyond = (numbers - np.clip(numbers, self._low, self._high)) / self._width
        encoded[:, :count] += np.clip(beyond, -_FURTHEST, _FURTHEST)
        missing = np.isnan(numbers)
        if missing.any():
            encoded[:, :count][missing] = 0.0
            encoded[:, count : count + len(self._missing)] = missing[:, self._missing]


class _Shape:
    """Scales and levels, before anything is known about how columns go together."""

    def __init__(self, numbers: tuple[Scale, ...], levels: tuple[tuple[str, ...], ...]) -> None:
        self.numbers, self.levels = numbers, levels


def _shape(contract: Contract, batch: Batch) -> _Shape:
    numbers = tuple(
        _scale(batch.numbers[:, at].astype(np.float64), nullable=feature.nullable)
        for at, feature in enumerate(contract.numbers)
        if batch.numbers is not None
    )
    left = _MOST_COLUMNS - len(numbers) - sum(scale.missing for scale in numbers)
    most = max(1, min(_MOST_LEVELS, left // max(1, len(contract.strings)) - 1))
    levels = []
    for at in range(len(contract.strings)):
        if batch.strings is not None:
            found, counts = np.unique(batch.strings[:, at].astype(str), return_counts=True)
            common = [at for at in np.argsort(-counts, kind="stable")[:most] if counts[at] >= _FEWEST_IN_LEVEL]
            levels.append(tuple(str(found[at]) for at in sorted(common)))
    return _Shape(numbers, tuple(levels))


def _scale(column: Floats, *, nullable: bool) -> Scale:
    """Quantiles and their normal scores; equal quantiles share the middle of theirs."""
    found = column[~np.isnan(column)]
    if not found.size:
        return Scale(values=(0.0,), scores=(0.0,), width=1.0, missing=nullable)
    at = (np.arange(_STEPS) + 0.5) / _STEPS
    normal = np.array([NormalDist().inv_cdf(share) for share in at])
    values, which = np.unique(_rounded(np.quantile(found, at)), return_inverse=True)
    scores = np.bincount(which, weights=normal) / np.bincount(which)
    spread = float(np.quantile(found, 0.8413) - np.quantile(found, 0.1587)) / 2
    width = spread or float(found.std()) or max(1.0, abs(float(found[0])) / 10)
    return Scale(values=_short(values), scores=_short(scores), width=float(f"{width:.{_DIGITS}g}"), missing=nullable)


def _moments(encoded: NDArray[np.float32]) -> tuple[Floats, Floats]:
    wide = encoded.astype(np.float64)
    mean = wide.mean(axis=0)
    return mean, np.atleast_2d((wide - mean).T @ (wide - mean) / len(wide))


def _whitening(covariance: Floats, rows: int) -> Floats:
    """The matrix after which distances are plain sums of squares."""
    variance = np.maximum(np.diag(covariance), _LEAST_VARIANCE / rows)
    shrunk = (1 - _SHRINKAGE) * covariance
    np.fill_diagonal(shrunk, variance)
    values, vectors = np.linalg.eigh(shrunk / np.sqrt(np.outer(variance, variance)))
    whitened: Floats = (vectors / np.sqrt(np.maximum(values, _SHRINKAGE / 2))) / np.sqrt(variance)[:, None]
    return whitened


def _far(learned: NDArray[np.float32], rows: NDArray[np.float32]) -> Floats:
    """Distances of rows from others."""
    mean, covariance = _moments(learned)
    away = (rows - mean) @ _whitening(covariance, len(learned))
    return np.asarray(np.einsum("ij,ij->i", away, away))


def _rounded(values: Floats) -> Floats:
    return np.array(_short(values))


def _short(values: Floats) -> tuple[float, ...]:
    return tuple(float(f"{value:.{_DIGITS}g}") for value in values.tolist())
