"""Opening a data file: a regular file, hashed as it is read, and the same at the end as at the start."""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from sealwright.data.errors import SourceUnreadable
from sealwright.data.names import safe
from sealwright.data.sources.model import LOCAL_FILE
from sealwright.data.sources.stored import Opened
from sealwright.kernel import Sha256

__all__ = ["HashingReader", "LocalFile", "hash_open_file", "open_regular", "refuse_other_formats", "stable_file"]

_CHUNK = 1 << 20

_OTHER_FORMATS = (
    (b"PK\x03\x04", "a ZIP archive (an Excel .xlsx workbook is one, too). Unpack it, or save the sheet as CSV"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "gzip-compressed. Give it a name ending in .csv.gz or .jsonl.gz"),
    (b"PAR1", "a Parquet file. Give it a name ending in .parquet"),
    (b"ARROW1", "an Arrow file. Give it a name ending in .arrow"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook. Save the sheet as CSV"),
    (b"%PDF-", "a PDF document"),
    (b"SQLite format 3\x00", "a SQLite database. Name a query instead: source: {sql: ..., url_env: ...}"),
    (b"BZh", "bzip2-compressed. Unpack it"),
    (b"\xfd7zXZ\x00", "xz-compressed. Unpack it"),
    (b"(\xb5/\xfd", "zstd-compressed. Unpack it"),
)


class LocalFile:
    """A file on this machine."""

    transport = LOCAL_FILE

    def __init__(self, path: Path, *, follow: bool = True) -> None:
        self._path, self._follow = path, follow
        self.name = safe(path.name)

    @contextlib.contextmanager
    def open(self) -> Iterator[Opened]:
        with open_regular(self._path, follow=self._follow) as stream, stable_file(stream, self.name):
            yield Opened(stream, os.fstat(stream.fileno()).st_size)


class HashingReader:
    """Reads a stream from its start to its end, in order, and knows the digest of what was read."""

    def __init__(self, opened: Opened) -> None:
        self._stream, self.size = opened.stream, opened.size
        self._hash = Sha256()
        self.position = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._hash.update(data)
        self.position += len(data)
        return data

    def finish(self) -> str:
        """Digest of the whole file, also of what was not asked for."""
        while self.read(_CHUNK):
            pass
        return self._hash.digest()


def open_regular(path: Path, *, follow: bool = True) -> BinaryIO:
    """Open a regular file for reading, never waiting on a pipe or device.

    Raises
    ------
    SourceUnreadable
        It does not exist, is a folder, a device or a pipe, is empty, or may not be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW))
    except OSError as error:
        raise SourceUnreadable(f"Cannot open the data file {safe(str(path))}: {error.strerror}.") from None
    found = os.fstat(handle)
    if stat.S_ISREG(found.st_mode) and found.st_size > 0:
        return os.fdopen(handle, "rb", buffering=0)
    os.close(handle)
    if stat.S_ISREG(found.st_mode):
        raise SourceUnreadable(f"{safe(path.name)} is empty. A data file needs a header and at least one row.")
    raise SourceUnreadable(
        f"{safe(str(path))} is not a regular file. Name a file, or a query with source: {{sql, url_env}}."
    )


def hash_open_file(stream: BinaryIO) -> str:
    """Digest of an open file; leaves it at its start."""
    running = Sha256()
    stream.seek(0)
    while chunk := stream.read(_CHUNK):
        running.update(chunk)
    stream.seek(0)
    return running.digest()


@contextlib.contextmanager
def stable_file(stream: BinaryIO, name: str) -> Iterator[None]:
    """A block at whose end the open file must be as at its start.

    Raises
    ------
    SourceUnreadable
        Size or modification time differ: somebody wrote to it in the meantime.
    """
    before = os.fstat(stream.fileno())
    yield
    after = os.fstat(stream.fileno())
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise SourceUnreadable(f"{name} changed while it was read. Try again when nobody writes to it.")


def refuse_other_formats(start: bytes, name: str, what: str) -> None:
    """Refuse bytes that are plainly another format than text.

    Raises
    ------
    SourceUnreadable
        Says what it is, and what to do.
    """
    for magic, advice in _OTHER_FORMATS:
        if start.startswith(magic):
            raise SourceUnreadable(f"{name} is not {what} text but {advice}.")
