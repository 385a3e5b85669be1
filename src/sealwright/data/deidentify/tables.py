"""Tables in and out of files: a file that is measured, the bytes of an extract."""

import io
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from sealwright.data.sources import open_source
from sealwright.kernel import FORMULA_START, NUMBER, InvalidInput, csv_cell

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
    """A table as the bytes of a .csv or .parquet file.

    In the CSV no text can be a formula (`kernel.writing_csv`); for texts exactly as they are, take Parquet.
    """
    buffer = io.BytesIO()
    if ending == ".csv":
        pcsv.write_csv(_as_text_only(table), buffer)
    else:
        pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _as_text_only(table: pa.Table) -> pa.Table:
    """The table with an apostrophe before names and texts that a spreadsheet would run."""
    for at, name in enumerate(table.column_names):
        column = table[name]
        if pa.types.is_dictionary(column.type):
            column = pc.cast(column, column.type.value_type)
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            risky = pc.and_(
                pc.match_substring_regex(column, FORMULA_START), pc.invert(pc.match_substring_regex(column, NUMBER))
            )
            column = pc.if_else(risky, pc.binary_join_element_wise(pa.scalar("'", column.type), column, ""), column)
            table = table.set_column(at, name, column)
    return table.rename_columns([csv_cell(name) for name in table.column_names])


def _as_numbers(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text in which every cell is a number or empty, as numbers; else as it is."""
    if not pa.types.is_string(values.type):
        return values
    cells = pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)
    try:
        return pc.cast(cells, pa.float64())
    except pa.ArrowInvalid:
        return values
