"""granian under the same application: it answers, it ends in order, and what it cannot keep is refused with it."""

import contextlib
import http.client
import json
import os
import signal
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from sealwright.kernel import Refused
from sealwright.serving import Running, ServingSpec

pytest.importorskip("granian")

_SPEC = ServingSpec(server="granian")


@pytest.fixture
def behind(house: Any) -> Iterator[Running]:
    with house.launch(tls=False, spec=_SPEC) as running:
        yield running


def _request(house: Any, row: dict[str, Any]) -> tuple[str, bytes, dict[str, str]]:
    headers = {"Authorization": f"Bearer {house.token()}", "Content-Type": "application/json"}
    return f"/v1/models/{house.project}/predict", json.dumps({"row": row}).encode(), headers


def _ask(port: int, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as link:
        link.request("POST", path, body, headers)
        answer = link.getresponse()
        return answer.status, json.loads(answer.read())


def test_it_answers_with_receipts_and_refuses_as_uvicorn_does(house: Any, behind: Running, row: dict[str, Any]) -> None:
    path, body, headers = _request(house, row)
    status, told = _ask(behind.port, path, body, headers)
    assert status == 200
    assert {"answer", "receipt"} <= set(told)
    assert _ask(behind.port, path, body, headers | {"Authorization": "Bearer none"})[0] == 401
    assert _ask(behind.port, path, b'{"row": {}}', headers)[0] == 422
    assert _ask(behind.port, path, body, headers | {"Host": "elsewhere.example"})[0] == 421


def test_sigterm_finishes_what_was_begun_and_nobody_else_may_bind_its_port(
    house: Any, behind: Running, row: dict[str, Any]
) -> None:
    path, body, headers = _request(house, row)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        with pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", behind.port))
    # The server says "100 Continue" when the application asks for the body: from then on the request is begun.
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}", "Expect: 100-continue"]
    head = "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode()
    with socket.create_connection(("127.0.0.1", behind.port), timeout=20) as link:
        link.sendall(head)
        assert link.recv(65_536).startswith(b"HTTP/1.1 100")
        link.sendall(body[:-10])
        os.kill(behind.pid, signal.SIGTERM)
        link.sendall(body[-10:])
        assert link.recv(65_536).startswith(b"HTTP/1.1 200")
    assert behind.wait(20) == 0


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"tls": True}, "TLS"),
        ({"tls": False, "host": "0.0.0.0"}, "an address that other machines reach"),
        ({"tls": False, "grpc_port": 0}, "gRPC"),
        ({"tls": True, "client_certificates": "required"}, "client certificates"),
        ({"tls": False, "workers": 2}, "several workers"),
        ({"tls": False, "platform": "sagemaker", "behind_platform": True, "host": "0.0.0.0"}, "a platform"),
    ],
)
def test_what_granian_cannot_keep_is_refused_with_it(house: Any, asked: dict[str, Any], named: str) -> None:
    with pytest.raises(Refused, match=named):
        house.config(spec=_SPEC, **asked)
