"""The three standard streams of a child, moved without ever waiting on one of them.

Answers: how are input fed and output and log lines collected at once, within bounds?
Does not answer: what they mean. Lines are cleaned, output is untrusted bytes.
"""

import contextlib
import os
import selectors
import unicodedata
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import IO

__all__ = ["Pipes", "clean"]

_CHUNK = 1 << 18
_LOG_LINES, _LOG_CHARACTERS, _LOG_CALLS = 200, 2_000, 20_000


class Pipes:
    """The three standard streams, moved without ever waiting on one of them."""

    def __init__(
        self,
        streams: tuple[IO[bytes], IO[bytes], IO[bytes]],
        stdin: bytes | Iterable[bytes | memoryview],
        on_line: Callable[[str], None] | None,
        most_output: int,
    ) -> None:
        self._in, self._out, self._err = streams
        for stream in streams:
            os.set_blocking(stream.fileno(), False)
        self._chunks: Iterator[bytes | memoryview] = iter([stdin] if isinstance(stdin, bytes) else stdin)
        self._rest = memoryview(b"")
        self._on_line, self._most, self._calls = on_line, most_output, 0
        self._line, self._process = b"", -1
        self.output, self.log = bytearray(), deque[str](maxlen=_LOG_LINES)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._in, selectors.EVENT_WRITE, self._feed)
        self._selector.register(self._out, selectors.EVENT_READ, self._read_output)
        self._selector.register(self._err, selectors.EVENT_READ, self._read_log)

    @property
    def overflowed(self) -> bool:
        return len(self.output) > self._most

    def wake_at_end_of(self, process: int) -> None:
        """Let `turn` return as soon as this child ends."""
        with contextlib.suppress(OSError):
            self._process = os.pidfd_open(process)
            self._selector.register(self._process, selectors.EVENT_READ, lambda: True)

    def turn(self, seconds: float) -> None:
        """Move what can be moved now, or wait for it."""
        for key, _ in self._selector.select(seconds):
            key.data()

    def drain(self) -> None:
        """Read what was written before the end."""
        for stream, read in ((self._out, self._read_output), (self._err, self._read_log)):
            while stream.fileno() in self._selector.get_map() and not self.overflowed:
                before = len(self._selector.get_map())
                if not read() and len(self._selector.get_map()) == before:
                    break
        if self._line:
            self._tell(self._line)
        self._selector.close()
        if self._process >= 0:
            os.close(self._process)

    def _feed(self) -> bool:
        try:
            while True:
                if not self._rest:
                    self._rest = memoryview(next(self._chunks)).cast("B")
                    continue
                self._rest = self._rest[os.write(self._in.fileno(), self._rest[:_CHUNK]) :]
        except BlockingIOError:
            return True
        except (StopIteration, BrokenPipeError):
            self._selector.unregister(self._in)
            self._in.close()
            return False

    def _take(self, stream: IO[bytes]) -> bytes:
        try:
            data = os.read(stream.fileno(), _CHUNK)
        except BlockingIOError:
            return b""
        if not data:
            self._selector.unregister(stream)
        return data

    def _read_output(self) -> bool:
        data = self._take(self._out)
        self.output += data
        return bool(data)

    def _read_log(self) -> bool:
        data = self._take(self._err)
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            self._tell(line)
        if len(self._line) > _CHUNK:
            self._line = self._line[:_LOG_CHARACTERS]
        return bool(data)

    def _tell(self, raw: bytes) -> None:
        line = clean(raw[: 4 * _LOG_CHARACTERS].decode("utf-8", errors="replace"))
        self.log.append(line)
        self._calls += 1
        if self._on_line is not None and self._calls <= _LOG_CALLS:
            self._on_line(line)


def clean(text: str) -> str:
    """Without control characters, so that a terminal shows it and does not obey it."""
    kept = (c if unicodedata.category(c)[0] != "C" else " " if c == "\t" else "�" for c in text[:_LOG_CHARACTERS])
    return "".join(kept)
