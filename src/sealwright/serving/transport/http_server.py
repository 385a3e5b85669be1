"""A server from its first connection to the end of its last answer: the same for every application of ours.

Answers: how does it listen, what do signals do, how does it stop?
SIGTERM and SIGINT: every answer is the last on its connection and says so, for a second, so that callers go elsewhere by themselves and
lose no request; then no new connection is taken, and answers under way finish within `drain_seconds`. A second signal skips the second. SIGHUP, and `look` where they changed:
certificates and revocation lists are read again; new handshakes get them, open connections stay.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import time
from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

import uvicorn

from sealwright.kernel import Clock, OperationFailed, SealwrightError
from sealwright.serving.transport.config import Transport
from sealwright.serving.transport.connection import ConnectionGuard, guarded_protocol
from sealwright.serving.transport.events import EventLog
from sealwright.serving.transport.limits import TransportLimits
from sealwright.serving.transport.tls_context import SecureContext

__all__ = ["HttpServer", "listen"]

_BACKLOG = 2048
_FAREWELL_SECONDS = 1.0  # for callers to be told; no longer than somebody is connected
_LOOK_SECONDS = 0.05


class HttpServer:
    """One application on one address. Make it before the event loop starts: what is wrong is said then."""

    def __init__(
        self,
        app: Any,
        transport: Transport,
        guard: ConnectionGuard,
        log: EventLog,
        clock: Clock,
        *,
        stopping: Callable[[], None],
        client_keys: Callable[[], Collection[str]] | None = None,
        listening: int | None = None,
        renews_too: Sequence[SecureContext] = (),
    ) -> None:
        """Check the transport and listen.

        Parameters
        ----------
        app : ASGI 3 application
        stopping : callable
            Called once, at the beginning of the end: whoever asks should be told so.
        client_keys : callable, optional
            As `Transport.open`.
        listening : int, optional
            The descriptor of a socket that is bound already, and that other processes listen at, too.
        renews_too : sequence of SecureContext
            Of other listeners with the same files.

        Raises
        ------
        InvalidInput, Refused, KeyFileUnsafe, OperationFailed
            A transport that is not safe, or an address that is taken.
        """
        self._guard, self._log, self._clock, self._stopping = guard, log, clock, stopping
        self._leaving: asyncio.Task[None] | None = None
        self._files, self._client_keys = transport.files, client_keys
        self._seen = self._mark()
        self._secured = transport.open(clock(), client_keys)
        self._renews_too = tuple(renews_too)
        self._listening = listen(transport.host, transport.port, listening)
        self.port: int = self._listening.getsockname()[1]
        self._server = _Server(_settings(app, guard, self._secured), self._listening, guard.limits)

    async def until_stopped(
        self,
        ready: Callable[[], None],
        *,
        lifeline: int | None = None,
        beside: Sequence[Coroutine[Any, Any, None]] = (),
    ) -> None:
        """Serve until SIGTERM, SIGINT or the end of the lifeline.

        Parameters
        ----------
        ready : callable
            Called once, when requests are answered.
        lifeline : int, optional
            A descriptor whose end of file means: stop.
        beside : sequence of coroutines
            What runs as long as the server does.
        """
        loop = asyncio.get_running_loop()
        self._server.announce = ready
        loop.set_exception_handler(lambda _, context: self._log.fault("loop", context.get("exception") or OSError()))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        loop.add_signal_handler(signal.SIGHUP, self.renew)
        if lifeline is not None:
            loop.add_reader(lifeline, self._on_lifeline, lifeline, loop)
        tasks = [loop.create_task(one) for one in (self._guard.sweep(), *beside)]
        try:
            await self._server.serve()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _stop(self) -> None:
        if self._leaving is not None:
            self._server.should_exit = True
            return
        self._stopping()
        self._guard.drain()
        self._leaving = asyncio.get_running_loop().create_task(self._leave())

    async def _leave(self) -> None:
        """Wait until everybody has been told, then take no new connection."""
        until = time.monotonic() + _FAREWELL_SECONDS
        while self._guard.open and time.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)
        self._server.should_exit = True

    def look(self) -> None:
        """Renew if a file or the keys that count changed since the last time. Cheap; the program's own loop calls it."""
        now = self._mark()
        if now != self._seen:
            self._seen = now  # before the files are read: what changes meanwhile is seen the next time
            self.renew()

    def _mark(self) -> tuple[object, ...]:
        keys = None if self._client_keys is None else frozenset(self._client_keys())
        return (keys, *(_changed(path) for path in self._files))

    def renew(self) -> None:
        """Take renewed files; where they are not good, the ones in force stay."""
        if self._secured is None:
            return
        try:
            for secured in (self._secured, *self._renews_too):
                secured.renew(self._clock())
            self._log.tell("certificate_loaded")
        except (OSError, SealwrightError) as error:
            self._log.tell("certificate_refused", kind=type(error).__name__)

    def _on_lifeline(self, lifeline: int, loop: asyncio.AbstractEventLoop) -> None:
        """Whoever started us is gone (or wrote what we do not read): stop in good order."""
        loop.remove_reader(lifeline)
        self._stop()


class _Server(uvicorn.Server):
    """uvicorn on one socket of ours, with deadlines for the handshake; signals are handled above."""

    def __init__(self, config: uvicorn.Config, listening: socket.socket, limits: TransportLimits) -> None:
        super().__init__(config)
        self._listening = listening
        secured = config.ssl is not None
        self._deadlines: dict[str, Any] = {
            "ssl_handshake_timeout": limits.handshake_seconds if secured else None,
            "ssl_shutdown_timeout": limits.answer_seconds if secured else None,
        }
        self._connection: Callable[[], asyncio.Protocol]
        self.announce: Callable[[], None] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002
        loop = asyncio.get_running_loop()
        config = self.config

        def connection() -> asyncio.Protocol:
            made: asyncio.Protocol = config.http_protocol_class(  # type: ignore[call-arg]
                config=config, server_state=self.server_state, app_state={}, _loop=loop
            )
            return made

        self._connection = connection
        server = await loop.create_server(
            connection,
            sock=self._listening,
            ssl=config.ssl,
            backlog=_BACKLOG,
            **self._deadlines,
        )
        self.servers = [server]
        self.started = True
        self.announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._take_the_last()
        await super().shutdown(sockets)

    async def _take_the_last(self) -> None:
        """Whoever is connected for the kernel would be cut off when it is no longer listened: take them, they are answered."""
        loop, last = asyncio.get_running_loop(), []
        self._listening.settimeout(0)
        with contextlib.suppress(OSError):
            for _ in range(_BACKLOG):
                taken, _ = self._listening.accept()
                taken.settimeout(0)
                last.append(
                    loop.connect_accepted_socket(self._connection, taken, ssl=self.config.ssl, **self._deadlines)
                )
        for server in self.servers:
            server.close()
        await asyncio.gather(*last, return_exceptions=True)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _changed(path: Path) -> tuple[int, int, int] | None:
    """What tells that a file was replaced; links are followed."""
    with contextlib.suppress(OSError):
        found = path.stat()
        return found.st_mtime_ns, found.st_size, found.st_ino
    return None


def listen(host: str, port: int, bound: int | None = None) -> socket.socket:
    """A bound socket: `bound`, where there is one already. Raises `OperationFailed` where the address is taken."""
    if bound is not None:
        return socket.socket(fileno=bound)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise OperationFailed(
            f"Cannot listen on {host}, port {port}: {error.strerror}. Choose another with --port."
        ) from None
    return listening


def _settings(app: Any, guard: ConnectionGuard, secured: SecureContext | None) -> uvicorn.Config:
    logging.getLogger("uvicorn.error").disabled = True  # it logs callers' mistakes; ours are counted
    settings = uvicorn.Config(
        app,
        http=guarded_protocol(guard),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=max(1, round(guard.limits.idle_seconds)),
        timeout_graceful_shutdown=max(1, round(guard.limits.drain_seconds)),
    )
    settings.load()
    settings.ssl = secured
    return settings
