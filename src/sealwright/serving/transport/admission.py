"""What is read of a request before its body: framing, host, type, length. One pass over the headers.

Refuses what two HTTP readers could understand differently (a repeated header that matters, chunked
bodies), and a Host that is not ours (DNS rebinding).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from sealwright.serving.problems import BadRequest, BodyTooLarge, LengthRequired, Misdirected, UnsupportedBody
from sealwright.serving.timing import TIMING_HEADER

__all__ = ["Head", "check_host", "person_in", "read_head"]

_ONCE = frozenset(
    {
        b"host",
        b"authorization",
        b"content-type",
        b"content-length",
        b"content-encoding",
        b"transfer-encoding",
        b"sealwright-person",
    }
)
_LONGEST_PERSON = 256  # bytes
_MOST_DIGITS = 15


@dataclass(frozen=True, slots=True)
class Head:
    """The headers that decide. `length` is the announced size of the body in bytes."""

    authorization: bytes | None
    content_type: bytes
    binary: bool  # the header of the binary tensor extension is present
    encoded: bool  # a Content-Encoding other than identity
    length: int | None
    person: str = ""  # whom the decision is about, as the caller's data names them
    timing: bool = False  # the caller asks how long each step took
    gpc: bool = False  # their browser's signal that their data may not be sold or shared, handed on by the caller

    def need_json(self) -> None:
        """Refuse a body that is not announced as plain JSON of known length.

        Raises
        ------
        UnsupportedBody, LengthRequired
        """
        kind, _, rest = self.content_type.partition(b";")
        charset = rest.strip().lower().replace(b'"', b"")
        if self.encoded or self.binary or kind.strip().lower() != b"application/json":
            raise UnsupportedBody
        if charset and charset != b"charset=utf-8":
            raise UnsupportedBody
        if self.length is None:
            raise LengthRequired


def read_head(headers: Iterable[tuple[bytes, bytes]], *, hosts: Collection[bytes], most_body: int) -> Head:
    """Read the headers of a request (names in lower case).

    Raises
    ------
    BadRequest
        A header that must stand once stands twice, no Host, a length that is no number, or an unusable person.
    Misdirected
        The Host is not one of `hosts`.
    LengthRequired
        The body is chunked.
    BodyTooLarge
        More than `most_body` bytes are announced.
    """
    found: dict[bytes, bytes] = {}
    binary = gpc = timing = False
    for name, value in headers:
        if name in _ONCE:
            if name in found:
                raise BadRequest(f"The header {name.decode()} stands there twice.")
            found[name] = value
        elif name == b"inference-header-content-length":
            binary = True
        elif name == TIMING_HEADER:
            timing = True
        elif name == b"sec-gpc":
            gpc = gpc or value == b"1"  # W3C: any other value is no signal; sent twice, the one that protects counts
    host = found.get(b"host")
    if host is None:
        raise BadRequest("The Host header is missing.")
    check_host(host, hosts)
    if b"transfer-encoding" in found:
        raise LengthRequired("Chunked bodies are not read. Send a Content-Length.")
    length = None
    if (announced := found.get(b"content-length")) is not None:
        if not announced.isdigit() or len(announced) > _MOST_DIGITS:
            raise BadRequest("The Content-Length is not a number.")
        length = int(announced)
        if length > most_body:
            raise BodyTooLarge(f"At most {most_body:,} bytes are read.")
    return Head(
        authorization=found.get(b"authorization"),
        content_type=found.get(b"content-type", b""),
        binary=binary,
        encoded=found.get(b"content-encoding", b"identity").lower() != b"identity",
        length=length,
        person=person_in(found.get(b"sealwright-person", b"")),
        gpc=gpc,
        timing=timing,
    )


def check_host(host: bytes, hosts: Collection[bytes]) -> None:
    """Return if a Host header names one of `hosts` (DNS rebinding).

    Raises
    ------
    Misdirected
    """
    if host not in hosts and _without_port(host) not in hosts:
        raise Misdirected("The names it answers to are set in the project, under serving.hosts.")


def person_in(value: bytes) -> str:
    """Whom a decision is about, in the header Sealwright-Person: UTF-8, percent-encoded where it is not plain ASCII.

    Raises
    ------
    BadRequest
        It is not usable as a name.
    """
    if not value:
        return ""
    person = unquote_to_bytes(value).decode("utf-8", "replace")
    if len(value) > _LONGEST_PERSON or not person.isprintable() or "\ufffd" in person:
        raise BadRequest("Sealwright-Person is not usable: percent-encoded UTF-8, at most 256 bytes.")
    return person


def _without_port(host: bytes) -> bytes:
    """The name in a Host header: without port, brackets of IPv6 and case."""
    name, colon, port = host.rpartition(b":")
    if not colon or b"]" in port:
        name = host
    elif not port.isdigit():
        return b""
    return name.removeprefix(b"[").removesuffix(b"]").lower()
