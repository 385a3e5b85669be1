"""Rows as identities: one order that does not depend on the file, equal rows, digests of content.

A row's key is 64 bits mixed from all its values. Among a million different rows, the chance that any
two share a key is about 3 in 100 million; keys find duplicates and fix the order, they prove nothing.
The digest of a table is SHA-256 over its content in that order.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = ["in_fixed_order", "row_keys", "table_digest"]

Keys = NDArray[np.uint64]

_NULL = np.uint64(0x9E3779B97F4A7C15)
_ONE = np.uint64(0xBF58476D1CE4E5B9)
_TWO = np.uint64(0x94D049BB133111EB)


def row_keys(table: pa.Table, columns: Sequence[str]) -> Keys:
    """A key per row over `columns`; equal rows have equal keys, whatever the order of the columns."""
    keys = np.zeros(table.num_rows, dtype=np.uint64)
    for name in sorted(columns):
        keys = _mixed(keys ^ _value_keys(table.column(name)))
    return keys


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


def _value_keys(column: pa.ChunkedArray) -> Keys:
    column = _plain(column)
    absent = pc.is_null(column, nan_is_null=True).to_numpy().astype(bool)
    if pa.types.is_integer(column.type) or pa.types.is_boolean(column.type):
        filled = pc.fill_null(column.cast(pa.int64(), safe=False), 0).to_numpy()
        keys = _mixed(filled.astype(np.int64).view(np.uint64))
    elif pa.types.is_floating(column.type):
        filled = pc.fill_null(column.cast(pa.float64()), 0.0).to_numpy() + 0.0
        keys = _mixed(filled.view(np.uint64))
    else:
        encoded = pc.fill_null(column.cast(pa.large_string()), "").dictionary_encode().combine_chunks()
        distinct = np.array([_text_key(value) for value in encoded.dictionary.to_pylist()], dtype=np.uint64)
        keys = distinct[encoded.indices.to_numpy(zero_copy_only=False)] if distinct.size else np.zeros(0, np.uint64)
    return np.where(absent, _NULL, keys)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Dictionary columns as their values, so that two encodings of one column are one."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _text_key(text: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little"))


def _mixed(keys: Keys) -> Keys:
    """The finaliser of splitmix64: every input bit reaches every output bit."""
    with np.errstate(over="ignore"):
        keys = (keys ^ (keys >> np.uint64(30))) * _ONE
        keys = (keys ^ (keys >> np.uint64(27))) * _TWO
        return keys ^ (keys >> np.uint64(31))
