"""A source read for examination: every row the contract lets in, typed, and what it set aside as findings.

Answers: which rows of this file can be examined, under which numbers, and what broke the contract?
Does not answer: how good the rest is. `examine` does.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sealwright.data.cast import cast_column
from sealwright.data.cells import REASONS
from sealwright.data.column_spec import ColumnSpec
from sealwright.data.quality.model import Fault
from sealwright.data.sources import Source
from sealwright.kernel import InvalidInput, Progress, silent

__all__ = ["Readable", "read_for_examination"]

_NAMED = 20


@dataclass(frozen=True, slots=True)
class Readable:
    """The rows that keep the contract, their numbers in the source, and findings about the others."""

    table: Any
    numbers: NDArray[np.int64]
    outside: tuple[Fault, ...]
    rows: int  # of the source, those set aside included


def read_for_examination(source: Source, columns: Mapping[str, ColumnSpec], *, progress: Progress = silent) -> Readable:
    """Read all of a source into memory, typed by the contract.

    Parameters
    ----------
    columns : mapping
        The contract; columns with role ignore, and columns of the source it does not name, are not read.

    Raises
    ------
    InvalidInput
        The source lacks a column, or no row keeps the contract.
    """
    kept = {name: column for name, column in columns.items() if column.role != "ignore"}
    missing = [name for name in kept if name not in source.columns or name in source.unreadable]
    if missing:
        raise InvalidInput(f"{source.name} has no column {missing[0]!r} that can be read, which the contract names.")
    tables, numbers, rows = [], [], 0
    broken: dict[tuple[str, str], list[int]] = defaultdict(list)
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for batch in source.batches(only=list(kept)):
        rows += batch.rows.num_rows + len(batch.rejected)
        for row in batch.rejected:
            _note(broken, counts, (row.column, row.reason), [row.row])
        good = np.ones(batch.rows.num_rows, dtype=np.bool_)
        arrays = []
        for name, column in kept.items():
            cast = cast_column(batch.rows.column(name), column, decimal=source.decimal)
            arrays.append(cast.values)
            for reason, cells in cast.problems.items():
                good &= ~cells
                _note(broken, counts, (name, reason), batch.numbers[cells].tolist())
        typed = pa.Table.from_arrays(arrays, names=list(kept))
        tables.append(typed if good.all() else typed.filter(pa.array(good)))
        numbers.append(batch.numbers[good])
        progress(f"reading {source.name}", source.share)
    table = pa.concat_tables(tables) if tables else pa.table({})
    if not table.num_rows:
        raise InvalidInput(f"No row of {source.name} keeps the contract; see: sealwright data check")
    faults = tuple(_fault(name, reason, count, broken[name, reason], rows) for (name, reason), count in counts.items())
    return Readable(table, np.concatenate(numbers), faults, rows)


def _note(
    broken: dict[tuple[str, str], list[int]], counts: dict[tuple[str, str], int], key: tuple[str, str], rows: list[int]
) -> None:
    counts[key] += len(rows)
    broken[key] += rows[: _NAMED - len(broken[key])]


def _fault(name: str, reason: str, count: int, rows: list[int], of: int) -> Fault:
    return Fault(
        check="quality.outside_contract",
        severity="high" if count / of >= 0.01 else "medium",
        columns=(name,) if name else (),
        rows=tuple(rows),
        count=count,
        of=of,
        unit="cells" if name else "rows",
        found=f"{count:,} of {of:,} {'cells' if name else 'rows'} break the contract: {REASONS[reason]}.",
        why="Their rows would be set aside at ingest, and were left out of everything else here.",
        todo="Repair them where the data is made, or change the contract if it asks for too much.",
    )
