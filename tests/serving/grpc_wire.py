"""gRPC by hand: frames as no client library would make them."""

import contextlib
import socket
import ssl
from collections.abc import Iterator, Sequence
from typing import Any

from sealwright.serving.grpc.frames import PREFACE, Frame, frame
from sealwright.serving.grpc.hpack import HeaderDecoder, literal
from sealwright.serving.grpc.messages import message_class

DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, END_HEADERS = 1, 4
_OIP = b"/inference.GRPCInferenceService/"


class Wire:
    """One connection of an attacker, who speaks HTTP/2 as badly as he likes."""

    def __init__(self, house: Any, port: int, *, alpn: Sequence[str] = ("h2",), hello: bool = True) -> None:
        tls = ssl.create_default_context(cafile=str(house.tls.ca))
        tls.set_alpn_protocols(list(alpn))
        raw = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.link = tls.wrap_socket(raw, server_hostname="localhost")
        self.token, self.project = house.token(), house.project
        self.decoder, self.had = HeaderDecoder(most_bytes=1 << 16), bytearray()
        if hello:
            self.send(PREFACE + frame(SETTINGS, 0, 0))

    def send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self.link.sendall(data)

    def head(
        self, method: str = "ModelInfer", *, changes: dict[bytes, bytes | None] | None = None, more: bytes = b""
    ) -> bytes:
        named: dict[bytes, bytes | None] = {
            b":method": b"POST", b":scheme": b"https", b":path": _OIP + method.encode(), b":authority": b"localhost",
            b"content-type": b"application/grpc", b"te": b"trailers", b"authorization": b"Bearer " + self.token.encode(),
        }  # fmt: skip
        named |= changes or {}
        return b"".join(literal(name, value) for name, value in named.items() if value is not None) + more

    def call(self, stream: int, message: bytes, method: str = "ModelInfer", **more: Any) -> None:
        body = b"\0" + len(message).to_bytes(4, "big") + message
        self.send(frame(HEADERS, END_HEADERS, stream, self.head(method, **more)))
        for at in range(0, len(body), 16_000):
            self.send(frame(DATA, END_STREAM if at + 16_000 >= len(body) else 0, stream, body[at : at + 16_000]))

    def frames(self) -> Iterator[Frame]:
        """What comes, until the other side closes."""
        while True:
            while len(self.had) >= 9:
                size = int.from_bytes(self.had[:3], "big")
                if len(self.had) < 9 + size:
                    break
                one = Frame(
                    self.had[3], self.had[4], int.from_bytes(self.had[5:9], "big"), bytes(self.had[9 : 9 + size])
                )
                del self.had[: 9 + size]
                yield one
            try:
                chunk = self.link.recv(65_536)
            except (ConnectionError, ssl.SSLError, TimeoutError):
                return
            if not chunk:
                return
            self.had += chunk

    def answer(self, stream: int) -> tuple[dict[str, str], bytes]:
        """The headers and trailers of a call together, and its message."""
        headers: dict[str, str] = {}
        body = b""
        for one in self.frames():
            if one.kind == HEADERS:
                found = self.decoder.read(one.payload)
                if one.stream == stream:
                    headers |= {name.decode(): value.decode("latin-1") for name, value in found}
            elif one.kind == DATA and one.stream == stream:
                body += one.payload
            if one.kind == HEADERS and one.stream == stream and one.flags & END_STREAM:
                break
        return headers, body

    def goodbye(self) -> int | None:
        """The code of GOAWAY, read to the end of the connection; None where it only closed."""
        code = None
        for one in self.frames():
            if one.kind == GOAWAY:
                code = int.from_bytes(one.payload[4:8], "big")
        return code


def infer_request(row: dict[str, Any], project: str, *, rows: int = 1, **changes: Any) -> bytes:
    """A ModelInferRequest that asks about this row, some times."""
    asked = message_class("ModelInferRequest")(model_name=project, **changes)
    for name, value in row.items():
        kind, field = {bool: ("BOOL", "bool_contents"), int: ("INT64", "int64_contents"), float: ("FP64", "fp64_contents"),
                       str: ("BYTES", "bytes_contents")}[float if value is None else type(value)]  # fmt: skip
        told = asked.inputs.add(name=name, datatype=kind, shape=[rows])
        filled = float("nan") if value is None else value.encode() if isinstance(value, str) else value
        getattr(told.contents, field).extend([filled] * rows)
    return bytes(asked.SerializeToString())
