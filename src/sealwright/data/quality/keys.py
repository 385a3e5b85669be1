"""Rows as numbers: equal rows have equal keys, so that copies are found by sorting numbers.

A key is 64 bits mixed from all values of a row. Among a million different rows, the chance that any two
share a key is about 3 in 100 million; keys find copies and fix an order, they prove nothing.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = ["Keys", "mixed", "repeats_of", "row_digests", "row_keys", "value_keys"]

Keys = NDArray[np.uint64]

_NULL = np.uint64(0x9E3779B97F4A7C15)
_ONE = np.uint64(0xBF58476D1CE4E5B9)
_TWO = np.uint64(0x94D049BB133111EB)


def row_keys(table: Any, columns: Sequence[str]) -> Keys:
    """A key per row over `columns`; equal rows have equal keys, whatever the order of the columns.

    Parameters
    ----------
    table : pa.Table
    columns : sequence of str
        The columns that count. Missing (null or NaN) equals missing, -0.0 equals 0.0.

    Returns
    -------
    uint64 array, shape (rows,)
    """
    keys = np.zeros(table.num_rows, dtype=np.uint64)
    for name in sorted(columns):
        keys = mixed(keys ^ value_keys(table.column(name)))
    return keys


def repeats_of(keys: Keys) -> NDArray[np.bool_]:
    """True for every row whose key an earlier row has: bool array, shape (rows,)."""
    order = np.argsort(keys, kind="stable")
    again = np.zeros(keys.size, dtype=np.bool_)
    again[order[1:]] = keys[order[1:]] == keys[order[:-1]]
    return again


def row_digests(table: Any) -> list[str]:
    """The key of each row over all columns of a table, as 16 hex digits: what `drop_rows` of a recipe names rows by.

    Content has it, not position: the same row in another snapshot of the contract has the same one. It is no secret
    and no proof; who knows a row can compute it.
    """
    return [f"{key:016x}" for key in row_keys(table, table.column_names).tolist()]


def value_keys(column: Any) -> Keys:
    """A key per cell of a chunked column: uint64 array, shape (rows,)."""
    column = _plain(column)
    absent = pc.is_null(column, nan_is_null=True).to_numpy().astype(bool)
    if pa.types.is_integer(column.type) or pa.types.is_boolean(column.type):
        filled = pc.fill_null(column.cast(pa.int64(), safe=False), 0).to_numpy()
        keys = mixed(filled.astype(np.int64).view(np.uint64))
    elif pa.types.is_floating(column.type):
        filled = pc.fill_null(column.cast(pa.float64()), 0.0).to_numpy() + 0.0
        keys = mixed(filled.view(np.uint64))
    else:
        encoded = pc.fill_null(column.cast(pa.large_string()), "").dictionary_encode().combine_chunks()
        distinct = np.array([_text_key(value) for value in encoded.dictionary.to_pylist()], dtype=np.uint64)
        keys = distinct[encoded.indices.to_numpy(zero_copy_only=False)] if distinct.size else np.zeros(0, np.uint64)
    return np.where(absent, _NULL, keys)


def mixed(keys: Keys) -> Keys:
    """The finaliser of splitmix64: every input bit reaches every output bit."""
    with np.errstate(over="ignore"):
        keys = (keys ^ (keys >> np.uint64(30))) * _ONE
        keys = (keys ^ (keys >> np.uint64(27))) * _TWO
        return keys ^ (keys >> np.uint64(31))


def _plain(column: Any) -> Any:
    """Dictionary columns as their values, so that two encodings of one column are one."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _text_key(text: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little"))
