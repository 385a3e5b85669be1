"""What is read of a request before its body: framing, host, type, length. One pass over the headers.

Refuses what two HTTP readers could understand differently (a repeated header that matters, chunked
bodies), and a Host that is not ours (DNS rebinding).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
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
        b"accept",
        b"inference-header-content-length",
    }
)
_LONGEST_PERSON = 256  # bytes
_MOST_DIGITS = 15
_JSON_ONLY = frozenset({b"application/json"})
_HARMLESS = frozenset({b"charset=utf-8", b"header=absent"})  # parameters of a media type that change nothing (RFC 4180)


@dataclass(frozen=True, slots=True)
class Head:
    """The headers that decide. `length` is the announced size of the body in bytes."""

    authorization: bytes | None
    content_type: bytes
    encoded: bool  # a Content-Encoding other than identity
    length: int | None
    person: str = ""  # whom the decision is about, as the caller's data names them
    timing: bool = False  # the caller asks how long each step took
    gpc: bool = False  # their browser's signal that their data may not be sold or shared, handed on by the caller
    accept: bytes = b""
    json_length: int | None = None  # where the JSON ends in a body of the binary tensor extension

    def need(self, kinds: Collection[bytes] = _JSON_ONLY, *, binary: bool = False) -> bytes:
        """The media type of the body, without its parameters; b"" where none is announced.

        Parameters
        ----------
        kinds : collection of bytes
            What the address reads, in lower case.
        binary : bool
            Whether it reads the binary tensor extension.

        Raises
        ------
        UnsupportedBody, LengthRequired
            The body is of another kind, compressed, in another charset, or of unknown length.
        """
        kind, _, rest = self.content_type.partition(b";")
        charset = rest.strip().lower().replace(b'"', b"")
        kind = kind.strip().lower()
        unknown = kind not in kinds or (self.json_length is not None and not binary)
        if self.encoded or unknown or (charset and charset not in _HARMLESS):
            told = b" or ".join(sorted(name for name in kinds if name)).decode()
            raise UnsupportedBody(f"This address reads {told}, without compression.")
        if self.length is None:
            raise LengthRequired
        return kind


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
    gpc = timing = False
    for name, value in headers:
        if name in _ONCE:
            if name in found:
                raise BadRequest(f"The header {name.decode()} stands there twice.")
            found[name] = value
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
    length = _count(found, b"content-length")
    if length is not None and length > most_body:
        raise BodyTooLarge(f"At most {most_body:,} bytes are read.")
    return Head(
        authorization=found.get(b"authorization"),
        content_type=found.get(b"content-type", b""),
        encoded=found.get(b"content-encoding", b"identity").lower() != b"identity",
        length=length,
        person=person_in(found.get(b"sealwright-person", b"")),
        gpc=gpc,
        timing=timing,
        accept=found.get(b"accept", b""),
        json_length=_count(found, b"inference-header-content-length"),
    )


def _count(found: Mapping[bytes, bytes], name: bytes) -> int | None:
    """A header that is a number of bytes, or None."""
    announced = found.get(name)
    if announced is None:
        return None
    if not announced.isdigit() or len(announced) > _MOST_DIGITS:
        raise BadRequest(f"The header {name.decode()} is not a number.")
    return int(announced)


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


@lru_cache(maxsize=64)
def _without_port(host: bytes) -> bytes:
    """The name in a Host header: without port, brackets of IPv6 and case."""
    name, colon, port = host.rpartition(b":")
    if not colon or b"]" in port:
        name = host
    elif not port.isdigit():
        return b""
    return name.removeprefix(b"[").removesuffix(b"]").lower()
