"""The keeper: starts the workers, writes down what they decide, and starts again whoever dies.

Answers: how do several processes make one ledger? Each prepares and seals its own decisions; the keeper alone gives them their places,
brings them to disk and has them promised, those of all workers together where they come together.
Does not answer: any caller. It listens to nobody but its workers, and loads no model.

A worker that dies takes its own connections with it and nothing else: the others answer on, and a new one is started. If the keeper dies,
the workers answer nothing more and end.
"""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import cast

import msgspec
import uvloop
from msgspec.structs import replace

from sealwright.kernel import Clock, SealwrightError, system_clock
from sealwright.serving.config import ServeConfig, WorkerPlace
from sealwright.serving.decision_key import DecisionKey
from sealwright.serving.opening import Opening
from sealwright.serving.starting import spawn
from sealwright.serving.transport.events import EventLog
from sealwright.serving.transport.http_server import listen
from sealwright.serving.workers.shelf import Shelf
from sealwright.serving.workers.wire import Answer, Asked, Failed, Frames, Keep, Kept, Said, as_failed, framed
from sealwright.trust import KeyInbox, Promised, prepared_of, told_of

__all__ = ["keep"]

_READY_SECONDS = 60.0
_LOOK_SECONDS = 0.25
_AGAIN_SECONDS = (
    0.0,
    1.0,
    5.0,
)  # before a worker that died is started again: the longer, the more of its kind died before it
_LIVED_LONG = 60.0  # seconds; after that a death is not counted with the earlier ones
_KILL_AFTER_SECONDS = 5.0  # beyond the drain time
_KEEPS = msgspec.msgpack.Decoder(Keep)
_ASKS = msgspec.msgpack.Decoder(Asked)


def keep(
    config: ServeConfig,
    *,
    ready: Callable[[int, int | None], None],
    lifeline: int | None = None,
    clock: Clock = system_clock,
) -> None:
    """Serve with several workers until SIGTERM, SIGINT or the end of the lifeline. As `server.serve`.

    Raises
    ------
    SealwrightError
        A worker could not start, and says why.
    """
    log = EventLog(sys.stderr, clock)
    shelf = Shelf(config, Opening(config, clock))
    with (
        contextlib.closing(shelf),
        contextlib.closing(_Key(config, log)) as key,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(_Keeper(config, shelf, key, log).until_stopped(ready, lifeline))
    log.tell("stopped", project=config.first.project, channel=config.first.channel, workers=config.workers)


class _Keeper:
    """Used on the event loop, but for what the threads of workers' questions do."""

    def __init__(self, config: ServeConfig, shelf: Shelf, key: "_Key", log: EventLog) -> None:
        """Listen, so that an address that is taken is said before anything starts."""
        self._config, self._shelf, self._key, self._log = config, shelf, key, log
        self._http = _listening(config.host, config.port)
        self._grpc = None if config.grpc_port is None else _listening(config.host, config.grpc_port)
        self._stop = asyncio.Event()
        self._writing = _Writing(shelf)

    async def until_stopped(self, ready: Callable[[int, int | None], None], lifeline: int | None) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        if lifeline is not None:
            loop.add_reader(lifeline, self._on_lifeline, lifeline)
        workers = [_Worker(self, number) for number in range(1, self._config.workers + 1)]
        loop.add_signal_handler(signal.SIGHUP, _tell_all, workers, signal.SIGHUP)
        try:
            await asyncio.gather(*(one.start() for one in workers))
            ready(self._http.getsockname()[1], None if self._grpc is None else self._grpc.getsockname()[1])
            minding = [asyncio.create_task(one.mind()) for one in workers]
            minding.append(asyncio.create_task(self._mind_key()))
            await self._stop.wait()
            for task in minding:
                task.cancel()
            await asyncio.gather(*minding, return_exceptions=True)
        finally:
            for listening in (self._http, self._grpc):  # before the workers stop: whoever comes now is turned away
                if listening is not None:
                    listening.close()
            await asyncio.gather(*(one.stop() for one in workers))

    def _on_lifeline(self, lifeline: int) -> None:
        asyncio.get_running_loop().remove_reader(lifeline)
        self._stop.set()

    async def _mind_key(self) -> None:
        while True:
            await asyncio.sleep(self._config.limits.watch_seconds)
            await asyncio.to_thread(self._key.look)

    # ---- what a worker needs of it

    @property
    def log(self) -> EventLog:
        return self._log

    @property
    def drain_seconds(self) -> float:
        return self._config.limits.drain_seconds

    def config_of(self, number: int, decisions: int, questions: int) -> tuple[ServeConfig, list[int]]:
        """A worker's settings, and the descriptors it inherits."""
        http, grpc = self._http.fileno(), -1 if self._grpc is None else self._grpc.fileno()
        place = WorkerPlace(number=number, http=http, grpc=grpc, decisions=decisions, questions=questions)
        version, key = self._key.now
        config = replace(
            self._config, workers=1, worker=place, signer_fd=-1, decision_version=version, decision_key=key.hex()
        )
        return config, [one for one in (http, grpc, decisions, questions) if one >= 0]

    async def listen_to(self, number: int, decisions: socket.socket, questions: socket.socket) -> None:
        """Hear what a worker says from now on."""
        line = _Line(self._writing)
        await asyncio.get_running_loop().create_unix_connection(lambda: line, sock=decisions)
        threading.Thread(
            target=_answer_questions, args=(self._shelf, number, questions), name=f"worker-{number}", daemon=True
        ).start()

    async def gone(self, number: int) -> None:
        await asyncio.to_thread(self._shelf.gone, number)


class _Worker:
    """One of the workers, in whatever process it runs at the moment."""

    def __init__(self, keeper: _Keeper, number: int) -> None:
        self._keeper, self._number = keeper, number
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline = -1
        self._deaths, self._since = 0, 0.0

    async def start(self) -> None:
        """Start it and wait until it answers. Raises as `spawn`."""
        ours, theirs = socket.socketpair(), socket.socketpair()
        (decisions, its_decisions), (questions, its_questions) = ours, theirs
        config, inherited = self._keeper.config_of(self._number, its_decisions.fileno(), its_questions.fileno())
        try:
            await self._keeper.listen_to(self._number, decisions, questions)
            self._process, _, self._lifeline = await asyncio.to_thread(
                spawn, config, inherited, ready_seconds=_READY_SECONDS
            )
        finally:
            its_decisions.close()
            its_questions.close()
        self._since = asyncio.get_running_loop().time()

    async def mind(self) -> None:
        """Start it again whenever it ends."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if self._process is not None and self._process.poll() is None:
                continue
            status = None if self._process is None else self._process.returncode
            self._deaths = 1 if loop.time() - self._since > _LIVED_LONG else self._deaths + 1
            self._keeper.log.tell("worker_ended", worker=self._number, status=status)
            await self._forget()
            await asyncio.sleep(_AGAIN_SECONDS[min(self._deaths, len(_AGAIN_SECONDS)) - 1])
            try:
                await self.start()
                self._keeper.log.tell("worker_started", worker=self._number)
            except SealwrightError as error:
                self._keeper.log.tell("worker_refused", worker=self._number, kind=error.code)

    def tell(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    async def stop(self) -> None:
        """Let it finish the answers under way."""
        self.tell(signal.SIGTERM)
        if self._process is not None:
            await asyncio.to_thread(self._ended)
        await self._forget()

    def _ended(self) -> None:
        assert self._process is not None
        try:
            self._process.wait(self._keeper.drain_seconds + _KILL_AFTER_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    async def _forget(self) -> None:
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        self._process = None
        await self._keeper.gone(self._number)


def _tell_all(workers: Sequence[_Worker], number: signal.Signals) -> None:
    for one in workers:
        one.tell(number)


class _Writing:
    """Decisions of all workers, on the event loop: what came together is promised together."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._came: dict[tuple[int, bool], list[tuple[_Line, Keep]]] = {}

    def take(self, line: "_Line", asked: Keep) -> None:
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

    def _answer(self, asked: "Sequence[tuple[_Line, Keep]]", promised: Promised) -> None:
        """Each worker its part of what was promised."""
        first = promised.first
        for line, keep in asked:
            part = Promised(first, len(keep.entries), promised.kept)
            line.answer(Answer(keep.number, Kept(told_of(part))))
            first += part.count


def _later(
    answer: "Callable[[Sequence[tuple[_Line, Keep]], Promised], None]",
    asked: "Sequence[tuple[_Line, Keep]]",
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


def _refuse(asked: "Sequence[tuple[_Line, Keep]]", error: BaseException) -> None:
    for line, keep in asked:
        line.answer(Answer(keep.number, as_failed(error)))


class _Line(asyncio.Protocol):
    """One worker's line of decisions, at the keeper's end."""

    def __init__(self, writing: _Writing) -> None:
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


class _Key:
    """The key of records for workers that are started later: it may have been replaced since the first ones were."""

    def __init__(self, config: ServeConfig, log: EventLog) -> None:
        home = Path(config.home)
        self._key = DecisionKey(home, config.workspace, config.decision_version, config.key_bytes)
        self._inbox: KeyInbox | None = None
        try:
            self._inbox = KeyInbox(home, f"keeper.{config.first.name}", self._key.holds, self._key.take)
        except (OSError, SealwrightError) as error:
            log.tell("decision_key_stays", kind=type(error).__name__)

    @property
    def now(self) -> tuple[int, bytes]:
        key = self._key.in_use()
        return self._key.version, key

    def look(self) -> None:
        if self._inbox is not None:
            self._inbox.look()

    def close(self) -> None:
        if self._inbox is not None:
            self._inbox.close()


def _answer_questions(shelf: Shelf, worker: int, line: socket.socket) -> None:
    """On a thread of its own: one question after the other, until the worker is gone."""
    frames = Frames()
    with contextlib.closing(line), contextlib.suppress(OSError, msgspec.MsgspecError):
        while data := line.recv(1 << 16):
            for whole in frames.whole(data):
                line.sendall(framed(_said(shelf, worker, whole)))


def _said(shelf: Shelf, worker: int, whole: bytes) -> Said | Failed:
    try:
        asked = _ASKS.decode(whole)
        return Said(shelf.answer(worker, asked.verb, asked.model, asked.arguments))
    except Exception as error:  # noqa: BLE001 - whatever it is, the worker must hear of it
        return as_failed(error)


def _listening(host: str, port: int) -> socket.socket:
    made = listen(host, port)
    made.set_inheritable(True)
    return made
