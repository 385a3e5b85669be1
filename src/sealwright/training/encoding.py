"""How a recipe turns features into one float32 matrix, in operations a graph repeats bit for bit.

Answers: what does a missing number, a category, an unseen category become? Fitted on training rows only.
Does not answer: how the graph writes it; `adapters.onnx_encoding` does, and a test holds the two together.

Every operation is float32 and elementwise, so the graph and this module give the same bits; only the
estimator behind them can differ. No scaler stands in front of trees: rounding there moves rows across splits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sealwright.training.packed import Packed

__all__ = ["Encoding", "Style", "TextEncoding", "fit_encoding"]

Style = Literal["plain", "filled", "scaled"]
"""plain: numbers as they are, NaN included; filled: median and a flag; scaled: filled, then standardised."""

_ONE_HOT_FOR_TREES = 12  # wider text columns become one column of codes, else trees drown in near-empty columns
_ONE_HOT_FOR_LINES = 64  # a linear model cannot use codes: its most frequent words, the rest together
_PRIOR_ROWS = 10.0  # pulls the mean target of rare words to the overall mean
_UNSEEN, _MISSING = -1.0, 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TextEncoding:
    """One text column: a 0/1 column for each word, or one column of codes 1, 2, … (missing 0, unseen -1)."""

    one_hot: bool
    words: tuple[str, ...]

    def table(self, levels: Sequence[str]) -> NDArray[np.float32]:
        """What each of `levels` becomes, shape (levels, width)."""
        if self.one_hot:
            places = {word: place for place, word in enumerate(self.words)}
            result = np.zeros((len(levels), len(self.words)), dtype=np.float32)
            for row, word in enumerate(levels):
                if word in places:
                    result[row, places[word]] = 1.0
            return result
        codes = {word: float(place) for place, word in enumerate(self.words, start=1)} | {"": _MISSING}
        return np.array([[codes.get(word, _UNSEEN)] for word in levels], dtype=np.float32).reshape(len(levels), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """Everything that was learnt from the training rows."""

    style: Style
    fill: NDArray[np.float32]  # shape (number columns,)
    empty: tuple[int, ...]  # number columns without one known value in training: 0 in every row of a plain matrix
    flagged: tuple[int, ...]  # number columns that get a column saying "was missing"
    centre: NDArray[np.float32]
    factor: NDArray[np.float32]  # 1 / standard deviation; 0 for a constant column
    texts: tuple[TextEncoding, ...]

    def transform(self, packed: Packed) -> NDArray[np.float32]:
        """The matrix of a recipe, shape (rows, width)."""
        numbers, parts = packed.numbers, []
        if self.style == "plain" and self.empty:
            numbers = numbers.copy()
            numbers[:, list(self.empty)] = 0.0
        if self.style != "plain":
            missing = np.isnan(numbers)
            flags = missing[:, list(self.flagged)].astype(np.float32)
            numbers = np.where(missing, self.fill, numbers)
            if self.style == "scaled":
                numbers = (numbers - self.centre) * self.factor
            parts = [flags] if self.flagged else []
        texts = [
            text.table(levels)[codes]
            for text, levels, codes in zip(self.texts, packed.levels, packed.codes.T, strict=True)
        ]
        return np.ascontiguousarray(np.concatenate([numbers, *parts, *texts], axis=1), dtype=np.float32)


def fit_encoding(packed: Packed, target: NDArray[Any], style: Style, *, ordered: bool) -> Encoding:
    """Learn an encoding from training rows.

    Parameters
    ----------
    packed : Packed
        The training rows, and only those.
    target : array, shape (rows,)
        Class positions or values.
    ordered : bool
        Whether larger targets mean "more" (two classes, or a number): wide text columns are then coded in the
        order of their mean target, else in the order of how often a word occurs.
    """
    width = packed.numbers.shape[1]
    fill, centre, factor = (np.zeros(width, dtype=np.float32) for _ in range(3))
    flagged: list[int] = []
    empty: list[int] = []
    for place in range(width):
        column = packed.numbers[:, place]
        known = column[~np.isnan(column)].astype(np.float64)
        if known.size < column.size:
            flagged.append(place)
        if known.size:
            fill[place] = np.median(known)
        else:
            empty.append(place)
        filled = np.where(np.isnan(column), fill[place], column).astype(np.float64)
        centre[place] = filled.mean()
        spread = float(filled.std())
        if spread > 1e-6 * abs(float(centre[place])) and spread > 1e-30:
            factor[place] = 1.0 / spread
    return Encoding(
        style=style,
        fill=fill,
        empty=tuple(empty),
        flagged=() if style == "plain" else tuple(flagged),
        centre=centre,
        factor=factor,
        texts=tuple(
            _text(packed.levels[place], packed.codes[:, place], target, trees=style != "scaled", ordered=ordered)
            for place in range(packed.codes.shape[1])
        ),
    )


def _text(
    levels: Sequence[str], codes: NDArray[np.int32], target: NDArray[Any], *, trees: bool, ordered: bool
) -> TextEncoding:
    counts = np.bincount(codes, minlength=len(levels))
    seen = np.flatnonzero(counts)
    if trees and seen.size > _ONE_HOT_FOR_TREES:
        known = [int(place) for place in seen if levels[int(place)] != ""]
        rank = _mean_target(codes, counts, target) if ordered else -counts.astype(np.float64)
        known.sort(key=lambda place: (float(rank[place]), levels[place]))
        return TextEncoding(one_hot=False, words=tuple(levels[place] for place in known))
    if seen.size > _ONE_HOT_FOR_LINES:
        often = sorted((int(place) for place in seen), key=lambda place: (-int(counts[place]), levels[place]))
        seen = np.array(sorted(often[:_ONE_HOT_FOR_LINES]))
    return TextEncoding(one_hot=True, words=tuple(levels[int(place)] for place in seen))


def _mean_target(codes: NDArray[np.int32], counts: NDArray[np.intp], target: NDArray[Any]) -> NDArray[np.float64]:
    values = target.astype(np.float64)
    sums = np.bincount(codes, weights=values, minlength=counts.size)
    return np.asarray((sums + _PRIOR_ROWS * values.mean()) / (counts + _PRIOR_ROWS), dtype=np.float64)
