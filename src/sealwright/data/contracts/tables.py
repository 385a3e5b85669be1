"""Anything a pipeline holds, as a source: a path, an Arrow table, a data frame of another library.

Answers: which columns and rows does this object have?
Does not answer: what they mean. Data frames are taken over by the Arrow interface they offer (`__arrow_c_stream__`
or `to_arrow`), so no library is imported for them; what such an object calls missing (NaN in pandas) is missing here.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sealwright.data.contracts.cells import is_ascii
from sealwright.data.contracts.model import Contract
from sealwright.data.errors import SourceUnreadable
from sealwright.data.names import check_column_names
from sealwright.data.source_spec import FileSource, S3Source, SqlSource
from sealwright.data.sources import Source, SourceBatch, open_source
from sealwright.data.sources.columnar import ParquetFile, parquet_batches, readable_type
from sealwright.data.sources.model import Transport
from sealwright.data.sources.stored import Stored

__all__ = ["BATCH_ROWS", "TableSource", "refuse_broken", "source_of"]

BATCH_ROWS = 131_072

_TYPED = (".parquet", ".pq", ".arrow", ".feather", ".ipc", ".arrows", ".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")


def source_of(data: Any, contract: Contract) -> Source:
    """A source for a path, a `FileSource`, `SqlSource` or `S3Source`, an Arrow object or a data frame.

    Raises
    ------
    SourceUnreadable
        The file cannot be read, or the object offers no Arrow interface.
    ColumnsUnusable
        Repeated or unprintable column names.
    """
    if isinstance(data, (str, Path)):
        data = str(data) if str(data).lower().endswith(_TYPED) else contract.csv.of(str(data))
    if isinstance(data, (str, FileSource, SqlSource, S3Source)):
        opened = open_source(data, Path())
        if isinstance(opened, ParquetFile):
            return _DictionaryParquet(opened.stored, opened.spec, contract)
        return opened
    if hasattr(data, "batches") and hasattr(data, "columns") and hasattr(data, "digest"):
        return data  # type: ignore[no-any-return]  # a Source already
    return TableSource(data)


class TableSource:
    """A table in memory, or a stream of record batches that is read once."""

    kind = "memory"
    decimal = "."
    digest = ""
    transport = Transport(encrypted=False, how="in memory")

    def __init__(self, data: Any) -> None:
        self.spec = ""
        self.notes: tuple[str, ...] = ()
        self.share = 0.0
        self.name = f"{type(data).__module__.partition('.')[0]} {type(data).__name__}"
        self._reader = _reader(data)
        schema = self._reader.schema
        index = _index_columns(schema)
        self.columns = check_column_names([name for name in schema.names if name not in index], what=self.name)
        self.unreadable: Mapping[str, str] = {
            field.name: str(field.type) for field in schema if not readable_type(field.type)
        }
        if index:
            self.notes = ("the index of the data frame is no column and was not looked at",)

    def batches(self, only: Collection[str] | None = None) -> Iterator[SourceBatch]:
        wanted = [name for name in self.columns if (name not in self.unreadable if only is None else name in only)]
        seen = 0
        for found in self._stream():
            batch = found.select(wanted)
            for start in range(0, batch.num_rows, BATCH_ROWS):
                part = batch.slice(start, BATCH_ROWS)
                numbers = np.arange(seen + 1, seen + part.num_rows + 1, dtype=np.int64)
                seen += part.num_rows
                yield SourceBatch(part, numbers)
        self.share = 1.0

    def _stream(self) -> Iterator[Any]:
        try:
            yield from self._reader
        except (pa.ArrowException, OSError) as error:
            raise SourceUnreadable(f"The {self.name} broke off while it was read ({type(error).__name__}).") from None


class _DictionaryParquet(ParquetFile):
    """A Parquet file whose categories stay dictionaries, so that each different value is judged once."""

    def __init__(self, stored: Stored, spec: Any, contract: Contract) -> None:
        super().__init__(stored, spec)
        self._listed = [
            name
            for name in self.columns
            if name in contract.columns and contract.columns[name].type == "category" and name not in self.unreadable
        ]

    def _read(self, stream: Any, wanted: list[str]) -> Iterator[Any]:
        file = pq.ParquetFile(stream, read_dictionary=[name for name in self._listed if name in wanted])
        yield from parquet_batches(file, BATCH_ROWS, wanted)


def _reader(data: Any) -> pa.RecordBatchReader:
    """The object as a stream of record batches of one schema."""
    if isinstance(data, pa.RecordBatch):
        data = pa.Table.from_batches([data])
    if isinstance(data, pa.RecordBatchReader):
        return data
    try:
        return _offered(data)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, ValueError, TypeError, OverflowError):
        if not hasattr(data, "columns") or not hasattr(data, "__getitem__"):
            raise _strange(data) from None
    return _column_by_column(data)


def _offered(data: Any) -> pa.RecordBatchReader:
    if isinstance(data, pa.Table):
        return data.to_reader()
    if hasattr(data, "to_arrow") and not hasattr(data, "__arrow_c_stream__"):
        return _offered(data.to_arrow())
    if hasattr(data, "__arrow_c_stream__"):
        return pa.RecordBatchReader.from_stream(data)
    raise _strange(data)


def _column_by_column(frame: Any) -> pa.RecordBatchReader:
    """A data frame with a column of mixed values: those become the text of each cell, the others stay as they are."""
    names = check_column_names([str(name) for name in frame.columns], what="The data frame")
    arrays = [_one_column(frame[name]) for name in frame.columns]
    return pa.table(dict(zip(names, arrays, strict=True))).to_reader()


def _one_column(values: Any) -> Any:
    try:
        found = pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError, TypeError, UnicodeError):
        found = pa.array([_as_text(cell) for cell in values], pa.string())
    return found


def _as_text(cell: Any) -> str | None:
    """The text of a cell; None and what is not equal to itself (NaN, NaT) are missing."""
    try:
        missing = cell is None or not bool(cell == cell)
    except TypeError:
        missing = True  # pandas.NA is neither equal nor not
    except ValueError:
        missing = False
    return None if missing else str(cell).encode(errors="replace").decode()


def _index_columns(schema: Any) -> set[str]:
    """Columns that only carry the index of a pandas data frame."""
    named = (schema.pandas_metadata or {}).get("index_columns", [])
    return {name for name in named if isinstance(name, str)}


def refuse_broken(column: Any, name: str) -> None:
    """Buffers from elsewhere are looked at before they are used: a text that is no UTF-8 is no text.

    Raises
    ------
    SourceUnreadable
        The bytes of the column are not what its type says.
    """
    plain = column.dictionary if pa.types.is_dictionary(column.type) else column
    try:
        column.validate()
        if not pa.types.is_string(plain.type) or not is_ascii(plain):
            plain.validate(full=True)
    except pa.ArrowInvalid:
        raise SourceUnreadable(
            f"The {name} holds columns whose bytes are not what their type says (text that is not UTF-8, or broken"
            " offsets).\nRead the data anew with its right encoding."
        ) from None


def _strange(data: Any) -> SourceUnreadable:
    return SourceUnreadable(
        f"A {type(data).__name__} is no table we can read.\n"
        "Give a path, a pyarrow Table or record batches, or a data frame with the Arrow interface (polars, pandas ≥ 2.2)."
    )
