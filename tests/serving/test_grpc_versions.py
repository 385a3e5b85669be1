"""A caller over gRPC who names a version gets it, and is no part of what is compared: docs/adr/0021-arms-in-the-pointer.md."""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from grpc_wire import WINDOW, Wire, infer_request
from test_rollout_under_load import Rollout

from sealwright.serving.grpc.frames import frame
from sealwright.serving.grpc.messages import message_class
from sealwright.serving.grpc.protocol import named_in, version_in


def _open(house: Any, server: Any) -> Wire:
    """A connection that takes all answers."""
    wire = Wire(house, server.grpc_port or 0)
    wire.send(frame(WINDOW, 0, 0, (1 << 24).to_bytes(4, "big")))
    return wire


def test_a_version_that_is_named_answers_every_call_and_is_not_drawn(
    new_house: Callable[..., Any], start: Any, wait_until: Any, row: dict[str, Any]
) -> None:
    """Twenty bodies that would be drawn both ways, for each arm; as many that name none; and a version without a part."""
    house = new_house()
    server = start(house, grpc_port=0)
    rollout = Rollout(house, wait_until)
    rollout.arrange((1, 5_000, "champion"), (2, 5_000, "challenger"))
    wire, stream, answered = _open(house, server), -1, Counter[tuple[str, str]]()
    for version in ("1", "2", ""):
        for age in range(20, 40):
            stream += 2
            wire.call(stream, infer_request(row | {"age": age}, house.project, model_version=version))
            headers, body = wire.answer(stream)
            assert headers["grpc-status"] == "0", (version, headers)
            answered[version, message_class("ModelInferResponse").FromString(body[5:]).model_version] += 1
    wire.call(stream + 2, infer_request(row, house.project, model_version="3"))
    assert wire.answer(stream + 2)[0]["grpc-status"] == "5"
    wire.link.close()
    server.stop()
    assert (answered["1", "1"], answered["2", "2"]) == (20, 20)
    drawn = Counter({("", number): answered["", number] for number in ("1", "2")})
    assert drawn.total() == 20
    assert min(drawn.values()) > 0
    recorded = Counter((one.named, one.number) for one in rollout.records())
    assert recorded == {(True, 1): 20, (True, 2): 20, (False, 1): drawn["", "1"], (False, 2): drawn["", "2"]}


@pytest.mark.parametrize("message", ["ModelInferRequest", "ModelReadyRequest", "ModelMetadataRequest"])
def test_the_version_is_read_where_protobuf_writes_it_and_nowhere_else(message: str) -> None:
    name = "model_name" if message == "ModelInferRequest" else "name"
    version = "model_version" if message == "ModelInferRequest" else "version"
    for said in ({name: "credit", version: "12"}, {name: "credit"}, {version: "12"}, {}):
        body = message_class(message)(**said).SerializeToString()
        assert (named_in(body), version_in(body)) == (said.get(name, ""), said.get(version, ""))


@pytest.mark.parametrize(
    "body", [b"", b"\x0a", b"\x0a\x01", b"\x0a\x01a", b"\x0a\x01a\x12", b"\x0a\xff\x01a\x12\x011", b"\x1a\x011"]
)
def test_a_message_that_is_cut_off_or_begins_otherwise_names_no_version_t23(body: bytes) -> None:
    assert version_in(body) == ""


def test_a_message_that_names_two_versions_gets_neither_t14(
    new_house: Callable[..., Any], start: Any, row: dict[str, Any]
) -> None:
    """Of a field that stands twice, the last counts: what was read early is compared with it."""
    house = new_house()
    wire = _open(house, start(house, grpc_port=0))
    good = infer_request(row, house.project, model_version="1")
    for stream, message in ((1, good), (3, good + b"\x12\x012")):
        wire.call(stream, message)
        assert wire.answer(stream)[0]["grpc-status"] == ("0" if stream == 1 else "5")
    wire.link.close()
