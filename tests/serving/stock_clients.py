"""Stock clients of the Open Inference Protocol, unchanged, against one server. Run by another Python (`oracles`): it has tritonclient.

    python stock_clients.py http|grpc ADDRESS CA < {"token": …, "model": …, "row": {…}, "rows": N}

Prints what the client made of the answers, as JSON.
"""

import json
import ssl
import sys
import time
from typing import Any

import numpy as np

KINDS = {bool: ("BOOL", np.bool_), int: ("INT64", np.int64), float: ("FP64", np.float64), str: ("BYTES", np.object_)}


def inputs(module: Any, row: dict[str, Any], rows: int, **told: Any) -> list[Any]:
    """One tensor per feature, made as the client's documentation shows."""
    made = []
    for name, value in row.items():
        kind, dtype = KINDS[float if value is None else type(value)]
        tensor = module.InferInput(name, [rows, 1], kind)
        filled = float("nan") if value is None else value
        tensor.set_data_from_numpy(np.full((rows, 1), filled, dtype=dtype), **told)
        made.append(tensor)
    return made


def read(answer: Any) -> dict[str, Any]:
    return {
        "label": [
            text.decode() if isinstance(text, bytes) else text for text in answer.as_numpy("label").ravel().tolist()
        ],
        "probabilities": answer.as_numpy("probabilities").tolist(),
    }


def over_http(address: str, ca: str, asked: dict[str, Any]) -> dict[str, Any]:
    import tritonclient.http as client

    headers = {"Authorization": f"Bearer {asked['token']}"}
    with client.InferenceServerClient(
        address, ssl=True, ssl_context_factory=lambda: ssl.create_default_context(cafile=ca)
    ) as server:
        found: dict[str, Any] = {
            "live": server.is_server_live(),
            "ready": server.is_server_ready(),
            "model_ready": server.is_model_ready(asked["model"], headers=headers),
            "extensions": server.get_server_metadata(headers=headers)["extensions"],
            "inputs": len(server.get_model_metadata(asked["model"], headers=headers)["inputs"]),
        }
        raw = inputs(client, asked["row"], asked["rows"], binary_data=True)
        answer = server.infer(asked["model"], raw, headers=headers, request_id="r-1")
        found["binary"] = read(answer)
        found["response"] = answer.get_response()
        wanted = [client.InferRequestedOutput(name, binary_data=False) for name in ("label", "probabilities")]
        found["json_out"] = read(server.infer(asked["model"], raw, outputs=wanted, headers=headers))
        try:
            bad = inputs(client, asked["row"] | {"age": 5}, 1, binary_data=True)
            server.infer(asked["model"], bad, headers=headers)
        except client.InferenceServerException as error:
            found["refused"] = [error.status(), error.message()]
        try:
            server.infer(asked["model"], raw)
        except client.InferenceServerException as error:
            found["stranger"] = [error.status(), error.message()]
    return found


def over_grpc(address: str, ca: str, asked: dict[str, Any]) -> dict[str, Any]:
    import tritonclient.grpc as client
    from google.protobuf import json_format

    headers = {"authorization": f"Bearer {asked['token']}"}
    with client.InferenceServerClient(address, ssl=True, root_certificates=ca) as server:
        found: dict[str, Any] = {
            "live": server.is_server_live(),
            "ready": server.is_server_ready(),
            "model_ready": server.is_model_ready(asked["model"], headers=headers),
            "extensions": list(server.get_server_metadata(headers=headers).extensions),
            "inputs": len(server.get_model_metadata(asked["model"], headers=headers).inputs),
        }
        raw = inputs(client, asked["row"], asked["rows"])
        answer = server.infer(asked["model"], raw, headers=headers, request_id="r-1", client_timeout=20)
        found["binary"] = read(answer)
        found["response"] = json_format.MessageToDict(answer.get_response(), preserving_proto_field_name=True)
        for turn in range(20):
            again = server.infer(asked["model"], raw, headers=headers, client_timeout=20)
            assert read(again) == found["binary"], turn
        calls: list[Any] = []
        until = time.monotonic() + 20
        for _ in range(30):
            server.async_infer(
                asked["model"], raw, callback=lambda **told: calls.append(told["error"]), headers=headers
            )
        while len(calls) < 30 and time.monotonic() < until:
            time.sleep(0.01)
        found["at_once"] = [str(error) for error in calls if error is not None] + ["no answer"] * (30 - len(calls))
        try:
            server.infer(asked["model"], inputs(client, asked["row"] | {"age": 5}, 1), headers=headers)
        except client.InferenceServerException as error:
            found["refused"] = [error.status(), error.message()]
        try:
            server.infer(asked["model"], raw)
        except client.InferenceServerException as error:
            found["stranger"] = [error.status(), error.message()]
        try:
            server.infer(asked["model"], raw, headers=headers, compression_algorithm="gzip")
        except client.InferenceServerException as error:
            found["compressed"] = [error.status(), error.message()]
        try:
            server.infer("another", raw, headers=headers)
        except client.InferenceServerException as error:
            found["another"] = [error.status(), error.message()]
    return found


if __name__ == "__main__":
    speak = {"http": over_http, "grpc": over_grpc}[sys.argv[1]]
    print(json.dumps(speak(sys.argv[2], sys.argv[3], json.load(sys.stdin))))
