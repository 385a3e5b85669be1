"""Parquet and Arrow files: typed columns, read batch after batch. Of Parquet, a row group is in memory at a time.

Answers: which rows and types does the file hold?
Does not answer: whether a type fits the contract. That is `cast`.
A file from elsewhere is not trusted: each Arrow batch is validated before its buffers are used.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sealwright.data.errors import SourceUnreadable
from sealwright.data.names import check_column_names
from sealwright.data.sources.files import hash_open_file
from sealwright.data.sources.model import SourceBatch, SourceSpec, Transport
from sealwright.data.sources.stored import Stored

__all__ = ["ArrowFile", "ParquetFile", "parquet_batches", "readable_type"]

_ROWS = 65_536


def readable_type(kind: Any) -> bool:
    """Whether a column of this Arrow type can be put under a contract: flat, and not raw bytes or a duration."""
    if pa.types.is_dictionary(kind):
        return readable_type(kind.value_type)
    tests: tuple[Callable[[Any], bool], ...] = (
        pa.types.is_null,
        pa.types.is_boolean,
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_decimal,
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_string_view,
        pa.types.is_date,
        pa.types.is_timestamp,
    )
    return any(test(kind) for test in tests)


class _TypedFile(ABC):
    """What Parquet and Arrow files share: one open file, hashed first, unchanged at the end."""

    kind = ""
    decimal = "."

    def __init__(self, stored: Stored, spec: SourceSpec) -> None:
        self.stored, self.spec, self.name = stored, spec, stored.name
        self.notes: tuple[str, ...] = ()
        self.share = 0.0
        self._digest = ""
        with stored.open() as opened:
            schema, has_rows = self._look(opened.stream)
        self.columns = check_column_names(schema.names, what=self.name)
        self.unreadable = {field.name: str(field.type) for field in schema if not readable_type(field.type)}
        if not has_rows:
            raise SourceUnreadable(f"{self.name} has no rows. There is nothing to learn from.")

    @property
    def transport(self) -> Transport:
        return self.stored.transport

    @property
    def digest(self) -> str:
        if not self._digest:
            with self.stored.open() as opened:
                self._digest = hash_open_file(opened.stream)
        return self._digest

    def batches(self, only: Collection[str] | None = None) -> Iterator[SourceBatch]:
        wanted = [name for name in self.columns if (name not in self.unreadable if only is None else name in only)]
        refused = [f"{name} ({self.unreadable[name]})" for name in wanted if name in self.unreadable]
        if refused:
            raise SourceUnreadable(
                f"{self.name} has columns of a kind that is not read: {', '.join(refused[:10])}.\n"
                "Flatten them, or set role: ignore in the contract."
            )
        with self.stored.open() as opened:
            stream, size = opened.stream, max(1, opened.size)
            digest = hash_open_file(stream)
            seen = 0
            for batch in self._checked(stream, wanted):
                numbers = np.arange(seen + 1, seen + batch.num_rows + 1, dtype=np.int64)
                seen += batch.num_rows
                self.share = stream.tell() / size
                yield SourceBatch(batch, numbers)
            self._digest = digest
        self.share = 1.0

    def _checked(self, stream: BinaryIO, wanted: list[str]) -> Iterator[Any]:
        """Batches in the order of the file's columns, with Arrow's errors in our words."""
        try:
            for batch in self._read(stream, wanted):
                batch.validate(full=True)
                yield batch
        except (pa.ArrowException, OSError, KeyError, UnicodeDecodeError) as error:
            raise self._broken(error) from None

    def _broken(self, error: Exception) -> SourceUnreadable:
        if "encrypted" in str(error).lower():
            return SourceUnreadable(f"{self.name} is encrypted with keys of another program. Give a readable copy.")
        return SourceUnreadable(
            f"{self.name} is not a whole {self.kind.capitalize()} file ({type(error).__name__}): cut, damaged,"
            " or another format."
        )

    @abstractmethod
    def _look(self, stream: BinaryIO) -> tuple[Any, bool]:
        """The schema, and whether there is any row."""

    @abstractmethod
    def _read(self, stream: BinaryIO, wanted: list[str]) -> Iterator[Any]:
        """Batches of these columns, as Arrow gives them, with its errors."""


class ParquetFile(_TypedFile):
    """One Parquet file."""

    kind = "parquet"

    def _look(self, stream: BinaryIO) -> tuple[Any, bool]:
        try:
            if stream.read(4) not in {b"PAR1", b"PARE"}:  # Arrow looks at the end only, where a ZIP can hide one
                raise pa.ArrowInvalid("magic")
            file = pq.ParquetFile(stream)
            return file.schema_arrow, file.metadata.num_rows > 0
        except (pa.ArrowException, OSError) as error:
            raise self._broken(error) from None

    def _read(self, stream: BinaryIO, wanted: list[str]) -> Iterator[Any]:
        yield from parquet_batches(pq.ParquetFile(stream), _ROWS, wanted)


def parquet_batches(file: Any, rows: int, columns: list[str]) -> Iterator[Any]:
    """Batches of at most `rows` rows, a few row groups at a time.

    Asked for all groups at once, Arrow keeps what it read of each until the last one is done.
    """
    groups: list[int] = []
    waiting = 0
    for number in range(file.num_row_groups):
        groups.append(number)
        waiting += file.metadata.row_group(number).num_rows
        if waiting >= rows or number + 1 == file.num_row_groups:
            yield from file.iter_batches(batch_size=rows, row_groups=groups, columns=columns)
            groups, waiting = [], 0


class ArrowFile(_TypedFile):
    """One Arrow IPC file or stream (also Feather version 2)."""

    kind = "arrow"

    def _look(self, stream: BinaryIO) -> tuple[Any, bool]:
        try:
            reader = self._reader(stream)
            return reader.schema, any(batch.num_rows for batch in self._each(reader))
        except (pa.ArrowException, OSError) as error:
            raise self._broken(error) from None

    def _read(self, stream: BinaryIO, wanted: list[str]) -> Iterator[Any]:
        for batch in self._each(self._reader(stream)):
            for start in range(0, batch.num_rows, _ROWS):
                yield batch.select(wanted).slice(start, _ROWS)

    def _reader(self, stream: BinaryIO) -> Any:
        stream.seek(0)
        is_file = stream.read(6) == b"ARROW1"
        stream.seek(0)
        return pa.ipc.open_file(stream) if is_file else pa.ipc.open_stream(stream)

    def _each(self, reader: Any) -> Iterator[Any]:
        if isinstance(reader, pa.ipc.RecordBatchFileReader):
            yield from (reader.get_batch(place) for place in range(reader.num_record_batches))
        else:
            yield from reader
