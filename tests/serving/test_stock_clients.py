"""Stock clients work unchanged: tritonclient over HTTP and over gRPC, each with its own defaults."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sealwright import trust
from sealwright.serving import Running

_CLIENTS = Path(__file__).with_name("stock_clients.py")


@pytest.fixture(scope="module")
def server(house: Any) -> Iterator[Running]:
    with house.launch(grpc_port=0) as running:
        yield running


@pytest.fixture(scope="module")
def ask(house: Any, server: Running, oracles: Path) -> Any:
    if subprocess.run([oracles, "-c", "import tritonclient.http, tritonclient.grpc"], capture_output=True).returncode:
        pytest.skip("tritonclient is not among the tools to agree with; set them up with: make oracles")

    def asked(how: str, row: dict[str, Any], rows: int = 1) -> dict[str, Any]:
        port = server.port if how == "http" else server.grpc_port
        told = {"token": house.token(), "model": house.project, "row": row, "rows": rows}
        done = subprocess.run(
            [oracles, _CLIENTS, how, f"localhost:{port}", house.tls.ca],
            input=json.dumps(told),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return asked


@pytest.mark.parametrize("rows", [1, 100])
@pytest.mark.parametrize("how", ["http", "grpc"])
def test_a_stock_client_is_answered_as_anybody_is(
    ask: Any, client: Any, house: Any, row: dict[str, Any], how: str, rows: int
) -> None:
    found = ask(how, row, rows)
    assert (found["live"], found["ready"], found["model_ready"], found["inputs"]) == (True, True, True, len(row))
    assert found["extensions"] == ["binary_tensor_data"]
    named = client.predict(row).json["answer"]
    assert found["binary"]["label"] == [named["label"]] * rows
    assert found["binary"]["probabilities"][0] == pytest.approx(list(named["probabilities"].values()), abs=1e-6)
    response = found["response"]
    receipt = response["parameters"]["receipt"]
    receipt = receipt["string_param"] if how == "grpc" else receipt
    report = trust.verify_receipt(receipt.encode(), house.keyring.trust_root.keys_of("decision-checkpoints"))
    vouched = json.loads(report.answer)
    assert (vouched["id"], vouched["outputs"][0]["data"]) == ("r-1", [named["label"]] * rows)
    assert response["model_name"] == house.project
    if how == "http":
        assert found["json_out"]["label"] == found["binary"]["label"]
        assert found["json_out"]["probabilities"][0] == pytest.approx(found["binary"]["probabilities"][0], abs=1e-6)
    else:
        assert found["at_once"] == []


def test_a_stock_client_is_told_why_it_was_refused(ask: Any, row: dict[str, Any]) -> None:
    http, grpc = ask("http", row), ask("grpc", row)
    assert http["refused"][0] == "422"
    assert grpc["refused"][0] == "StatusCode.INVALID_ARGUMENT"
    for told in (http["refused"][1], grpc["refused"][1]):
        assert "age: Expected an integer from 18 to 100." in told
    assert (http["stranger"][0], grpc["stranger"][0]) == ("401", "StatusCode.UNAUTHENTICATED")
    assert grpc["compressed"][0] == "StatusCode.UNIMPLEMENTED"
    assert grpc["another"][0] == "StatusCode.PERMISSION_DENIED"
