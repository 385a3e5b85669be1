"""A request goes to the address that was checked, says what it was told to say, and comes back within its limits."""

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback import Server, answer, certificate_for, serving
from sealwright.engines import Outbound, OutboundFailed, OutboundRefused, OutboundRules
from sealwright.kernel import InvalidInput

NAME = "hooks.example.org"


def here(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory):
    return certificate_for(tmp_path_factory.mktemp("tls"), NAME, "127.0.0.1")


@pytest.fixture
def server(tls) -> Iterator[Server]:
    with serving(lambda _: answer(200, b"welcome", Content_Type="text/plain"), tls=tls) as running:
        yield running


def outbound(tls, *ports: int, **rules) -> Outbound:
    given = {"hosts": frozenset({NAME}), "ca_file": tls.ca, "total_seconds": 5.0, **rules}
    return Outbound(OutboundRules(ports=frozenset(ports), **given), resolver=here)


def test_a_request_arrives_with_the_name_and_says_who_it_is_for(tls, server) -> None:
    got = outbound(tls, server.port).request(
        f"https://{NAME}:{server.port}/in?x=1", "POST", headers={"Content-Type": "application/json"}, body=b"{}"
    )
    assert (got.status, got.body, got.header("content-type")) == (200, b"welcome", "text/plain")
    (request,) = server.requests
    assert (request.method, request.target, request.body) == ("POST", "/in?x=1", b"{}")
    assert request.header("Host") == f"{NAME}:{server.port}"
    assert request.header("Accept-Encoding") == "identity"
    assert request.header("Cookie") is None


def test_nothing_is_opened_unless_the_rules_say_so() -> None:
    rules = OutboundRules()
    assert (rules.hosts, rules.networks, rules.plain_hosts, rules.ports) == (frozenset(), (), frozenset(), {443, 8443})


def test_a_certificate_for_another_name_is_refused(tls, server) -> None:
    other = Outbound(
        OutboundRules(hosts=frozenset({"other.example.org"}), ports=frozenset({server.port}), ca_file=tls.ca),
        resolver=here,
    )
    with pytest.raises(OutboundFailed, match="certificate") as error:
        other.request(f"https://other.example.org:{server.port}/")
    assert error.value.reason == "outbound.certificate"
    assert server.requests == []


def test_an_authority_that_is_not_listed_is_refused(tls, server) -> None:
    with pytest.raises(OutboundFailed, match="certificate"):
        outbound(tls, server.port, ca_file=None).request(f"https://{NAME}:{server.port}/")
    assert server.requests == []


def test_an_address_as_host_is_checked_against_the_certificate(tls, server) -> None:
    by_address = Outbound(OutboundRules(hosts=frozenset({"127.0.0.1"}), ports=frozenset({server.port}), ca_file=tls.ca))
    assert by_address.request(f"https://127.0.0.1:{server.port}/").status == 200


def test_settings_of_the_environment_change_nothing(tls, server, monkeypatch, tmp_path: Path) -> None:
    keys = tmp_path / "session-keys"
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("SSLKEYLOGFILE", os.fspath(keys))
    assert outbound(tls, server.port).request(f"https://{NAME}:{server.port}/").status == 200
    assert not keys.exists()


def test_no_cookie_is_kept(tls) -> None:
    with serving(lambda _: answer(200, b"", Set_Cookie="a=b"), tls=tls) as server:
        sender = outbound(tls, server.port)
        for _ in range(2):
            sender.request(f"https://{NAME}:{server.port}/")
        assert [request.header("Cookie") for request in server.requests] == [None, None]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_t33(tls, status: int, canary) -> None:
    there = f"http://127.0.0.1:{canary.port}/"
    with serving(lambda _: answer(status, b"", Location=there), tls=tls) as server:
        with pytest.raises(OutboundRefused, match="redirect") as error:
            outbound(tls, server.port, networks=("127.0.0.0/8",)).request(f"https://{NAME}:{server.port}/")
        assert error.value.reason == "outbound.redirect"
        assert len(server.requests) == 1


@pytest.mark.parametrize("header", ["Content_Encoding", "Transfer_Encoding"])
@pytest.mark.parametrize("how", ["gzip", "br", "gzip, chunked", "zstd"])
def test_a_compressed_answer_is_not_opened_t26(tls, header: str, how: str) -> None:
    with (
        serving(lambda _: answer(200, b"x" * 99, **{header: how}), tls=tls) as server,
        pytest.raises(OutboundRefused, match="compressed"),
    ):
        outbound(tls, server.port).request(f"https://{NAME}:{server.port}/")


def _endless() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 x\r\n\r\n"
    while True:
        yield b"x" * 65536


def _endless_chunks() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n"
    while True:
        yield b"1000\r\n" + b"x" * 4096 + b"\r\n"


@pytest.mark.parametrize("say", [_endless, _endless_chunks])
def test_an_endless_answer_ends_at_the_limit_t21(tls, say) -> None:
    with serving(lambda _: say(), tls=tls) as server:
        with pytest.raises(OutboundFailed, match="larger than 100,000") as error:
            outbound(tls, server.port, most_bytes=100_000).request(f"https://{NAME}:{server.port}/")
        assert error.value.reason == "outbound.too_large"


def test_an_answer_of_exactly_the_limit_is_read(tls) -> None:
    with serving(lambda _: answer(200, b"x" * 100_000), tls=tls) as server:
        sender = outbound(tls, server.port)
        assert len(sender.request(f"https://{NAME}:{server.port}/", most_bytes=100_000).body) == 100_000
        with pytest.raises(OutboundFailed, match="larger"):
            sender.request(f"https://{NAME}:{server.port}/", most_bytes=99_999)


def _drip_head(wait: threading.Event) -> Iterator[bytes]:
    for byte in b"HTTP/1.1 200 x\r\nX: " + b"a" * 1000:
        yield bytes([byte])
        wait.wait(0.1)


def _drip_body(wait: threading.Event) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 x\r\nContent-Length: 1000\r\n\r\n"
    for _ in range(1000):
        yield b"x"
        wait.wait(0.1)


def _nothing(wait: threading.Event) -> Iterator[bytes]:
    wait.wait(5)
    yield b""


@pytest.mark.parametrize("say", [_drip_head, _drip_body, _nothing])
def test_a_slow_answer_ends_at_the_deadline_t21(tls, say) -> None:
    stop = threading.Event()
    with serving(lambda _: say(stop), tls=tls) as server:
        before = time.monotonic()
        with pytest.raises(OutboundFailed, match="in time") as error:
            outbound(tls, server.port, connect_seconds=0.5, total_seconds=0.6).request(f"https://{NAME}:{server.port}/")
        assert time.monotonic() - before < 2
        stop.set()
        assert error.value.reason == "outbound.timeout"


@pytest.mark.parametrize(
    "said",
    [b"", b"hello\r\n\r\n", b"HTTP/1.1 200 x\r\nContent-Length: 10\r\n\r\nshort", b"HTTP/1.1 nine x\r\n\r\n",
     b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"HTTP/1.1 101 x\r\nUpgrade: y\r\n\r\n",
     b"HTTP/1.1 200 x\r\n" + b"A: b\r\n" * 500 + b"\r\n"],
)  # fmt: skip
def test_what_is_not_http_fails_cleanly(tls, said: bytes) -> None:
    with serving(lambda _: said, tls=tls) as server:
        with pytest.raises(OutboundFailed) as error:
            outbound(tls, server.port).request(f"https://{NAME}:{server.port}/")
        assert error.value.reason == "outbound.protocol"


@pytest.mark.parametrize(
    "headers",
    [{"Host": "x"}, {"host": "x"}, {"Cookie": "a=b"}, {"Transfer-Encoding": "chunked"}, {"Content-Length": "0"},
     {"X": "a\r\nY: b"}, {"X": "ä"}, {"X\r\nY": "b"}, {"X:": "b"}, {"Accept-Encoding": "gzip"}],
)  # fmt: skip
def test_no_header_can_be_slipped_in(tls, server, headers) -> None:
    with pytest.raises(InvalidInput, match="header"):
        outbound(tls, server.port).request(f"https://{NAME}:{server.port}/", headers=headers)
    assert server.connections == []


def test_other_methods_are_refused(tls, server) -> None:
    for method in ("DELETE", "PUT", "CONNECT", "get", "GET / HTTP/1.1\r\nX: y"):
        with pytest.raises(InvalidInput, match="GET, POST"):
            outbound(tls, server.port).request(f"https://{NAME}:{server.port}/", method)


def test_nobody_there_is_said_plainly(tls) -> None:
    with serving(lambda _: b"", tls=tls) as gone:
        pass
    with pytest.raises(OutboundFailed, match="cannot be reached") as error:
        outbound(tls, gone.port).request(f"https://{NAME}:{gone.port}/")
    assert error.value.reason == "outbound.connect"


def test_the_next_address_is_tried_when_the_first_does_not_answer(tls, server) -> None:
    sender = Outbound(
        OutboundRules(hosts=frozenset({NAME}), ports=frozenset({server.port}), ca_file=tls.ca),
        resolver=lambda _host, _port: ["::1", "127.0.0.1"],
    )
    assert sender.request(f"https://{NAME}:{server.port}/").status == 200


def test_the_path_of_an_address_is_not_shown_it_may_hold_a_secret(tls, server) -> None:
    sender = outbound(tls, server.port)
    pinned = sender.check(f"https://{NAME}:{server.port}/services/s3cr3t-t0ken?key=s3cr3t")
    assert "s3cr3t" not in repr(pinned)
    with serving(lambda _: answer(302, b"", Location="/x"), tls=tls) as server:
        with pytest.raises(OutboundRefused) as error:
            outbound(tls, server.port).request(f"https://{NAME}:{server.port}/services/s3cr3t")
        assert "s3cr3t" not in str(error.value)


def test_an_answer_is_bytes_and_may_be_json(tls) -> None:
    with serving(lambda _: answer(200, json.dumps({"a": 1}).encode()), tls=tls) as server:
        assert json.loads(outbound(tls, server.port).request(f"https://{NAME}:{server.port}/").body) == {"a": 1}


@pytest.mark.parametrize(
    "rules",
    [{"networks": ("0.0.0.0/0",)}, {"networks": ("::/0",)}, {"networks": ("64.0.0.0/2",)}, {"connect_seconds": 0},
     {"connect_seconds": 9, "total_seconds": 8}, {"most_bytes": 0}],
)  # fmt: skip
def test_rules_that_open_too_much_are_refused(rules) -> None:
    with pytest.raises(InvalidInput):
        OutboundRules(**rules)
