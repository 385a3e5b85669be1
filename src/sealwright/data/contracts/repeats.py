"""Values that come again: a key is looked at over the whole table, in memory that does not grow with its texts.

Answers: in which rows stands a value, or a combination of values, that stood in an earlier row?
Does not answer: which of the two is wrong. The first one counts as right.
Whole numbers, dates and doubles are kept as they are, 8 bytes a row. Texts and keys of several columns are kept as 128
bits of four hashes, 16 bytes a row: that any two of a thousand million different values meet has a chance below 10^-20, and
nobody can prepare values that do, since the multipliers are new in every check.

The hash is the multiply-shift of vectors: (b + sum of a_i x_i) / 2^32, the sum modulo 2^64, is the same for two vectors with a
chance of 2^-32 (Dietzfelbinger 1996, doi:10.1007/3-540-60922-9_46; Thorup 2015, arXiv:1504.06804, section 3.5).
"""

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sealwright.data.cells import Mask

__all__ = ["Repeats"]

Words = NDArray[np.uint64]

_NUMBERS = {pa.int64(), pa.float64(), pa.date32(), pa.bool_()}
_HASHES = 4
_LONGEST = 1_024  # bytes of a text that are hashed together with those of others
_AT_ONCE = 1 << 20  # bytes


class Repeats:
    """One key, taken in batch after batch."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._lot = np.random.default_rng(secrets.randbits(128))
        self._for_texts, self._for_columns = self._drawn(_LONGEST // 4 + 1), self._drawn(0)
        self._keys: list[Words] = []
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
        keys = np.concatenate(self._keys)
        first = np.sort(keys[:, 0])
        if (first[1:] != first[:-1]).all():
            return np.empty(0, np.int64)
        order = np.lexsort(keys.T)  # equal ones stay in the order of the rows
        again = (keys[order[1:]] == keys[order[:-1]]).all(axis=1)
        return np.sort(np.concatenate(self._places)[order[1:][again]])

    def _span(self, rows: int) -> NDArray[np.int64]:
        return np.arange(self._seen, self._seen + rows, dtype=np.int64)

    def _key(self, columns: Sequence[Any]) -> Words:
        """Shape (rows, 1) for one column of numbers, else (rows, 2)."""
        if len(columns) == 1 and columns[0].type in _NUMBERS:
            return _as_they_are(columns[0])[:, None]
        words = np.concatenate(
            [_halves(_as_they_are(one)) if one.type in _NUMBERS else self._of_texts(one) for one in columns], axis=1
        )
        if len(columns) > 1:
            if not self._keys:
                self._for_columns = self._drawn(words.shape[1])
            words = _shifted(words @ self._for_columns[:, :-1].T, self._for_columns)
        key: Words = words[:, ::2] << np.uint64(32) | words[:, 1::2]
        return key

    def _drawn(self, most: int) -> Words:
        """Multipliers for vectors of at most so many numbers, and what is added: shape (4, most + 1)."""
        lot: Words = self._lot.integers(2**64, size=(_HASHES, most + 1), dtype=np.uint64)
        return lot

    def _of_texts(self, column: Any) -> Words:
        """Four hashes of each text, shape (rows, 4)."""
        if not pa.types.is_large_binary(column.type):
            column = (column if pa.types.is_binary(column.type) else column.cast(pa.large_string())).cast(
                pa.large_binary()
            )
        lengths = pc.binary_length(column).to_numpy(zero_copy_only=False)
        long = lengths > _LONGEST
        if long.any():
            digests = [self._digest(text.as_py()) for text in column.filter(pa.array(long))]
            column = pc.replace_with_mask(column, pa.array(long), pa.array(digests, pa.large_binary()))
        parts = [self._of_short(*part) for part in _parts(column)]
        return np.concatenate(parts) if parts else np.empty((0, _HASHES), np.uint64)

    def _of_short(self, data: NDArray[np.uint8], lengths: NDArray[np.int64]) -> Words:
        """Four bytes are one number; zeros fill up, and the length, which tells them apart, is one more."""
        width = max(1, -(-int(lengths.max()) // 4))
        padded = np.zeros((lengths.size, 4 * width), np.uint8)
        padded[np.arange(4 * width) < lengths[:, None]] = data
        numbers = padded.view("<u4").astype(np.uint64)
        *_, of_length, _ = self._for_texts.T
        sums = numbers @ self._for_texts[:, :width].T + lengths[:, None].astype(np.uint64) * of_length
        return _shifted(sums, self._for_texts)

    def _digest(self, text: bytes) -> bytes:
        return hashlib.blake2b(text, key=self._secret, digest_size=32).digest()


def _shifted(sums: Words, multipliers: Words) -> Words:
    return np.asarray((sums + multipliers[:, -1]) >> np.uint64(32))


def _as_they_are(column: Any) -> Words:
    """Equal numbers as equal 64 bits: 0.0 and -0.0, and every NaN."""
    if pa.types.is_floating(column.type):
        values = column.to_numpy(zero_copy_only=False) + 0.0
        return np.where(np.isnan(values), np.nan, values).view(np.uint64)
    whole: NDArray[np.int64] = column.cast(pa.int32() if pa.types.is_date(column.type) else pa.int64()).to_numpy(
        zero_copy_only=False
    )
    return whole.astype(np.int64).view(np.uint64)


def _halves(values: Words) -> Words:
    return np.stack([values >> np.uint64(32), values & np.uint64(0xFFFFFFFF)], axis=1)


def _parts(column: Any) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """Bytes of some texts at a time, and how long each of them is."""
    _, places, text = column.buffers()
    if not len(column):
        return
    offsets = np.frombuffer(places, np.int64)[column.offset : column.offset + len(column) + 1]
    data = np.frombuffer(text, np.uint8) if text is not None else np.empty(0, np.uint8)
    start = 0
    while start < len(column):
        end = max(start + 1, int(np.searchsorted(offsets, offsets[start] + _AT_ONCE, side="right")) - 1)
        here = offsets[start : end + 1]
        yield data[here[0] : here[-1]], np.diff(here)
        start = end
