"""A server that is told to stop loses no request: it says so first, to probes, callers and connections, and then goes."""

import contextlib
import http.client
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from grpc_wire import GOAWAY, HEADERS, Wire, infer_request

from sealwright.serving import Limits, Running

_LIMITS = Limits(drain_seconds=5)
_LARGEST = (1 << 31) - 1


def _connection(client: Any, running: Running, tls: bool) -> http.client.HTTPConnection:
    if tls:
        return http.client.HTTPSConnection("localhost", running.port, context=client.tls, timeout=20)
    return http.client.HTTPConnection("127.0.0.1", running.port, timeout=20)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_sigterm_under_load_loses_no_request(
    new_house: Any, start: Callable[..., Running], client_of: Any, row: dict[str, Any], tls: bool
) -> None:
    """Callers on connections that stay open, until an answer says that it is the last; whoever is cut off instead has lost a request."""
    house = new_house()
    running = start(house, tls=tls, limits=_LIMITS)
    client = client_of(house, running)
    body, path = json.dumps({"row": row}).encode(), f"/v1/models/{house.project}/predict"
    ends: list[object] = []

    def ask() -> None:
        link = _connection(client, running, tls)
        with contextlib.closing(link):
            try:
                while True:
                    link.request("POST", path, body, client.usual())
                    reply = link.getresponse()
                    reply.read()
                    if reply.status != 200 or reply.headers["connection"] == "close":
                        ends.append((reply.status, reply.headers["connection"]))
                        return
            except (OSError, http.client.HTTPException) as lost:
                ends.append(lost)

    callers = [threading.Thread(target=ask) for _ in range(12)]
    for caller in callers:
        caller.start()
    time.sleep(0.3)
    begun = time.monotonic()
    os.kill(running.pid, signal.SIGTERM)
    for caller in callers:
        caller.join()
    assert ends == [(200, "close")] * 12
    assert running.wait(10) == 0
    assert time.monotonic() - begun < 3  # nobody is connected any more, so nobody is waited for


def test_whoever_is_connected_when_a_server_stops_is_still_answered_and_told(
    new_house: Any, start: Callable[..., Running], client_of: Any, row: dict[str, Any]
) -> None:
    house = new_house()
    running = start(house, tls=False, limits=_LIMITS)
    client = client_of(house, running)
    idle = _connection(client, running, False)
    idle.request("GET", "/v2/health/ready")
    assert idle.getresponse().read() == b'{"ready":true}'
    body = json.dumps({"row": row}).encode()
    head = f"POST /v1/models/{house.project}/predict HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {client.token}\r\n"
    whole = head.encode() + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    halves = [socket.create_connection(("127.0.0.1", running.port), timeout=20) for _ in range(2)]
    cuts = (30, len(whole) - 30)  # in the head, and in the body
    for half, cut in zip(halves, cuts, strict=True):
        half.sendall(whole[:cut])
    time.sleep(0.1)
    os.kill(running.pid, signal.SIGTERM)
    time.sleep(0.1)
    probe = _connection(client, running, False)
    probe.request("GET", "/v2/health/ready")
    reply = probe.getresponse()
    assert (reply.status, reply.headers["connection"], reply.read()) == (503, "close", b'{"ready":false}')
    idle.request("POST", f"/v1/models/{house.project}/predict", body, client.usual())
    reply = idle.getresponse()
    assert (reply.status, reply.headers["connection"]) == (200, "close")
    reply.read()
    time.sleep(1.2)  # the half requests are under way when it is no longer listened
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", running.port), timeout=5)
    for half, cut in zip(halves, cuts, strict=True):
        half.sendall(whole[cut:])
        answer = half.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"connection: close" in answer
        half.close()
    assert running.wait(10) == 0


def test_a_grpc_connection_is_told_first_then_refused_and_its_calls_are_answered(
    new_house: Any, start: Callable[..., Running], row: dict[str, Any]
) -> None:
    house = new_house()
    running = start(house, grpc_port=0, limits=_LIMITS)
    wire = Wire(house, running.grpc_port or 0)
    message = infer_request(row, house.project)
    wire.call(1, message)
    assert wire.answer(1)[0]["grpc-status"] == "0"
    os.kill(running.pid, signal.SIGTERM)
    found = wire.frames()
    warned = next(one for one in found if one.kind == GOAWAY)
    assert int.from_bytes(warned.payload[:4], "big") == _LARGEST  # no call is refused yet
    wire.call(3, message)  # was on its way
    assert wire.answer(3)[0]["grpc-status"] == "0"
    last = [one for one in wire.frames() if one.kind in (GOAWAY, HEADERS)]
    assert [(one.kind, int.from_bytes(one.payload[:4], "big")) for one in last] == [(GOAWAY, 3)]
    wire.link.close()
    assert running.wait(10) == 0


def test_a_server_with_nobody_connected_stops_at_once(new_house: Any, start: Callable[..., Running]) -> None:
    running = start(new_house(), limits=_LIMITS)
    begun = time.monotonic()
    assert running.stop() == 0
    assert time.monotonic() - begun < 1.0
