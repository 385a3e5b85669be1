"""The rows that two tables have in common by their key: what an upsert replaces and a delete takes out.

Answers: which rows of this table have a key that is in that set?
Does not answer: what happens to them.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = ["RowKeys", "keys_of"]

_BETWEEN = "\x1f"
_ESCAPED = "\x1e"


def keys_of(table: Any) -> Any:
    """One text for each row of the key columns, different for different keys: pa.ChunkedArray of string."""
    parts = [_escaped(pc.cast(column, pa.string())) for column in table.columns]
    return parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, _BETWEEN)


class RowKeys:
    """A growing set of keys."""

    def __init__(self) -> None:
        self._chunks: list[Any] = []
        self._all: Any = None
        self.rows = 0  # how many were added, repeated ones too

    def add(self, table: Any) -> None:
        """Take in the keys of a table of the key columns, in their order."""
        if table.num_rows:
            self._chunks += keys_of(table).chunks
            self.rows += table.num_rows
            self._all = None

    @property
    def distinct(self) -> int:
        return len(self._set())

    def among(self, table: Any) -> NDArray[np.bool_]:
        """Which rows of a table of the key columns are in the set: bool array, shape (n,)."""
        found = pc.is_in(keys_of(table), value_set=self._set())
        return np.asarray(found.to_numpy(), dtype=np.bool_)

    def _set(self) -> Any:
        if self._all is None:
            self._all = pc.unique(pa.chunked_array(self._chunks or [[]], pa.string()))
        return self._all


def _escaped(column: Any) -> Any:
    """So that no value can look like the border between two."""
    column = pc.replace_substring(column, _ESCAPED, _ESCAPED + "0")
    return pc.replace_substring(column, _BETWEEN, _ESCAPED + "1")
