"""One row as the vector that the trees or weights inside a model look at.

Answers: what does the core of the model see for this row, and to which feature belongs each column?
Does not answer: anything about models that could not be opened up. Texts go through dictionaries made once, at load.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sealwright.registry import Source
from sealwright.serving.contract import Batch

__all__ = ["Encoder", "Lines", "owners_of"]

Floats = NDArray[np.float64]


class Lines:
    """The rows of a batch where both arrays are there, even without columns."""

    def __init__(self, batch: Batch) -> None:
        empty = (batch.rows, 0)
        self.numbers = np.empty(empty, dtype=np.float32) if batch.numbers is None else batch.numbers
        self.strings = np.empty(empty, dtype=object) if batch.strings is None else batch.strings

    def __len__(self) -> int:
        return int(self.numbers.shape[0])

    def batch(self) -> Batch:
        """The same rows as the engine takes them."""
        numbers = self.numbers if self.numbers.shape[1] else None
        return Batch(len(self), numbers, self.strings if self.strings.shape[1] else None)

    def repeated(self, line: int, times: int) -> "Lines":
        """One row several times, to be changed."""
        return Lines(Batch(times, self.numbers[[line] * times], self.strings[[line] * times]))


def owners_of(columns: Sequence[Source], numbers: int) -> NDArray[np.intp]:
    """The feature of each column, numbers first; -1 for a column that is the same for all rows."""
    start = {"number": 0, "missing": 0, "string": numbers}
    return np.array([start[one.kind] + one.place if one.kind in start else -1 for one in columns], dtype=np.intp)


class Encoder:
    """The columns of one model."""

    def __init__(self, columns: Sequence[Source], *, single: bool) -> None:
        """`single`: whether the core compares in single precision, as trees do."""
        self._start = np.array([one.other for one in columns], dtype=np.float64)
        self._single = single
        self._numbers = _places(columns, "number")
        self._missing = _places(columns, "missing")
        of = [columns[at] for at in self._numbers]
        self._from = np.array([one.place for one in of], dtype=np.intp)
        self._centre = np.array([one.centre for one in of], dtype=np.float64)
        self._factor = np.array([one.factor for one in of], dtype=np.float64)
        self._fill = np.array([one.fill for one in of], dtype=np.float64)
        self._gone = np.array([columns[at].place for at in self._missing], dtype=np.intp)
        self._texts = _words(columns)

    def row(self, lines: Lines, line: int) -> Floats:
        """What the core sees for one row, shape (columns,)."""
        seen = self._start.copy()
        numbers = lines.numbers[line].astype(np.float64)
        taken = numbers[self._from]
        seen[self._numbers] = (np.where(np.isnan(taken), self._fill, taken) - self._centre) * self._factor
        if self._gone.size:
            seen[self._missing] = np.isnan(numbers[self._gone])
        texts = lines.strings[line]
        for place, known in self._texts.items():
            for at, value in known.get(texts[place], ()):
                seen[at] = value
        return seen.astype(np.float32).astype(np.float64) if self._single else seen


def _places(columns: Sequence[Source], kind: str) -> NDArray[np.intp]:
    return np.array([at for at, one in enumerate(columns) if one.kind == kind], dtype=np.intp)


def _words(columns: Sequence[Source]) -> dict[int, dict[str, list[tuple[int, float]]]]:
    """For each text column, which columns of the matrix a word changes, and to what."""
    found: dict[int, dict[str, list[tuple[int, float]]]] = {}
    for at, one in enumerate(columns):
        if one.kind == "string":
            for word, value in one.table.items():
                found.setdefault(one.place, {}).setdefault(word, []).append((at, value))
    return found
