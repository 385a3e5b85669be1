"""Values that come again: a key is looked at over the whole table, in memory that does not grow with its texts.

Answers: in which rows stands a value, or a combination of values, that stood in an earlier row?
Does not answer: which of the two is wrong. The first one counts as right.
Whole numbers, dates and doubles are kept as they are, 8 bytes a row. Texts and keys of several columns are kept as two
64-bit hashes under random seeds, 16 bytes a row: that two different values meet in both has, for a thousand million
rows, a chance below 10^-20, and nobody can prepare such values, since the seeds are new in every check.
"""

import secrets
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from sealwright.data.cells import Mask

__all__ = ["Repeats"]

_NUMBERS = {pa.int64(), pa.float64(), pa.date32(), pa.bool_()}


class Repeats:
    """One key, taken in batch after batch."""

    def __init__(self) -> None:
        self._seeds = (secrets.randbits(63), secrets.randbits(63))
        self._keys: list[pl.DataFrame] = []
        self._places: list[NDArray[np.int64]] = []
        self._seen = 0

    def add(self, columns: Sequence[Any], unread: Mask | None) -> None:
        """Take in the key's columns for the next rows; a row with an empty or unreadable part has no key."""
        plain = [one.dictionary_decode() if pa.types.is_dictionary(one.type) else one for one in columns]
        whole = np.ones(len(plain[0]), dtype=np.bool_) if unread is None else ~unread
        for one in plain:
            if one.null_count:
                whole &= one.is_valid().to_numpy(zero_copy_only=False)
        complete = bool(whole.all())
        if not complete:
            plain = [one.filter(pa.array(whole)) for one in plain]
        self._keys.append(self._key(plain))
        self._places.append(np.flatnonzero(whole) + self._seen if not complete else self._span(len(whole)))
        self._seen += len(whole)

    def places(self) -> NDArray[np.int64]:
        """0-based places, in the order of the rows taken in, of every row whose key stood in an earlier row."""
        if not self._keys:
            return np.empty(0, np.int64)
        keys = pl.concat(self._keys, rechunk=True)
        if keys.n_unique() == keys.height:
            return np.empty(0, np.int64)
        first = keys.select(pl.struct(pl.all()).is_first_distinct()).to_series().to_numpy()
        places: NDArray[np.int64] = np.concatenate(self._places)[~first]
        return places

    def _span(self, rows: int) -> NDArray[np.int64]:
        return np.arange(self._seen, self._seen + rows, dtype=np.int64)

    def _key(self, columns: Sequence[Any]) -> pl.DataFrame:
        if len(columns) == 1 and columns[0].type in _NUMBERS:
            return pl.DataFrame({"a": columns[0]})
        frame = pl.DataFrame({str(place): pl.Series(one) for place, one in enumerate(columns)})
        hashed = [frame.hash_rows(seed=seed) for seed in self._seeds]
        return pl.DataFrame({"a": hashed[0], "b": hashed[1]})
