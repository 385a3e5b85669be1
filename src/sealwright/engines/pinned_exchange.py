"""One HTTP/1.1 request and its answer over one socket to one address, within a deadline.

Answers: what did the server behind this address say? The name is used for TLS and the Host header only; nothing here can
look it up. A server that sends a byte a second still meets the deadline, because every read is given only what is left.
Does not answer: may this address be asked? That is `outbound`.
"""

import io
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

from sealwright.engines.addresses import Address
from sealwright.engines.destinations import Destination
from sealwright.engines.outbound_errors import OutboundFailed, OutboundRefused

__all__ = ["Answer", "Deadline", "exchange", "open_socket", "tls_context"]

_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: complete, not compressed, and not a redirect."""

    status: int
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)

    def header(self, name: str) -> str:
        """A header's value, "" if it is not there; several are joined by a comma."""
        return ", ".join(value for key, value in self.headers if key.lower() == name.lower())


class Deadline:
    """A moment after which nothing is waited for any more."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self, at_most: float | None = None) -> float:
        """Seconds left, never none.

        Raises
        ------
        OutboundFailed
            "outbound.timeout": the moment has passed.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise OutboundFailed("timeout", "The other side did not answer in time. Try again later.")
        return left if at_most is None else min(left, at_most)


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or newer, the certificate checked against the name; the system's authorities, or those in `ca_file` only.

    Not `ssl.create_default_context`, which writes session keys to wherever SSLKEYLOGFILE says.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if ca_file is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        context.load_verify_locations(cafile=ca_file)
    return context


def open_socket(
    destination: Destination,
    address: Address,
    context: ssl.SSLContext | None,
    deadline: Deadline,
    connect_seconds: float,
) -> socket.socket:
    """A connection to exactly `address`, with TLS for the destination's name if there is a context.

    Raises
    ------
    OSError, ssl.SSLError
        Nobody answers there, or the certificate is not for this name.
    OutboundFailed
        "outbound.timeout".
    """
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    plain = socket.socket(family, socket.SOCK_STREAM)
    try:
        plain.settimeout(deadline.left(connect_seconds))
        plain.connect((str(address), destination.port))
        if context is None:
            return plain
        plain.settimeout(deadline.left(connect_seconds))
        return context.wrap_socket(plain, server_hostname=destination.host)
    except BaseException:
        plain.close()
        raise


def exchange(
    connection: socket.socket,
    destination: Destination,
    method: str,
    headers: Mapping[str, str],
    body: bytes,
    deadline: Deadline,
    most_bytes: int,
) -> Answer:
    """Send one request and read the whole answer.

    Raises
    ------
    OutboundRefused
        "outbound.redirect", "outbound.encoding": the answer leads elsewhere, or is compressed.
    OutboundFailed
        "outbound.timeout", "outbound.too_large", "outbound.protocol".
    """
    http = HTTPConnection(destination.host, destination.port)
    http.auto_open = 0  # this object never connects by itself
    http.sock = _TimedSocket(connection, deadline)
    fixed = {"Host": destination.authority, "Accept-Encoding": "identity", "Connection": "close"}
    try:
        http.request(method, destination.target, body or None, {**headers, **fixed})
        response = http.getresponse()
        _refuse(response)
        return Answer(response.status, tuple(response.getheaders()), _read(response, most_bytes))
    except TimeoutError:
        raise OutboundFailed("timeout", f"{destination.host} did not answer in time. Try again later.") from None
    except (HTTPException, OSError, ValueError):
        raise OutboundFailed("protocol", f"{destination.host} broke off, or did not answer in HTTP.") from None


def _refuse(response: HTTPResponse) -> None:
    if response.status < 200:
        raise OutboundFailed("protocol", "The other side wants to speak another protocol.")
    if 300 <= response.status < 400:
        raise OutboundRefused(
            "redirect", "The other side answers with a redirect, which is not followed. Give the final address."
        )
    encodings = (response.getheader("Content-Encoding") or "identity").strip().lower()
    transfer = (response.getheader("Transfer-Encoding") or "chunked").strip().lower()
    if encodings != "identity" or transfer != "chunked":
        raise OutboundRefused("encoding", "The other side sent a compressed answer although it was told not to.")


def _read(response: HTTPResponse, most_bytes: int) -> bytes:
    """The body, read piece by piece and never more than a piece beyond the limit."""
    data = bytearray()
    while piece := response.read(_CHUNK):
        data += piece
        if len(data) > most_bytes:
            raise OutboundFailed("too_large", f"The answer is larger than {most_bytes:,} bytes.")
    if response.length:
        raise OutboundFailed("protocol", "The other side broke off in the middle of its answer.")
    return bytes(data)


class _TimedSocket:
    """What `http.client` needs of a socket; every wait ends at the deadline."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            self._connection.settimeout(self._deadline.left())
            rest = rest[self._connection.send(rest[:_CHUNK]) :]

    def makefile(self, *_: Any) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._connection, self._deadline))

    def close(self) -> None:
        """Nothing: the answer is still being read, and who opened the connection closes it."""


class _TimedReader(io.RawIOBase):
    """Reads from a socket, each time waiting for no longer than the deadline."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(self._deadline.left())
        return self._connection.recv_into(buffer)
