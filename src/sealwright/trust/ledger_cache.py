"""What makes opening a ledger and proving an old entry quick: where every entry starts, every node of the tree.

Everything here is derived from entries.log and can be deleted. It is never believed: whoever uses it compares the
root it leads to with a signed checkpoint, and falls back to reading the entries.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from sealwright.kernel import InvalidInput, SealwrightError, private_folder, read_limited, strict_json, write_atomically
from sealwright.kernel import canonical_json as to_json
from sealwright.trust.ledger_file import lines_of
from sealwright.trust.merkle import Frontier, Growth, leaf_hash, stored_count, stored_position

__all__ = ["MemoryTree", "Tree", "TreeCache", "clean_mark", "read_tree"]

_HASH = 32
_OFFSET = 8


class Tree(Protocol):
    """Finds nodes and entries of the ledger."""

    def node(self, level: int, index: int) -> bytes:
        """Hash of a complete node."""

    def offset(self, index: int) -> int:
        """Byte of entries.log where an entry starts."""


class MemoryTree:
    """All of it in memory, read from the entries: the slow and sure way."""

    def __init__(self, growth: Growth, offsets: Sequence[int]) -> None:
        self.size = growth.size
        self.node = growth.node
        self.offset = offsets.__getitem__


def read_tree(entries: Path, size: int) -> MemoryTree:
    """Hash the first `size` entries (fewer if the file ends before)."""
    leaves: list[bytes] = []
    offsets: list[int] = []
    at = 0
    for line in lines_of(entries):
        if len(leaves) == size or not line.endswith(b"\n"):
            break
        leaves.append(leaf_hash(line[:-1].partition(b"\t")[0]))
        offsets.append(at)
        at += len(line)
    return MemoryTree(Frontier().extend(leaves), offsets)


class TreeCache:
    """The same from two files: offsets (8 bytes an entry, little-endian) and nodes (32 bytes each, post-order).

    Fails quietly on purpose: without it a ledger is slower, not less safe. `usable` says whether it still counts.
    """

    def __init__(self, folder: Path, *, write: bool) -> None:
        self._handles: list[int] = []
        self._folder = folder
        self.usable = False
        flags = (os.O_RDWR | os.O_CREAT | os.O_APPEND) if write else os.O_RDONLY
        with suppress(OSError, SealwrightError):
            if write:
                private_folder(folder)
            for name in ("offsets", "nodes"):
                self._handles.append(os.open(folder / name, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
            self.usable = True

    def covers(self, size: int, *, exactly: bool = False) -> bool:
        """Whether it holds the first `size` entries (and, with `exactly`, nothing after them)."""
        if not self.usable:
            return False
        found = [os.fstat(handle).st_size for handle in self._handles]
        wanted = [_OFFSET * size, _HASH * stored_count(size)]
        return found == wanted if exactly else all(has >= want for has, want in zip(found, wanted, strict=True))

    def append(self, offsets: Sequence[int], nodes: bytes) -> None:
        """Add the next entries."""
        if not self.usable:
            return
        packed = b"".join(offset.to_bytes(_OFFSET, "little") for offset in offsets)
        try:
            for handle, data in zip(self._handles, (packed, nodes), strict=True):
                if os.write(handle, data) != len(data):
                    raise OSError("short write")
        except OSError:
            self.usable = False  # found out of step and rebuilt when the ledger is next opened

    def clear(self) -> None:
        """Forget everything, to be filled again from the start."""
        try:
            for handle in self._handles:
                os.ftruncate(handle, 0)
        except OSError:
            self.usable = False

    def node(self, level: int, index: int) -> bytes:
        return self._read(1, _HASH * stored_position(level, index), _HASH)

    def offset(self, index: int) -> int:
        return int.from_bytes(self._read(0, _OFFSET * index, _OFFSET), "little")

    def _read(self, which: int, at: int, count: int) -> bytes:
        data = os.pread(self._handles[which], count, at)
        if len(data) != count:
            raise InvalidInput("The ledger's cache is shorter than the ledger.")
        return data

    def close(self) -> None:
        for handle in self._handles:
            os.close(handle)
        self._handles, self.usable = [], False

    # ---- the mark of a clean end

    def mark_clean(self, size: int, found: os.stat_result) -> None:
        """Note that entries.log was whole with `size` entries when its status was `found`."""
        if self.usable:
            with suppress(OSError):
                write_atomically(self._folder / "clean.json", to_json(clean_mark(size, found)))

    def is_clean(self, size: int, found: os.stat_result) -> bool:
        """Whether nobody, not even a crash, changed entries.log since the mark: same file, length and change time."""
        try:
            return bool(
                strict_json(read_limited(self._folder / "clean.json", 1000)) == clean_mark(size, found)
                and self.covers(size, exactly=True)
            )
        except (OSError, SealwrightError):
            return False


def clean_mark(size: int, found: os.stat_result) -> dict[str, str]:
    """What identifies a state of entries.log. The kernel sets the change time; only its clock can forge it."""
    numbers = {
        "size": size,
        "bytes": found.st_size,
        "inode": found.st_ino,
        "device": found.st_dev,
        "modified_ns": found.st_mtime_ns,
        "changed_ns": found.st_ctime_ns,
    }
    return {name: str(number) for name, number in numbers.items()}
