"""A source's rows in pieces that are scored at once, and their columns as the room that serves reads them.

Answers: which rows come next, in the order of the source, those that are no rows among them?
Does not answer: what is wrong with a row that is one. The contract of the released version says.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sealwright.data import Source, SourceBatch
from sealwright.serving import Column, Contract

__all__ = ["Piece", "columns_of", "pieces"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows that stand together in the source, numbered from `first` on."""

    first: int
    count: int
    places: NDArray[np.int64]  # of those that are rows
    cells: Any  # pa.RecordBatch of these
    others: Mapping[int, tuple[str, str]]  # place -> why it is no row (a code of `data.REASONS`), and its text

    @property
    def last(self) -> int:
        return self.first + self.count - 1

    def texts(self, column: str) -> list[Any]:
        """The cells of a column, one for each place; None where there is no row."""
        found: list[Any] = [None] * self.count
        for place, cell in zip(self.places.tolist(), self.cells.column(column).to_pylist(), strict=True):
            found[place] = cell
        return found


def pieces(source: Source, wanted: Collection[str], most: int, *, cuts: Collection[int] = ()) -> Iterator[Piece]:
    """Every row of a source, at most `most` at a time.

    Parameters
    ----------
    cuts : collection of int
        Rows after which a piece ends in any case: where earlier readings had come to.
    """
    for batch in source.batches(wanted):
        numbers = np.sort(np.concatenate([batch.numbers, [row.row for row in batch.rejected]]).astype(np.int64))
        start = 0
        while start < len(numbers):
            end = min(start + most, len(numbers))
            inside = [cut for cut in cuts if numbers[start] <= cut < numbers[end - 1]]
            if inside:
                end = int(np.searchsorted(numbers, min(inside), side="right"))
            yield _piece(batch, int(numbers[start]), int(numbers[end - 1]))
            start = end


def _piece(batch: SourceBatch, first: int, last: int) -> Piece:
    begin, end = np.searchsorted(batch.numbers, [first, last + 1])
    others = {row.row - first: (row.reason, row.text) for row in batch.rejected if first <= row.row <= last}
    cells = batch.rows.slice(begin, end - begin)
    return Piece(first, last - first + 1, batch.numbers[begin:end] - first, cells, others)


def columns_of(piece: Piece, contract: Contract, decimal: str) -> dict[str, Column]:
    """The columns of the contract's features. `decimal`: the mark in numbers that are text."""
    found = {}
    for feature in contract.features:
        array = piece.cells.column(feature.name)
        if decimal == "," and feature.kind in ("number", "integer") and pa.types.is_string(array.type):
            array = pc.replace_substring(array, ",", ".")
        found[feature.name] = _column(array)
    return found


def _column(array: Any) -> Column:
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind, rows = array.type, len(array)
    if pa.types.is_null(kind):
        return Column("null", np.zeros(rows), np.ones(rows, dtype=np.bool_))
    missing = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
    if pa.types.is_boolean(kind):
        return Column("bool", _numbers(array, fill=False), missing)
    if pa.types.is_integer(kind):
        return Column("number", _numbers(array, 0), missing)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return Column("number", _numbers(array.cast(pa.float64()), 0.0), missing)
    if pa.types.is_date(kind):
        return Column("days", _numbers(array.cast(pa.date32()).cast(pa.int32()), 0), missing)
    if pa.types.is_timestamp(kind):
        milliseconds = array.cast(pa.timestamp("ms"), safe=False).cast(pa.int64())
        return Column("milliseconds", _numbers(milliseconds, 0), missing)
    texts: Sequence[str | None] = array.to_pylist()
    return Column("text", texts, None)  # type: ignore[arg-type]  # a missing one is None in its place


def _numbers(array: Any, fill: Any) -> NDArray[Any]:
    filled = array.fill_null(fill) if array.null_count else array
    return np.asarray(filled.to_numpy(zero_copy_only=False))
