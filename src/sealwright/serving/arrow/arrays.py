"""The arrays of one record batch, taken from its buffers in their order.

Each takes its share and leaves the rest to the next; a share that is too short, or reaches out of the body, is refused.
Shares may overlap, so nothing is copied before it is known to be little: numbers stay where they were sent, and text is counted.
"""

import struct
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sealwright.kernel import SealwrightError

__all__ = ["Buffers", "Column", "Kind", "StreamRefused", "TextLeft", "column_of", "joined"]

Kind = Literal["null", "number", "bool", "days", "milliseconds", "text", "long text", "viewed text"]

_INLINE = 12  # bytes of a viewed text that stand in the view itself
_VIEW = struct.Struct("<i4xii")


class StreamRefused(SealwrightError):
    """Not an Arrow stream that is read here; the message says why, and holds no value of it."""

    code = "arrow.stream_refused"


class Column(NamedTuple):
    """One column: an array of numbers, or a list of text. `missing` says where there is none, or is None."""

    kind: Kind
    values: "NDArray[np.generic] | list[str]"
    missing: NDArray[np.bool_] | None


class TextLeft:
    """How many bytes of text a stream may still hold: each row may name the same bytes, so it could hold far more than was sent."""

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self, count: int) -> None:
        """Count text that is about to be read. Raises `StreamRefused`."""
        self._left -= count
        if self._left < 0:
            raise StreamRefused("It holds more text than was sent.")


class Buffers:
    """Hands out the buffers of a batch, one after the other."""

    def __init__(
        self,
        rows: int,
        nulls: Sequence[int],
        places: Sequence[tuple[int, ...]],
        views: Sequence[int],
        body: memoryview,
        text: TextLeft,
    ) -> None:
        """`places`: offset and length of each in `body`. `views`: how many further buffers each viewed column has."""
        self.rows, self._nulls, self._body, self.text = rows, iter(nulls), body, text
        self._places, self._views = iter(places), iter(views)

    def take(self, least: int = 0) -> memoryview:
        """The next buffer, which holds at least so many bytes."""
        place = next(self._places, None)
        if place is None:
            raise StreamRefused("A buffer is missing.")
        offset, length = place
        if not (0 <= offset <= len(self._body) and least <= length <= len(self._body) - offset):
            raise StreamRefused("A buffer is too short, or reaches out of its body.")
        return self._body[offset : offset + length]

    def further(self) -> list[memoryview]:
        """The buffers that a viewed column points into."""
        count = next(self._views, -1)
        if not 0 <= count <= self.rows:
            raise StreamRefused("A viewed column does not say how many buffers it has.")
        return [self.take() for _ in range(count)]

    def missing(self) -> NDArray[np.bool_] | None:
        """Where the next column has no value; None where it has all."""
        nulls, bits = next(self._nulls), self.take()
        if not 0 <= nulls <= self.rows or (nulls and len(bits) * 8 < self.rows):
            raise StreamRefused("A column does not say where its values are missing.")
        if not nulls:
            return None
        return ~_bits(bits, self.rows)

    def all_missing(self) -> NDArray[np.bool_]:
        """A column of nulls has no buffer."""
        next(self._nulls)
        return np.ones(self.rows, dtype=np.bool_)

    def all_used(self) -> None:
        """Refuse a batch with more buffers than its columns have."""
        if next(self._places, None) is not None or next(self._views, None) is not None:
            raise StreamRefused("A record batch has more buffers than its columns.")


def column_of(kind: Kind, form: str, buffers: Buffers) -> Column:
    """The next column. Raises `StreamRefused`."""
    if kind == "null":
        return Column(kind, np.zeros(buffers.rows), buffers.all_missing())
    missing, rows = buffers.missing(), buffers.rows
    match kind:
        case "bool":
            return Column(kind, _bits(buffers.take((rows + 7) // 8), rows), missing)
        case "text":
            return Column("text", _texts(buffers, "<i4"), missing)
        case "long text":
            return Column("text", _texts(buffers, "<i8"), missing)
        case "viewed text":
            return Column("text", _viewed(buffers), missing)
    width = np.dtype(form).itemsize
    return Column(kind, np.frombuffer(buffers.take(rows * width), dtype=form, count=rows), missing)


def joined(parts: Sequence[Column]) -> Column:
    """The same column of several batches."""
    if len(parts) == 1:
        return parts[0]
    missing = None
    if any(part.missing is not None for part in parts):
        missing = np.concatenate(
            [np.zeros(len(p.values), dtype=np.bool_) if p.missing is None else p.missing for p in parts]
        )
    if parts[0].kind == "text":
        return Column("text", [text for part in parts for text in part.values], missing)
    return Column(parts[0].kind, np.concatenate([np.asarray(part.values) for part in parts]), missing)


def _bits(data: memoryview, count: int) -> NDArray[np.bool_]:
    return np.unpackbits(np.frombuffer(data, dtype=np.uint8), count=count, bitorder="little").astype(np.bool_)


def _texts(buffers: Buffers, form: str) -> list[str]:
    rows, width = buffers.rows, np.dtype(form).itemsize
    ends = buffers.take((rows + 1) * width if rows else 0)
    data = buffers.take()
    if not rows:
        return []
    at = np.frombuffer(ends, dtype=form, count=rows + 1)
    if at[0] < 0 or at[-1] > len(data) or (at[1:] < at[:-1]).any():
        raise StreamRefused("Text reaches out of its buffer.")
    first, end = int(at[0]), int(at[-1])
    buffers.text.take(end - first)
    text = bytes(data[first:end])
    return _decoded([text[begin:end] for begin, end in pairwise((at - first).tolist())])


def _viewed(buffers: Buffers) -> list[str]:
    """Each different view is followed once, however many rows have it."""
    data = bytes(buffers.take(16 * buffers.rows)[: 16 * buffers.rows])
    parts = buffers.further()
    views = [data[at : at + 16] for at in range(0, len(data), 16)]
    followed = {view: _followed(view, parts, buffers.text) for view in set(views)}
    return _decoded([followed[view] for view in views])


def _followed(view: bytes, parts: Sequence[memoryview], text: TextLeft) -> bytes:
    """A short text, which stands in the view; of a longer one the view has the length, a beginning, the buffer and where in it."""
    length, part, offset = _VIEW.unpack(view)
    if 0 <= length <= _INLINE:
        return view[4 : 4 + length]
    if not (0 <= part < len(parts) and 0 <= offset <= len(parts[part]) - length and length > 0):
        raise StreamRefused("Text reaches out of its buffer.")
    text.take(length)
    return bytes(parts[part][offset : offset + length])


def _decoded(found: list[bytes]) -> list[str]:
    """Each different text is decoded once."""
    try:
        words = {word: word.decode() for word in set(found)}
    except UnicodeDecodeError:
        raise StreamRefused("Text is not UTF-8.") from None
    return list(map(words.__getitem__, found))
