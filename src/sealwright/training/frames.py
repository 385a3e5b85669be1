"""How data goes into the confined child and results come out: one frame each, JSON and named bodies.

A frame is 8 bytes "SWTRAIN1", the header's length (8 bytes, little-endian), the header (strict JSON with
the key "bodies": [[name, length], …]), then the bodies one after the other. Nothing follows.
"""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from sealwright.kernel import InvalidInput, strict_json

__all__ = ["frame", "parse_frame", "read_frame"]

_MAGIC = b"SWTRAIN1"
_MOST_HEADER = 64 << 20
_MOST_BODIES = 2_000


def frame(header: Mapping[str, Any], bodies: Mapping[str, bytes | memoryview]) -> Iterator[bytes | memoryview]:
    """The pieces of a frame, in order."""
    listed = [[name, memoryview(body).nbytes] for name, body in bodies.items()]
    text = json.dumps({**header, "bodies": listed}, ensure_ascii=False, allow_nan=False).encode()
    if len(text) > _MOST_HEADER:
        raise InvalidInput(
            f"The description of the data is {len(text):,} bytes; at most {_MOST_HEADER:,} are passed on."
        )
    yield _MAGIC + struct.pack("<Q", len(text)) + text
    yield from (body for body in bodies.values() if memoryview(body).nbytes)


def parse_frame(data: bytes) -> tuple[dict[str, Any], dict[str, memoryview]]:
    """Header and bodies of one frame that is `data` exactly.

    Raises
    ------
    InvalidInput
        Anything but one whole frame.
    """
    start = len(_MAGIC) + 8
    if len(data) < start or data[: len(_MAGIC)] != _MAGIC:
        raise InvalidInput("This is not a frame.")
    (length,) = struct.unpack_from("<Q", data, len(_MAGIC))
    if length > min(_MOST_HEADER, len(data) - start):
        raise InvalidInput("The frame's header is cut off.")
    header = _header(data[start : start + length])
    view, here = memoryview(data), start + length
    bodies: dict[str, memoryview] = {}
    for name, size in _listed(header):
        if size > len(data) - here:
            raise InvalidInput("A body of the frame is cut off.")
        bodies[name] = view[here : here + size]
        here += size
    if here != len(data):
        raise InvalidInput("Bytes follow the end of the frame.")
    return header, bodies


def read_frame(stream: BinaryIO) -> tuple[dict[str, Any], dict[str, bytearray]]:
    """Header and bodies of the next frame on a stream, each body in memory of its own.

    Raises
    ------
    InvalidInput
        The stream ends early or holds no frame.
    """
    start = _exactly(stream, len(_MAGIC) + 8)
    if start[: len(_MAGIC)] != _MAGIC:
        raise InvalidInput("This is not a frame.")
    (length,) = struct.unpack_from("<Q", start, len(_MAGIC))
    if length > _MOST_HEADER:
        raise InvalidInput("The frame's header is too long.")
    header = _header(bytes(_exactly(stream, length)))
    return header, {name: _exactly(stream, size) for name, size in _listed(header)}


def _header(text: bytes) -> dict[str, Any]:
    header = strict_json(text, what="The frame's header", most_bytes=_MOST_HEADER)
    if not isinstance(header, dict):
        raise InvalidInput("The frame's header is not an object.")
    return header


def _listed(header: Mapping[str, Any]) -> Sequence[tuple[str, int]]:
    listed = header.get("bodies")
    if not isinstance(listed, list) or len(listed) > _MOST_BODIES:
        raise InvalidInput("The frame does not list its bodies.")
    for item in listed:
        if not (isinstance(item, list) and len(item) == 2 and isinstance(item[0], str) and type(item[1]) is int):
            raise InvalidInput("The frame's list of bodies is not readable.")
        if item[1] < 0:
            raise InvalidInput("A body of the frame has a negative length.")
    names = [name for name, _ in listed]
    if len(set(names)) != len(names):
        raise InvalidInput("A body of the frame is listed twice.")
    return [(name, size) for name, size in listed]


def _exactly(stream: BinaryIO, size: int) -> bytearray:
    buffer = bytearray(size)
    view, here = memoryview(buffer), 0
    while here < size:
        count = stream.readinto(view[here:])  # type: ignore[attr-defined]
        if not count:
            raise InvalidInput("The stream ended inside a frame.")
        here += count
    return buffer
