"""A sample of rows from a stream of unknown length: every row has the same chance, whatever the batches.

Each row draws a random number, and those with the smallest stay (bottom-k sampling). The same seed and the same rows give
the same sample.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["RowSample"]


class RowSample:
    """At most `size` rows; texts cut to `most_characters`."""

    def __init__(self, size: int, *, most_characters: int, seed: int) -> None:
        self._size, self._most = size, most_characters
        self._random = np.random.default_rng(seed)
        self._keys: list[Any] = []
        self._parts: list[Any] = []
        self._limit = 1.0  # no row with a larger number can still come in
        self.rows = 0  # seen
        self.cut: dict[str, int] = {}

    def add(self, batch: Any) -> None:
        """Let the rows of a record batch draw."""
        keys = self._random.random(batch.num_rows)
        self.rows += batch.num_rows
        places = np.flatnonzero(keys < self._limit)
        if len(places) > self._size:
            places = np.sort(places[np.argpartition(keys[places], self._size - 1)[: self._size]])
        if not len(places):
            return
        self._parts.append(self._shortened(batch.take(pa.array(places))))
        self._keys.append(keys[places])
        if sum(map(len, self._keys)) >= 2 * self._size:
            self._compact()

    def table(self) -> Any:
        """The sampled rows, in their order; None if there was no row."""
        self._compact()
        return pa.Table.from_batches(self._parts) if self._parts else None

    def _compact(self) -> None:
        keys = np.concatenate(self._keys) if self._keys else np.empty(0)
        if len(keys) <= self._size:
            return
        keep = np.sort(np.argpartition(keys, self._size - 1)[: self._size])
        kept = pa.Table.from_batches(self._parts).take(pa.array(keep)).combine_chunks()
        self._parts = kept.to_batches()
        self._keys = [keys[keep]]
        self._limit = float(keys[keep].max())

    def _shortened(self, rows: Any) -> Any:
        columns = []
        for name, column in zip(rows.schema.names, rows.columns, strict=True):
            if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                long = pc.sum(pc.greater(pc.binary_length(column), self._most)).as_py() or 0
                if long:
                    self.cut[name] = self.cut.get(name, 0) + long
                    column = pc.utf8_slice_codeunits(column, 0, self._most)
            columns.append(column)
        return pa.RecordBatch.from_arrays(columns, names=rows.schema.names)
