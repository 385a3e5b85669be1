"""Open Inference Protocol v2: what stock clients send is read, and held to the same contract as named rows."""

import json
from typing import Any

import pytest

from sealwright.serving import Contract
from sealwright.serving.contract import FEW_ROWS
from sealwright.serving.outcome import Outcome
from sealwright.serving.problems import BodyMalformed, DuplicateKey, RowsRefused
from sealwright.serving.protocol_named import NamedProtocol
from sealwright.serving.protocol_oip import OipProtocol

_TYPE = {bool: "BOOL", int: "INT64", float: "FP64", str: "BYTES"}


@pytest.fixture
def protocol(contract: Contract) -> OipProtocol:
    return OipProtocol(contract, most_rows=10)


@pytest.fixture
def request_body(row: dict[str, Any]) -> dict[str, Any]:
    """One tensor per feature, shape [2, 1], as KServe's and MLServer's pandas codecs write it."""
    inputs = [
        {
            "name": name,
            "shape": [2, 1],
            "datatype": "FP64" if name == "rate" else _TYPE.get(type(value), "BYTES"),
            "data": [value, value],
        }
        for name, value in row.items()
    ]
    return {"id": "r-1", "inputs": inputs}


def _tensor(body: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(part for part in body["inputs"] if part["name"] == name)
    return found


def _read(protocol: OipProtocol, body: dict[str, Any]) -> Any:
    return protocol.read(json.dumps(body).encode())


def test_tensors_by_feature_give_the_same_inputs_as_named_rows(
    protocol: OipProtocol, contract: Contract, request_body: dict[str, Any], row: dict[str, Any]
) -> None:
    named = contract.pack(NamedProtocol(contract, most_rows=10).read(json.dumps({"rows": [row, row]}).encode()).rows)
    for shape in ([2, 1], [2]):
        for part in request_body["inputs"]:
            part["shape"] = shape
        batch = contract.pack(_read(protocol, request_body).rows)
        assert str(batch.numbers) == str(named.numbers)
        assert batch.strings.tolist() == named.strings.tolist()  # type: ignore[union-attr]


def test_packed_tensors_give_the_same_inputs_as_named_rows(
    protocol: OipProtocol, contract: Contract, row: dict[str, Any]
) -> None:
    named = contract.pack(NamedProtocol(contract, most_rows=10).read(json.dumps({"row": row}).encode()).rows)
    assert named.numbers is not None
    assert named.strings is not None
    numbers = [None if value != value else value for value in named.numbers[0].tolist()]
    for nested in (False, True):
        body = {
            "inputs": [
                {"name": "numbers", "shape": [1, 8], "datatype": "FP32", "data": [numbers] if nested else numbers},
                {"name": "strings", "shape": [1, 12], "datatype": "BYTES", "data": named.strings.tolist()[0]},
            ]
        }
        batch = contract.pack(_read(protocol, body).rows)
        assert str(batch.numbers) == str(named.numbers)
        assert batch.strings.tolist() == named.strings.tolist()


def test_what_a_stock_client_adds_is_accepted(protocol: OipProtocol, request_body: dict[str, Any]) -> None:
    """The JSON of tritonclient 2.x (binary_data=False) and of mlserver.codecs."""
    request_body["parameters"] = {"content_type": "pd"}
    request_body["outputs"] = [{"name": "label", "parameters": {"binary_data": False}}]
    for part in request_body["inputs"]:
        part["parameters"] = {"content_type": "str"}
    request = _read(protocol, request_body)
    assert (request.id, request.outputs) == ("r-1", ("label",))


def test_the_answer_holds_the_outputs_asked_for_and_wraps_the_receipt(
    protocol: OipProtocol, request_body: dict[str, Any]
) -> None:
    request = _read(protocol, request_body)
    outcome = Outcome(["good", "bad"], [[0.9, 0.1], [0.25, 0.75]], [], [True, True])
    answer = protocol.answer(
        request, outcome, decision="dec_1", model={"project": "german-credit", "number": 3, "package": "sha256:0"}
    )
    response = json.loads(protocol.wrap(answer, b'{"type":"urn:sealwright:receipt:v1"}'))
    assert (response["model_name"], response["model_version"], response["id"]) == ("german-credit", "3", "r-1")
    assert response["outputs"][0] == {"name": "label", "datatype": "BYTES", "shape": [2], "data": ["good", "bad"]}
    assert response["outputs"][1] == {
        "name": "probabilities",
        "datatype": "FP32",
        "shape": [2, 2],
        "data": [0.9, 0.1, 0.25, 0.75],
    }
    assert json.loads(response["parameters"].pop("receipt"))["type"] == "urn:sealwright:receipt:v1"
    assert response == json.loads(answer)


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("age", {"data": [41, 17]}, "out_of_range"),
        ("age", {"data": [41, None]}, "not_nullable"),
        ("age", {"data": [41, True]}, "wrong_type"),
        ("age", {"data": [41, "41"]}, "wrong_type"),
        ("age", {"data": [41, 41.0]}, "wrong_type"),
        ("age", {"data": [41, 41.5], "datatype": "FP32"}, "wrong_type"),
        ("age", {"data": [41, 10**30]}, "out_of_range"),
        ("age", {"data": ["41", "41"], "datatype": "BYTES"}, "wrong_datatype"),
        ("age", {"data": [41]}, "wrong_length"),
        ("age", {"data": [41, 41, 41]}, "wrong_length"),
        ("age", {"data": [[41, 41]]}, "wrong_length"),
        ("age", {"data": [[[41]], [[41]]]}, "wrong_type"),
        ("age", {"data": {"0": 41}}, "wrong_type"),
        ("age", {"data": 41}, "wrong_type"),
        ("age", {"shape": [1, 2]}, "wrong_shape"),
        ("age", {"shape": [3]}, "wrong_shape"),
        ("c1", {"data": ["a11", "Zanzibar"]}, "unknown_category"),
        ("c1", {"data": ["a11", ""]}, "unknown_category"),
        ("c1", {"data": [1, 2], "datatype": "INT64"}, "wrong_datatype"),
        ("opened", {"data": ["2020-01-01", "2199-01-01"]}, "out_of_range"),
        ("foreign_worker", {"data": [1, 0], "datatype": "INT64"}, "wrong_datatype"),
        ("foreign_worker", {"data": [1, 0]}, "wrong_type"),
    ],
)
def test_a_tensor_outside_the_contract_is_refused_by_name(
    protocol: OipProtocol, request_body: dict[str, Any], name: str, change: dict[str, Any], code: str
) -> None:
    _tensor(request_body, name).update(change)
    with pytest.raises(RowsRefused) as refusal:
        _read(protocol, request_body)
    (problem,) = refusal.value.problems
    assert (problem.code, problem.field) == (code, name)
    assert "Zanzibar" not in str(refusal.value.problems)


def test_the_refusal_points_at_the_element(protocol: OipProtocol, request_body: dict[str, Any]) -> None:
    _tensor(request_body, "age")["data"] = [41, 17]
    with pytest.raises(RowsRefused) as refusal:
        _read(protocol, request_body)
    at = [part["name"] for part in request_body["inputs"]].index("age")
    assert refusal.value.problems[0].pointer == f"/inputs/{at}/data/1"


@pytest.mark.parametrize("rows", [2, FEW_ROWS])
@pytest.mark.parametrize("digits", ["9" * 309, "-" + "9" * 400, "9" * 4300])
@pytest.mark.parametrize(("name", "fits"), [("age", 20), ("rate", 1)])
def test_attack_an_integer_that_no_float_holds_is_out_of_range_in_few_rows_and_in_many(
    contract: Contract, request_body: dict[str, Any], name: str, fits: int, digits: str, rows: int
) -> None:
    """In few rows it was an error nobody had foreseen: a 500, told as a fault of the server."""
    for part in request_body["inputs"]:
        part.update(shape=[rows], data=part["data"][:1] * rows)
    _tensor(request_body, name).update(datatype="INT64", data=[fits] * (rows - 1) + ["@@"])
    with pytest.raises(RowsRefused) as refusal:
        OipProtocol(contract, most_rows=20).read(json.dumps(request_body).replace('"@@"', digits).encode())
    at = [part["name"] for part in request_body["inputs"]].index(name)
    (problem,) = refusal.value.problems
    assert (problem.code, problem.pointer) == ("out_of_range", f"/inputs/{at}/data/{rows - 1}")


def test_missing_may_be_null_or_empty_text_where_the_contract_allows_it(
    contract: Contract, protocol: OipProtocol, request_body: dict[str, Any]
) -> None:
    _tensor(request_body, "c0")["data"] = ["", None]
    _tensor(request_body, "rate")["data"] = [None, 0.5]
    strings = contract.pack(_read(protocol, request_body).rows).strings
    assert strings is not None
    assert strings[:, 0].tolist() == ["", ""]


def test_whole_numbers_written_as_floats_are_integers_in_a_float_tensor(
    contract: Contract, protocol: OipProtocol, request_body: dict[str, Any]
) -> None:
    _tensor(request_body, "age").update(datatype="FP32", data=[41.0, 42])
    read = _read(protocol, request_body)
    place = [feature.name for feature in contract.features].index("age")
    ages = [row[place] for row in read.rows]
    assert (ages, {type(age) for age in ages}) == ([41, 42], {int})


def test_packed_numbers_are_held_to_the_contract(protocol: OipProtocol) -> None:
    strings = {"name": "strings", "shape": [1, 12], "datatype": "BYTES", "data": ["a11"] * 12}
    good: list[Any] = [41, 1000, None, 1, 18321, 0, 1, 2]
    for at, value, code in [
        (0, 41.5, "wrong_type"),
        (0, None, "not_nullable"),
        (3, 2, "out_of_range"),
        (4, 1.5, "wrong_type"),
        (5, 11, "out_of_range"),
    ]:
        numbers = {"name": "numbers", "shape": [1, 8], "datatype": "FP32", "data": [*good[:at], value, *good[at + 1 :]]}
        with pytest.raises(RowsRefused) as refusal:
            _read(protocol, {"inputs": [numbers, strings]})
        assert (refusal.value.problems[0].code, refusal.value.problems[0].pointer) == (code, f"/inputs/0/data/{at}")


def test_missing_unknown_and_repeated_inputs_are_refused(protocol: OipProtocol, request_body: dict[str, Any]) -> None:
    inputs = request_body["inputs"]
    for changed, code in [
        (inputs[1:], "missing"),
        ([*inputs, {**inputs[0], "name": "Zanzibar"}], "unknown_field"),
        ([*inputs, inputs[0]], "duplicate_tensor"),
        ([{"name": "numbers", "shape": [2, 8], "datatype": "FP32", "data": [0] * 16}], "missing"),
    ]:
        with pytest.raises(RowsRefused) as refusal:
            _read(protocol, {"inputs": changed})
        assert code in {problem.code for problem in refusal.value.problems}
        assert "Zanzibar" not in str(refusal.value.problems)


@pytest.mark.parametrize("rows", [0, 11, 2**31])
def test_the_number_of_rows_is_limited_before_any_value_is_read(
    protocol: OipProtocol, request_body: dict[str, Any], rows: int
) -> None:
    for part in request_body["inputs"]:
        part["shape"] = [rows]
    with pytest.raises(RowsRefused) as refusal:
        _read(protocol, request_body)
    assert refusal.value.problems[0].code == "wrong_length"


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": []},
        {"inputs": None},
        {"extra": 1},
        {"id": 5},
        {"id": "x" * 129},
        {"outputs": [{"name": "embedding"}]},
        {"parameters": {"binary_data_output": 1}},
        {"parameters": {"nested": {"a": 1}}},
        {"outputs": [{"name": "label", "parameters": {"binary_data": "yes"}}]},
        {"outputs": [{"name": "label", "parameters": {"classification": 2}}]},
    ],
)
def test_a_request_the_protocol_does_not_have_is_refused(
    protocol: OipProtocol, request_body: dict[str, Any], change: dict[str, Any]
) -> None:
    with pytest.raises(RowsRefused):
        _read(protocol, request_body | change)


def test_a_repeated_key_anywhere_is_refused(protocol: OipProtocol, request_body: dict[str, Any]) -> None:
    text = json.dumps(request_body | {"parameters": {"a:b": "c:d"}})
    protocol.read(text.encode())
    for found, twice in [
        ('"id": "r-1"', '"id": "r-2"'),
        ('"shape": [2, 1]', '"shape": [2]'),
        ('"a:b": "c:d"', '"a:b": 1'),
        ('"data": [41, 41]', '"data": [99, 99]'),
    ]:
        with pytest.raises(DuplicateKey):
            protocol.read(text.replace(found, f"{found}, {twice}", 1).encode())


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e", "[" * 100_000])
def test_what_is_no_json_is_refused(protocol: OipProtocol, request_body: dict[str, Any], text: str) -> None:
    with pytest.raises(BodyMalformed):
        protocol.read(json.dumps(request_body).replace("1169.5", text, 1).encode())


def test_the_metadata_names_every_feature_and_output(protocol: OipProtocol, contract: Contract) -> None:
    told = protocol.metadata(3)
    assert [part["name"] for part in told["inputs"]] == [feature.name for feature in contract.features]
    assert {part["name"]: part["shape"] for part in told["outputs"]} == {"label": [-1], "probabilities": [-1, 2]}
    assert told["versions"] == ["3"]
