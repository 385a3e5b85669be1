"""What a step must know of all rows before it can be applied to a part of them.

Answers: which spelling is the most frequent, what is the median, which rows repeat an earlier one?
Does not answer: what becomes of a part. `FittedRecipe.apply` does.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sealwright.data.clean_spec import (
    CleanStep,
    DropDuplicates,
    DropNearDuplicates,
    FillMissing,
    MapValues,
    OneSpelling,
    read_value,
)
from sealwright.data.column_spec import ColumnSpec
from sealwright.data.quality import frame_of, near_pairs, repeats_of, row_keys, spellings

__all__ = ["fitted_to"]


def fitted_to(
    step: CleanStep,
    table: Any,
    columns: Mapping[str, ColumnSpec],
    numbers: NDArray[np.int64],
    learn_from: NDArray[np.bool_],
) -> dict[str, Any]:
    """The facts a step needs, as plain JSON values.

    Parameters
    ----------
    table : pa.Table
        All rows, as the steps before left them.
    numbers : int array, shape (rows,)
        1-based number of each row in the snapshot.
    learn_from : bool array, shape (rows,)
        The rows that values to fill with, and spellings, are taken from.
    """
    match step:
        case OneSpelling():
            rows = table.filter(pa.array(learn_from))
            return {"spellings": {name: _spellings(rows, table, name) for name in step.columns}}
        case MapValues():
            column = columns[step.column]
            pairs = [(read_value(column, old), read_value(column, new)) for old, new in step.values.items()]
            return {"pairs": [[old, new] for old, new in pairs if old is not None]}
        case FillMissing():
            rows = table.filter(pa.array(learn_from))
            return {"values": {name: _value(step, rows.column(name), columns[name]) for name in step.columns}}
        case DropDuplicates():
            names = [name for name, column in columns.items() if column.role != "identifier"]
            return {"rows": numbers[repeats_of(row_keys(table, names))].tolist()}
        case DropNearDuplicates():
            return {"rows": _near_rows(step, table, columns, numbers)}
        case _:
            return {}


def _spellings(learned: Any, table: Any, name: str) -> dict[str, str]:
    """Every spelling that occurs anywhere, with the one to write: the most frequent in the rows learned from."""
    counts = Counter({one["values"]: one["counts"] for one in pc.value_counts(learned.column(name)).to_pylist()})
    found = [value for value in pc.unique(table.column(name)).to_pylist() if value is not None]
    found.sort()
    weights = [2 * counts[value] + 1 for value in found]  # those that occur only elsewhere count last
    return spellings(found, weights)


def _value(step: FillMissing, column: Any, spec: ColumnSpec) -> Any:
    """What empty cells become, as JSON; None where no cell is known."""
    if step.by == "value":
        return step.value
    known = column.drop_null()
    if not len(known):
        return None
    if step.by == "mean":
        return float(pc.mean(known).as_py())
    if step.by == "median":  # the lower one of two middle values, so that it is a value of the column
        values = np.sort((known.cast(pa.int32()) if spec.type == "date" else known).to_numpy())
        return _as_json(values[(len(values) - 1) // 2].item(), spec)
    counted = pc.value_counts(known).to_pylist()
    best = min(counted, key=lambda one: (-one["counts"], one["values"]))["values"]
    return best.isoformat() if spec.type == "date" else best


def _as_json(value: Any, spec: ColumnSpec) -> Any:
    from sealwright.data.dates import day_text

    return day_text(value) if spec.type == "date" else value


def _near_rows(
    step: DropNearDuplicates, table: Any, columns: Mapping[str, ColumnSpec], numbers: NDArray[np.int64]
) -> list[int]:
    """Rows almost equal to an earlier row that stays itself."""
    pairs = near_pairs(frame_of(table, columns), similar=step.similar_cells)
    gone: set[int] = set()
    for one, other in sorted(zip(pairs.one.tolist(), pairs.other.tolist(), strict=True)):
        if one not in gone:
            gone.add(other)
    return [int(numbers[place]) for place in sorted(gone)]
