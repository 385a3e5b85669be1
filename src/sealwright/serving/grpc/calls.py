"""What stands between a gRPC call and its bytes: the head of a call, one message each way, the status at its end.

https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md. Unary calls only, and nothing compressed, so that nothing unfolds.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote_from_bytes

from sealwright.serving.grpc.hpack import literal
from sealwright.serving.problems import HttpRefusal, told_in_one_line

__all__ = [
    "PREFIX",
    "CallHead",
    "CallRefused",
    "Status",
    "block_of_refusal",
    "call_head",
    "framed",
    "message_in",
    "status_of",
    "told_ok",
]

PREFIX = 5  # a flag and four bytes of length before each message
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]++")
_VALUE = re.compile(rb"[\t -~\x80-\xff]*+")  # nothing that an HTTP/1.1 reader would take for the end of a line
_TIMEOUT = re.compile(rb"([0-9]{1,8})([HMSmun])")
_UNITS = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}
_CONNECTION = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"})
_OK_BLOCK = b"\x88" + literal(b"content-type", b"application/grpc")
_DONE_BLOCK = literal(b"grpc-status", b"0")
_MOST_TOLD = 500  # characters of a status message
_SAFE = " !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~"  # all that is printable, but the sign that escapes


class Status:
    """Codes, https://grpc.github.io/grpc/core/md_doc_statuscodes.html."""

    INVALID, DEADLINE, NOT_FOUND, DENIED, EXHAUSTED = 3, 4, 5, 7, 8
    UNIMPLEMENTED, INTERNAL, UNAVAILABLE, UNAUTHENTICATED = 12, 13, 14, 16


_OF_HTTP = {
    400: Status.INVALID, 401: Status.UNAUTHENTICATED, 403: Status.DENIED, 404: Status.NOT_FOUND, 405: Status.UNIMPLEMENTED,
    408: Status.DEADLINE, 413: Status.EXHAUSTED, 415: Status.UNIMPLEMENTED, 421: Status.NOT_FOUND, 422: Status.INVALID,
    429: Status.EXHAUSTED, 503: Status.UNAVAILABLE, 504: Status.DEADLINE,
}  # fmt: skip


class CallRefused(HttpRefusal):
    """A call that is none of ours, or not in the form gRPC gives it."""

    code, title = "grpc.refused", "The call is not acceptable gRPC"

    def __init__(self, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.status = status  # type: ignore[misc]  # a class variable of all others


class CallHead(NamedTuple):
    """What a call's headers say."""

    path: str
    seconds: float | None  # how long the caller waits
    headers: list[tuple[bytes, bytes]]  # the rest, as an HTTP/1.1 request would have them: with its Host


def call_head(found: Sequence[tuple[bytes, bytes]]) -> CallHead:
    """Read the headers of a call.

    Raises
    ------
    CallRefused
        Not a gRPC call, or headers that two readers could read differently.
    """
    pseudo: dict[bytes, bytes] = {}
    rest: list[tuple[bytes, bytes]] = []
    for name, value in found:
        if name[:1] == b":":
            if rest or name in pseudo:
                raise CallRefused("A pseudo-header stands twice or too late.")
            pseudo[name] = value
            continue
        if not _NAME.fullmatch(name) or name in _CONNECTION or not _VALUE.fullmatch(value):
            raise CallRefused("A header is not one of HTTP/2.")
        rest.append((name, value))
    if pseudo.keys() != {b":method", b":scheme", b":path", b":authority"} or pseudo[b":method"] != b"POST":
        raise CallRefused("Expected POST with a path and an authority.")
    named = dict(rest)
    kind = named.get(b"content-type", b"")
    if kind.partition(b";")[0] not in (b"application/grpc", b"application/grpc+proto"):
        raise CallRefused("Expected the content type application/grpc.", 415)
    if named.get(b"grpc-encoding", b"identity") != b"identity":
        raise CallRefused("Compressed messages are not read.", 415)
    path = pseudo[b":path"]
    if len(path) > 200 or not path.isascii():
        raise CallRefused("There is no such method.", 405)
    rest.append((b"host", pseudo[b":authority"]))
    return CallHead(path.decode(), _seconds(named.get(b"grpc-timeout")), rest)


def message_in(body: bytearray, most: int) -> bytes | None:
    """The one message of a call; None while it is not whole.

    Raises
    ------
    CallRefused
        Compressed, too large, or followed by more.
    """
    if len(body) < PREFIX:
        return None
    length = int.from_bytes(body[1:PREFIX], "big")
    if body[0]:
        raise CallRefused("Compressed messages are not read.", 415)
    if length > most:
        raise CallRefused(f"At most {most:,} bytes are read.", 413)
    if len(body) > PREFIX + length:
        raise CallRefused("Expected one message.")
    return bytes(body[PREFIX:]) if len(body) == PREFIX + length else None


def framed(message: bytes) -> bytes:
    """A message with its length."""
    return b"\x00" + len(message).to_bytes(4, "big") + message


def told_ok(headers: Sequence[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    """The header blocks before and after an answer."""
    return _OK_BLOCK + b"".join([literal(name, value) for name, value in headers]), _DONE_BLOCK


def status_of(refusal: HttpRefusal) -> int:
    """The gRPC status of a refusal."""
    return _OF_HTTP.get(refusal.status, Status.INTERNAL)


def block_of_refusal(refusal: HttpRefusal, fault: str) -> bytes:
    """The only header block of a call that gets no answer: its status, in words, the refusal's own headers, and the id of a fault."""
    told = quote_from_bytes(told_in_one_line(refusal)[:_MOST_TOLD].encode(), safe=_SAFE)
    own = b"".join(literal(name, value) for name, value in refusal.headers)
    if fault:
        own += literal(b"sealwright-fault", fault.encode())
    return (
        _OK_BLOCK
        + literal(b"grpc-status", str(status_of(refusal)).encode())
        + literal(b"grpc-message", told.encode())
        + literal(b"sealwright-code", refusal.code.encode())
        + own
    )


def _seconds(value: bytes | None) -> float | None:
    if value is None:
        return None
    found = _TIMEOUT.fullmatch(value)
    if found is None:
        raise CallRefused("The grpc-timeout is none.")
    return int(found[1]) * _UNITS[found[2]]
