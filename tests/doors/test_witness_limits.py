"""One stranger does not silence a witness: not by slow bytes, not by many connections (T-22)."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from sealwright.doors.witness_app import Limits, WitnessServer
from sealwright.trust import Witness, network_of

Serve = Callable[..., int]
BEGUN = b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 65536\r\n\r\n"
WHOLE = b"GET / HTTP/1.1\r\nHost: w\r\n\r\n"
STRANGER, OTHER = "127.0.0.2", "127.0.0.3"


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a witness with these limits; returns its port."""
    with contextlib.ExitStack() as stack:

        def start(**limits: Any) -> int:
            witness = stack.enter_context(Witness(tmp_path / "witness", name="w1"))
            server = stack.enter_context(WitnessServer(witness, "127.0.0.1", 0, limits=Limits(**limits)))
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            stack.callback(server.shutdown)
            return int(server.server_address[1])

        yield start


@pytest.fixture
def come(serve: Serve) -> Iterator[Callable[..., socket.socket]]:
    """Opens connections, from any address of loopback; closes them afterwards."""
    with contextlib.ExitStack() as stack:

        def connect(port: int, *, of: str = "127.0.0.1", say: bytes = b"") -> socket.socket:
            made: AbstractContextManager[socket.socket] = socket.create_connection(
                ("127.0.0.1", port), timeout=5, source_address=(of, 0)
            )
            one = stack.enter_context(made)
            with contextlib.suppress(ConnectionError):
                one.sendall(say)
            return one

        yield connect


def answered(one: socket.socket) -> bool:
    """Whether a whole request is answered on this connection; False: it is closed."""
    answer = b""
    with contextlib.suppress(ConnectionError):
        one.sendall(WHOLE)
        while not answer.partition(b"\r\n\r\n")[2] and (more := one.recv(65536)):
            answer += more
    return answer.startswith(b"HTTP/1.1 200")


def lasts(one: socket.socket, *, most: float) -> float:
    """Seconds until the witness ends a connection over which a byte comes again and again."""
    begun = time.monotonic()
    one.settimeout(0.05)
    while time.monotonic() - begun < most:
        try:
            one.sendall(b"x")
            if not one.recv(1):
                break
        except TimeoutError:
            continue
        except ConnectionError:
            break
    return time.monotonic() - begun


@pytest.mark.parametrize("begun", [b"", b"POST /add-checkpoint HTTP/1.1\r\nX-A: ", BEGUN], ids=["line", "head", "body"])
def test_a_request_that_comes_byte_by_byte_ends_at_its_deadline_t22(serve: Serve, come: Any, begun: bytes) -> None:
    one = come(serve(seconds=0.5), say=begun)
    assert 0.3 < lasts(one, most=4) < 2


def test_a_stranger_with_slow_requests_leaves_places_to_others_t22(serve: Serve, come: Any) -> None:
    port = serve(seconds=30, places=6, places_each=3)
    held = [come(port, of=STRANGER, say=BEGUN) for _ in range(6)]
    assert [_closed(one) for one in held] == [False] * 3 + [True] * 3
    assert answered(come(port, of=OTHER))


def test_slow_requests_of_everybody_end_and_the_witness_answers_again_t22(serve: Serve, come: Any) -> None:
    port = serve(seconds=0.5, places=4, places_each=2)
    for of in (STRANGER, OTHER):
        for _ in range(2):
            come(port, of=of, say=BEGUN)
    assert not answered(come(port, of="127.0.0.4"))
    time.sleep(1.5)
    assert answered(come(port, of="127.0.0.4"))
    assert answered(come(port, of=STRANGER))


def test_a_connection_stays_for_more_requests_than_one_deadline_lasts(serve: Serve, come: Any) -> None:
    one = come(serve(seconds=0.6))
    for _ in range(4):
        assert answered(one)
        time.sleep(0.3)


def test_a_place_is_given_back_when_no_thread_can_be_started(
    serve: Serve, come: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = serve(places_each=1)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", _no_thread)
        assert not answered(come(port))
    assert answered(come(port))


def test_a_network_of_one_household_is_one_source() -> None:
    assert network_of("2001:db8:1:2::3") == network_of("2001:db8:1:2:ffff::9") != network_of("2001:db8:1:3::3")
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1") != network_of("192.0.2.2")
    assert network_of("fe80::1%lo") == network_of("fe80::2%lo")


def _no_thread(_: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def _closed(one: socket.socket) -> bool:
    """Whether the witness closed the connection already."""
    one.settimeout(0.5)
    try:
        return one.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True
