"""Declared slices: which rows of a table meet the conditions written in the project file."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sealwright.assurance.features import as_floats, as_text
from sealwright.assurance.slice_spec import Condition, DeclaredSlice, Missing, Range, bound
from sealwright.kernel import InvalidInput

__all__ = ["Slice", "read_slices"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One declared part of the test rows."""

    title: str
    rows: NDArray[np.bool_]  # shape (n,)
    declared: DeclaredSlice


def read_slices(table: pa.Table, declared: Sequence[DeclaredSlice]) -> tuple[Slice, ...]:
    """The rows of `table` in each declared slice.

    Raises
    ------
    InvalidInput
        A slice names a column that is not there, or compares text with a range.
    """
    wanted = {column for one in declared for column in one.where}
    if absent := sorted(wanted - set(table.column_names)):
        raise InvalidInput(
            f"assurance.slices names {', '.join(absent[:10])}, which the data does not have.\n"
            f"Its columns are: {', '.join(table.column_names[:40])}."
        )
    return tuple(
        Slice(
            title=one.title,
            rows=np.all([_meets(table.column(name), name, how) for name, how in one.where.items()], axis=0),
            declared=one,
        )
        for one in declared
    )


def _meets(column: pa.ChunkedArray, name: str, how: Condition) -> NDArray[np.bool_]:
    if isinstance(how, Missing):
        return np.asarray(_empty(column, name) == how.missing, dtype=np.bool_)
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if isinstance(how, Range):
        if not numeric and not pa.types.is_temporal(kind):
            raise InvalidInput(f"assurance.slices gives a range for {name}, which holds {kind}, not numbers or dates.")
        values = as_floats(column, name)
        return np.asarray((values >= bound(how.at_least, -np.inf)) & (values < bound(how.under, np.inf)))
    wanted = how if isinstance(how, tuple) else (how,)
    if numeric:
        try:
            return np.isin(as_floats(column, name), [float(value) for value in wanted])
        except ValueError:
            raise InvalidInput(f"assurance.slices compares {name}, which holds numbers, with text.") from None
    names = {str(value).lower() if isinstance(value, bool) else _text(value) for value in wanted}
    return np.isin(as_text(column, name).to_numpy(zero_copy_only=False).astype(str), sorted(names))


def _empty(column: pa.ChunkedArray, name: str) -> NDArray[np.bool_]:
    """Cells without a value: null, not a number, or the empty text, which the model cannot tell apart."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return np.asarray(as_text(column, name).to_numpy(zero_copy_only=False) == "", dtype=np.bool_)
    return np.asarray(pc.is_null(column, nan_is_null=True).to_numpy(), dtype=np.bool_)


def _text(value: float | str) -> str:
    return f"{value:.10g}" if isinstance(value, float) else value
