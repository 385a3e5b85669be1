"""gRPC over the wire: what is wrong, hostile or slow is ended shortly, and costs nobody else anything.

Frames are made by hand here, as no client library would make them.
"""

import contextlib
import json
import struct
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from grpc_wire import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PING,
    PRIORITY,
    PUSH,
    RST,
    SETTINGS,
    WINDOW,
    Wire,
    infer_request,
)

from sealwright.serving import Limits, Running, predict_scope
from sealwright.serving.grpc.frames import PREFACE, frame
from sealwright.serving.grpc.hpack import literal
from sealwright.serving.grpc.messages import message_class

QUICK = Limits(
    header_seconds=1.0, body_seconds=1.0, idle_seconds=1.5, handshake_seconds=1.0, answer_seconds=2.0, drain_seconds=5.0
)


@pytest.fixture(scope="module")
def server(house: Any) -> Iterator[Running]:
    with house.launch(grpc_port=0, limits=QUICK) as running:
        yield running


@pytest.fixture
def wire(house: Any, server: Running) -> Iterator[Callable[..., Wire]]:
    with contextlib.ExitStack() as stack:

        def make(**settings: Any) -> Wire:
            made = Wire(house, server.grpc_port or 0, **settings)
            stack.callback(made.link.close)
            return made

        yield make


@pytest.fixture(autouse=True)
def _alive_after(wire: Callable[..., Wire], house: Any, row: dict[str, Any]) -> Iterator[None]:
    """After every attack a good call is answered."""
    good = infer_request(row, house.project)
    yield
    honest = wire()
    honest.call(1, good)
    headers, body = honest.answer(1)
    assert headers["grpc-status"] == "0", headers
    assert message_class("ModelInferResponse").FromString(body[5:]).outputs[0].contents.bytes_contents[0] == b"good"


# ---- who asks, and for what


def test_only_health_answers_without_a_token_t13(wire: Callable[..., Wire], row: dict[str, Any], house: Any) -> None:
    """The whole table, walked as a stranger."""
    from sealwright.serving.grpc.service import GrpcService
    from sealwright.serving.routes import Permission

    table = GrpcService(None).methods  # type: ignore[arg-type]
    open_methods = {path for path, (permission, _) in table.items() if permission is Permission.OPEN}
    assert open_methods == {
        "/inference.GRPCInferenceService/ServerLive",
        "/inference.GRPCInferenceService/ServerReady",
        "/grpc.health.v1.Health/Check",
    }
    link = wire()
    for turn, path in enumerate(table):
        for authorization in (None, b"Bearer x"):
            stream = 4 * turn + (1 if authorization is None else 3)
            link.call(stream, b"", changes={b":path": path.encode(), b"authorization": authorization})
            assert link.answer(stream)[0]["grpc-status"] == ("0" if path in open_methods else "16"), path


@pytest.mark.parametrize("path", [b"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", b"/", b"/inference.GRPCInferenceService/ModelInfer/x",
                                  b"/inference.GRPCInferenceService/RepositoryIndex", b"/x/../inference.GRPCInferenceService/ModelInfer", b"/" + b"a" * 500])  # fmt: skip
def test_other_methods_do_not_exist_and_there_is_no_reflection(wire: Callable[..., Wire], path: bytes) -> None:
    link = wire()
    link.call(1, b"", changes={b":path": path})
    assert link.answer(1)[0]["grpc-status"] == "12"


def test_another_authority_is_refused_t11(wire: Callable[..., Wire]) -> None:
    link = wire()
    link.call(1, b"", "ServerLive", changes={b":authority": b"evil.example"})
    assert link.answer(1)[0]["grpc-status"] == "5"
    link.call(3, b"", "ServerLive", more=literal(b"host", b"evil.example"))  # two names: which counts?
    assert link.answer(3)[0]["grpc-status"] == "3"


def test_another_model_is_refused_in_the_same_words_whether_it_exists_or_not_t14(
    wire: Callable[..., Wire], row: dict[str, Any], house: Any
) -> None:
    link = wire()
    for at, method in enumerate(("ModelInfer", "ModelReady", "ModelMetadata")):
        message = infer_request(row, "another") if method == "ModelInfer" else b"\x0a\x07another"
        link.call(2 * at + 1, message, method)
        assert link.answer(2 * at + 1)[0]["grpc-status"] == "7"
    link.call(9, infer_request(row, house.project, model_version="2"))
    assert link.answer(9)[0]["grpc-status"] == "5"


def _first_answer(link: Wire, head: bytes) -> tuple[str, float]:
    """The status of a call whose message never comes, and how long it took."""
    begun = time.monotonic()
    link.send(frame(HEADERS, END_HEADERS, 1, head))
    return link.answer(1)[0]["grpc-status"], time.monotonic() - begun


def test_who_may_not_call_is_refused_before_a_byte_of_the_message_is_taken_t13(
    wire: Callable[..., Wire], house: Any
) -> None:
    """Nobody, somebody with a token that does not hold, somebody who may ask no model of this server, another host; no such method."""
    elsewhere = b"Bearer " + house.token(scopes=[predict_scope("another")]).encode()
    changes: list[tuple[dict[bytes, bytes | None], str]] = [
        ({b"authorization": None}, "16"),
        ({b"authorization": b"Bearer x"}, "16"),
        ({b"authorization": elsewhere}, "7"),
        ({b":authority": b"evil.example"}, "5"),
        ({b":path": b"/inference.GRPCInferenceService/RepositoryIndex"}, "12"),
        ({b"content-length": b"999999999"}, "8"),
    ]
    for change, expected in changes:
        link = wire()
        status, seconds = _first_answer(link, link.head(changes=change))
        assert (status, seconds < 0.8) == (expected, True), change


def test_bodies_of_strangers_are_dropped_and_cost_others_on_the_connection_nothing_t21(
    wire: Callable[..., Wire], house: Any, row: dict[str, Any]
) -> None:
    """They were on their way when the refusal was: twelve of the largest, in more frames than a connection may send for nothing."""
    link = wire()
    for stream in range(1, 25, 2):
        link.call(stream, bytes(1_000_000), changes={b"authorization": b"Bearer x"})
        assert link.answer(stream)[0]["grpc-status"] == "16"
    link.call(25, infer_request(row, house.project))
    assert link.answer(25)[0]["grpc-status"] == "0"


def test_more_than_a_body_after_a_refusal_ends_the_connection_t21(wire: Callable[..., Wire]) -> None:
    link = wire()
    assert _first_answer(link, link.head(changes={b"authorization": None}))[0] == "16"
    for _ in range(80):
        link.send(frame(DATA, 0, 1, bytes(16_000)) * 10)
    assert link.goodbye() == 11


def test_a_flood_of_strangers_ends_the_connection_t21(wire: Callable[..., Wire]) -> None:
    link = wire()
    head = link.head(changes={b"authorization": b"Bearer x"})
    link.send(b"".join(frame(HEADERS, END_HEADERS, stream, head) for stream in range(1, 8001, 2)))
    assert link.goodbye() == 11


def test_what_everybody_may_ask_takes_no_large_message_t21(wire: Callable[..., Wire]) -> None:
    for path in (b"/grpc.health.v1.Health/Check", b"/inference.GRPCInferenceService/ServerLive"):
        link = wire()
        link.send(
            frame(HEADERS, END_HEADERS, 1, link.head(changes={b":path": path, b"authorization": None}))
            + frame(DATA, 0, 1, b"\0" + (1025).to_bytes(4, "big"))
        )
        begun = time.monotonic()
        headers, _ = link.answer(1)
        assert (headers["grpc-status"], headers["grpc-message"][-27:]) == ("8", "At most 1,024 bytes are read."[-27:])
        assert time.monotonic() - begun < 0.8
    link = wire()
    link.call(1, b"\x0a\x09inference", changes={b":path": b"/grpc.health.v1.Health/Check"})
    assert link.answer(1)[0]["grpc-status"] == "0"


def test_a_message_of_another_length_than_announced_is_refused_t25(
    wire: Callable[..., Wire], house: Any, row: dict[str, Any]
) -> None:
    link, message = wire(), infer_request(row, house.project)
    for stream, length, status in ((1, 5 + len(message), "0"), (3, len(message), "3"), (5, 6 + len(message), "3")):
        link.call(stream, message, changes={b"content-length": b"%d" % length})
        assert link.answer(stream)[0]["grpc-status"] == status, length


# ---- messages


def test_a_value_outside_the_contract_is_told_without_repeating_it_t62(
    wire: Callable[..., Wire], row: dict[str, Any], house: Any
) -> None:
    link = wire()
    link.call(1, infer_request(row | {"c1": "Zanzibar-4711"}, house.project))
    headers, body = link.answer(1)
    assert (headers["grpc-status"], headers["sealwright-code"], body) == ("3", "contract.refused", b"")
    assert headers["grpc-message"].startswith("The request does not keep the model's contract. c1: Expected")
    assert "Zanzibar" not in json.dumps(headers)


@pytest.mark.parametrize(
    "message",
    [
        b"\xff",
        b"\x0a\xff\xff\xff\xff\x0f",
        b"\x0a" * 5000,
        b"\x00" * 100,
        b"\x80\x04cos\nsystem\n",
        b"\xd2\x3e\x01x",
        b"\x2a\x00" * 5000,
        b"",
    ],
)
def test_hostile_messages_are_refused(wire: Callable[..., Wire], message: bytes) -> None:
    link = wire()
    link.call(1, message)
    headers, _ = link.answer(1)
    assert headers["grpc-status"] in {"3", "7"}
    assert len(json.dumps(headers)) < 1500


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"\x01\x00\x00\x00\x02\x1f\x8b", "12"),  # compressed
        (b"\x00\xff\xff\xff\xff", "8"),  # four gigabytes are announced
        (b"\x00\x00\x00\x00\x05ab", "3"),  # cut off
        (b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "3"),  # two messages
        (b"\x00\x00", "3"),
    ],
)
def test_a_message_in_another_frame_is_refused(wire: Callable[..., Wire], body: bytes, status: str) -> None:
    link = wire()
    link.send(frame(HEADERS, END_HEADERS, 1, link.head()) + frame(DATA, END_STREAM, 1, body))
    assert link.answer(1)[0]["grpc-status"] == status


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({b":method": b"GET"}, "3"), ({b":path": None}, "3"), ({b":authority": None}, "3"), ({b"content-type": b"application/json"}, "12"),
        ({b"grpc-encoding": b"gzip"}, "12"), ({b"transfer-encoding": b"chunked"}, "3"), ({b"Upper": b"x"}, "3"), ({b"x": b"a\r\nb: c"}, "3"),
        ({b"x": b"a\0b"}, "3"), ({b"grpc-timeout": b"5"}, "3"), ({b"grpc-timeout": b"999999999S"}, "3"), ({b":extra": b"1"}, "3"),
        ({b"sealwright-person": b"%ff"}, "3"),
    ],
)  # fmt: skip
def test_a_head_that_could_be_read_in_two_ways_is_refused_t25(
    wire: Callable[..., Wire], changes: dict[bytes, bytes | None], status: str
) -> None:
    link = wire()
    link.call(1, b"", "ServerLive", changes=changes)
    assert link.answer(1)[0]["grpc-status"] == status


def test_fields_that_the_protocol_does_not_have_are_refused_t16(
    wire: Callable[..., Wire], row: dict[str, Any], house: Any
) -> None:
    """At the top, and inside an input."""
    good = infer_request(row, house.project)
    inner = message_class("ModelInferRequest")(model_name=house.project)
    inner.inputs.add(name="age", datatype="INT64", shape=[1])
    nested = inner.SerializeToString().replace(b"INT64", b"INT64\xd2>\x01x")
    place = nested.index(b"\n\x03age") - 1
    nested = nested[:place] + bytes([nested[place] + 4]) + nested[place + 1 :]
    link = wire()
    for at, message in enumerate((good + b"\xd2>\x01x", nested)):
        link.call(2 * at + 1, message)
        headers, _ = link.answer(2 * at + 1)
        assert (headers["grpc-status"], headers["sealwright-code"]) == ("3", "grpc.message_malformed"), headers


def test_a_caller_who_does_not_wait_is_told_so(wire: Callable[..., Wire], row: dict[str, Any], house: Any) -> None:
    link = wire()
    link.call(1, infer_request(row, house.project), changes={b"grpc-timeout": b"1n"})
    assert link.answer(1)[0]["grpc-status"] == "4"


# ---- the connection


def test_without_h2_in_the_handshake_there_is_no_connection(wire: Callable[..., Wire]) -> None:
    assert wire(alpn=["http/1.1"]).goodbye() is None


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        PREFACE + frame(PING, 0, 0, bytes(8)),  # no settings first
        PREFACE + frame(SETTINGS, 0, 0, bytes(5)),
        PREFACE + frame(SETTINGS, 0, 1),
        PREFACE + frame(SETTINGS, 0, 0) + frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 1 << 31)),
        PREFACE + frame(SETTINGS, 0, 0) + b"\x00\x40\x01" + bytes(6),  # a frame larger than allowed
        PREFACE + frame(SETTINGS, 0, 0) + frame(DATA, 0, 1, b"x"),
        PREFACE + frame(SETTINGS, 0, 0) + frame(HEADERS, END_HEADERS, 2, b""),
        PREFACE + frame(SETTINGS, 0, 0) + frame(HEADERS, END_HEADERS, 0, b""),
        PREFACE + frame(SETTINGS, 0, 0) + frame(PUSH, END_HEADERS, 1, bytes(4)),
        PREFACE + frame(SETTINGS, 0, 0) + frame(CONTINUATION, END_HEADERS, 1, b""),
        PREFACE + frame(SETTINGS, 0, 0) + frame(HEADERS, 0, 1, b"") + frame(PING, 0, 0, bytes(8)),
        PREFACE + frame(SETTINGS, 0, 0) + frame(HEADERS, END_HEADERS | 8, 1, b"\xff"),
        PREFACE + frame(SETTINGS, 0, 0) + frame(HEADERS, END_HEADERS, 1, b"\xff\xff\xff\xff\xff"),
        PREFACE + frame(SETTINGS, 0, 0) + frame(HEADERS, END_HEADERS, 1, b"\xc0"),
        PREFACE + frame(SETTINGS, 0, 0) + frame(WINDOW, 0, 0, bytes(4)),
        PREFACE + frame(SETTINGS, 0, 0) + frame(WINDOW, 0, 0, b"\x7f\xff\xff\xff") * 2,
        PREFACE + frame(SETTINGS, 0, 0) + frame(RST, 0, 1, bytes(4)),
    ],
)
def test_what_breaks_the_protocol_ends_the_connection(wire: Callable[..., Wire], data: bytes) -> None:
    link = wire(hello=False)
    link.send(data)
    begun = time.monotonic()
    assert link.goodbye() not in (None, 0)
    assert time.monotonic() - begun < 0.9


@pytest.mark.parametrize(
    "one",
    [frame(PING, 0, 0, bytes(8)), frame(SETTINGS, 0, 0), frame(PRIORITY, 0, 1, bytes(5)), frame(WINDOW, 0, 0, b"\0\0\0\1"), frame(99, 0, 0, b"x")],
    ids=["ping", "settings", "priority", "window", "unknown"],
)  # fmt: skip
def test_floods_of_frames_that_carry_nothing_end_the_connection_t21(wire: Callable[..., Wire], one: bytes) -> None:
    link = wire()
    link.send(one * 3000)
    assert link.goodbye() == 11


def test_calls_begun_and_reset_in_floods_end_the_connection_t22(wire: Callable[..., Wire]) -> None:
    """Rapid reset, CVE-2023-44487."""
    link = wire()
    head = link.head()
    link.send(b"".join(frame(HEADERS, END_HEADERS, s, head) + frame(RST, 0, s, bytes(4)) for s in range(1, 4001, 2)))
    assert link.goodbye() == 11


def test_header_blocks_without_end_are_cut_off_t21(wire: Callable[..., Wire]) -> None:
    """The continuation flood, CVE-2024-27316: in many parts, in large ones, and empty ones."""
    for part in (b"", b"x" * 1000, bytes(16_384)):
        link = wire()
        link.send(frame(HEADERS, 0, 1, part) + frame(CONTINUATION, 0, 1, part) * 12)
        assert link.goodbye() == 11


def test_a_small_block_cannot_unfold_into_large_headers_t26(wire: Callable[..., Wire]) -> None:
    """One entry of the table, repeated: the HPACK bomb."""
    link = wire()
    bomb = b"\x40\x01x\x7f\xa1\x1e" + b"y" * 4000 + b"\xbe" * 8000
    link.send(frame(HEADERS, END_HEADERS, 1, bomb[:16_000]))
    assert link.goodbye() == 9


def test_more_calls_at_once_than_allowed_are_put_off(wire: Callable[..., Wire]) -> None:
    link = wire()
    head = link.head()
    link.send(b"".join(frame(HEADERS, END_HEADERS, stream, head) for stream in range(1, 2 * 70, 2)))
    put_off = 0
    for one in link.frames():
        if one.kind == RST and int.from_bytes(one.payload, "big") == 7:
            put_off += 1
        if one.stream == 139:
            break
    assert put_off == 6


def test_a_slow_call_ends_and_an_idle_connection_too_t22(wire: Callable[..., Wire]) -> None:
    slow, idle, silent = wire(), wire(), wire(hello=False)
    slow.send(frame(HEADERS, END_HEADERS, 1, slow.head()))
    begun = time.monotonic()
    assert slow.answer(1)[0]["grpc-status"] == "4"
    assert idle.goodbye() == 0
    assert silent.goodbye() == 0
    assert time.monotonic() - begun < 4.0


def test_an_answer_that_is_not_taken_ends_the_connection_t22(
    wire: Callable[..., Wire], row: dict[str, Any], house: Any
) -> None:
    """The client leaves no window for it."""
    link = wire(hello=False)
    link.send(PREFACE + frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 0)))
    link.call(1, infer_request(row, house.project))
    begun = time.monotonic()
    assert link.goodbye() == 0
    assert 1.0 < time.monotonic() - begun < 4.5


def test_a_window_of_one_byte_gets_the_answer_byte_by_byte(wire: Callable[..., Wire]) -> None:
    link = wire(hello=False)
    link.send(PREFACE + frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 1)))
    link.call(1, b"", "ServerLive")
    for _ in range(6):
        link.send(frame(WINDOW, 0, 1, b"\0\0\0\1"))
    headers, body = link.answer(1)
    assert (headers["grpc-status"], body) == ("0", b"\0\0\0\0\x02\x08\x01")


def test_the_other_end_cannot_have_much_held_for_it_t21(wire: Callable[..., Wire]) -> None:
    """Many large calls at once, none of them whole."""
    link = wire()
    head = link.head()
    part = b"\0" + (1_000_000).to_bytes(4, "big") + bytes(16_000)
    link.send(
        b"".join(frame(HEADERS, END_HEADERS, stream, head) + frame(DATA, 0, stream, part) for stream in range(1, 60, 2))
    )
    more = b"".join(frame(DATA, 0, stream, bytes(16_000)) for stream in range(1, 60, 2))
    for _ in range(12):
        link.send(more)
    told = [dict(link.decoder.read(one.payload)) for one in link.frames() if one.kind == HEADERS]
    assert any(b"Too many large calls" in one[b"grpc-message"] and one[b"grpc-status"] == b"8" for one in told)


def test_calls_under_way_are_answered_when_the_server_stops(new_house: Callable[..., Any], row: dict[str, Any]) -> None:
    house = new_house()
    with house.launch(grpc_port=0) as running:
        link = Wire(house, running.grpc_port or 0)
        link.call(1, b"", "ServerLive")
        assert link.answer(1)[0]["grpc-status"] == "0"
        link.call(3, infer_request(row, house.project, rows=1000))
        time.sleep(0.02)
        with ThreadPoolExecutor(1) as pool:
            stopped = pool.submit(running.stop)
            assert link.answer(3)[0]["grpc-status"] == "0"
            assert link.goodbye() == 0
            assert stopped.result() == 0
        link.link.close()
