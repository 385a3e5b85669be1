"""The same application under granian, on this machine only and behind a proxy that does what granian does not.

Answers: how does a server that is not ours run the application, and when does it start and stop?
Does not answer: slow bodies, readers that take nothing, connections of one address, TLS. granian has no place for our guard,
so settings that need it are refused (`ServeConfig.checked`); docs/adr/0023-granian.md has what was tried.
"""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from sealwright.kernel import MissingExtra
from sealwright.serving.transport.config import Transport
from sealwright.serving.transport.connection import ConnectionGuard
from sealwright.serving.transport.events import EventLog
from sealwright.serving.transport.http_server import listen

__all__ = ["GranianServer"]

_BACKLOG = 2048
_MS = 1000


class GranianServer:
    """One application on one address of this machine. In the place of `HttpServer`."""

    def __init__(
        self,
        app: Any,
        transport: Transport,
        guard: ConnectionGuard,
        log: EventLog,
        *,
        stopping: Callable[[], None],
    ) -> None:
        """Check the transport and listen.

        Raises
        ------
        MissingExtra
            granian is not installed.
        InvalidInput, Refused, OperationFailed
            A transport that is not safe, or an address that is taken.
        """
        transport.checked()
        self._log, self._stopping = log, stopping
        self._listening = listen(transport.host, transport.port)
        self._listening.listen(_BACKLOG)
        self.port: int = self._listening.getsockname()[1]
        self._server = _made(app, self._listening.fileno(), guard)
        self._stopped = False

    async def until_stopped(
        self,
        ready: Callable[[], None],
        *,
        lifeline: int | None = None,
        beside: Sequence[Coroutine[Any, Any, None]] = (),
    ) -> None:
        """As `HttpServer.until_stopped`."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self._log.fault("loop", context.get("exception") or OSError()))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        loop.add_signal_handler(signal.SIGHUP, self.look)
        if lifeline is not None:
            loop.add_reader(lifeline, self._on_lifeline, lifeline, loop)
        tasks = [loop.create_task(one) for one in beside]
        serving = loop.create_task(self._server.serve())
        try:
            await asyncio.sleep(0)  # it listens already; now it accepts
            ready()
            with contextlib.suppress(TimeoutError):  # somebody was not done after `drain_seconds`
                await serving
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._listening.detach()  # granian has closed it

    def look(self) -> None:
        """Nothing to renew: it has no certificates."""

    def _stop(self) -> None:
        if not self._stopped:
            self._stopped = True
            self._stopping()
            self._server.stop()

    def _on_lifeline(self, lifeline: int, loop: asyncio.AbstractEventLoop) -> None:
        loop.remove_reader(lifeline)
        self._stop()


def _made(app: Any, descriptor: int, guard: ConnectionGuard) -> Any:
    """granian's server on a socket of ours; by itself it would open one that others can bind beside it (SO_REUSEPORT)."""
    try:
        from granian._granian import SocketHolder
        from granian.constants import HTTPModes, Interfaces
        from granian.http import HTTP1Settings
        from granian.server.embed import Server
    except ImportError:
        raise MissingExtra("Serving with granian", "granian") from None

    class OnOurSocket(Server):  # type: ignore[misc]  # its types are skipped
        def _init_shared_socket(self) -> None:
            self._shd = SocketHolder(descriptor, False, _BACKLOG)  # type: ignore[call-arg]  # noqa: FBT003 - by position; its stub lacks it

    limits = guard.limits
    made = OnOurSocket(
        app,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        backlog=_BACKLOG,
        backpressure=limits.connections,
        http1_settings=HTTP1Settings(
            header_read_timeout=round(limits.header_seconds * _MS), max_buffer_size=max(8192, limits.header_bytes)
        ),
        log_enabled=False,
        log_access=False,
    )
    made.workers_kill_timeout = limits.drain_seconds
    return made
