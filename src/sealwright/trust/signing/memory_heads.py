"""What the signer must not forget about a log: the newest tree head it signed, on disk before the signature leaves.

One small file a log, with two places that are written in turn, so that a power cut in the middle of a write leaves the
one before. The file is locked while a head is checked, written and signed: of two signers one is first, and the other
sees what it signed.
"""

import hashlib
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sealwright.kernel import fsync_folder, private_folder
from sealwright.trust.notes import Checkpoint
from sealwright.trust.signing.errors import SignerRefused
from sealwright.trust.signing.memory_file import alone, open_locked

__all__ = ["HeadMemory", "Heads"]

_PLACE = 512  # bytes; what a disk writes whole
_FORM = struct.Struct(">8sQ32s16s")  # mark, size, root, the log's short name
_MARK = b"sealhead"
_MOST_OPEN = 64


class HeadMemory:
    """The memory of one log, held while inside `Heads.of`."""

    def __init__(self, handle: int, name: bytes, origin: str) -> None:
        self._handle, self._name, self._origin = handle, name, origin
        places = os.pread(handle, 2 * _PLACE, 0)
        found = [self._read(places[at : at + _PLACE]) for at in (0, _PLACE)]
        if places.strip(b"\0") and found == [None, None]:
            raise SignerRefused(
                "memory.broken",
                f"The signer's memory of the log {origin} is not as it wrote it.\n"
                "Restore keys/signed from the newest backup of the keys folder.",
            )
        self.head = max((one for one in found if one is not None), key=lambda head: head.size, default=None)
        self._next = 1 if self.head is not None and self.head == found[0] else 0

    def remember(self, head: Checkpoint) -> None:
        """Make `head` the newest: durable when this returns."""
        body = _FORM.pack(_MARK, head.size, head.root, self._name)
        record = (body + hashlib.sha256(body).digest()).ljust(_PLACE, b"\0")
        os.pwrite(self._handle, record, self._next * _PLACE)
        os.fdatasync(self._handle)
        self.head, self._next = head, 1 - self._next

    def _read(self, place: bytes) -> Checkpoint | None:
        body, check = place[: _FORM.size], place[_FORM.size : _FORM.size + 32]
        if len(body) < _FORM.size or hashlib.sha256(body).digest() != check:
            return None
        mark, size, root, name = _FORM.unpack(body)
        return Checkpoint(self._origin, size, root) if (mark, name) == (_MARK, self._name) else None


class Heads:
    """The memories of all logs of a workspace, in a private folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, int] = {}

    @contextmanager
    def of(self, origin: str) -> Iterator[HeadMemory]:
        """The memory of one log, and nobody else's hands on it.

        Raises
        ------
        SignerRefused
            "memory.broken" or "memory.busy".
        """
        name = hashlib.sha256(origin.encode()).digest()[:16]
        handle = self._handle(origin, name.hex())
        with alone(handle):
            yield HeadMemory(handle, name, origin)

    def close(self) -> None:
        """Let go of the files."""
        while self._open:
            os.close(self._open.popitem()[1])

    def _handle(self, origin: str, name: str) -> int:
        path = self._folder / f"head-{name}"
        known = self._open.get(origin)
        if known is not None:
            if _same_file(known, path):
                return known
            os.close(self._open.pop(origin))  # moved away, or another put in its place: what is there now counts
        if len(self._open) >= _MOST_OPEN:
            os.close(self._open.pop(next(iter(self._open))))
        private_folder(self._folder)
        made = not path.exists()
        handle = open_locked(path)
        if made:
            fsync_folder(self._folder)
        self._open[origin] = handle
        return handle


def _same_file(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except OSError:
        return False
