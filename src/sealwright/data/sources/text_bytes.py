"""The bytes of a text file as clean UTF-8: unpacked, checked, without byte-order mark, hashed on the way.

Answers: is this text in the encoding it claims, and safe to hand to a parser?
Does not answer: where the fields are. That is for the readers.
Holds a few blocks in memory, whatever the size of the file.
"""

import codecs
import gzip
import io
import zlib
from types import TracebackType
from typing import Self

from sealwright.data.errors import SourceUnreadable
from sealwright.data.sources.files import HashingReader, refuse_other_formats
from sealwright.data.sources.stored import Stored

__all__ = ["BLOCK", "TextBytes"]

BLOCK = 4 << 20
"""Bytes handed to the parser at once; a single row must fit."""

MOST_UNPACKED = 64 << 30  # a gzip file that unpacks to more is a bomb, or data for another tool

_UTF8_MARK = codecs.BOM_UTF8
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class TextBytes(io.RawIOBase):
    """A readable stream of checked UTF-8. Use it in a `with` block."""

    def __init__(
        self,
        stored: Stored,
        *,
        what: str = "CSV",
        encoding: str = "utf-8",
        packed: bool = False,
        most_unpacked: int = MOST_UNPACKED,
    ) -> None:
        super().__init__()
        self._name, self._what, self._encoding, self._most = stored.name, what, encoding, most_unpacked
        self._packed = packed
        self._opening = stored.open()
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")
        self._unpacked = self._lines = 0
        self.quotes = 0  # in what was read so far
        self._ready = bytearray()
        self._served: tuple[bytes, bytes] = (b"", b"")
        self._ended = False

    @property
    def share(self) -> float:
        """Share of the file read so far."""
        return self._raw.position / max(1, self._raw.size)

    @property
    def tail(self) -> bytes:
        """The last bytes served: at least one block, if there was one."""
        return b"".join(self._served)

    def readable(self) -> bool:
        return True

    def peek(self, size: int) -> bytes:
        """The next `size` bytes without consuming them; fewer at the end."""
        while len(self._ready) < size and not self._ended:
            self._fill()
        return bytes(self._ready[:size])

    def read(self, size: int = -1) -> bytes:
        """Exactly `size` bytes, fewer only at the end."""
        data = self.peek(BLOCK if size < 0 else size)
        del self._ready[: len(data)]
        if data:
            self._served = (self._served[1], data)
        return data

    def finish(self) -> str:
        """Digest of the file as it lies on disk, packed or not."""
        return self._raw.finish()

    def __enter__(self) -> Self:
        self._raw = HashingReader(self._opening.__enter__())
        self._inner: HashingReader | gzip.GzipFile = self._raw
        if self._packed:
            self._inner = gzip.GzipFile(fileobj=self._raw, mode="rb")  # type: ignore[call-overload]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._opening.__exit__(kind, error, trace)
        finally:
            self.close()

    def _fill(self) -> None:
        chunk = self._unpack()
        if not self._unpacked:
            chunk = self._begin(chunk)
        self._unpacked += len(chunk)
        if self._unpacked > self._most:
            raise SourceUnreadable(f"{self._name} unpacks to more than {self._most:,} bytes, which is not read.")
        self._ended = not chunk
        clean = self._decode(chunk)
        if b"\0" in clean:
            line = self._lines + clean[: clean.index(0)].count(b"\n") + 1
            raise SourceUnreadable(
                f"{self._name} holds a NUL byte near line {line:,},"
                f" so it is not plain text.\nExport it again as {self._what}; if it is UTF-16, write"
                " source: {file: ..., encoding: utf-16}."
            )
        self._lines += clean.count(b"\n")
        self.quotes += clean.count(b'"')
        self._ready += clean

    def _unpack(self) -> bytes:
        try:
            return self._inner.read(1 << 20)
        except (gzip.BadGzipFile, EOFError, zlib.error):
            raise SourceUnreadable(
                f"{self._name} is not a whole gzip file: it is cut, damaged, or only named .gz."
            ) from None

    def _begin(self, chunk: bytes) -> bytes:
        """Look at the first bytes: other formats are refused, a UTF-8 byte-order mark is not data."""
        refuse_other_formats(chunk, self._name, self._what)
        if self._encoding != "utf-16" and chunk.startswith(_UTF16_MARKS):
            raise SourceUnreadable(f"{self._name} is UTF-16 text. Write source: {{file: ..., encoding: utf-16}}.")
        return chunk.removeprefix(_UTF8_MARK) if self._encoding == "utf-8" else chunk

    def _decode(self, chunk: bytes) -> bytes:
        """The chunk as UTF-8, or a refusal that says where the first wrong byte is."""
        pending = self._decoder.getstate()[0]
        try:
            text = self._decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            line = self._lines + error.object[: error.start].count(b"\n") + 1
            byte = f"0x{error.object[error.start]:02x}" if error.start < len(error.object) else "a cut character"
            raise SourceUnreadable(
                f"{self._name} is not {self._encoding} text: {byte} near line {line:,}.\n"
                "If it was saved by Excel on Windows, write source: {file: ..., encoding: cp1252}."
            ) from None
        if self._encoding != "utf-8":
            return text.encode()
        whole = pending + chunk
        held = len(self._decoder.getstate()[0])
        return whole[: len(whole) - held]
