"""The keeper: starts the workers, writes down what they decide, and starts again whoever dies.

Answers: how do several processes make one ledger? Each prepares and seals its own decisions; the keeper alone gives them their places,
brings them to disk and has them promised, those of all workers together where they come together.
Does not answer: any caller. It listens to nobody but its workers, and loads no model.

A worker that dies takes its own connections with it and nothing else: the others answer on, and a new one is started. If the keeper dies,
the workers answer nothing more and end.
"""

import asyncio
import contextlib
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import uvloop
from msgspec.structs import replace

from sealwright.kernel import Clock, InvalidInput, SealwrightError, system_clock
from sealwright.serving.config import ServeConfig, WorkerPlace
from sealwright.serving.decision_key import DecisionKey
from sealwright.serving.ending import LOST, end_at_once
from sealwright.serving.opening import Opening
from sealwright.serving.transport.events import EventLog
from sealwright.serving.transport.http_server import listen
from sealwright.serving.workers.shelf import Shelf
from sealwright.serving.workers.wire import Asked, Failed, Frames, Said, as_failed, framed
from sealwright.serving.workers.worker import Worker
from sealwright.serving.workers.writing import Line, Writing
from sealwright.trust import KeyInbox

__all__ = ["keep"]

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
        keeper = _Keeper(config, shelf, key, log)
        runner.run(keeper.until_stopped(ready, lifeline))
    log.tell("stopped", project=config.first.project, channel=config.first.channel, workers=config.workers)
    if keeper.lost:
        end_at_once(LOST)


class _Keeper:
    """Implements `Host`. Used on the event loop, but for what the threads of workers' questions do."""

    def __init__(self, config: ServeConfig, shelf: Shelf, key: "_Key", log: EventLog) -> None:
        """Listen, so that an address that is taken is said before anything starts."""
        self._config, self._shelf, self._key, self._log = config, shelf, key, log
        self._http = _listening(config.host, config.port)
        self._grpc = None if config.grpc_port is None else _listening(config.host, config.grpc_port)
        self._stop = asyncio.Event()
        self.lost = False  # it stopped because it could not go on
        self._writing = Writing(shelf)

    async def until_stopped(self, ready: Callable[[int, int | None], None], lifeline: int | None) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        if lifeline is not None:
            loop.add_reader(lifeline, self._on_lifeline, lifeline)
        workers = [Worker(self, number) for number in range(1, self._config.workers + 1)]
        loop.add_signal_handler(signal.SIGHUP, _tell_all, workers, signal.SIGHUP)
        try:
            await asyncio.gather(*(one.start() for one in workers))
            ready(self._http.getsockname()[1], None if self._grpc is None else self._grpc.getsockname()[1])
            minding = [asyncio.create_task(one.mind()) for one in workers]
            minding.append(asyncio.create_task(self._mind_key()))
            for task in minding:
                task.add_done_callback(self._on_end)
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
            try:
                await asyncio.to_thread(self._key.look)
            except (SealwrightError, OSError) as error:
                self._log.tell("watch_failed", kind=type(error).__name__)

    def _on_end(self, task: "asyncio.Task[None]") -> None:
        """What minds workers or keys ended by a fault that nobody foresaw: stop in good order, and be started again."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._log.fault("beside", error)
            self.lost = True
            self._stop.set()

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
        line = Line(self._writing)
        await asyncio.get_running_loop().create_unix_connection(lambda: line, sock=decisions)
        threading.Thread(
            target=_answer_questions, args=(self._shelf, number, questions), name=f"worker-{number}", daemon=True
        ).start()

    async def gone(self, number: int) -> None:
        await asyncio.to_thread(self._shelf.gone, number)


def _tell_all(workers: Sequence[Worker], number: signal.Signals) -> None:
    for one in workers:
        one.tell(number)


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
    with contextlib.closing(line), contextlib.suppress(OSError, msgspec.MsgspecError, InvalidInput):
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
