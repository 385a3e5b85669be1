"""Rows as somebody holds them, as the table that checks read, and back again for the model that wants them as they were.

Answers: which columns are numbers and which are words, and what does the model get when a check has changed some cells?
Does not answer: what a column means. An array has no names, so its columns become x0, x1, …
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sealwright.assurance.features import Features
from sealwright.assurance.modality import TABLE
from sealwright.kernel import InvalidInput

__all__ = ["GivenRows", "arrow_column", "given_rows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenRows:
    """Rows as a table, and how to give a model such rows in the form they came in."""

    table: pa.Table
    numbers: tuple[str, ...]  # columns of numbers, booleans and days, in their order in the table
    strings: tuple[str, ...]
    like: Any  # the object they came from: an array, a data frame, an Arrow table
    modality: str = TABLE

    def native(self, features: Features) -> Any:
        """The rows of `features` as an array, or as a data frame or table with the columns and types of the original."""
        if isinstance(self.like, np.ndarray):
            kind = self.like.dtype if self.like.dtype.kind == "f" else np.float64  # noise on whole numbers is none
            return np.ascontiguousarray(features.numbers, dtype=kind)
        columns = {name: self._column(name, features) for name in self.table.column_names}
        if isinstance(self.like, pa.Table):
            return pa.table(columns)
        frame = pa.table(columns)
        if hasattr(self.like, "iloc"):
            return _pandas(frame, self.like)
        return type(self.like)(frame) if hasattr(self.like, "to_arrow") else frame

    def _column(self, name: str, features: Features) -> pa.Array:
        kind = self.table.schema.field(name).type
        if name in self.numbers:
            return _typed(features.numbers[:, self.numbers.index(name)], kind)
        texts = features.strings[:, self.strings.index(name)]
        return pa.array([text or None for text in texts], pa.string())


def given_rows(data: Any) -> GivenRows:
    """Take rows over from an array, a data frame of pandas or polars, an Arrow table, or a mapping of columns.

    Parameters
    ----------
    data : array of shape (n, features), data frame, pa.Table, or mapping of column name to values

    Raises
    ------
    InvalidInput
        It is none of these, has no columns, or has columns that are neither numbers nor words.
    """
    table = _table(data)
    table = pa.table({name: _plain(table.column(name)) for name in table.column_names})
    if not table.num_columns:
        raise InvalidInput("The rows have no columns, so there is nothing to predict from.")
    numbers = tuple(name for name in table.column_names if _is_number(table.column(name)))
    strings = tuple(field.name for field in table.schema if _is_text(field.type))
    other = [f"{field.name} ({field.type})" for field in table.schema if field.name not in {*numbers, *strings}]
    if other:
        raise InvalidInput(
            f"These columns are neither numbers nor words: {', '.join(other[:10])}.\n"
            "Turn them into numbers, booleans, days or texts, or leave them out."
        )
    return GivenRows(table=table, numbers=numbers, strings=strings, like=_as_it_came(data, table))


def arrow_column(values: Any, what: str) -> pa.ChunkedArray:
    """One column from a list, an array, a series or an Arrow array; NaN and None are missing.

    Raises
    ------
    InvalidInput
        The values have no common type.
    """
    if isinstance(values, pa.ChunkedArray):
        return values
    if isinstance(values, pa.Array):
        return pa.chunked_array([values])
    if hasattr(values, "to_arrow"):
        return pa.chunked_array([values.to_arrow()])
    try:
        flat = values if hasattr(values, "iloc") else np.asarray(values)
        return pa.chunked_array([pa.array(flat.ravel() if isinstance(flat, np.ndarray) else flat, from_pandas=True)])
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise InvalidInput(f"{what} cannot be read as one column: {str(error)[:160]}") from None


def _table(data: Any) -> pa.Table:
    if isinstance(data, pa.Table):
        return data
    if isinstance(data, pa.RecordBatch):
        return pa.Table.from_batches([data])
    if isinstance(data, np.ndarray):
        return _from_array(data)
    if isinstance(data, Mapping):
        return _side_by_side({str(name): arrow_column(values, f"Column {name}") for name, values in data.items()})
    if hasattr(data, "to_arrow"):
        table = data.to_arrow()
        return table if isinstance(table, pa.Table) else pa.table(table)
    if hasattr(data, "iloc") and hasattr(data, "columns"):
        names = [str(name) for name in data.columns]
        if len(set(names)) != len(names):
            raise InvalidInput("Two columns of the data frame have the same name; each must have its own.")
        columns = [arrow_column(data.iloc[:, place], f"Column {name}") for place, name in enumerate(names)]
        return pa.table(dict(zip(names, columns, strict=True)))
    raise InvalidInput(
        f"A {type(data).__name__} is no table of rows.\n"
        "Give a NumPy array of shape (rows, features), a data frame of pandas or polars, an Arrow table, or a dict of columns."
    )


def _side_by_side(columns: Mapping[str, pa.ChunkedArray]) -> pa.Table:
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        counted = ", ".join(f"{name} {length:,}" for name, length in list(lengths.items())[:10])
        raise InvalidInput(f"Every column must have as many entries as the others; there are: {counted}.")
    return pa.table(dict(columns))


def _from_array(data: NDArray[Any]) -> pa.Table:
    if data.ndim != 2 or data.dtype.kind not in "fiub":
        raise InvalidInput(
            f"An array of rows has two dimensions and holds numbers; this one has shape {data.shape} and holds {data.dtype}.\n"
            "For words, give a data frame."
        )
    columns = [pa.array(data[:, place], from_pandas=True) for place in range(data.shape[1])]
    return pa.table({f"x{place}": column for place, column in enumerate(columns)})


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Categories as their values."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _as_it_came(data: Any, table: pa.Table) -> Any:
    """The original where a model may want its like; the table for what no model takes."""
    return table if isinstance(data, (pa.RecordBatch, Mapping)) else data


def _typed(values: NDArray[np.floating], kind: pa.DataType) -> pa.Array:
    """Numbers in the type they came in; fractions that a check put into whole numbers stay fractions."""
    missing = np.isnan(values)
    if pa.types.is_boolean(kind):
        return pa.array(np.where(missing, 0, values) >= 0.5, mask=missing)
    if pa.types.is_temporal(kind):
        days = pa.array(np.where(missing, 0, values).astype(np.int32), mask=missing)
        return days.cast(pa.date32()).cast(kind)
    whole = pa.types.is_integer(kind) and bool((values[~missing] == np.floor(values[~missing])).all())
    if whole and np.abs(values[~missing]).max(initial=0) < 2**53:
        return pa.array(np.where(missing, 0, values).astype(np.int64), mask=missing).cast(kind, safe=False)
    return pa.array(values.astype(np.float64), mask=missing)


def _pandas(table: pa.Table, like: Any) -> Any:
    """A pandas data frame with the names, order and, where they still fit, the types of `like`."""
    frame = table.to_pandas()
    frame.columns = like.columns
    for place, (kind, now) in enumerate(zip(like.dtypes, frame.dtypes, strict=True)):
        name = like.columns[place]
        if kind == now:
            continue
        if kind.kind in "iu" and now.kind not in "iu":
            continue  # a check emptied a cell or put in a fraction, and casting would hide it
        try:
            frame[name] = frame[name].astype(kind)
        except (TypeError, ValueError):
            continue  # the type of the original cannot hold what a check put in
    return frame


def _is_number(column: pa.ChunkedArray) -> bool:
    kind = column.type
    if pa.types.is_timestamp(kind):  # a day is a number; a time of day would be lost
        return bool(pc.all(pc.equal(pc.floor_temporal(column, unit="day"), column)).as_py() is not False)
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_date(kind)
    )


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
