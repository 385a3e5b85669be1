"""Table rows as the two arrays a model takes: floating point "numbers" and text "strings".

A null is NaN or the empty string; a boolean 0 or 1; a date the days since 1970-01-01. Also reads the
target: class numbers in the order of the interface, or values.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.interface import Interface
from sealwright.assurance.spec import class_text
from sealwright.kernel import InvalidInput

__all__ = ["Features", "pack", "stacked", "true_classes", "true_values"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Rows ready for a model. Either array may have no columns."""

    numbers: NDArray[np.floating]  # shape (n, number columns), in the precision of the interface
    strings: NDArray[np.object_]  # shape (n, string columns)

    def __len__(self) -> int:
        return int(self.numbers.shape[0])

    def take(self, index: NDArray[np.intp] | slice) -> "Features":
        return Features(numbers=self.numbers[index], strings=self.strings[index])

    def slices(self, rows: int) -> Iterator["Features"]:
        """Consecutive parts of at most `rows` rows."""
        for start in range(0, len(self), rows):
            yield self.take(slice(start, start + rows))

    def with_numbers(self, numbers: NDArray[np.floating]) -> "Features":
        return replace(self, numbers=numbers)

    def with_strings(self, strings: NDArray[np.object_]) -> "Features":
        return replace(self, strings=strings)

    def with_column(self, position: int, values: NDArray[Any]) -> "Features":
        """A copy with one column replaced; positions count numbers first, as in `Interface.names`."""
        width = self.numbers.shape[1]
        if position < width:
            numbers = self.numbers.copy()
            numbers[:, position] = values
            return self.with_numbers(numbers)
        strings = self.strings.copy()
        strings[:, position - width] = values
        return self.with_strings(strings)

    def column(self, position: int) -> NDArray[Any]:
        width = self.numbers.shape[1]
        return self.numbers[:, position] if position < width else self.strings[:, position - width]


def stacked(parts: Sequence[Features]) -> Features:
    """Rows of several, one after another."""
    if len(parts) == 1:
        return parts[0]
    return Features(
        numbers=np.concatenate([part.numbers for part in parts]),
        strings=np.concatenate([part.strings for part in parts]),
    )


def pack(table: pa.Table, interface: Interface) -> Features:
    """The features of `table` in the order of the interface.

    Raises
    ------
    InvalidInput
        A column is missing, or holds something that cannot be read as its type.
    """
    absent = [name for name in (*interface.names, interface.target) if name not in table.column_names]
    if absent:
        raise InvalidInput(
            f"The table lacks {', '.join(absent[:10])}, which the model's interface names.\n"
            "Pass the rows as the snapshot holds them, features and target."
        )
    numbers = np.empty((table.num_rows, len(interface.numbers)), dtype=interface.precision)
    for position, item in enumerate(interface.numbers):
        numbers[:, position] = as_floats(table.column(item.name), item.name)
    strings = np.empty((table.num_rows, len(interface.strings)), dtype=object)
    for position, text in enumerate(interface.strings):
        strings[:, position] = _words(as_text(table.column(text.name), text.name))
    return Features(numbers=numbers, strings=strings)


def true_classes(table: pa.Table, interface: Interface) -> NDArray[np.int64]:
    """The target as positions in `interface.classes`.

    Raises
    ------
    InvalidInput
        A row has no target, or one that is not among the classes.
    """
    column = table.column(interface.target)
    encoded = as_text(column, interface.target).dictionary_encode().combine_chunks()
    places = {name: place for place, name in enumerate(interface.classes)}
    known = np.array([places.get(class_text(value), -1) for value in encoded.dictionary.to_pylist()], dtype=np.int64)
    codes = known[encoded.indices.to_numpy(zero_copy_only=False)] if known.size else np.full(len(column), -1)
    _refuse_missing(int((codes < 0).sum()), len(column), f"one of the classes {', '.join(interface.classes)[:200]}")
    return codes.astype(np.int64)


def true_values(table: pa.Table, interface: Interface) -> Floats:
    """The target of a regression.

    Raises
    ------
    InvalidInput
        A row has no target, or one that is not a finite number.
    """
    values = as_floats(table.column(interface.target), interface.target)
    _refuse_missing(int((~np.isfinite(values)).sum()), values.size, "a finite number")
    return values


def as_floats(column: pa.ChunkedArray, name: str) -> Floats:
    """A column as float64, null as NaN."""
    try:
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.date32(), safe=False)
        if pa.types.is_date(column.type):
            column = column.cast(pa.date32()).cast(pa.int32())
        elif pa.types.is_boolean(column.type):
            column = column.cast(pa.int8())
        floats = pc.fill_null(column.cast(pa.float64(), safe=False), float("nan"))
    except (pa.ArrowException, TypeError) as error:
        raise InvalidInput(f"Column {name} is {column.type}; the interface says it holds numbers.") from error
    values: Floats = floats.to_numpy().astype(np.float64)
    return values


def as_text(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """A column as text, null as the empty string."""
    try:
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        return pc.fill_null(column.cast(pa.large_string()), "")
    except (pa.ArrowException, TypeError) as error:
        raise InvalidInput(f"Column {name} is {column.type}, which cannot be read as text.") from error


def _words(column: pa.ChunkedArray) -> NDArray[np.object_]:
    """Texts as objects, equal ones the same object: of a million cells with a few words, the words are held once."""
    encoded = column.dictionary_encode().combine_chunks()
    words: NDArray[np.object_] = encoded.dictionary.to_numpy(zero_copy_only=False)
    places: NDArray[np.intp] = encoded.indices.to_numpy(zero_copy_only=False)
    return words[places]


def _refuse_missing(wrong: int, rows: int, wanted: str) -> None:
    if wrong:
        raise InvalidInput(
            f"{wrong:,} of {rows:,} rows have no usable target; expected {wanted}.\n"
            "Declare the target as not null in the data contract, so that such rows go to quarantine."
        )
