"""Where each column of the matrix that a model looks at comes from, and the scores that are linear in it.

Answers: which function of which column of the rows is this column of the matrix?
Does not answer: whether a model was read rightly. Whoever reads one holds its scores against the model's own answers.
Pure arithmetic over arrays; nothing here needs the library of the file's format.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Linear", "Link", "Rows", "Source", "Trees", "Unreadable", "column_values", "matrix_of"]

Floats = NDArray[np.float64]
Link = Literal["softmax", "logistic", "shares", "value"]
"""From scores to answers: softmax of all; the logistic function of the only one, for the second class; shares as they
are (of the only one, for the second class); a value as it is."""


class Unreadable(Exception):
    """The model is of no kind that is read here; the message says why. Rooms turn it into words of their own."""


class Rows(Protocol):
    """Rows as a model takes them: what is missing is NaN among numbers and "" among texts."""

    @property
    def numbers(self) -> NDArray[np.floating]:
        """Shape (n, number columns)."""

    @property
    def strings(self) -> NDArray[np.object_]:
        """Shape (n, text columns)."""

    def __len__(self) -> int:
        """How many rows there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One column of the matrix, as a function of one column of the rows.

    number: (x - centre) * factor, a missing x standing for `fill`; missing: 1 where x is missing, else 0;
    string: `table` of the text, else `other`; constant: `other`.
    """

    kind: Literal["number", "missing", "string", "constant"]
    place: int = 0  # of the number or text column it comes from
    centre: float = 0.0
    factor: float = 1.0
    fill: float = float("nan")
    table: Mapping[str, float] = field(default_factory=dict)
    other: float = 0.0

    def of_numbers(self, x: NDArray[np.floating]) -> Floats:
        """Values of a number or missing column."""
        wide = x.astype(np.float64)
        gone = np.isnan(wide)
        if self.kind == "missing":
            return gone.astype(np.float64)
        return np.asarray((np.where(gone, self.fill, wide) - self.centre) * self.factor)

    def of_text(self, text: str) -> float:
        return self.table.get(text, self.other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """Scores linear in the matrix."""

    weights: Floats  # shape (columns, scores)
    constant: Floats  # shape (scores,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """Scores as sums over trees. `model` is shap's dictionary form, as `ensemble.ensemble_of` gives it."""

    model: Mapping[str, Any]


def column_values(source: Source, rows: Rows) -> Floats:
    """One column of the matrix, shape (n,)."""
    if source.kind == "constant":
        return np.full(len(rows), source.other)
    if source.kind == "string":
        texts, back = np.unique(rows.strings[:, source.place].astype(str), return_inverse=True)
        return np.array([source.of_text(str(text)) for text in texts])[back]
    return source.of_numbers(rows.numbers[:, source.place])


def matrix_of(columns: tuple[Source, ...], rows: Rows) -> Floats:
    """What the model looks at, shape (n, columns)."""
    return np.column_stack([column_values(source, rows) for source in columns])
