"""A worker's books: each is the keeper's, reached over two sockets.

Answers: how does a worker write into a ledger that another process holds? Its entries are prepared and sealed here; what comes back is the
promise, from which receipts are made here, too.
Does not answer: what if the keeper is gone, or one of the two lines to it? Then nothing is recorded, so nothing is answered, and the worker
ends in order; where the keeper is there, it starts another.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import msgspec

from sealwright.kernel import Clock, InvalidInput
from sealwright.serving.book import Book
from sealwright.serving.config import ModelConfig, ServeConfig
from sealwright.serving.state import ServingState
from sealwright.serving.workers.wire import Answer, Asked, Failed, Frames, Keep, Kept, Said, as_error, framed
from sealwright.trust import Entry, LedgerUnavailable, Prepared, Promised, PublicKey, parts_of, promised_of

__all__ = ["FarBooks"]

_ANSWER_SECONDS = 60.0  # of one question; a ledger of millions of entries takes seconds to open
_ANSWERS = msgspec.msgpack.Decoder(Answer)
_SAID = msgspec.msgpack.Decoder(Said | Failed)


class FarBooks:
    """The books of one worker. Implements `Books`."""

    def __init__(self, config: ServeConfig, clock: Clock, *, cut_off: Callable[[], None]) -> None:
        """Both sockets are inherited. `cut_off` is called, from whatever thread, when one of them ends that was not closed here."""
        assert config.worker is not None, "only a worker has a keeper"
        self._config, self._clock = config, clock
        self._questions = _Questions(socket.socket(fileno=config.worker.questions), cut_off)
        self._decisions = _Decisions(socket.socket(fileno=config.worker.decisions), cut_off)

    async def begin(self) -> None:
        """Listen for promises, on the running loop."""
        await self._decisions.begin()

    def close(self) -> None:
        self._decisions.close()
        self._questions.close()

    def book(self, model: ModelConfig, key: bytes) -> Book:
        place = self._config.models.index(model)
        state = _FarState(self._questions, place)
        ledger = _FarLedger(self._questions, self._decisions, place)
        return Book(model, state, ledger, ledger.sign_with, key=key, clock=self._clock)


class _Questions:
    """One question at a time. Safe to use from many threads."""

    def __init__(self, line: socket.socket, cut_off: Callable[[], None]) -> None:
        line.settimeout(_ANSWER_SECONDS)
        self._line, self._alone, self._cut_off = line, threading.Lock(), cut_off
        self._frames, self._closed = Frames(), False

    def ask(self, verb: str, model: int, *arguments: Any) -> Any:
        """The answer. Raises what the keeper's verb raised; `LedgerUnavailable` where there is no keeper any more."""
        asked = framed(Asked(verb, model, list(arguments)))
        with self._alone:
            try:
                self._line.sendall(asked)
                said = _SAID.decode(self._answer())
            except (OSError, InvalidInput, msgspec.MsgspecError):
                self._end()
                raise LedgerUnavailable(_GONE) from None
        if isinstance(said, Failed):
            raise as_error(said)
        return said.value

    def close(self) -> None:
        self._closed = True
        self._line.close()

    def _end(self) -> None:
        """Ask nothing more: a late answer must not be taken for the next one's."""
        self._line.close()
        if not self._closed:
            self._closed = True
            self._cut_off()

    def _answer(self) -> bytes:
        while True:
            data = self._line.recv(1 << 16)
            if not data:
                raise ConnectionResetError
            for whole in self._frames.whole(data):
                return whole


class _Decisions(asyncio.Protocol):
    """Decisions out, promises in. Used on the event loop only."""

    def __init__(self, line: socket.socket, cut_off: Callable[[], None]) -> None:
        self._line, self._frames, self._cut_off = line, Frames(), cut_off
        self._transport: asyncio.Transport | None = None
        self._closed = False
        self._number = 0
        self._waiting: dict[int, Future[Promised]] = {}

    async def begin(self) -> None:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_unix_connection(lambda: self, sock=self._line)

    def keep(self, model: int, prepared: Sequence[Prepared], *, on_disk: bool) -> "Future[Promised]":
        """Have entries promised; the future ends on the event loop."""
        if self._transport is None or self._transport.is_closing():
            raise LedgerUnavailable(_GONE)
        self._number += 1
        asked = framed(Keep(self._number, model, on_disk, parts_of(prepared)))
        self._transport.write(asked)
        future = self._waiting[self._number] = Future()
        return future

    def data_received(self, data: bytes) -> None:
        for whole in self._frames.whole(data):
            answer = _ANSWERS.decode(whole)
            future = self._waiting.pop(answer.number)
            if isinstance(answer.said, Kept):
                future.set_result(promised_of(answer.said.promise))
            else:
                future.set_exception(as_error(answer.said))

    def close(self) -> None:
        """Nothing is handed over any more. On the event loop."""
        self._closed = True
        if self._transport is not None:
            self._transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            future.set_exception(LedgerUnavailable(_GONE))
        if not self._closed:
            self._cut_off()


class _FarState:
    """What must not be forgotten, as of the last answer; the keeper lets nothing fall. Implements `Remembered`."""

    def __init__(self, questions: _Questions, model: int) -> None:
        self._questions, self._model = questions, model
        self.now = _state(questions.ask("open", model))

    def change(self, **changes: int | str | bool) -> None:
        if any(getattr(self.now, name) != value for name, value in changes.items()):
            self.now = _state(self._questions.ask("change", self._model, changes))


class _FarLedger:
    """Implements `DecisionLedger`."""

    def __init__(self, questions: _Questions, decisions: _Decisions, model: int) -> None:
        self._questions, self._decisions, self._model = questions, decisions, model

    def keep_here(self, _prepared: Sequence[Prepared], *, on_disk: bool) -> None:
        """Never: another process writes."""

    def keep(self, prepared: Sequence[Prepared], *, on_disk: bool) -> "Future[Promised]":
        return self._decisions.keep(self._model, prepared, on_disk=on_disk)

    def append(self, action: str, subject: str, detail: Mapping[str, object], *, actor: str) -> None:
        self._questions.ask("append", self._model, action, subject, dict(detail), actor)

    def append_many(self, entries: Sequence[Entry]) -> None:
        told = [(one.action, one.subject, dict(one.detail), one.attachment, one.actor) for one in entries]
        self._questions.ask("append_many", self._model, told)

    def proof(self, index: int) -> bytes:
        found: bytes = self._questions.ask("proof", self._model, index)
        return found

    def sign_with(self, key: PublicKey) -> None:
        self._questions.ask("sign_with", self._model, key.key_id)

    def close(self) -> None:
        with contextlib.suppress(LedgerUnavailable):
            self._questions.ask("put_away", self._model)


def _state(said: Any) -> ServingState:
    return msgspec.convert(said, ServingState)


_GONE = "The process that keeps the ledger is gone. Nothing was recorded."
