"""Real servers on loopback that say exactly what a test tells them to, and listeners that must never be asked."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sealwright.trust import ECDSA_P256, LocalSigner, TlsFiles, create_server_certificate

__all__ = ["Canary", "Received", "Server", "answer", "certificate_for", "serving", "silent_canary"]

_SECONDS = 10


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(found) <= 1, f"{name} was sent {len(found)} times"
        return found[0] if found else None


Handler = Callable[[Received], bytes | Iterable[bytes]]


@dataclass
class Server:
    """A running server, what it was asked, and by which address of its own."""

    port: int
    requests: list[Received] = field(default_factory=list)
    connections: list[str] = field(default_factory=list)
    handshakes_failed: int = 0


@dataclass
class Canary:
    """A listener on every local address. Whatever connects to it got past a guard."""

    port: int
    seen: list[str] = field(default_factory=list)


def answer(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
    """The bytes of an ordinary answer; underscores in names of headers become dashes."""
    lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def certificate_for(folder: Path, *names: str) -> TlsFiles:
    """A certificate for these names by an authority made for the test; its CA certificate is in `ca`."""
    signer = LocalSigner(ECDSA_P256, b"\7" * 32)
    return create_server_certificate(signer, folder, list(names), datetime.now(UTC))


@contextlib.contextmanager
def serving(
    handler: Handler, *, tls: TlsFiles | None = None, address: str = "127.0.0.1", port: int = 0
) -> Iterator[Server]:
    """Answer each connection once, as `handler` says: bytes, or pieces of bytes sent one by one."""
    context = None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls.certificate, tls.key)
    listener = socket.create_server((address, port))
    server = Server(listener.getsockname()[1])

    def one(connection: socket.socket) -> None:
        try:
            connection.settimeout(_SECONDS)
            if context is not None:
                connection = context.wrap_socket(connection, server_side=True)
        except OSError:
            server.handshakes_failed += 1
            connection.close()
            return
        with connection, contextlib.suppress(OSError):
            received = _read(connection)
            server.requests.append(received)
            said = handler(received)
            for piece in (said,) if isinstance(said, bytes) else said:
                connection.sendall(piece)

    with _accepting(
        listener, lambda connection: (server.connections.append(connection.getsockname()[0]), one(connection))
    ):
        yield server


@contextlib.contextmanager
def silent_canary() -> Iterator[Canary]:
    """A canary on all addresses of this machine, IPv4 and IPv6."""
    listener = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    canary = Canary(listener.getsockname()[1])

    def caught(connection: socket.socket) -> None:
        canary.seen.append(str(connection.getsockname()))
        connection.close()

    with _accepting(listener, caught):
        yield canary


@contextlib.contextmanager
def _accepting(listener: socket.socket, take: Callable[[socket.socket], object]) -> Iterator[None]:
    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=take, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(_SECONDS)


def _read(connection: socket.socket) -> Received:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            raise OSError("closed")
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
    while len(body) < length:
        body += connection.recv(65536)
    method, target, _ = first.split(" ")
    return Received(method, target, headers, body)
