"""Steps that change cells: pure functions from a column to the column that takes its place.

Answers: what does this step make of this column?
Does not answer: which cells that changed. The recipe compares, and writes every difference down.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sealwright.data.clean_spec import Limit, read_value
from sealwright.data.column_spec import ColumnSpec

__all__ = ["clipped", "filled", "mapped", "outside", "without"]


def mapped(column: Any, values: Mapping[Any, Any]) -> Any:
    """Each value that is a key becomes what stands for it; the others stay."""
    if not values:
        return column
    places = pc.index_in(column, value_set=pa.array(list(values), column.type))
    found = pc.take(pa.array(list(values.values()), column.type), places)
    return pc.if_else(pc.is_valid(places), found, column)


def without(column: Any, spec: ColumnSpec, placeholders: Sequence[Any]) -> Any:
    """The placeholders become missing; one that the type cannot hold is in no cell."""
    held = [value for one in placeholders if (value := read_value(spec, one)) is not None]
    if not held:
        return column
    kind = pa.int32() if spec.type == "date" else column.type
    hit = pc.is_in(column.cast(kind), value_set=pa.array(held, kind))
    return pc.if_else(hit, pa.scalar(None, column.type), column)


def outside(column: Any, spec: ColumnSpec, limit: Limit) -> tuple[Any, Any]:
    """Which cells lie below and above the range; missing cells do neither."""
    values = column.cast(pa.int32()) if spec.type == "date" else column
    nothing = pa.array([False] * len(column), pa.bool_())
    least, most = (None if end is None else read_value(spec, end) for end in (limit.at_least, limit.at_most))
    below = nothing if least is None else pc.fill_null(pc.less(values, least), fill_value=False)
    above = nothing if most is None else pc.fill_null(pc.greater(values, most), fill_value=False)
    return below, above


def clipped(column: Any, spec: ColumnSpec, limit: Limit) -> Any:
    """Cells outside the range at its nearer end, or missing."""
    below, above = outside(column, spec, limit)

    def end(value: Any) -> Any:
        if limit.otherwise == "missing" or value is None:
            return pa.scalar(None, column.type)
        return pa.scalar(read_value(spec, value), pa.int32() if spec.type == "date" else column.type).cast(column.type)

    return pc.if_else(below, end(limit.at_least), pc.if_else(above, end(limit.at_most), column))


def filled(column: Any, value: Any) -> Any:
    """Empty cells become `value`; None leaves them."""
    return column if value is None else pc.fill_null(column, pa.scalar(value, column.type))
