"""One of the workers, in whatever process it runs at the moment: started, minded, started again, stopped."""

import asyncio
import os
import signal
import socket
import subprocess
from typing import Protocol

from sealwright.kernel import SealwrightError
from sealwright.serving.config import ServeConfig
from sealwright.serving.starting import spawn
from sealwright.serving.transport.events import EventLog

__all__ = ["Host", "Worker"]

_READY_SECONDS = 60.0
_LOOK_SECONDS = 0.25
_AGAIN_SECONDS = (0.0, 1.0, 5.0)  # before it is started again, after one death, two, and more
_LIVED_LONG = 60.0  # seconds; after that a death is not counted with the earlier ones
_KILL_AFTER_SECONDS = 5.0  # beyond the drain time


class Host(Protocol):
    """What a worker needs of its keeper."""

    @property
    def log(self) -> EventLog: ...
    @property
    def drain_seconds(self) -> float: ...

    def config_of(self, number: int, decisions: int, questions: int) -> tuple[ServeConfig, list[int]]:
        """Its settings, and the descriptors it inherits."""

    async def listen_to(self, number: int, decisions: socket.socket, questions: socket.socket) -> None:
        """Hear what it says from now on."""

    async def gone(self, number: int) -> None:
        """It ended."""


class Worker:
    """One of the workers, in whatever process it runs at the moment."""

    def __init__(self, keeper: Host, number: int) -> None:
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
        """Start it again whenever it ends; where the machine does not let us, later."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if self._process is not None and self._process.poll() is None:
                continue
            self._deaths = 1 if loop.time() - self._since > _LIVED_LONG else self._deaths + 1
            if self._process is not None:
                self._keeper.log.tell("worker_ended", worker=self._number, status=self._process.returncode)
            try:
                await self._forget()
                await asyncio.sleep(_AGAIN_SECONDS[min(self._deaths, len(_AGAIN_SECONDS)) - 1])
                await self.start()
                self._keeper.log.tell("worker_started", worker=self._number)
            except Exception as error:  # noqa: BLE001 - no memory, no threads, no descriptors: there may be some the next time
                kind = error.code if isinstance(error, SealwrightError) else type(error).__name__
                self._keeper.log.tell("worker_refused", worker=self._number, kind=kind)
                self._since = loop.time()  # this counts as a death of one that did not live long

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
        self._process = None
        if self._lifeline >= 0:
            lifeline, self._lifeline = self._lifeline, -1
            os.close(lifeline)
        await self._keeper.gone(self._number)
