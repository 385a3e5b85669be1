"""The digest of a table's content: the same for the same values, wherever and however they were stored.

Answers: is this the same data, row for row?
Does not answer: is it the same file. File format, batch sizes, encryption and compression do not matter;
the order of rows, and names, types and order of columns do.

The rows are cut into blocks of 65,536 (the last may be shorter). In a block, each column is two sequences:
- shape: for text, the length of each value in bytes as int32, -1 for null; for other types, one byte a row, 1 or 0 for null;
- values: text as UTF-8 without separators, integers as int64, numbers as IEEE 754 double, booleans as one byte,
  dates as int32 days since 1970-01-01; little-endian; null takes zero bits (text: no bytes).
Block digest = SHA-256 of all columns' SHA-256(shape) and SHA-256(values), in order.
Content digest = SHA-256 of canonical JSON {"algorithm", "blocks": [hex…], "columns": [[name, type]…], "rows"}.
A snapshot made from another one keeps files as they are, so there a block also ends with each file ("…-parts-v1").
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sealwright.data.formats import CONTENT_ALGORITHM, content_digest

__all__ = ["BLOCK_ROWS", "ContentDigest"]

BLOCK_ROWS = 65_536

_NAMES = {
    pa.int64(): "integer",
    pa.float64(): "number",
    pa.bool_(): "boolean",
    pa.date32(): "date",
    pa.string(): "text",
    pa.binary(): "bytes",
}


class ContentDigest:
    """A running digest over record batches of one schema, in any batch sizes."""

    def __init__(self, schema: Any) -> None:
        self._columns = [(field.name, _NAMES[field.type]) for field in schema]
        self.blocks: list[str] = []
        self.rows = 0
        self._start_block()

    def update(self, batch: Any) -> None:
        """Take in the next rows."""
        start = 0
        while start < batch.num_rows:
            part = batch.slice(start, min(batch.num_rows - start, BLOCK_ROWS - self._in_block))
            for (shape, values), column in zip(self._states, part.columns, strict=True):
                _feed(shape, values, column)
            start += part.num_rows
            self._in_block += part.num_rows
            if self._in_block == BLOCK_ROWS:
                self._end_block()
        self.rows += batch.num_rows

    @property
    def room(self) -> int:
        """How many rows the running block still takes."""
        return BLOCK_ROWS - self._in_block

    def end_block(self) -> None:
        """End the running block here: where a file ends, so that its blocks are its own."""
        if self._in_block:
            self._end_block()

    def digest(self) -> str:
        """Digest of everything taken in; call it once, at the end."""
        self.end_block()
        return content_digest(self.blocks, self._columns, self.rows, CONTENT_ALGORITHM)

    def _start_block(self) -> None:
        self._in_block = 0
        self._states: Sequence[tuple[Any, Any]] = [(hashlib.sha256(), hashlib.sha256()) for _ in self._columns]

    def _end_block(self) -> None:
        block = hashlib.sha256()
        for shape, values in self._states:
            block.update(shape.digest())
            block.update(values.digest())
        self.blocks.append(block.hexdigest())
        self._start_block()


def _feed(shape: Any, values: Any, column: Any) -> None:
    if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
        shape.update(_bytes(pc.fill_null(pc.binary_length(column), -1), "<i4"))
        nothing = "" if pa.types.is_string(column.type) else b""
        whole = pc.fill_null(column, nothing) if column.null_count else column
        values.update(_text_bytes(whole))
        return
    shape.update(_bytes(column.is_valid(), "u1"))
    if pa.types.is_boolean(column.type):
        values.update(_bytes(pc.fill_null(column, fill_value=False), "u1"))
    elif pa.types.is_date32(column.type):
        values.update(_bytes(pc.fill_null(pc.cast(column, pa.int32()), 0), "<i4"))
    else:
        kind = "<i8" if pa.types.is_integer(column.type) else "<f8"
        values.update(_bytes(pc.fill_null(column, 0), kind))


def _bytes(column: Any, kind: str) -> Any:
    return np.ascontiguousarray(column.to_numpy(zero_copy_only=False).astype(kind, copy=False))


def _text_bytes(column: Any) -> Any:
    """The UTF-8 of all values, one after the other, without copying."""
    if not len(column):
        return b""
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, dtype="<i4")[[column.offset, column.offset + len(column)]]
    return b"" if data is None else memoryview(data)[ends[0] : ends[1]]
