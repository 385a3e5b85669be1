"""The change log, and undoing it: the raw rows from the cleaned ones, exactly.

Answers: which cells differ, what stood there before, which rows were taken out?
Does not answer: why. The step is named; the recipe says what it does.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sealwright.data.changes import CHANGES_SCHEMA
from sealwright.data.cleaning.cells import array_of, read_cell, read_row, write_cell, write_row
from sealwright.data.cleaning.errors import ChangesDoNotFit

__all__ = ["cells_changed", "joined", "rows_dropped", "undo"]


def cells_changed(step: str, name: str, old: Any, new: Any, numbers: NDArray[np.int64], subjects: Any) -> Any:
    """Every cell in which two arrays of one column differ, as a table of `CHANGES_SCHEMA`."""
    hit = differs(old, new)
    mask = pa.array(hit)
    count = int(hit.sum())
    return pa.table(
        [
            pa.array(numbers[hit]),
            pa.nulls(count, pa.binary()) if subjects is None else subjects.filter(mask),
            pa.array([name] * count, pa.string()),
            pa.array([step] * count, pa.string()),
            pa.array(map(write_cell, old.filter(mask).to_pylist()), pa.string()),
            pa.array(map(write_cell, new.filter(mask).to_pylist()), pa.string()),
        ],
        schema=CHANGES_SCHEMA,
    )


def rows_dropped(step: str, table: Any, numbers: NDArray[np.int64], subjects: Any, gone: NDArray[np.bool_]) -> Any:
    """Rows that are taken out, as they stood then; the column is empty, and so is what they became."""
    mask = pa.array(gone)
    rows = table.filter(mask).to_pylist()
    return pa.table(
        [
            pa.array(numbers[gone]),
            pa.nulls(len(rows), pa.binary()) if subjects is None else subjects.filter(mask),
            pa.array([""] * len(rows), pa.string()),
            pa.array([step] * len(rows), pa.string()),
            pa.array(map(write_row, rows), pa.string()),
            pa.array(["null"] * len(rows), pa.string()),
        ],
        schema=CHANGES_SCHEMA,
    )


def joined(changes: Sequence[Any]) -> Any:
    """Logs one after the other."""
    return pa.concat_tables(changes) if changes else CHANGES_SCHEMA.empty_table()


def differs(old: Any, new: Any) -> NDArray[np.bool_]:
    """Which cells of two arrays are not the same: missing differs from every value, NaN from none that is NaN."""
    unequal = pc.fill_null(pc.not_equal(old, new), fill_value=False)
    found = np.asarray(unequal.to_numpy(zero_copy_only=False), dtype=np.bool_)
    if pa.types.is_floating(old.type):
        both = pc.and_(pc.fill_null(pc.is_nan(old), fill_value=False), pc.fill_null(pc.is_nan(new), fill_value=False))
        found = found & ~np.asarray(both.to_numpy(zero_copy_only=False))
    one = old.is_null().to_numpy(zero_copy_only=False)
    other = new.is_null().to_numpy(zero_copy_only=False)
    return np.asarray(found | (one != other))


def undo(table: Any, changes: Any, first_row: int = 1) -> Any:
    """The rows as they were before cleaning.

    Parameters
    ----------
    table : pa.Table
        The cleaned rows, as `FittedRecipe.apply` gave them.
    changes : pa.Table
        The log of the same rows, in its order.
    first_row : int
        1-based number, in the raw snapshot, of the first raw row.

    Raises
    ------
    ChangesDoNotFit
        A cell is not what the log says it became, or the log is of other rows.
    """
    log = changes.to_pylist()
    dropped = {change["row"]: read_row(change["old"], table.schema) for change in log if not change["column"]}
    total = table.num_rows + len(dropped)
    numbers = np.arange(first_row, first_row + total, dtype=np.int64)
    if any(not first_row <= change["row"] < first_row + total for change in log):
        raise ChangesDoNotFit("The change log names rows that are not among these. Take the log of the same rows.")
    stayed = ~np.isin(numbers, np.array(sorted(dropped), dtype=np.int64))
    places = np.where(stayed, np.cumsum(stayed) - 1, -1)
    whole = table.combine_chunks().take(pa.array(places, mask=~stayed))
    columns = {name: whole.column(name) for name in table.column_names}
    by_column: dict[str, list[Any]] = {}
    for change in log:
        if change["column"]:
            by_column.setdefault(change["column"], []).append(change)
    for name in table.column_names:
        cells = by_column.get(name, [])
        if cells or dropped:
            columns[name] = _undone(columns[name], name, cells, dropped, first_row)
    return pa.table(list(columns.values()), schema=table.schema)


def _undone(column: Any, name: str, cells: list[Any], dropped: dict[int, dict[str, Any]], first_row: int) -> Any:
    """One column, its changes taken back from the last to the first."""
    kind = column.type
    now: dict[int, Any] = {row: cells_of[name] for row, cells_of in dropped.items()}
    wanted = sorted({change["row"] for change in cells} - set(now))
    present = column.take(pa.array([row - first_row for row in wanted], pa.int64())).to_pylist()
    now |= dict(zip(wanted, present, strict=True))
    for change in reversed(cells):
        row = change["row"]
        if write_cell(now[row]) != change["new"]:
            raise ChangesDoNotFit(
                f"Row {row:,} of column {name!r} is not what the log says it became. Take the log of the same rows."
            )
        now[row] = read_cell(change["old"], kind)
    places = np.array([row - first_row for row in now], dtype=np.int64)
    mask = np.zeros(len(column), dtype=np.bool_)
    mask[places] = True
    order = np.argsort(places)
    values = list(now.values())
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return pc.replace_with_mask(whole, pa.array(mask), array_of([values[place] for place in order], kind))
