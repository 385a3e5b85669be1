"""The journal of a ledger: where a batch is made durable quickly, until the entries themselves are brought to disk.

Answers: how can a promise wait for a tenth of a millisecond instead of several? The file is as large as it will ever be
and is written over again and again, so a flush writes data and no metadata of the file system.
Does not answer: what is in the ledger. That is entries.log; the journal only gives back what a power cut took from its end.

What is no longer needed is overwritten with zeros, a piece at a time: entries are erased from entries.log, and no copy of
them may stay here. Beyond what was written since, an area is zeros; one that does not begin with a batch is zeros whole.

Each batch stands there with the index of its first entry and with its lines as they stand in entries.log. The entries name
each other and their attachments by digest, so what is read back needs no checksum of its own: `ledger_open` follows it as
it follows entries.log. A batch of an earlier round is known by its index, which is lower than the one that must come next.
"""

import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from sealwright.kernel import fsync_folder

__all__ = ["AREA", "SMALL_AREA", "Journal", "journal_is_clear", "journaled_lines"]

AREA = 16 << 20  # bytes of each half
SMALL_AREA = 1 << 20  # where many ledgers are kept on one machine, each of them seldom busy
_HEAD = struct.Struct(">8sQI")  # mark, index of the first entry, bytes of lines after this
_MARK = b"sealjrn1"
_PIECE = 1 << 20
_STARTS = (
    0,
    SMALL_AREA,
    AREA,
)  # of areas of either size, also where the file's end is gone: elsewhere there is no mark


class Journal:
    """One file of a fixed size, in two areas: one is written while the entries of the other are brought to disk."""

    def __init__(self, path: Path, area: int = AREA) -> None:
        """Open the journal, or lay it out with areas of this many bytes; a larger one is used as it is.

        Raises
        ------
        OSError
            It cannot be laid out or opened.
        """
        found = path.stat().st_size // 2 if path.exists() else 0
        self._size = found if found in (SMALL_AREA, AREA) and found >= area else area
        if found != self._size:
            _lay_out(path, area)
        self._handle = os.open(path, os.O_RDWR | os.O_DSYNC | os.O_CLOEXEC | os.O_NOFOLLOW)
        self._area, self._at = 0, 0
        self._used = [0, 0]  # how far each area holds what may be needed
        self._stale = [self._size if self._begins(area) else 0 for area in (0, 1)]  # beyond this, an area is zeros

    def fits(self, size: int) -> bool:
        """Whether a batch of `size` bytes still fits into the area in use."""
        return self._at + _HEAD.size + size <= self._size

    @property
    def half_full(self) -> bool:
        """Whether it is time to bring the entries to disk and to use the other area."""
        return self._at > self._size // 2

    def keep(self, first: int, lines: bytes) -> None:
        """Make a batch durable, which must fit. `first`: index of its first entry.

        Raises
        ------
        OSError
            The disk did not take it; the next batch is written over it.
        """
        record = _HEAD.pack(_MARK, first, len(lines)) + lines
        area, end = self._area, self._at + len(record)
        self._stale[area] = max(self._stale[area], end)
        if os.pwrite(self._handle, record, area * self._size + self._at) != len(record):
            raise OSError("The journal took a batch in part only.")
        self._at = self._used[area] = end

    def turn(self) -> None:
        """Use the other area from now on, whose entries must be on disk elsewhere."""
        self._area, self._at = 1 - self._area, 0
        self._used[self._area] = 0

    def begin_anew(self) -> None:
        """Need nothing of it any more: all entries are on disk elsewhere."""
        self._at, self._used = 0, [0, 0]

    def clear(self, most: int = _PIECE // 4) -> bool:
        """Overwrite a piece of what is not needed, the end first, so that what is left is not taken for a batch.

        Returns
        -------
        bool
            Whether something was overwritten; there may be more.

        Raises
        ------
        OSError
            The disk did not take it.
        """
        for area, (used, stale) in enumerate(zip(self._used, self._stale, strict=True)):
            if area == self._area and any(self._used):
                continue  # it is being written over just now
            start = max(used, stale - most)
            if start < stale:
                os.pwrite(self._handle, bytes(stale - start), area * self._size + start)
                self._stale[area] = start
                return True
        return False

    def close(self) -> None:
        os.close(self._handle)

    def _begins(self, area: int) -> bool:
        """Whether an area begins with a batch."""
        return os.pread(self._handle, len(_MARK), area * self._size) == _MARK


def journal_is_clear(path: Path) -> bool:
    """Whether no area of the journal begins with a batch; so it is where there is none."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        return all(next(_batches_in(file, start, 0), None) is None for start in _STARTS)
    return True


def journaled_lines(path: Path, size: int) -> Iterator[bytes]:
    """The lines of entries from index `size` on, as far as the journal has them without a gap.

    What is wrong with a line, whoever follows it finds out.
    """
    batches: list[tuple[int, list[bytes]]] = []
    with suppress(FileNotFoundError), path.open("rb") as file:
        for start in _STARTS:
            batches += _batches_in(file, start, size)
    for first, lines in sorted(batches, key=lambda batch: batch[0]):
        if first > size:
            return  # a gap
        for line in lines[size - first :]:
            yield line + b"\n"
            size += 1


def _batches_in(file: BinaryIO, start: int, size: int) -> Iterator[tuple[int, list[bytes]]]:
    """The batches of one area that reach beyond entry `size`: index of the first entry, lines."""
    file.seek(start)
    expected: int | None = None
    while len(head := file.read(_HEAD.size)) == _HEAD.size:
        mark, first, length = _HEAD.unpack(head)
        if mark != _MARK or (expected is not None and first != expected) or file.tell() + length > start + AREA:
            return
        lines = file.read(length).split(b"\n")
        if lines.pop():
            return  # cut off
        expected = first + len(lines)
        if expected > size:
            yield first, lines


def _lay_out(path: Path, area: int) -> None:
    """Write the whole file once, so that no later write changes its size or finds a place not given out yet."""
    beside = path.with_name(path.name + ".new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        piece = bytes(_PIECE)
        for _ in range(2 * area // _PIECE):
            if os.write(handle, piece) != len(piece):
                raise OSError("The journal could not be laid out.")
        os.fsync(handle)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)
    beside.rename(path)
    fsync_folder(path.parent)
