"""A caller over gRPC who keeps one connection: frames and headers written by hand, so that no client library is needed."""

import socket
import ssl
from typing import Any

from sealwright.serving.grpc.frames import (
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PREFACE,
    SETTINGS,
    WINDOW_UPDATE,
    frame,
)
from sealwright.serving.grpc.hpack import literal
from sealwright.serving.grpc.messages import message_class

__all__ = ["GrpcCaller"]

_PATH = b"/inference.GRPCInferenceService/ModelInfer"


class GrpcCaller:
    """One connection of a client who asks for predictions."""

    def __init__(self, house: Any, port: int, token: str) -> None:
        tls = ssl.create_default_context(cafile=str(house.tls.ca))
        tls.set_alpn_protocols(["h2"])
        self._link = tls.wrap_socket(
            socket.create_connection(("127.0.0.1", port), timeout=20), server_hostname="localhost"
        )
        self._stream, self._had, self._project = -1, b"", house.project
        named = {b":method": b"POST", b":scheme": b"https", b":path": _PATH, b":authority": b"localhost",
                 b"content-type": b"application/grpc", b"te": b"trailers", b"authorization": b"Bearer " + token.encode()}  # fmt: skip
        self._head = b"".join(literal(name, value) for name, value in named.items())
        self._link.sendall(PREFACE + frame(SETTINGS, 0, 0))

    def infer(self, row: dict[str, Any]) -> bytes:
        """The message of the answer to one row."""
        self._stream += 2
        asked = _message(row, self._project)
        body = b"\0" + len(asked).to_bytes(4, "big") + asked
        self._link.sendall(
            frame(HEADERS, END_HEADERS, self._stream, self._head) + frame(DATA, END_STREAM, self._stream, body)
        )
        answer = b""
        while True:
            kind, flags, stream, payload = self._frame()
            if kind == DATA and stream == self._stream:
                answer += payload
                more = len(payload).to_bytes(4, "big")
                if payload:
                    self._link.sendall(frame(WINDOW_UPDATE, 0, 0, more))
            if kind == HEADERS and stream == self._stream and flags & END_STREAM:
                return answer[5:]

    def close(self) -> None:
        self._link.close()

    def _frame(self) -> tuple[int, int, int, bytes]:
        while len(self._had) < 9 or len(self._had) < 9 + int.from_bytes(self._had[:3], "big"):
            chunk = self._link.recv(65_536)
            if not chunk:
                raise ConnectionError("the server closed the connection")
            self._had += chunk
        size = int.from_bytes(self._had[:3], "big")
        head, payload, self._had = self._had[:9], self._had[9 : 9 + size], self._had[9 + size :]
        return head[3], head[4], int.from_bytes(head[5:9], "big"), payload


def _message(row: dict[str, Any], project: str) -> bytes:
    asked = message_class("ModelInferRequest")(model_name=project)
    for name, value in row.items():
        kind, place = {bool: ("BOOL", "bool_contents"), int: ("INT64", "int64_contents"), float: ("FP64", "fp64_contents"),
                       str: ("BYTES", "bytes_contents")}[float if value is None else type(value)]  # fmt: skip
        told = asked.inputs.add(name=name, datatype=kind, shape=[1])
        filled = float("nan") if value is None else value.encode() if isinstance(value, str) else value
        getattr(told.contents, place).append(filled)
    return bytes(asked.SerializeToString())
