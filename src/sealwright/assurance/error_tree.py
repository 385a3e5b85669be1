"""Where errors gather, as a shallow tree: at each node the one question that parts high loss from low best.

A regression tree on the loss (Breiman et al. 1984), as small as can be read aloud: few levels deep, many
rows in each leaf. Numbers are asked "under a cut?" and "is it missing?", categories "is it this one?"; under a cut, a
missing number goes with the higher ones and says so. Pure functions over columns; no model, no truth.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats

__all__ = ["Node", "Question", "grow"]

Bools = NDArray[np.bool_]
_MOST_CUTS = 64  # cut points tried on each number; more would hardly move a cut


@dataclass(frozen=True, slots=True)
class Question:
    """Rows with the column under `cut`, with its code equal to `level`, or, if both are None, without a number."""

    column: int
    cut: float | None
    level: int | None

    def met_by(self, columns: Sequence[NDArray[np.generic]]) -> Bools:
        values = columns[self.column]
        if self.cut is None and self.level is None:
            return np.asarray(np.isnan(values.astype(np.float64)))
        if self.cut is None:
            return np.asarray(values == self.level)
        return np.asarray(values.astype(np.float64) < self.cut)


@dataclass(slots=True)
class Node:
    """A part of the rows: the answers that lead to it, and the rows and mean loss it was grown on."""

    path: tuple[tuple[Question, bool], ...]
    rows: int
    mean: float
    below: tuple["Node", ...] = field(default=())

    def parts(self) -> Iterator["Node"]:
        """This node and all below it."""
        yield self
        for node in self.below:
            yield from node.parts()

    def leaves(self) -> tuple["Node", ...]:
        return tuple(node for node in self.parts() if not node.below)

    def belongs(self, columns: Sequence[NDArray[np.generic]]) -> Bools:
        """Which rows of `columns` come to this node."""
        inside = np.ones(len(columns[0]), dtype=np.bool_)
        for question, answer in self.path:
            inside &= question.met_by(columns) == answer
        return inside


def grow(columns: Sequence[NDArray[np.generic]], loss: Floats, smallest: int, depth: int) -> Node:
    """The tree of at most `depth` questions in a row whose every part has at least `smallest` rows.

    Parameters
    ----------
    columns : sequence of arrays, shape (n,)
        Floats are numbers (NaN missing); integers are codes of categories.
    """
    return _grown(columns, loss, np.arange(loss.size), (), smallest, depth)


def _grown(
    columns: Sequence[NDArray[np.generic]],
    loss: Floats,
    rows: NDArray[np.intp],
    path: tuple[tuple[Question, bool], ...],
    smallest: int,
    depth: int,
) -> Node:
    node = Node(path, rows.size, float(loss[rows].mean()))
    question = _best_question([column[rows] for column in columns], loss[rows], smallest) if depth else None
    if question is None:
        return node
    met = question.met_by([column[rows] for column in columns])
    node.below = tuple(
        _grown(columns, loss, rows[met == answer], (*path, (question, answer)), smallest, depth - 1)
        for answer in (True, False)
    )
    return node


def _best_question(columns: Sequence[NDArray[np.generic]], loss: Floats, smallest: int) -> Question | None:
    """The question that removes most squared loss; ties go to the earlier column. None if none removes any."""
    best, gain = None, 1e-12 * float(((loss - loss.mean()) ** 2).sum())
    for place, column in enumerate(columns):
        for question, removed in _questions(place, column, loss, smallest):
            if removed > gain * (1 + 1e-9):
                best, gain = question, removed
    return best


def _questions(
    place: int, column: NDArray[np.generic], loss: Floats, smallest: int
) -> Iterator[tuple[Question, float]]:
    """The best questions on one column with the squared loss each removes, if it leaves enough rows on both sides."""
    if np.issubdtype(column.dtype, np.floating):
        known = column[np.isfinite(column)].astype(np.float64)
        cuts = _cuts(known)
        codes = np.where(np.isnan(column), cuts.size, np.searchsorted(cuts, column, side="right"))
        rows = np.cumsum(np.bincount(codes, minlength=cuts.size + 1))[: cuts.size]
        sums = np.cumsum(np.bincount(codes, weights=loss, minlength=cuts.size + 1))[: cuts.size]
        yield from _about_missing(place, np.isnan(column), loss, smallest)
    else:
        cuts = np.empty(0)
        rows, sums = np.bincount(column), np.bincount(column, weights=loss)
    others = loss.size - rows
    allowed = (rows >= smallest) & (others >= smallest)
    if not allowed.any():
        return
    with np.errstate(divide="ignore", invalid="ignore"):
        removed = rows * others / loss.size * (sums / rows - (loss.sum() - sums) / others) ** 2
    at = int(np.argmax(np.where(allowed, removed, -1.0)))
    question = Question(place, float(cuts[at]), None) if cuts.size else Question(place, None, at)
    yield question, float(removed[at])


def _about_missing(place: int, missing: Bools, loss: Floats, smallest: int) -> Iterator[tuple[Question, float]]:
    rows, others = int(missing.sum()), int((~missing).sum())
    if min(rows, others) >= smallest:
        apart = float(loss[missing].mean() - loss[~missing].mean())
        yield Question(place, None, None), rows * others / loss.size * apart**2


def _cuts(known: Floats) -> Floats:
    """Points half way between neighbouring values, or quantiles where there are many values."""
    values = np.unique(known)
    if values.size <= _MOST_CUTS:
        halfway: Floats = (values[1:] + values[:-1]) / 2
        return halfway
    return np.unique(np.quantile(known, np.linspace(0, 1, _MOST_CUTS + 1)[1:-1]))
