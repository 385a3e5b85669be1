"""Decisions of all workers, written by the keeper: what came together is promised together."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import cast

import msgspec

from sealwright.serving.workers.shelf import Shelf
from sealwright.serving.workers.wire import Answer, Frames, Keep, Kept, as_failed, framed
from sealwright.trust import Promised, prepared_of, told_of

__all__ = ["Line", "Writing"]

_KEEPS = msgspec.msgpack.Decoder(Keep)


class Writing:
    """Decisions of all workers, on the event loop: what came together is promised together."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._came: dict[tuple[int, bool], list[tuple[Line, Keep]]] = {}

    def take(self, line: "Line", asked: Keep) -> None:
        """What a worker wants kept; written when the loop has heard all that has come."""
        if not self._came:
            asyncio.get_running_loop().call_soon(self._write)
        self._came.setdefault((asked.model, asked.on_disk), []).append((line, asked))

    def _write(self) -> None:
        came, self._came = self._came, {}
        for (model, on_disk), asked in came.items():
            try:
                prepared = [one for _, keep in asked for one in prepared_of(keep.entries)]
                ledger = self._shelf.ledger(model)
                promised = ledger.keep_here(prepared, on_disk=on_disk)
                if promised is None:
                    _later(self._answer, asked, ledger.keep(prepared, on_disk=on_disk))
                    continue
            except Exception as error:  # noqa: BLE001 - whatever it is, the workers must hear of it
                _refuse(asked, error)
                continue
            self._answer(asked, promised)

    def _answer(self, asked: "Sequence[tuple[Line, Keep]]", promised: Promised) -> None:
        """Each worker its part of what was promised."""
        first = promised.first
        for line, keep in asked:
            part = Promised(first, len(keep.entries), promised.kept)
            line.answer(Answer(keep.number, Kept(told_of(part))))
            first += part.count


def _later(
    answer: "Callable[[Sequence[tuple[Line, Keep]], Promised], None]",
    asked: "Sequence[tuple[Line, Keep]]",
    written: "Future[Promised]",
) -> None:
    """Answer when the ledger's own thread has written it."""
    loop = asyncio.get_running_loop()

    def over(done: "Future[Promised]") -> None:
        error = done.exception()
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits any more
            if error is None:
                loop.call_soon_threadsafe(answer, asked, done.result())
            else:
                loop.call_soon_threadsafe(_refuse, asked, error)

    written.add_done_callback(over)


def _refuse(asked: "Sequence[tuple[Line, Keep]]", error: BaseException) -> None:
    for line, keep in asked:
        line.answer(Answer(keep.number, as_failed(error)))


class Line(asyncio.Protocol):
    """One worker's line of decisions, at the keeper's end."""

    def __init__(self, writing: Writing) -> None:
        self._writing, self._frames = writing, Frames()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        for whole in self._frames.whole(data):
            self._writing.take(self, _KEEPS.decode(whole))

    def answer(self, answer: Answer) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(framed(answer))
