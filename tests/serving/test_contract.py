"""A contract is what the interface says, and a row becomes exactly the model's inputs."""

from typing import Any

import numpy as np
import pytest

from sealwright.kernel import VerificationFailed
from sealwright.serving import Contract, contract_of
from sealwright.serving.adapters.onnx import OnnxEngine
from sealwright.serving.outcome import ModelMisbehaved, outcome_of
from sealwright.serving.protocol_named import NamedProtocol


def test_features_stand_in_the_order_of_the_training_file(contract: Contract, interface: dict[str, Any]) -> None:
    assert [feature.name for feature in contract.features] == interface["order"]


def test_a_row_is_packed_with_nan_for_missing_numbers_and_days_for_dates(contract: Contract) -> None:
    values = {f.name: "a11" if f.kind == "category" else 1 for f in contract.features} | {"rate": None, "c0": None}
    from datetime import date

    values |= {"opened": date(1970, 1, 31), "foreign_worker": False}
    batch = contract.pack([[values[f.name] for f in contract.features]])
    assert batch.numbers is not None
    assert batch.strings is not None
    numbers = dict(zip([f.name for f in contract.numbers], batch.numbers[0].tolist(), strict=True))
    assert np.isnan(numbers["rate"])
    assert numbers["opened"] == 30.0
    assert numbers["foreign_worker"] == 0.0
    assert batch.strings[0, 0] == ""
    assert batch.numbers.dtype == np.float32


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": 2}, "cannot be read"),
        ({"task": "clustering"}, "cannot be read"),
        ({"classes": ["good"]}, "two different classes"),
        ({"classes": ["good", "good"]}, "two different classes"),
        ({"order": ["age"]}, "do not agree"),
        ({"order": [], "numbers": [], "strings": []}, "no feature"),
        ({"numbers": [{"name": "age", "type": "integer", "nullable": False, "min": 9, "max": 1}]}, "range"),
        ({"numbers": [{"name": "age", "type": "integer", "nullable": "no"}]}, "cannot be read"),
    ],
)
def test_an_interface_that_cannot_be_served_is_refused(
    interface: dict[str, Any], change: dict[str, Any], says: str
) -> None:
    with pytest.raises(VerificationFailed, match=says):
        contract_of(interface | change)


def test_a_feature_named_twice_is_refused(interface: dict[str, Any]) -> None:
    interface["numbers"].append(dict(interface["numbers"][0]))
    interface["order"].append("age")
    with pytest.raises(VerificationFailed, match="twice"):
        contract_of(interface)


def test_a_number_without_a_known_range_must_still_fit_float32(interface: dict[str, Any], row: dict[str, Any]) -> None:
    """Beyond it the model would see infinity."""
    import json

    from sealwright.serving.problems import RowsRefused

    interface["numbers"][1] |= {"min": None, "max": None}
    protocol = NamedProtocol(contract_of(interface), most_rows=1)
    protocol.read(json.dumps({"row": row | {"amount": 3.4e38}}).encode())
    for amount in (3.5e38, -1e300, 10**40):
        with pytest.raises(RowsRefused) as refusal:
            protocol.read(json.dumps({"row": row | {"amount": amount}}).encode())
        assert refusal.value.problems[0].field == "amount"


def test_the_model_runs_from_bytes_on_packed_inputs(
    contract: Contract, model_bytes: bytes, row: dict[str, Any]
) -> None:
    import json

    engine = OnnxEngine(model_bytes, contract)
    rows = NamedProtocol(contract, most_rows=2).read(json.dumps({"rows": [row, row | {"age": 100}]}).encode()).rows
    outcome = outcome_of(contract, 2, engine.run(contract.pack(rows)))
    assert outcome.labels == ["good", "bad"]
    assert outcome.probabilities[0][1] == pytest.approx(1 / (1 + np.exp(3 - 41 * 0.05)), abs=1e-5)


def test_a_model_with_other_inputs_than_its_interface_is_refused(interface: dict[str, Any], model_bytes: bytes) -> None:
    interface["numbers"].pop()
    interface["order"].remove("n2")
    with pytest.raises(VerificationFailed, match="not those of its interface"):
        OnnxEngine(model_bytes, contract_of(interface))


def test_bytes_that_are_no_model_are_refused(contract: Contract, model_bytes: bytes) -> None:
    for data in (b"", b"\x80\x04cos\nsystem\n", model_bytes[: len(model_bytes) // 2]):
        with pytest.raises(VerificationFailed):
            OnnxEngine(data, contract)


@pytest.mark.parametrize(
    "raw",
    [
        [[np.nan, 0.5]],
        [[1.5, -0.5]],
        [[0.2, 0.2]],
        [[np.inf, 0.0]],
        [[1.0]],
        [[0.5, 0.5], [0.5, 0.5]],
        [[0.2, 0.3, 0.5]],
    ],
)
def test_a_model_that_returns_no_probabilities_gives_no_answer(
    contract: Contract, raw: Any, row: dict[str, Any]
) -> None:

    with pytest.raises(ModelMisbehaved):
        outcome_of(contract, 1, np.array(raw, dtype=np.float32)).of(0, 1)


def test_a_regression_gives_finite_values_or_nothing(interface: dict[str, Any], row: dict[str, Any]) -> None:

    contract = contract_of(interface | {"task": "regression", "classes": []})
    assert outcome_of(contract, 1, np.array([[1234.5]], dtype=np.float32)).values == [1234.5]
    with pytest.raises(ModelMisbehaved):
        outcome_of(contract, 1, np.array([[np.nan]], dtype=np.float32)).of(0, 1)
