"""Tables in and out of files: a file that is measured, the bytes of an extract."""

import io
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from sealwright.data.sources import open_source
from sealwright.kernel import InvalidInput

__all__ = ["table_bytes", "table_of_file"]


def table_of_file(path: Path, quasi: Sequence[str], sensitive: Sequence[str]) -> tuple[str, pa.Table]:
    """Some columns of a CSV, Parquet or Arrow file, and the file's name. Columns that are not there are left out.

    Sensitive texts that are all numbers are numbers here, so that they are compared by rank.

    Raises
    ------
    SourceUnreadable, InvalidInput
        The file cannot be read, or has no rows.
    """
    source = open_source(str(path), Path())
    here = [name for name in dict.fromkeys([*quasi, *sensitive]) if name in source.columns]
    if not here:
        return source.name, pa.table({name: [] for name in source.columns})
    batches = [batch.rows.select(here) for batch in source.batches(here)]
    if not batches:
        raise InvalidInput(f"{source.name} has no rows to measure.")
    table = pa.Table.from_batches(batches)
    for name in set(sensitive) & set(here):
        table = table.set_column(table.column_names.index(name), name, _as_numbers(table[name]))
    return source.name, table


def table_bytes(table: pa.Table, ending: str) -> bytes:
    """A table as the bytes of a .csv or .parquet file."""
    buffer = io.BytesIO()
    if ending == ".csv":
        pcsv.write_csv(table, buffer)
    else:
        pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _as_numbers(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text in which every cell is a number or empty, as numbers; else as it is."""
    if not pa.types.is_string(values.type):
        return values
    cells = pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)
    try:
        return pc.cast(cells, pa.float64())
    except pa.ArrowInvalid:
        return values
