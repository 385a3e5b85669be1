"""Frames of HTTP/2, RFC 9113 sections 4 and 6: cut out of what arrives, and made."""

import struct
from typing import NamedTuple

__all__ = [
    "ACK", "CONTINUATION", "DATA", "END_HEADERS", "END_STREAM", "Fault", "Frame", "GOAWAY", "HEADERS", "Http2Refused",
    "MOST_PAYLOAD", "PADDED", "PING", "PREFACE", "PRIORITIZED", "PRIORITY", "PUSH_PROMISE", "RST_STREAM", "SETTINGS",
    "WINDOW_UPDATE", "frame", "next_frame", "unpadded",
]  # fmt: skip

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
MOST_PAYLOAD = 16_384
"""Bytes in one frame: the least that RFC 9113 allows to announce, and the default."""

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITIZED = 0x1, 0x1, 0x4, 0x8, 0x20

_HEAD = struct.Struct(">HBBBI")
_HEAD_BYTES = 9


class Fault:
    """Error codes, RFC 9113 section 7."""

    NONE, PROTOCOL, INTERNAL, FLOW_CONTROL, _TIMEOUT, STREAM_CLOSED, FRAME_SIZE, REFUSED, CANCEL = range(9)
    COMPRESSION, ENHANCE_YOUR_CALM = 9, 11


class Http2Refused(Exception):
    """The connection breaks the protocol or is abusive: it ends, with this code."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(code)


class Frame(NamedTuple):
    """One frame."""

    kind: int
    flags: int
    stream: int
    payload: bytes


def next_frame(data: bytearray, at: int) -> Frame | None:
    """The frame that begins at a place, or None while it is not whole.

    Raises
    ------
    Http2Refused
        It is announced larger than allowed.
    """
    if len(data) - at < _HEAD_BYTES:
        return None
    high, low, kind, flags, stream = _HEAD.unpack_from(data, at)
    length = high << 8 | low
    if length > MOST_PAYLOAD:
        raise Http2Refused(Fault.FRAME_SIZE)
    begin = at + _HEAD_BYTES
    if len(data) - begin < length:
        return None
    return Frame(kind, flags, stream & 0x7FFFFFFF, bytes(data[begin : begin + length]))


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """The bytes of a frame."""
    length = len(payload)
    return _HEAD.pack(length >> 8, length & 0xFF, kind, flags, stream) + payload


def unpadded(one: Frame, skip: int = 0) -> bytes:
    """The payload without padding, and without `skip` bytes in front of it. Raises `Http2Refused`."""
    payload = one.payload
    if one.flags & PADDED:
        if not payload or payload[0] + skip >= len(payload):
            raise Http2Refused(Fault.PROTOCOL)
        payload = payload[1 : len(payload) - payload[0]]
    if len(payload) < skip:
        raise Http2Refused(Fault.FRAME_SIZE)
    return payload[skip:]
