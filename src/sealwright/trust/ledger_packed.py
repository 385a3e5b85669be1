"""The old part of a ledger's entries, compressed, and its place on the disk given back while others go on writing.

Answers: how does a ledger that keeps only leaves stop taking the room of what was attached to them? Its beginning stands,
byte for byte, in files of packed/, each a gzip file (BGZF blocks, as `zcat` reads them) named by the bytes of entries.log
it holds; there entries.log has a hole. Its length and every offset in it stay, so nobody who appends has to know.
Does not answer: what may be packed. Whoever has moved the attachments elsewhere says up to where.

First the packed file is on disk under its name, then the hole is made: a reader that meets the hole finds the file. What
is read here is believed no more than entries.log is: the entries are chained, and the tree over them is signed.
"""

import ctypes
import errno
import io
import os
import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

from sealwright.kernel import InvalidInput, VerificationFailed, fsync_folder, private_folder, read_limited

__all__ = ["Packed", "PackedWriter", "can_punch", "open_entries", "punch", "read_entries"]

FOLDER = "packed"

_BLOCK = 0xFF00  # bytes of entries.log in a block, as BGZF writers choose
_HEAD = struct.Struct("<4B4xBBHBBHH")  # RFC 1952 with one extra field "BC": bytes of the block, less one
_TAIL = struct.Struct("<II")  # CRC-32 and length of what was compressed
_NAME = re.compile(r"([0-9]{16})-([0-9]{16})\.gz")
_KEEP_SIZE, _PUNCH_HOLE = 0x01, 0x02  # <linux/falloc.h>
_FEW_BYTES = 4096


class Packed:
    """The packed files of one ledger: bytes 0 to `end` of its entries.log."""

    def __init__(self, ledger: Path) -> None:
        """Look into the ledger's folder.

        Raises
        ------
        VerificationFailed
            A file in the middle is missing.
        """
        self.folder = ledger / FOLDER
        self._files: list[tuple[int, int, Path]] = []
        self._starts: dict[Path, list[int]] = {}  # where each block of a file starts
        self._last: tuple[int, bytes] = (-1, b"")  # the block read last, by its place in entries.log
        self.look()

    @property
    def end(self) -> int:
        """How far entries.log is packed."""
        return self._files[-1][1] if self._files else 0

    def look(self) -> None:
        """See what was packed since."""
        found: list[tuple[int, int, Path]] = []
        with suppress(FileNotFoundError):
            names = [(_NAME.fullmatch(path.name), path) for path in self.folder.iterdir()]
            found = sorted((int(named[1]), int(named[2]), path) for named, path in names if named)
        at = 0
        for start, end, _ in found:
            if start != at:
                raise _damaged(self.folder, f"has no file for the bytes from {at} to {start}")
            at = end
        self._files = found

    def read(self, at: int) -> bytes:
        """What stands from byte `at` on, to the end of the block it is in.

        Raises
        ------
        VerificationFailed
            The file is not whole.
        """
        start, end, path = next(one for one in self._files if one[0] <= at < one[1])
        place = start + (at - start) // _BLOCK * _BLOCK
        if self._last[0] != place:
            self._last = place, self._block(path, (at - start) // _BLOCK, min(_BLOCK, end - place))
        return self._last[1][at - place :]

    def _block(self, path: Path, number: int, size: int) -> bytes:
        try:
            with path.open("rb") as stream:
                if path not in self._starts:
                    self._starts[path] = list(_blocks_of(stream))
                stream.seek(self._starts[path][number])
                opening = zlib.decompressobj(wbits=31)
                data = opening.decompress(stream.read(_length(stream)), size + 1)
                data = data if opening.eof else b""
        except (OSError, zlib.error, struct.error, IndexError):
            data = b""
        if len(data) != size:
            raise _damaged(path, "is not whole")
        return data


class PackedWriter:
    """A packed file as it is made; nobody reads it before `keep`."""

    def __init__(self, ledger: Path, start: int) -> None:
        self._folder, self._start = private_folder(ledger / FOLDER), start
        self._draft = self._folder / ".draft"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        self._stream = os.fdopen(os.open(self._draft, flags, 0o600), "wb")
        self._waiting = bytearray()
        self.size = 0

    def add(self, data: bytes) -> None:
        """The next bytes of entries.log."""
        self._waiting += data
        self.size += len(data)
        while len(self._waiting) >= _BLOCK:
            self._stream.write(_compressed(bytes(self._waiting[:_BLOCK])))
            del self._waiting[:_BLOCK]

    def keep(self) -> None:
        """On disk, under its name."""
        if self._waiting:
            self._stream.write(_compressed(bytes(self._waiting)))
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        self._draft.rename(self._folder / f"{self._start:016}-{self._start + self.size:016}.gz")
        fsync_folder(self._folder)

    def drop(self) -> None:
        """Not this time."""
        self._stream.close()
        self._draft.unlink(missing_ok=True)


def open_entries(path: Path, *, buffer: int = 1 << 20) -> BinaryIO:
    """entries.log as it was written, from wherever its bytes are now.

    Raises
    ------
    FileNotFoundError
        There is none.
    """
    return cast(BinaryIO, io.BufferedReader(_Entries(path), buffer))


def read_entries(path: Path, most_bytes: int) -> bytes:
    """All of entries.log, as `read_limited` reads a file.

    Raises
    ------
    InvalidInput
        It is larger, a link, or not there.
    """
    if not Packed(path.parent).end:
        return read_limited(path, most_bytes)
    with open_entries(path) as stream:
        data = stream.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise InvalidInput(f"{path} is larger than {most_bytes:,} bytes, of which no more are read.")
    return data


class _Entries(io.RawIOBase):
    """Bytes of entries.log; where it has a hole, those of the packed files."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._packed, self._at = Packed(path.parent), 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at}.get(whence)
        self._at = offset + (os.fstat(self._handle).st_size if base is None else base)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _read(self, most: int) -> bytes:
        if self._at >= self._packed.end:
            data = os.pread(self._handle, most, self._at)
            if b"\0" not in data:  # no entry has one
                return data
            self._packed.look()
            if self._at >= self._packed.end:
                return data
        return self._packed.read(self._at)[:most]

    def close(self) -> None:
        if not self.closed:
            os.close(self._handle)
        super().close()


# ---- holes


def can_punch(folder: Path) -> bool:
    """Whether the file system of `folder` can give back the middle of a file."""
    probe = folder / ".hole"
    handle = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        punch(handle, _FEW_BYTES)
    except OSError as error:
        if error.errno in {errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}:
            return False
        raise
    finally:
        os.close(handle)
        probe.unlink()
    return True


def punch(handle: int, end: int) -> None:
    """Give back the first `end` bytes of an open file, which then read as zero; its length stays.

    Raises
    ------
    OSError
        The file system cannot, or failed.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.fallocate(handle, _KEEP_SIZE | _PUNCH_HOLE, ctypes.c_int64(0), ctypes.c_int64(end)):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


# ---- BGZF, a gzip file in blocks (SAM specification, section 4.1)


def _compressed(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush()
    size = _HEAD.size + len(packed) + _TAIL.size
    if size > 1 << 16:  # it does not get smaller: stored as it is
        packer = zlib.compressobj(0, zlib.DEFLATED, -15)
        packed = packer.compress(data) + packer.flush()
        size = _HEAD.size + len(packed) + _TAIL.size
    head = _HEAD.pack(0x1F, 0x8B, 8, 4, 0, 0xFF, 6, ord("B"), ord("C"), 2, size - 1)
    return head + packed + _TAIL.pack(zlib.crc32(data), len(data))


def _blocks_of(stream: BinaryIO) -> Iterator[int]:
    end = stream.seek(0, os.SEEK_END)
    at = 0
    while at < end:
        yield at
        stream.seek(at)
        at += _length(stream)


def _length(stream: BinaryIO) -> int:
    """Bytes of the block that starts here."""
    head = stream.read(_HEAD.size)
    stream.seek(-len(head), os.SEEK_CUR)
    return int(_HEAD.unpack(head)[-1]) + 1


def _damaged(path: Path, how: str) -> VerificationFailed:
    return VerificationFailed(f"{path} {how}. Restore the ledger's folder from a backup.", link=FOLDER)
