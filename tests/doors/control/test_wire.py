"""The control server on the wire: bytes that two readers could take differently, floods, slow senders, odd bodies."""

import contextlib
import gzip
import socket
import statistics
import time
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from wire_corpus import smuggled

GOOD = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(autouse=True)
def _alive_after(control: Any) -> Iterator[None]:
    yield
    assert control.ask("GET", "/health/live").status == 200


@pytest.mark.parametrize("name", sorted(smuggled("/ledger/verify", "/health/live")))
def test_what_two_readers_could_read_differently_is_refused_and_cut_t25(control: Any, name: str) -> None:
    """One refusal, then the end: what stands behind it is never answered."""
    answer = control.raw(smuggled("/ledger/verify", "/health/live")[name] + GOOD)
    assert answer.startswith(b"HTTP/1.1 400"), answer[:120]
    assert answer.count(b"HTTP/1.1 ") == 1, answer
    assert b'"live"' not in answer
    assert b"connection: close" in answer.lower()


def test_a_chunked_body_is_not_read_and_hides_nothing_t25(control: Any) -> None:
    head = b"POST /ledger/verify HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = control.raw(head + b"0\r\n\r\n" + GOOD)
    assert answer.startswith(b"HTTP/1.1 411")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_requests_in_one_go_are_each_read_by_their_own_length(control: Any) -> None:
    """Three requests in every possible cut: the same three answers."""
    token = control.place.token.encode()
    post = (
        b"POST /api/v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer "
        + token
    )
    whole = (
        GOOD
        + post
        + b'\r\nContent-Length: 13\r\n\r\n{"name": "x"}'
        + GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    )
    for cut in (0, 1, 20, len(GOOD) - 1, len(GOOD), len(GOOD) + 5, len(whole) - len(GOOD) - 30, len(whole) - 1):
        with control.connect() as link:
            link.sendall(whole[:cut])
            time.sleep(0.02)
            link.sendall(whole[cut:])
            answer = b""
            with contextlib.suppress(OSError):
                while part := link.recv(65_536):
                    answer += part
        assert answer.count(b"HTTP/1.1 200") == 3, (cut, answer)
        assert answer.count(b'{"name":"x","count":0}') == 1


# ---- how much


def test_a_body_too_large_is_not_read_t21(control: Any) -> None:
    before = control.memory()
    reply = control.program("POST", "/api/v1/things", b"0" * (8 << 20))
    assert reply.status == 413
    announced = b"POST /api/v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n"
    assert control.raw(announced).startswith(b"HTTP/1.1 413")
    assert control.memory() - before < 16 << 20


def test_chunks_without_end_are_cut_off_t21(control: Any) -> None:
    before, begun = control.memory(), time.monotonic()
    with control.connect() as link:
        link.sendall(b"POST /api/v1/things HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        with pytest.raises(OSError):
            while time.monotonic() - begun < 15:
                link.sendall(b"4000\r\n" + b"0" * 0x4000 + b"\r\n")
    assert time.monotonic() - begun < 8
    assert control.memory() - before < 16 << 20


@pytest.mark.parametrize("known", [True, False])
def test_a_body_that_trickles_is_cut_off_t21(control: Any, known: bool) -> None:
    proof = f"Authorization: Bearer {control.place.token}\r\n" if known else ""
    head = f"POST /api/v1/things HTTP/1.1\r\nHost: localhost\r\n{proof}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    begun = time.monotonic()
    with control.connect() as link:
        link.sendall(head.encode())
        answer = b""
        link.settimeout(0.2)
        with contextlib.suppress(OSError):
            while time.monotonic() - begun < 10:
                with contextlib.suppress(TimeoutError):
                    part = link.recv(4096)
                    answer += part
                    if not part:
                        break
                link.sendall(b"1")
    assert time.monotonic() - begun < 6
    assert answer.startswith(b"HTTP/1.1 408" if known else b"HTTP/1.1 401")


def test_headers_too_large_are_named_so_t21(control: Any) -> None:
    assert control.raw(GOOD[:-2] + b"X: " + b"a" * 20_000 + b"\r\n\r\n").startswith(b"HTTP/1.1 431")
    assert control.raw(GOOD[:-2] + b"".join(b"X%d: y\r\n" % at for at in range(3000)) + b"\r\n").startswith(
        b"HTTP/1.1 431"
    )


def test_five_hundred_half_open_connections_slow_nobody_t22(control: Any) -> None:
    """Slowloris: nothing sent, half a handshake, half a head. All are gone soon, and a good caller notices nothing."""
    links: list[socket.socket] = []

    def took() -> float:
        begun = time.monotonic()
        assert control.ask("GET", "/health/live").status == 200
        return time.monotonic() - begun

    alone = sorted(took() for _ in range(30))
    try:
        for at in range(500):
            link: socket.socket = socket.create_connection(("127.0.0.1", control.port), timeout=20)
            links.append(link)
            if at % 5 == 0:
                link.sendall(b"\x16\x03\x01\x02\x00\x01")
            if at % 25 == 0:
                with contextlib.suppress(OSError):
                    shaken = control.tls.wrap_socket(
                        socket.create_connection(("127.0.0.1", control.port), timeout=20), server_hostname="localhost"
                    )
                    shaken.sendall(b"POST /ledger/verify HTTP/1.1\r\nHost: localhost\r\nX: ")
                    links.append(shaken)
        among = sorted(took() for _ in range(30))
        end = time.monotonic() + 10
        for link in links:
            link.settimeout(max(0.1, end - time.monotonic()))
            with contextlib.suppress(ConnectionError, OSError):
                while link.recv(4096):
                    continue
        assert time.monotonic() < end, "half-open connections were kept"
    finally:
        for link in links:
            link.close()
    print(
        f"alone p50 {statistics.median(alone) * 1000:.1f} ms, max {alone[-1] * 1000:.1f}; among 500 p50 {statistics.median(among) * 1000:.1f} ms, max {among[-1] * 1000:.1f}"
    )
    assert statistics.median(among) < max(0.1, 5 * statistics.median(alone))
    assert among[-1] < 1.0


# ---- of which kind


@pytest.mark.parametrize(
    "coding", ["gzip", "deflate", "br", "zstd", "compress", "x-gzip", "gzip, gzip", "identity, gzip"]
)
def test_a_compressed_body_is_not_unpacked_t26(control: Any, coding: str) -> None:
    bomb = gzip.compress(b"0" * 10_000_000) if "gzip" in coding else zlib.compress(b"0" * 10_000_000)
    before = control.memory()
    reply = control.program("POST", "/api/v1/things", bomb, **{"Content-Encoding": coding})
    assert reply.status == 415
    assert control.memory() - before < 8 << 20


@pytest.mark.parametrize(
    "kind",
    ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "a" * 5000, "multipart/form-data; boundary=a",
     "multipart/mixed; boundary=a", "multipart/form-data; boundary=\"a\rb\"", "text/plain", "application/xml", "application/x-python-pickle",
     "application/json; charset=utf-16", "application/json; charset=utf-8; x=y", "application/json, text/plain", "application/jsonp", "text/json", ""],
)  # fmt: skip
def test_only_plain_forms_and_json_are_read_t27(control: Any, kind: str) -> None:
    parts = (
        b"".join(b'--a\r\nContent-Disposition: form-data; name="f%d"\r\n\r\nx\r\n' % at for at in range(900))
        + b"--a--\r\n"
    )
    begun = time.monotonic()
    head = f"POST /ledger/verify HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(parts)}\r\nCookie: {control.cookies['cara']}\r\n"
    answer = control.raw(head.encode() + b"Content-Type: " + kind.encode() + b"\r\n\r\n" + parts)
    assert answer.startswith((b"HTTP/1.1 415", b"HTTP/1.1 400")), answer[:80]
    assert time.monotonic() - begun < 3


def test_a_get_has_no_body(control: Any) -> None:
    assert control.ask("GET", "/health/live", b"{}", {"Content-Type": "application/json"}).status == 415


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"name": "x"} x', b'{"name": "x", "name": "y"}', b'{"name": NaN}', b'{"name": "x", "count": 1e999}', b'{"name": "x", "count": "1"}',
     b'{"name": "x", "count": true}', b'{"name": "x", "count": 1.5}', b'{"name": 1}', b"[]", b"null", b'"x"', b"[" * 20_000, b'{"a":' * 10_000,
     b"\xef\xbb\xbf{}", '{"name": "x"}'.encode("utf-16"), b'{"name": "\xff"}', b'{"name": "x", "count": ' + b"9" * 5000 + b"}", b"\x80\x04K\x01."],
)  # fmt: skip
def test_json_that_is_not_exactly_one_value_of_the_shape_is_refused_t23_t24(control: Any, body: bytes) -> None:
    begun = time.monotonic()
    reply = control.program("POST", "/api/v1/things", body)
    assert reply.status == 400, reply
    assert reply.headers["content-type"] == "application/problem+json"
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize(
    "form",
    [b"form_token=%s&form_token=x", b"a=1&a=2&form_token=%s", b"form_token=%s&" + b"&".join(b"f%d=1" % at for at in range(200)), b"form_token=%s&x=%%ff%%fe",
     b"form_token=%s&novalue", b"form_token=%s&\xff=1"],
    ids=["token twice", "field twice", "200 fields", "not UTF-8", "no value", "raw bytes"],
)  # fmt: skip
def test_a_form_that_is_not_plain_is_refused_t27(control: Any, form: bytes) -> None:
    headers = {
        "Cookie": control.cookies["ada"],
        "Origin": control.origin,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    body = form % control.form_token("ada").encode()
    assert control.ask("POST", "/projects/credit/things", body, headers).status == 400
