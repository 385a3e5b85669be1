"""Where gRPC is listened for: a port of its own beside HTTP, with the same certificate, limits and guard.

A port of its own, because firewalls and meshes tell protocols by it, and because nothing then has to guess what a connection speaks.
"""

import asyncio
from collections.abc import Callable, Collection
from weakref import WeakSet

from sealwright.kernel import Clock
from sealwright.serving.grpc.connection import Answerer, GrpcConnection
from sealwright.serving.problems import HttpRefusal
from sealwright.serving.transport.config import Transport
from sealwright.serving.transport.connection import ConnectionGuard
from sealwright.serving.transport.http_server import listen

__all__ = ["GrpcServer"]

_BACKLOG = 2048
_LOOK_SECONDS = 0.05


class GrpcServer:
    """One listener. Make it before the event loop starts: what is wrong is said then."""

    def __init__(
        self,
        answer: Answerer,
        refusal_of: Callable[[BaseException, str], tuple[HttpRefusal, str]],
        transport: Transport,
        port: int,
        guard: ConnectionGuard,
        clock: Clock,
        *,
        client_keys: Callable[[], Collection[str]] | None = None,
        listening: int | None = None,
    ) -> None:
        """Check the transport and listen on `port` of its address, or at the descriptor of a bound socket. Raises as `HttpServer`."""
        self._answer, self._refusal_of, self._guard = answer, refusal_of, guard
        self.secured = transport.open(clock(), client_keys, speaks="h2")
        self._listening = listen(transport.host, port, listening)
        self._listening.listen(_BACKLOG)  # who comes before the loop runs waits, and is not turned away
        self.port: int = self._listening.getsockname()[1]
        self._open: WeakSet[GrpcConnection] = WeakSet()
        self._server: asyncio.Server | None = None

    async def run(self) -> None:
        """Serve until cancelled; then calls under way are answered."""
        limits, secured = self._guard.limits, self.secured is not None
        self._server = await asyncio.get_running_loop().create_server(
            self._connection,
            sock=self._listening,
            ssl=self.secured,
            backlog=_BACKLOG,
            ssl_handshake_timeout=limits.handshake_seconds if secured else None,
            ssl_shutdown_timeout=limits.answer_seconds if secured else None,
        )
        try:
            await asyncio.Event().wait()  # until cancelled
        finally:
            self.drain()
            until = asyncio.get_running_loop().time() + limits.drain_seconds
            while any(one.busy for one in self._open) and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_SECONDS)

    def close(self) -> None:
        """Take no connection any more."""
        if self._server is not None:
            self._server.close()

    def drain(self) -> None:
        """Take no connection and no call any more."""
        self.close()
        for connection in list(self._open):
            connection.drain()

    def _connection(self) -> GrpcConnection:
        made = GrpcConnection(self._guard, self._answer, self._refusal_of, secured=self.secured is not None)
        self._open.add(made)
        return made
