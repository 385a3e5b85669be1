"""Rows of a table as the arrays a model takes, and the target as numbers.

Answers: what does a model see of a row? float32 numbers (null is NaN, a boolean 0 or 1, a date the days
since 1970-01-01) and text (null is ""), each text column as codes into the list of its values.
Does not answer: how a recipe encodes them. `encoding` does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sealwright.kernel import InvalidInput
from sealwright.training.errors import UntrainableData
from sealwright.training.packed import Packed

__all__ = ["Shape", "numbers_of", "pack", "read_shape", "target_of", "texts_of"]

_LARGEST = float(np.finfo(np.float32).max)
_MOST_VALUES = 10_000  # different texts in one column
_TASKS = ("binary", "multiclass", "regression")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What training needs to know of an interface document."""

    task: str  # binary | multiclass | regression
    target: str
    classes: tuple[str, ...]  # () for a regression
    positive: str | None
    numbers: tuple[str, ...]
    strings: tuple[str, ...]


def read_shape(interface: Mapping[str, Any]) -> Shape:
    """Read an interface document of format 1.

    Raises
    ------
    InvalidInput
        It does not say what a model takes and gives.
    UntrainableData
        It names no feature.
    """
    try:
        task = interface["task"]
        shape = Shape(
            task=task,
            target=str(interface["target"]),
            classes=() if task == "regression" else tuple(_word(name) for name in interface["classes"]),
            positive=_word(interface["positive"]) if task == "binary" else None,
            numbers=tuple(str(column["name"]) for column in interface.get("numbers") or ()),
            strings=tuple(str(column["name"]) for column in interface.get("strings") or ()),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(f"This interface cannot be read: {type(error).__name__} at {str(error)[:80]}.") from None
    if shape.task not in _TASKS:
        raise InvalidInput(f"The task is one of {', '.join(_TASKS)}; got {str(task)[:40]!r}.")
    if shape.task == "binary" and (len(shape.classes) != 2 or shape.positive not in shape.classes):
        raise InvalidInput("A binary interface lists two classes and names one of them as positive.")
    if not shape.numbers and not shape.strings:
        raise UntrainableData(
            "There is no column to learn from: every column is the target, an identifier, sensitive, text or ignored.\n"
            "Give at least one column the role `feature` in the data section."
        )
    return shape


def _word(value: object) -> str:
    """A class as text, as the target column is written when read as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def pack(table: pa.Table, shape: Shape) -> Packed:
    """The features of a table in the order of the interface.

    Raises
    ------
    InvalidInput
        A column is missing or cannot be read as what it should be, a number is infinite or beyond float32,
        or a text column has more than 10,000 different values.
    """
    absent = [name for name in (*shape.numbers, *shape.strings) if name not in table.column_names]
    if absent:
        raise InvalidInput(f"The rows lack {', '.join(absent[:10])}, which the interface names as features.")
    numbers = np.empty((table.num_rows, len(shape.numbers)), dtype=np.float32)
    for place, name in enumerate(shape.numbers):
        numbers[:, place] = _finite_or_missing(numbers_of(table.column(name), name), name)
    codes = np.empty((table.num_rows, len(shape.strings)), dtype=np.int32)
    levels: list[tuple[str, ...]] = []
    for place, name in enumerate(shape.strings):
        column = texts_of(table.column(name), name).dictionary_encode().combine_chunks()
        words = column.dictionary.to_pylist()
        if len(words) > _MOST_VALUES:
            raise InvalidInput(
                f"Column {name} has {len(words):,} different values; a category has at most {_MOST_VALUES:,}.\n"
                "Give it the role `ignore`, or the type `text`, in the data section."
            )
        order = sorted(range(len(words)), key=words.__getitem__)  # the same codes whatever the order of rows
        rank = np.empty(len(words), dtype=np.int32)
        rank[order] = np.arange(len(words), dtype=np.int32)
        codes[:, place] = rank[column.indices.to_numpy(zero_copy_only=False)] if words else 0
        levels.append(tuple(words[index] for index in order))
    return Packed(numbers=numbers, codes=codes, levels=tuple(levels))


def target_of(table: pa.Table, shape: Shape) -> NDArray[Any]:
    """The target: int32 positions in the interface's classes, or float64 values.

    Raises
    ------
    InvalidInput
        The column is missing, or a row holds no class of the interface, or no finite number.
    """
    if shape.target not in table.column_names:
        raise InvalidInput(f"The rows lack the target column {shape.target}.")
    column = table.column(shape.target)
    if shape.task == "regression":
        values = numbers_of(column, shape.target)
        _complete(np.isfinite(values), "a finite number")
        return values
    encoded = texts_of(column, shape.target).dictionary_encode().combine_chunks()
    places = {name: place for place, name in enumerate(shape.classes)}
    known = np.array([places.get(word, -1) for word in encoded.dictionary.to_pylist()] or [-1], dtype=np.int32)
    codes = known[encoded.indices.to_numpy(zero_copy_only=False)] if table.num_rows else np.empty(0, dtype=np.int32)
    _complete(codes >= 0, f"one of the classes {', '.join(shape.classes)[:200]}")
    return codes


def _complete(usable: NDArray[np.bool_], wanted: str) -> None:
    if wrong := int((~usable).sum()):
        raise InvalidInput(
            f"{wrong:,} of {usable.size:,} rows have no usable target; expected {wanted}.\n"
            "Declare the target as not null in the data section, so that such rows go to quarantine."
        )


def numbers_of(column: pa.ChunkedArray, name: str) -> NDArray[np.float64]:
    """A column as float64, shape (n,): null is NaN, a boolean 0 or 1, a date the days since 1970-01-01."""
    try:
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
            column = column.cast(pa.date32(), safe=False).cast(pa.int32())
        elif pa.types.is_boolean(column.type):
            column = column.cast(pa.int8())
        floats = pc.fill_null(column.cast(pa.float64(), safe=False), float("nan"))
    except (pa.ArrowException, TypeError):
        raise InvalidInput(f"Column {name} is {column.type}; the interface says it holds numbers.") from None
    return np.asarray(floats.to_numpy(), dtype=np.float64)


def _finite_or_missing(values: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    if bool((np.abs(values) > _LARGEST).any()):
        raise InvalidInput(
            f"Column {name} holds infinite numbers or numbers beyond {_LARGEST:.3g}, which a model cannot take.\n"
            "Set `min` and `max` for it in the data section, so that such rows go to quarantine."
        )
    return values


def texts_of(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """A column as text; null is ""."""
    try:
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        return pc.fill_null(column.cast(pa.string()), "")
    except (pa.ArrowException, TypeError):
        raise InvalidInput(f"Column {name} is {column.type}, which cannot be read as text.") from None
