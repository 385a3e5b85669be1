"""The binary tensor extension: raw data in and out, every length checked, nothing read that was not sent for it."""

import json
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealwright.serving import Contract, contract_of, example_row
from sealwright.serving.columns import ColumnRefused
from sealwright.serving.contract import Batch
from sealwright.serving.oip_elements import raw_elements, raw_text
from sealwright.serving.problems import BodyMalformed, HttpRefusal, RowsRefused
from sealwright.serving.protocol_oip import OipBinary, OipProtocol

_FORMS = {"INT64": "<q", "FP64": "<d", "BOOL": "<?", "FP32": "<f", "INT32": "<i", "UINT8": "<B"}


def _raw(datatype: str, values: list[Any]) -> bytes:
    if datatype == "BYTES":
        return b"".join(struct.pack("<I", len(text.encode())) + text.encode() for text in values)
    return b"".join(struct.pack(_FORMS[datatype], value) for value in values)


def _binary(row: dict[str, Any], rows: int = 1, **told: Any) -> tuple[bytes, bytes]:
    """The JSON and the raw data of a request."""
    inputs, parts = [], []
    for name, value in row.items():
        datatype = {bool: "BOOL", int: "INT64", float: "FP64", str: "BYTES"}[float if value is None else type(value)]
        parts.append(_raw(datatype, [float("nan") if value is None else value] * rows))
        inputs.append(
            {"name": name, "shape": [rows, 1], "datatype": datatype, "parameters": {"binary_data_size": len(parts[-1])}}
        )
    return json.dumps({"inputs": inputs} | told).encode(), b"".join(parts)


@pytest.fixture
def protocol(contract: Contract) -> OipProtocol:
    return OipProtocol(contract, most_rows=100)


def _batch(contract: Contract, asked: Any) -> Batch:
    return asked.batch or contract.pack(asked.rows)


@pytest.mark.parametrize("rows", [1, 60])
def test_raw_data_gives_the_same_inputs_as_json(
    protocol: OipProtocol, contract: Contract, row: dict[str, Any], rows: int
) -> None:
    head, raw = _binary(row, rows)
    binary = _batch(contract, OipBinary(protocol, len(head)).read(head + raw))
    inputs = [
        {"name": name, "shape": [rows], "data": [value] * rows,
         "datatype": {bool: "BOOL", int: "INT64", float: "FP64", str: "BYTES"}[float if value is None else type(value)]}
        for name, value in row.items()
    ]  # fmt: skip
    plain = _batch(contract, protocol.read(json.dumps({"inputs": inputs}).encode()))
    assert np.array_equal(binary.numbers, plain.numbers, equal_nan=True)  # type: ignore[arg-type]
    assert binary.strings.tolist() == plain.strings.tolist()  # type: ignore[union-attr]


@given(st.lists(st.text(max_size=9), max_size=8))
def test_text_that_is_written_is_read(texts: list[str]) -> None:
    assert raw_elements(raw_text(texts), "BYTES", len(texts), 1) == texts


@settings(max_examples=300)
@given(st.binary(max_size=60), st.integers(0, 6), st.sampled_from(["BYTES", "BOOL", "INT64", "FP32"]))
def test_hostile_elements_are_exactly_what_was_announced_or_refused(data: bytes, count: int, datatype: str) -> None:
    try:
        found = raw_elements(data, datatype, count, 1)
    except ColumnRefused:
        return
    assert len(found) == count
    used = sum(4 + len(text.encode()) for text in found) if datatype == "BYTES" else np.asarray(found).nbytes
    assert used == len(data)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x80abcd",
        b"\x04\x00\x00\x00abc",
        b"\x01\x00\x00",
        b"\x01\x00\x00\x00ab",
        b"",
        b"\x02\x00\x00\x00\xff\xfe",
    ],
)
def test_a_lying_length_is_no_way_to_read_further(data: bytes) -> None:
    with pytest.raises(ColumnRefused):
        raw_elements(data, "BYTES", 1, 1)


def test_every_byte_belongs_to_one_input(protocol: OipProtocol, row: dict[str, Any]) -> None:
    head, raw = _binary(row)
    for body, length in [
        (head + raw + b"\0", len(head)),
        (head + raw[:-1], len(head)),
        (head, len(head)),
        (head + raw, len(head) - 1),
        (head + raw, len(head) + 1),
        (head + raw, 0),
        (head + raw, len(head + raw) + 1),
        (head + raw, 10**14),
    ]:
        with pytest.raises((RowsRefused, BodyMalformed)):
            OipBinary(protocol, length).read(body)


@pytest.mark.parametrize("size", [-1, 1.5, True, "8", 10**12, 7, 9])
def test_a_size_that_does_not_fit_is_refused(protocol: OipProtocol, row: dict[str, Any], size: Any) -> None:
    head, raw = _binary(row)
    document = json.loads(head)
    place = [part["name"] for part in document["inputs"]].index("age")
    document["inputs"][place]["parameters"]["binary_data_size"] = size
    changed = json.dumps(document).encode()
    with pytest.raises(RowsRefused):
        OipBinary(protocol, len(changed)).read(changed + raw)


def test_data_and_raw_data_at_once_are_refused(protocol: OipProtocol, row: dict[str, Any]) -> None:
    head, raw = _binary(row)
    document = json.loads(head)
    document["inputs"][1]["data"] = [41]
    changed = json.dumps(document).encode()
    with pytest.raises(RowsRefused):
        OipBinary(protocol, len(changed)).read(changed + raw)


_DOCUMENT = {
    "format": 1, "project": "p", "task": "regression", "order": ["i", "n", "c"],
    "numbers": [{"name": "i", "type": "integer", "nullable": False, "min": 0, "max": 100},
                {"name": "n", "type": "number", "nullable": True, "min": -1.5, "max": 1e6}],
    "strings": [{"name": "c", "type": "category", "nullable": False, "categories": ["a11", "a14"]}],
}  # fmt: skip
_CONTRACT = contract_of(_DOCUMENT)
_HEAD, _RAW = _binary(example_row(_CONTRACT), 20)


@settings(max_examples=400, deadline=None)
@given(st.integers(min_value=0), st.binary(max_size=4), st.integers(0, 4), st.integers(-2, 2))
def test_no_changed_bytes_fail_otherwise_than_by_being_refused_t23(
    place: int, put: bytes, cut: int, shift: int
) -> None:
    """Bytes changed, cut out or put in anywhere, and a header that is off."""
    body = _HEAD + _RAW
    at = place % len(body)
    changed = body[:at] + put + body[at + cut :]
    try:
        asked = OipBinary(OipProtocol(_CONTRACT, most_rows=30), max(0, len(_HEAD) + shift)).read(changed)
    except HttpRefusal:
        return
    assert asked.count == 20


def test_outputs_come_raw_where_they_are_asked_for(client: Any, house: Any, row: dict[str, Any]) -> None:
    path = f"/v2/models/{house.project}/infer"
    head, raw = _binary(row, 2, parameters={"binary_data_output": True})
    told = {"Inference-Header-Content-Length": str(len(head))}
    reply = client.ask("POST", path, head + raw, client.usual(**told) | {"Content-Type": "application/octet-stream"})
    assert (reply.status, reply.headers["content-type"]) == (200, "application/octet-stream")
    length = int(reply.headers["inference-header-content-length"])
    document, rest = json.loads(reply.body[:length]), reply.body[length:]
    label, shares = document["outputs"]
    assert label["parameters"]["binary_data_size"] + shares["parameters"]["binary_data_size"] == len(rest)
    assert rest.startswith(b"\x04\x00\x00\x00good\x04\x00\x00\x00good")
    plain = client.ask("POST", path, head.replace(b'"binary_data_output": true', b'"binary_data_output": false') + raw,
                       client.usual(**{"Inference-Header-Content-Length": str(len(head) + 1)}))  # fmt: skip
    assert plain.headers["content-type"] == "application/json"
    expected = plain.json["outputs"][1]["data"]
    assert np.frombuffer(rest[-16:], "<f4").tolist() == pytest.approx(expected, abs=1e-6)
    asked = {"inputs": [{"name": n, "shape": [1], "datatype": "FP64" if v is None else {bool: "BOOL", int: "INT64", float: "FP64", str: "BYTES"}[type(v)],
                         "data": [v]} for n, v in row.items()], "outputs": [{"name": "label", "parameters": {"binary_data": True}}]}  # fmt: skip
    quick = client.ask(
        "POST", path, json.dumps(asked).encode()
    )  # JSON in, raw out: the lane of usual predictions tells it, too
    assert quick.body.endswith(b"\x04\x00\x00\x00good")
    assert quick.headers["content-type"] == "application/octet-stream"


def test_hostile_binary_requests_are_told_off_shortly_and_without_data_t62(
    client: Any, house: Any, row: dict[str, Any]
) -> None:
    path = f"/v2/models/{house.project}/infer"
    head, raw = _binary(row | {"c1": "Zanzibar"})
    for body, length in [
        (head + raw, str(len(head))),
        (head, "-1"),
        (head, "x"),
        (head + raw, "9" * 20),
        (raw, "0"),
        (b"", "0"),
    ]:
        told = client.usual(**{"Inference-Header-Content-Length": length})
        reply = client.ask("POST", path, body, told)
        assert reply.status in {400, 422}, (reply.status, length)
        assert reply.headers["content-type"] == "application/problem+json"
        assert b"Zanzibar" not in reply.body
        assert len(reply.body) < 5000
        assert reply.json["error"]  # where clients of this protocol look
    for kind in ("application/octet-stream", "application/x-python-pickle", "text/csv"):
        assert client.ask("POST", path, b"{}", client.usual() | {"Content-Type": kind}).status == 415
    assert client.predict(row).status == 200
