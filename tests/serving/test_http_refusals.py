"""Over the wire: what is wrong, hostile or slow gets a short problem and costs nobody else anything.

Rows of research/security-anchors §9 and research/serving-peers §3.4, each against the running process.
"""

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sealwright import trust
from sealwright.serving import ConnectionGuard, Limits, Running, ServingSpec
from wire_corpus import smuggled

CANARY = "Zanzibar-4711"
_TRACES = (b"Traceback", b'File "', b".py", b"/work/", b"/usr/", b"uvicorn", b"Python", b"site-packages", b"Error:")


@pytest.fixture(autouse=True)
def _alive_after(client: Any, row: dict[str, Any]) -> Iterator[None]:
    """After every attack the server answers a good row."""
    good = dict(row)
    yield
    assert client.predict(good).status == 200


def _assert_problem(reply: Any, *statuses: int) -> dict[str, Any]:
    assert reply.status in statuses, (reply.status, reply.body[:200])
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["cache-control"] == "no-store"
    document: dict[str, Any] = reply.json
    assert document["status"] == reply.status
    assert document["type"].startswith("urn:sealwright:problem:")
    assert CANARY.encode() not in reply.body
    assert not any(trace in reply.body for trace in _TRACES)
    assert len(reply.body) < 5000
    return document


def _predict_path(house: Any) -> str:
    return f"/v1/models/{house.project}/predict"


# ---- who asks


@pytest.mark.parametrize(
    "value",
    ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer x", "Bearer a.b.c", "Bearer " + "A" * 5000, "Bearer é", "Digest x",
     "Bearer eyJhbGciOiJub25lIn0.e30.", "bearer\tx"],
)  # fmt: skip
def test_what_is_no_token_is_unauthenticated(client: Any, row: dict[str, Any], value: str) -> None:
    reply = client.predict(row, Authorization=value)
    document = _assert_problem(reply, 401)
    assert set(document) == {"type", "title", "status"}  # always the same words


def test_every_refused_token_gets_the_same_bytes(client: Any, house: Any, row: dict[str, Any]) -> None:
    from datetime import UTC, datetime, timedelta

    expired = house.token(lifetime=timedelta(seconds=1), now=datetime.now(UTC) - timedelta(hours=1))
    changed = client.token[:-4] + ("AAAA" if client.token[-4:] != "AAAA" else "BBBB")
    replies = [client.predict(row, Authorization=f"Bearer {token}") for token in ("x", expired, changed)]
    replies.append(client.ask("POST", _predict_path(house), b"{}", {"Content-Type": "application/json"}))
    assert {(reply.status, reply.body) for reply in replies} == {(401, replies[0].body)}


def test_only_health_answers_without_a_token_t13(client: Any, house: Any) -> None:
    """The whole table, walked as a stranger."""
    from sealwright.serving.app import App
    from sealwright.serving.routes import Permission

    app = App(
        hosts=[],
        limits=Limits(),
        channels=SimpleNamespace(projects=[house.project]),
        tokens=None,
        guard=ConnectionGuard(Limits()),
        refusals=None,
        log=None,
    )  # type: ignore[arg-type]
    open_routes = {route.path for route in app.routes if route.permission is Permission.OPEN}
    assert open_routes == {"/v2/health/live", "/v2/health/ready"}
    for route in app.routes:
        path = route.path.replace("{model}", house.project).replace("{version}", "1").replace("{entry}", "0")
        reply = client.ask(
            route.method, path, b"{}" if route.method == "POST" else None, {"Content-Type": "application/json"}
        )
        assert reply.status == (200 if route.path in open_routes else 401), route


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE"])
def test_another_method_is_not_allowed(client: Any, house: Any, method: str) -> None:
    reply = client.ask(method, _predict_path(house))
    assert (reply.status, reply.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "path",
    ["/", "/docs", "/openapi.json", "/metrics", "/v1", "/v2/", "/v2/models", "/v2/repository/index", "/v2/models/german-credit/",
     "/v2/models/german-credit%2finfer", "/v2/models/../v2", "/v2/health/live/", "/v2/health/live;a", "//v2", "/%76%32", "/v2/models/german-credit/unload"],
)  # fmt: skip
def test_nothing_else_is_there(client: Any, path: str) -> None:
    _assert_problem(client.ask("GET", path), 404)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil.example:443",
        "169.254.169.254",
        "",
        "localhost@evil",
        "LOCALHOST.",
        "[::2]",
    ],
)
def test_another_host_name_is_not_ours_t11(client: Any, house: Any, host: str) -> None:
    """DNS rebinding: a page of evil.example reaches our port, and still names itself."""
    answer = client.raw(f"GET /v2/health/live HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert answer.startswith((b"HTTP/1.1 421", b"HTTP/1.1 400"))
    assert b"connection: close" in answer.lower()


def test_no_cross_origin_reader_is_let_in_t78(client: Any, row: dict[str, Any]) -> None:
    for origin in ("null", "https://evil.example", "https://localhost"):
        reply = client.predict(row, Origin=origin)
        assert not any(name.startswith("access-control") for name in reply.headers)


# ---- what is asked


@pytest.mark.parametrize(
    ("field", "value"),
    [("age", 17), ("age", -500), ("age", "41"), ("age", True), ("age", None), ("age", 41.5), ("age", [1]), ("amount", "9"), ("c1", CANARY),
     ("c1", 5), ("c1", None), ("c1", {"x": 1}), ("opened", "1850-01-01"), ("foreign_worker", 1), ("amount", 1e300)],
)  # fmt: skip
def test_a_value_outside_the_contract_is_named_t24(client: Any, row: dict[str, Any], field: str, value: Any) -> None:
    document = _assert_problem(client.predict(row | {field: value}), 422)
    assert document["errors"][0]["field"] == field


def test_missing_and_unknown_fields_are_refused(client: Any, row: dict[str, Any]) -> None:
    _assert_problem(client.predict(row | {CANARY: 1}), 422)
    del row["age"]
    assert _assert_problem(client.predict(row), 422)["errors"][0]["field"] == "age"


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("empty", lambda _: b""),
        ("truncated", lambda good: good[:-5]),
        ("not json", lambda _: b"hello " + CANARY.encode()),
        ("nan", lambda good: good.replace(b"1169.5", b"NaN")),
        ("infinity", lambda good: good.replace(b"1169.5", b"-Infinity")),
        ("1e999", lambda good: good.replace(b"1169.5", b"1e999")),
        ("5000 digits", lambda good: good.replace(b"1169.5", b"9" * 5000)),
        ("duplicate", lambda good: good.replace(b'"age": 41', b'"age": 41, "age": 42')),
        ("bom", lambda good: b"\xef\xbb\xbf" + good),
        ("utf-16", lambda good: good.decode().encode("utf-16")),
        ("surrogate", lambda good: good.replace(b'"a12"', b'"\\ud800"', 1)),
        ("nul", lambda good: good.replace(b'"a12"', b'"a12\\u0000"', 1)),
        ("not utf-8", lambda good: good.replace(b'"a12"', b'"\xff\xfe"', 1)),
        ("trailing", lambda good: good + b"]"),
        ("deep", lambda _: b"[" * 100_000),
        ("deep object", lambda _: b'{"row":' * 100_000),
        ("wide", lambda _: b'{"row":{' + b",".join(b'"k%d":1' % at for at in range(60_000)) + b"}}"),
        ("pickle", lambda _: b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00K\x01."),
    ],
)
@pytest.mark.parametrize("path", ["/v1/models/german-credit/predict", "/v2/models/german-credit/infer"])
def test_a_body_that_is_no_good_request_is_refused_t23_t24(
    client: Any, row: dict[str, Any], name: str, make: Callable[[bytes], bytes], path: str
) -> None:
    begun = time.monotonic()
    _assert_problem(client.ask("POST", path, make(json.dumps({"row": row}).encode())), 400, 422)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    "headers",
    [{"Content-Type": "application/x-python-pickle"}, {"Content-Type": "text/plain"}, {"Content-Type": "multipart/form-data; boundary=a"},
     {"Content-Type": "application/json; charset=utf-16"}, {"Content-Encoding": "gzip"}, {"Content-Encoding": "br"},
     {"Inference-Header-Content-Length": "20"}],
)  # fmt: skip
def test_another_kind_of_body_is_not_read(client: Any, house: Any, headers: dict[str, str]) -> None:
    import gzip

    bomb = gzip.compress(b"0" * 10_000_000)
    _assert_problem(client.ask("POST", _predict_path(house), bomb, client.usual(**headers)), 415)


def test_a_body_of_64_mebibytes_is_refused_and_its_sender_hears_why_t21(
    client: Any, house: Any, server: Running
) -> None:
    before = _memory(server.pid)
    _assert_problem(client.ask("POST", _predict_path(house), b"0" * (64 << 20)), 413)
    assert _memory(server.pid) - before < 16 << 20


def test_a_stranger_cannot_send_much_either(client: Any, house: Any) -> None:
    reply = client.ask("POST", _predict_path(house), b"0" * (2 << 20), {"Content-Type": "application/json"})
    _assert_problem(reply, 413)


# ---- how it is asked: raw connections


def _head(house: Any, token: str, *lines: str) -> bytes:
    return "\r\n".join(
        [
            f"POST {_predict_path(house)} HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {token}",
            "Content-Type: application/json",
            *lines,
            "",
            "",
        ]
    ).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: +4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0x4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4, 4\r\n\r\nabcd",
        b"POST / HTTP/1.1\nHost: localhost\nContent-Length: 4\n\nabcd",
        b"POST / HTTP/1.1\r\nHost: localhost\nContent-Length: 4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\n Folded: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET * HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"G\x00T / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /v2/health/live\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"\r\n\r\n\r\n\r\n" + b"\x00" * 2000,
    ],
)  # fmt: skip
def test_http_that_two_readers_could_read_differently_ends_the_connection(client: Any, data: bytes) -> None:
    answer = client.raw(data)
    assert answer.count(b"HTTP/1.1 ") == 1, answer[:300]
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 404", b"HTTP/1.1 405", b"HTTP/1.1 408", b"HTTP/1.1 411"))
    assert b"application/problem+json" in answer
    assert not any(trace in answer for trace in _TRACES)


@pytest.mark.parametrize("name", sorted(smuggled("/", "/")))
def test_what_two_readers_could_read_differently_is_refused_and_cut_t25(client: Any, house: Any, name: str) -> None:
    """One refusal, then the end: what stands behind it is never answered."""
    live = "/v2/health/live"
    data = smuggled(_predict_path(house), live)[name]
    answer = client.raw(data + f"GET {live} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 400"), answer[:120]
    assert answer.count(b"HTTP/1.1 ") == 1, answer
    assert b'"live"' not in answer


def test_a_second_request_hidden_in_a_chunked_body_is_not_answered(client: Any, house: Any) -> None:
    hidden = b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = client.raw(_head(house, client.token, "Transfer-Encoding: chunked") + b"0\r\n\r\n" + hidden)
    assert answer.startswith(b"HTTP/1.1 411")
    assert b'"live"' not in answer


def test_an_old_http_version_is_answered_and_closed(client: Any) -> None:
    answer = client.raw(b"GET /v2/health/live HTTP/1.0\r\nHost: localhost\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("one_line", [True, False])
def test_a_header_block_without_end_is_cut_off(client: Any, server: Running, one_line: bool) -> None:
    before, begun = _memory(server.pid), time.monotonic()
    with client.connect() as link:
        link.sendall(
            b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\nX: " + (b"a" if one_line else b"a\r\nX: ") * 20_000
        )
        assert link.recv(1000).startswith(b"HTTP/1.1 431")
        with pytest.raises(OSError):
            while time.monotonic() - begun < 15:
                link.sendall((b"a" if one_line else b"a\r\nX: ") * 4096)
    assert time.monotonic() - begun < 8
    assert _memory(server.pid) - before < 16 << 20


def test_large_headers_are_named_as_the_reason(client: Any) -> None:
    answer = client.raw(b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000 + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 431")
    small = b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    pipelined = client.raw(small + small.replace(b"Host", b"X: " + b"a" * 20_000 + b"\r\nHost", 1))
    assert pipelined.count(b"HTTP/1.1 200") <= 1
    assert b"HTTP/1.1 431" in pipelined


# ---- how slowly it is asked


@pytest.mark.parametrize(
    ("begin", "says"),
    [
        (b"", b""),
        (b"GET /v2/health/live HTTP/1.1\r\nHost: loc", b"HTTP/1.1 408"),
        (b"POST", b"HTTP/1.1 408"),
    ],
    ids=["nothing sent", "half a header", "half a method"],
)
def test_a_connection_that_asks_for_nothing_is_closed(client: Any, begin: bytes, says: bytes) -> None:
    begun = time.monotonic()
    with client.connect() as link:
        link.sendall(begin) if begin else None
        answer = link.recv(1000)
    assert answer.startswith(says)
    assert 1.0 < time.monotonic() - begun < 8


def test_a_body_that_trickles_is_cut_off_in_time_t21(client: Any, house: Any) -> None:
    """The deadline is for the whole body: a byte now and then buys nothing."""
    begun = time.monotonic()
    with client.connect() as link:
        link.sendall(_head(house, client.token, "Content-Length: 1000"))
        link.settimeout(0.2)
        answer = b""
        while not answer and time.monotonic() - begun < 10:
            with contextlib.suppress(TimeoutError):
                answer = link.recv(1000)
            if not answer:
                with contextlib.suppress(OSError):
                    link.sendall(b"x")
    assert answer.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - begun < 6


def test_headers_that_trickle_are_cut_off_in_time(client: Any) -> None:
    begun = time.monotonic()
    with client.connect() as link:
        link.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n")
        with contextlib.suppress(OSError):
            while time.monotonic() - begun < 10:
                link.sendall(b"X-A: b\r\n")
                time.sleep(0.2)
    assert time.monotonic() - begun < 6


def test_a_stranger_who_is_refused_cannot_hold_the_connection_with_a_body(client: Any, house: Any) -> None:
    begun = time.monotonic()
    with client.connect() as link:
        link.sendall(
            f"POST {_predict_path(house)} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n".encode()
        )
        assert link.recv(4000).startswith(b"HTTP/1.1 401")
        with contextlib.suppress(OSError):
            while time.monotonic() - begun < 10:
                link.sendall(b"x")
                time.sleep(0.1)
    assert time.monotonic() - begun < 6


def test_an_idle_connection_is_closed_after_its_answer(client: Any) -> None:
    begun = time.monotonic()
    answer = client.raw(b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert 1.0 < time.monotonic() - begun < 8


def test_five_hundred_half_open_connections_do_not_slow_a_good_caller_t22(
    client: Any, row: dict[str, Any], server: Running
) -> None:
    """Slowloris: most of them never shake hands, some never finish their headers."""
    links: list[socket.socket] = []
    try:
        for at in range(500):
            link: socket.socket = socket.create_connection(("127.0.0.1", server.port), timeout=20)
            links.append(link)
            if at % 10 == 0:
                links[-1] = link = client.tls.wrap_socket(link, server_hostname="localhost")
                link.sendall(b"POST /v1/models/german-credit/predict HTTP/1.1\r\nHost: localhost\r\nX: ")
        begun = time.monotonic()
        for _ in range(5):
            assert client.predict(row).status == 200
        assert time.monotonic() - begun < 5
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


@pytest.mark.parametrize("rows", [1, 500, -1], ids=["small requests", "large requests", "refused requests"])
def test_a_reader_that_takes_no_answers_is_cut_off(
    client: Any, house: Any, server: Running, row: dict[str, Any], rows: int
) -> None:
    before, begun = _memory(server.pid), time.monotonic()
    asked = {"rows": [row] * rows} if rows > 1 else {"row": row} if rows == 1 else {"row": {**row, "age": -5}}
    body = json.dumps(asked).encode()
    request = _head(house, client.token, f"Content-Length: {len(body)}") + body
    with client.connect() as link:
        link.settimeout(20)
        with pytest.raises((ConnectionError, ssl.SSLError)):  # cut off; a mere timeout would not do
            while time.monotonic() - begun < 40:
                link.sendall(request)
    assert _memory(server.pid) - before < 64 << 20


def test_callers_who_hang_up_midway_leave_nothing_behind(
    client: Any, house: Any, server: Running, row: dict[str, Any]
) -> None:
    body = json.dumps({"row": row}).encode()
    whole = _head(house, client.token, f"Content-Length: {len(body)}") + body
    for cut in (10, 80, len(whole) - 5, len(whole)):
        for _ in range(5):
            with client.connect() as link:
                link.sendall(whole[:cut])
    assert client.predict(row).status == 200


def test_a_model_that_returns_nonsense_gives_no_answer_and_no_reason_t62(
    new_house: Callable[..., Any], start: Callable[..., Running], client_of: Any, interface: Any, credit_model: Any,
    row: dict[str, Any], tmp_path: Path,
) -> None:  # fmt: skip
    """T-62: the fault is told to the log, the caller gets an id."""
    own = new_house(released=False)
    own.release(credit_model(interface, wild=True))
    with (tmp_path / "stderr").open("wb") as stream:
        client = client_of(own, start(own, stderr=stream))
        assert client.predict(row).status == 200
        document = _assert_problem(client.predict(row | {"c2": "a14"}), 500)
        assert client.predict(row).status == 200
    assert set(document) == {"type", "title", "status", "detail", "instance"}
    fault = next(
        line for line in map(json.loads, (tmp_path / "stderr").read_text().splitlines()) if line["event"] == "fault"
    )
    assert (fault["id"], fault["code"]) == (document["instance"], "model.misbehaved")
    assert document["detail"] == "Quote the id when you report this."


# ---- what stays secret


def test_no_secret_and_no_data_is_in_log_arguments_or_environment_t61(
    client: Any, house: Any, server: Running, log: Path, row: dict[str, Any]
) -> None:
    client.predict(row | {"c1": CANARY})
    client.ask("GET", f"/{CANARY}")
    process = Path(f"/proc/{server.pid}")
    arguments, said = (process / "cmdline").read_bytes(), log.read_bytes()
    secrets = [
        client.token.encode(),
        house.config().decision_key.encode(),
        house.config().first.person_key.encode(),
        CANARY.encode(),
        b"1169.5",
    ]
    for secret in secrets:
        assert secret not in arguments
        assert secret not in said
    with contextlib.suppress(PermissionError):  # the process is not dumpable: its environment is closed to its own user
        environment = (process / "environ").read_bytes()
        assert not any(secret in environment for secret in secrets)
        assert b"SEALWRIGHT" not in environment


def test_the_log_is_plain_facts_whatever_callers_do(client: Any, server: Running, log: Path) -> None:
    """Garbage in handshakes and requests must not become traces, nor fill a disk."""
    before = log.stat().st_size
    half_open = []
    for data in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\xff" + b"\x00" * 255, b"\x16\x03\x01", b""):
        for _ in range(30):
            link = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            half_open.append(link)
            link.sendall(data)
    for link in half_open:
        with link, contextlib.suppress(OSError):
            link.recv(100)  # until the server gives up on it
    for line in log.read_text().splitlines():
        assert set(json.loads(line)) >= {"at", "event"}
    assert log.stat().st_size - before < 20_000


def test_the_ledger_of_refusals_is_empty(client: Any, house: Any, row: dict[str, Any]) -> None:
    """Refused requests decide nothing, so they record nothing and fill no disk; credentials that do not hold are summed up once a second."""
    from sealwright.serving import decision_ledger_folder

    entries = decision_ledger_folder(house.home, house.project, "live") / "entries.log"
    before = entries.stat().st_size
    for body in [b"{}", b"x", b'{"row": {}}'] * 5:
        client.ask("POST", _predict_path(house), body)
    client.ask("POST", _predict_path(house), b"{}", {})
    came = entries.read_bytes()[before:]
    assert came.count(b"\n") == came.count(b'{"action":"token.use"')
    assert client.predict(row).status == 200
    assert b'{"action":"decision"' in entries.read_bytes()[before:]  # which is how one is known


def test_more_connections_than_allowed_are_not_taken(
    house: Any, new_house: Callable[..., Any], start: Callable[..., Running], client_of: Any, row: dict[str, Any]
) -> None:
    from sealwright.serving import Limits

    own = new_house()
    limits = Limits(connections=20, connections_per_client=10, idle_seconds=3, header_seconds=3)
    names = ["localhost", "127.0.0.1", "credit.example"]
    own.tls = trust.create_server_certificate(own.keyring, own.home / "serving" / "tls", names, own.clock())
    client = client_of(own, start(own, limits=limits, spec=ServingSpec(hosts=("credit.example",))))
    held = [client.connect() for _ in range(10)]
    with pytest.raises(OSError):
        client.predict(row)
    for link in held:
        link.close()
    end = time.monotonic() + 10
    while True:
        with contextlib.suppress(OSError):
            assert client.predict(row, Host="credit.example").status == 200
            break
        assert time.monotonic() < end
        time.sleep(0.1)


def test_many_callers_at_once_all_get_their_own_answer(client: Any, row: dict[str, Any]) -> None:
    found: list[tuple[int, float]] = []

    def ask(age: int) -> None:
        reply = client.predict(row | {"age": age})
        found.append((age, reply.json["answer"]["probabilities"]["bad"]))

    callers = [threading.Thread(target=ask, args=(20 + at,)) for at in range(30)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    found.sort()
    assert len(found) == 30
    assert [bad for _, bad in found] == sorted(bad for _, bad in found)  # grows with age, so none was mixed up


def _memory(pid: int) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) * 1024
