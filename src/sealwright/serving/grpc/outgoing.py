"""Answers on their way out of one HTTP/2 connection, no faster than its client takes them (RFC 9113 section 5.2)."""

from collections.abc import Callable

from sealwright.serving.grpc.frames import DATA, END_HEADERS, END_STREAM, HEADERS, MOST_PAYLOAD, frame

__all__ = ["Outgoing"]

_FIRST_WINDOW = 65_535
_LARGEST_WINDOW = (1 << 31) - 1


class _Answer:
    __slots__ = ("after", "data", "window")

    def __init__(self, window: int) -> None:
        self.window = window
        self.data: bytes | None = None  # what is still to be sent; None: there is no answer yet
        self.after = b""


class Outgoing:
    """Holds back what does not fit the client's windows."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write, self._window, self._first = write, _FIRST_WINDOW, _FIRST_WINDOW
        self._answers: dict[int, _Answer] = {}
        self._finished: list[int] = []

    def open(self, stream: int) -> None:
        """A call began, and the client's window for its answer with it."""
        self._answers[stream] = _Answer(self._first)

    def send(self, stream: int, before: bytes, data: bytes, after: bytes) -> None:
        """Send an answer: a header block, data, and a header block at the end."""
        answer = self._answers.get(stream)
        if answer is None:
            return
        answer.data, answer.after = data, after
        head = frame(HEADERS, END_HEADERS, stream, before)
        self._write(head + self._part(stream, answer))

    def grow(self, stream: int, more: int) -> bool:
        """The client takes more, on one stream or (0) on all; False where it says more than there can be."""
        if stream:
            answer = self._answers.get(stream)
            if answer is None:
                return True
            answer.window += more
            if answer.window > _LARGEST_WINDOW:
                return False
        else:
            self._window += more
            if self._window > _LARGEST_WINDOW:
                return False
        self._send_more()
        return True

    def first_window(self, size: int) -> None:
        """The client changed the window that every answer begins with, and of those under way by as much."""
        for answer in self._answers.values():
            answer.window += size - self._first
        self._first = size
        self._send_more()

    def drop(self, stream: int) -> None:
        """The call is over."""
        self._answers.pop(stream, None)

    def finished(self) -> list[int]:
        """Streams whose answers are out, since the last time."""
        found, self._finished = self._finished, []
        return found

    def _send_more(self) -> None:
        for stream, answer in list(self._answers.items()):
            if answer.data is not None and (part := self._part(stream, answer)):
                self._write(part)

    def _part(self, stream: int, answer: _Answer) -> bytes:
        """The frames that fit now, the last ones with them once everything does."""
        data = answer.data or b""
        fits = max(0, min(len(data), self._window, answer.window))
        made = [frame(DATA, 0, stream, data[at : min(at + MOST_PAYLOAD, fits)]) for at in range(0, fits, MOST_PAYLOAD)]
        answer.data = data[fits:]
        answer.window -= fits
        self._window -= fits
        if not answer.data:
            made.append(frame(HEADERS, END_HEADERS | END_STREAM, stream, answer.after))
            answer.data = None
            self._finished.append(stream)
        return b"".join(made)
