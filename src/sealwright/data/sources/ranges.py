"""A stream over bytes that can only be fetched in ranges, such as an object in a store.

Answers: how are they read in any order, in bounded memory, and as the same bytes each time?
Does not answer: where they come from. A function fetches them.
Bytes are fetched in blocks. The digest of each block is kept from the first time it was seen, also by another stream
over the same bytes, so what is read twice (once for the digest of the whole, once for its columns) is the same twice.
"""

import io
from collections import OrderedDict
from collections.abc import Callable

from sealwright.data.errors import SourceUnreadable
from sealwright.kernel import digest_of

__all__ = ["RangeStream"]

_BLOCK = 4 << 20
_KEPT = 4  # blocks in memory


class RangeStream(io.RawIOBase):
    """`size` bytes, fetched as they are needed.

    Parameters
    ----------
    fetch : callable
        From start and end (exclusive) to exactly these bytes.
    seen : dict
        Digest of each block, by its number; shared by all streams over the same bytes.
    """

    def __init__(self, fetch: Callable[[int, int], bytes], size: int, seen: dict[int, str], name: str) -> None:
        super().__init__()
        self._fetch, self._size, self._seen, self._name = fetch, size, seen, name
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """Exactly `size` bytes, fewer only at the end."""
        left = max(0, self._size - self._at)
        size = left if size is None or size < 0 else min(size, left)
        parts = []
        while size:
            number, skip = divmod(self._at, _BLOCK)
            part = self._block(number)[skip : skip + size]
            parts.append(part)
            self._at += len(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _block(self, number: int) -> bytes:
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        start = number * _BLOCK
        block = self._fetch(start, min(start + _BLOCK, self._size))
        if self._seen.setdefault(number, digest := digest_of(block)) != digest:
            raise SourceUnreadable(f"{self._name} gave other bytes than before. Try again when nobody writes to it.")
        self._blocks[number] = block
        if len(self._blocks) > _KEPT:
            self._blocks.popitem(last=False)
        return block
