"""The HTTP side of a witness: one path, small bodies, few connections, fewer of one source, a deadline for each request.

Answers: how does add-checkpoint (c2sp.org/tlog-witness) arrive, and what does a stranger get? `GET /` tells the witness's
key, so that people can compare it; nothing else is told.
Does not answer: what is cosigned. `trust.witness` decides.
Plain HTTP on purpose: a checkpoint is no secret, and the signatures in both directions carry the trust. Where the way
between the hosts is not yours, put a TLS proxy in front. All who come through it are one source here, so have it read a
request whole before it passes it on, and limit its own callers.
"""

import io
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sealwright.kernel import InvalidInput, OperationFailed
from sealwright.trust import Witness, network_of

__all__ = ["Limits", "WitnessServer", "listen_address"]

_MOST_BYTES = 64 * 1024
_REQUESTS = 100  # on one connection
_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of a witness strangers can hold, and for how long."""

    seconds: float = 10.0  # from the wait for a request until its answer was taken, however slowly bytes come
    places: int = 32  # connections at one time
    places_each: int = 4  # of one source: a ledger's owner needs one


def listen_address(text: str) -> tuple[str, int]:
    """Host and port of "127.0.0.1:7475" or "[::1]:7475"; port 0 takes a free one.

    Raises
    ------
    InvalidInput
        Not an address and a port.
    """
    host, colon, port = text.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise InvalidInput(f"{text[:80]!r} is not an address to listen on. Give one like 127.0.0.1:7475.")
    return host, int(port)


class _TimedReader(io.RawIOBase):
    """Reads from a connection, and waits for no byte beyond one moment for all of them."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._until = connection, 0.0

    def readable(self) -> bool:
        return True

    def begin(self, seconds: float) -> None:
        """Set the moment."""
        self._until = time.monotonic() + seconds

    def hurry(self) -> None:
        """Have the connection's next wait end at that moment. Raises `TimeoutError` once it has passed."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)

    def readinto(self, buffer: Any) -> int:
        self.hurry()
        return self._connection.recv_into(buffer)


class _Handler(BaseHTTPRequestHandler):
    server: "WitnessServer"
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "sealwright-witness", ""

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self._timed = _TimedReader(self.connection)
        self.rfile = io.BufferedReader(self._timed)
        self._left = _REQUESTS

    def handle_one_request(self) -> None:
        """As the parent, which ends the connection when this takes too long."""
        self._timed.begin(self.server.limits.seconds)
        super().handle_one_request()

    def do_GET(self) -> None:
        if self.path == "/":
            self._say(200, f"{self.server.witness.key.vkey()}\n".encode(), _TEXT)
        else:
            self._say(404, b"There is nothing here.\n", _TEXT)

    def do_POST(self) -> None:
        if self.path != "/add-checkpoint":
            self._refuse(404, b"There is nothing here.\n")
            return
        lengths = self.headers.get_all("Content-Length") or []
        if (
            self.headers.get("Transfer-Encoding")
            or len(lengths) != 1
            or not (lengths[0].isascii() and lengths[0].isdigit())
        ):
            self._refuse(411, b"Say how long the body is, once, with Content-Length.\n")
            return
        if len(lengths[0]) > 9 or int(lengths[0]) > _MOST_BYTES:
            self._refuse(413, b"That is too long for a checkpoint.\n")
            return
        body = self.rfile.read(int(lengths[0]))
        if len(body) != int(lengths[0]):
            self.close_connection = True
            return
        reply = self.server.witness.add_checkpoint(body)
        self._say(reply.status, reply.body, reply.type)

    def _refuse(self, status: int, why: bytes) -> None:
        """Answer without having read the body: nothing that follows on this connection is believed."""
        self.close_connection = True
        self._say(status, why, _TEXT)

    def _say(self, status: int, body: bytes, kind: str) -> None:
        self._left -= 1
        self.close_connection = self.close_connection or self._left <= 0
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        if self.close_connection:
            self.send_header("Connection", "close")
        self._timed.hurry()
        self.end_headers()
        self._timed.hurry()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Who asks is not logged: the checkpoints say which logs are alive."""


class _Places:
    """Who holds how many of the connections."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self._held = limits, Counter[str]()
        self._alone = threading.Lock()

    def take(self, source: str) -> bool:
        """Hold one more for `source`; False if there is none, or it holds enough."""
        with self._alone:
            free = self._held.total() < self._limits.places and self._held[source] < self._limits.places_each
            self._held[source] += free
            return free

    def give_back(self, source: str) -> None:
        with self._alone:
            self._held[source] -= 1
            if not self._held[source]:
                del self._held[source]


class WitnessServer(ThreadingHTTPServer):
    """Serves one witness until `shutdown`."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, witness: Witness, host: str, port: int, *, limits: Limits | None = None) -> None:
        """Listen.

        Raises
        ------
        OperationFailed
            The address is taken, or not of this machine.
        """
        self.witness, self.limits = witness, limits or Limits()
        self._places = _Places(self.limits)
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise OperationFailed(f"Cannot listen on {host}, port {port}: {error.strerror}. Choose another.") from None

    def process_request(self, request: Any, client_address: Any) -> None:
        """Take the connection if there is a place for it; close it otherwise."""
        source = network_of(client_address[0])
        if not self._places.take(source):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except Exception:  # no thread could be started, which would have given the place back
            self._places.give_back(source)
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.give_back(network_of(client_address[0]))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke off is nobody's fault here."""
