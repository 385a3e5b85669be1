"""What a caller may not be told is told in no protocol: a credential for labels alone gets labels alone."""

import io
import json
import math
import struct
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from grpc_wire import Wire, infer_request

from sealwright.serving import Running
from sealwright.serving.grpc.messages import message_class
from sealwright.serving.places import label_scope

_KINDS = {bool: "BOOL", int: "INT64", float: "FP64", str: "BYTES"}


@pytest.fixture(scope="module")
def server(house: Any) -> Iterator[Running]:
    with house.launch(grpc_port=0) as running:
        yield running


@pytest.fixture
def labels_only(house: Any, client: Any) -> Any:
    client.token = house.token(scopes=[label_scope(house.project)])
    return client


def test_columns_and_tables(labels_only: Any, house: Any, row: dict[str, Any]) -> None:
    path = f"/v1/models/{house.project}/predict"
    columns = {name: [value] * 20 for name, value in row.items()}
    answer = labels_only.ask("POST", path, json.dumps({"columns": columns}).encode()).json["answer"]
    assert answer["columns"] == {"label": ["good"] * 20}
    sink = io.BytesIO()
    table = pa.table(columns | {"opened": [date.fromisoformat(row["opened"])] * 20, "rate": pa.nulls(20)})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    told = labels_only.usual() | {"Content-Type": "application/vnd.apache.arrow.stream"}
    found = pa.ipc.open_stream(labels_only.ask("POST", path, sink.getvalue(), told).body).read_all()
    assert found["label"].to_pylist() == ["good"] * 20
    assert all(math.isnan(share) for share in found["probability.bad"].to_pylist())
    assert "0.27" not in found.schema.metadata[b"sealwright.receipt"].decode().split('"answer":"')[1].split('","')[0]


def test_binary_tensors(labels_only: Any, house: Any, row: dict[str, Any]) -> None:
    inputs = [
        {"name": name, "shape": [1], "datatype": "FP64" if value is None else _KINDS[type(value)], "data": [value]}
        for name, value in row.items()
    ]
    body = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    reply = labels_only.ask("POST", f"/v2/models/{house.project}/infer", body)
    assert reply.status == 200
    assert all(math.isnan(share) for share in struct.unpack("<2f", reply.body[-8:]))
    assert reply.body[int(reply.headers["inference-header-content-length"]) :].startswith(b"\x04\0\0\0good")


def test_grpc(house: Any, server: Running, row: dict[str, Any]) -> None:
    link = Wire(house, server.grpc_port)
    link.token = house.token(scopes=[label_scope(house.project)])
    link.call(1, infer_request(row, house.project))
    headers, body = link.answer(1)
    link.link.close()
    assert headers["grpc-status"] == "0"
    assert headers["ratelimit"]  # what is left of the caller's budget is told here, too
    response = message_class("ModelInferResponse").FromString(body[5:])
    assert list(response.outputs[0].contents.bytes_contents) == [b"good"]
    assert all(math.isnan(share) for share in response.outputs[1].contents.fp32_contents)
