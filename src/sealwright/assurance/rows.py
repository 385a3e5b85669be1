"""Rows as identities: one order that does not depend on the file, equal rows, digests of content.

A row's key is 64 bits mixed from all its values. Among a million different rows, the chance that any
two share a key is about 3 in 100 million; keys find duplicates and fix the order, they prove nothing.
The digest of a table is SHA-256 over its content in that order.
"""

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sealwright.data.quality import row_keys

__all__ = ["in_fixed_order", "row_keys", "table_digest"]


def in_fixed_order(table: pa.Table) -> pa.Table:
    """The same rows in an order that follows from their content only."""
    return table.take(pa.array(np.argsort(row_keys(table, table.column_names), kind="stable")))


def table_digest(*ordered: pa.Table) -> str:
    """Digest of the content of tables whose rows are in a fixed order; the order of columns does not count."""
    running = hashlib.sha256()
    for table in ordered:
        running.update(f"{table.num_rows}\n".encode())
        for name in sorted(table.column_names):
            column = table.column(name)
            values = _plain(column)
            nulls = pc.is_null(values).to_numpy().astype(np.uint8)
            lengths, text = _text_bytes(pc.fill_null(values.cast(pa.large_string()), "").combine_chunks())
            for part in (name.encode(), str(values.type).encode(), nulls.tobytes(), lengths, text):
                running.update(len(part).to_bytes(8, "little"))
                running.update(part)
    return "sha256:" + running.hexdigest()


def _text_bytes(array: pa.Array) -> tuple[bytes, memoryview]:
    """The lengths of the texts, and the texts one after the other."""
    _, offsets_buffer, text_buffer = array.buffers()
    if len(array) == 0 or text_buffer is None:
        return bytes(8 * len(array)), memoryview(b"")
    offsets = np.frombuffer(offsets_buffer, dtype="<i8")[array.offset : array.offset + len(array) + 1]
    return np.diff(offsets).tobytes(), memoryview(text_buffer)[offsets[0] : offsets[-1]]


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Dictionary columns as their values, so that two encodings of one column are one."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
