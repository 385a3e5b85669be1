"""What a row costs in a batch, by protocol: processor time to decode and check, to pack, to run the model, to word the answer.

    python benchmarks/serving_batches.py [--json] [--rounds 7]

In one process and without network: rows like German credit (20 features, 12 of them categories), the small ONNX model of the tests.
The model's own time is shown apart, because another model has another. Figures are the least of the rounds, in microseconds a row.
"""

# ruff: noqa: B023 - the steps of a round are called in that round

import argparse
import importlib.util
import io
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sealwright.serving.adapters.onnx import OnnxEngine
from sealwright.serving.contract import contract_of
from sealwright.serving.grpc.messages import message_class
from sealwright.serving.grpc.protocol import GrpcProtocol
from sealwright.serving.inquiry import Inquiry
from sealwright.serving.oip_elements import raw_text
from sealwright.serving.outcome import outcome_of
from sealwright.serving.protocol_forms import ARROW, CSV, form_asked
from sealwright.serving.protocol_named import NamedProtocol
from sealwright.serving.protocol_oip import OipBinary, OipProtocol

_TOLD = {"project": "german-credit", "number": 1, "package": "sha256:" + "0" * 64}
_RECEIPT = b'{"type":"urn:sealwright:receipt:v2"}'
_TYPES = {bool: ("BOOL", "<u1"), int: ("INT64", "<i8"), float: ("FP64", "<f8"), str: ("BYTES", "")}


class Case(NamedTuple):
    """One protocol and one body."""

    name: str
    protocol: Any
    body: bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    house = _house()
    contract = contract_of(house.credit_interface())
    engine = OnnxEngine(house.credit_model(house.credit_interface()), contract)
    found = []
    for rows in (1000, 10_000):
        for case in cases(house.credit_row(), contract, rows):
            told = {"rows": rows, "protocol": case.name, "bytes": len(case.body)}
            found += [told | measured(case, contract, engine, rows, asked.rounds)]
    if asked.json:
        print(json.dumps(found, indent=2))
        return
    steps = ("read", "pack", "model", "answer", "reply", "all but model")
    print(
        f"{'rows':>6} {'protocol':<22} {'bytes/row':>9} "
        + " ".join(f"{step:>13}" for step in steps)
        + "   (µs of processor a row)"
    )
    for one in found:
        print(
            f"{one['rows']:>6} {one['protocol']:<22} {one['bytes'] / one['rows']:>9.0f} "
            + " ".join(f"{one[step]:>13.3f}" for step in steps)
        )


def measured(case: Case, contract: Any, engine: Any, rows: int, rounds: int) -> dict[str, float]:
    """The least processor time of each step, in microseconds a row."""
    served: Any = type("Served", (), {"told": _TOLD, "number": 1, "package": _TOLD["package"]})
    least: dict[str, float] = {}
    for _ in range(rounds):
        took: dict[str, float] = {}

        def timed(step: str, do: Callable[[], Any]) -> Any:
            begun = time.process_time()
            result = do()
            took[step] = (time.process_time() - begun) / rows * 1e6
            return result

        request = timed("read", lambda: case.protocol.read(case.body))
        batch = timed("pack", lambda: request.batch or contract.pack(request.rows))
        raw = timed("model", lambda: engine.run(batch))
        one: Any = Inquiry(served=served, protocol=case.protocol, body=case.body, caller=None, source="", done=None)  # type: ignore[arg-type]
        one.asked, one.decision = request, "dec_1"

        def answer() -> None:
            one.outcome = outcome_of(contract, rows, raw).of(0, rows)
            one.answer = case.protocol.answer(request, one.outcome, decision="dec_1", model=_TOLD)

        timed("answer", answer)
        timed("reply", lambda: case.protocol.reply(one, _RECEIPT))
        took["all but model"] = sum(took.values()) - took["model"]
        least = {step: min(cost, least.get(step, cost)) for step, cost in took.items()}
    return least


def cases(row: dict[str, Any], contract: Any, rows: int) -> list[Case]:
    """The same rows in every protocol; values vary as a table's do."""
    named, oip = NamedProtocol(contract, most_rows=rows), OipProtocol(contract, most_rows=rows)
    columns = _columns(row, contract, rows)
    listed = [dict(zip(columns, line, strict=True)) for line in zip(*columns.values(), strict=True)]
    kinds = {
        name: _TYPES[type(next(value for value in values if value is not None))] for name, values in columns.items()
    }
    plain = [
        {"name": name, "shape": [rows, 1], "datatype": kinds[name][0], "data": values}
        for name, values in columns.items()
    ]
    raw = {
        name: raw_text(values) if kinds[name][0] == "BYTES" else np.array(values, dtype=kinds[name][1]).tobytes()
        for name, values in columns.items()
    }
    inputs = [
        {"name": name, "shape": [rows, 1], "datatype": kinds[name][0], "parameters": {"binary_data_size": len(data)}}
        for name, data in raw.items()
    ]
    head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    message = message_class("ModelInferRequest")(model_name="german-credit", raw_input_contents=list(raw.values()))
    for name in columns:
        message.inputs.add(name=name, datatype=kinds[name][0], shape=[rows, 1])
    text = "\n".join(
        ",".join(
            "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
            for value in line.values()
        )
        for line in listed
    )
    table = form_asked(CSV, b"", csv=True)
    arrow = form_asked(ARROW, b"", csv=True)
    assert table is not None
    assert arrow is not None
    return [
        Case("JSON rows", named, json.dumps({"rows": listed}).encode()),
        Case("JSON columns", named, json.dumps({"columns": columns}).encode()),
        Case("OIP JSON", oip, json.dumps({"inputs": plain}).encode()),
        Case("OIP binary", OipBinary(oip, len(head)), head + b"".join(raw.values())),
        Case("OIP gRPC, raw", GrpcProtocol(oip, project="german-credit", number=1), message.SerializeToString()),
        Case("CSV", table.of(named), text.encode()),
        Case("Arrow", arrow.of(named), _arrow(columns, coded=False)),
        Case("Arrow, dictionaries", arrow.of(named), _arrow(columns, coded=True)),
    ]


def _columns(row: dict[str, Any], contract: Any, rows: int) -> dict[str, list[Any]]:
    draw = np.random.default_rng(7)
    made: dict[str, list[Any]] = {}
    for name in row:
        feature = contract.feature(name)
        match feature.kind:
            case "category":
                made[name] = draw.choice(sorted(feature.categories), rows).tolist()
            case "boolean":
                made[name] = draw.integers(0, 2, rows).astype(bool).tolist()
            case "date":
                made[name] = np.datetime_as_string(
                    np.datetime64("2010-01-01") + draw.integers(0, 3000, rows), unit="D"
                ).tolist()
            case "integer":
                made[name] = draw.integers(int(feature.low), int(feature.high) + 1, rows).tolist()
            case _:
                made[name] = np.round(draw.uniform(feature.low, feature.high, rows), 3).tolist()
    return made


def _arrow(columns: dict[str, list[Any]], *, coded: bool) -> bytes:
    import pyarrow as pa

    table = pa.table(
        {
            name: pa.array(values).dictionary_encode() if coded and name[0] == "c" else pa.array(values)
            for name, values in columns.items()
        }
    )
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _house() -> Any:
    spec = importlib.util.spec_from_file_location(
        "serving_house", Path(__file__).parent.parent / "tests" / "serving" / "house.py"
    )
    assert spec is not None
    assert spec.loader is not None
    house = importlib.util.module_from_spec(spec)
    sys.modules["serving_house"] = house
    spec.loader.exec_module(house)
    return house


if __name__ == "__main__":
    main()
