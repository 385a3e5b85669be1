"""What a project may say about serving, and the description its callers get."""

from typing import Any

import jsonschema
import msgspec
import openapi_spec_validator
import pytest
from pydantic import ValidationError

from sealwright.serving import Contract, ServingSpec, example_row, openapi_of
from sealwright.serving.problems import RowsRefused
from sealwright.serving.protocol_named import NamedProtocol


def test_a_project_that_says_nothing_gets_the_strict_defaults() -> None:
    spec = ServingSpec()
    assert (spec.channel, spec.pointer_days, spec.out_of_range, spec.most_rows) == ("live", 7, "refuse", 1000)


@pytest.mark.parametrize(
    "said",
    [{"chanel": "live"}, {"channel": "a/b"}, {"channel": ""}, {"pointer_days": 0}, {"pointer_days": 91}, {"out_of_range": "accept"},
     {"most_rows": 0}, {"most_rows": 10_001}, {"most_body_kb": 1_000_000}, {"hosts": ["*"]}, {"hosts": ["https://x"]}, {"hosts": ["X.example"]},
     {"hosts": ["a b"]}, {"hosts": [""]}],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ServingSpec.model_validate(said)


def test_the_published_schema_describes_every_setting() -> None:
    schema = ServingSpec.model_json_schema()
    assert all(part.get("description") for part in schema["properties"].values())


def test_the_description_is_openapi(contract: Contract) -> None:
    """Judged by the OpenAPI project's own schema and rules, not by ours."""
    document = openapi_of(contract, number=3, package="sha256:" + "ab" * 32, most_rows=10)
    openapi_spec_validator.validate(document)


def test_the_description_accepts_its_examples_and_refuses_what_the_contract_refuses(contract: Contract) -> None:
    document = openapi_of(contract, number=3, package="sha256:" + "ab" * 32, most_rows=10)
    (operations,) = document["paths"].values()
    content = operations["post"]["requestBody"]["content"]["application/json"]
    validator = jsonschema.Draft202012Validator({**content["schema"], "components": document["components"]})
    protocol = NamedProtocol(contract, most_rows=10)
    assert set(content["examples"]) == {"row", "rows", "columns"}
    for form, example in content["examples"].items():
        validator.validate(example["value"])
        assert protocol.read(msgspec.json.encode(example["value"])).form == form
    row = example_row(contract)
    good: list[dict[str, Any]] = [
        {"row": row},
        {"rows": [row] * 10, "explain": False},
        {"row": row | {"c0": None, "rate": None}},
        {"columns": {name: [value] * 10 for name, value in row.items()}},
    ]
    changes: list[dict[str, Any]] = [
        {"age": 17}, {"age": "41"}, {"c1": "?"}, {"c1": None}, {"foreign_worker": 1}, {"extra": 1},
    ]  # fmt: skip
    missing = {name: value for name, value in row.items() if name != "age"}
    bad: list[dict[str, Any]] = [
        *({"row": row | change} for change in changes),
        *({"columns": {name: [value] for name, value in (row | change).items()}} for change in changes),
        {"row": missing}, {}, {"rows": []}, {"rows": [row] * 11}, {"row": row, "rows": [row]}, {"row": row, "explain": 1},
        {"columns": {name: [] for name in row}},
    ]  # fmt: skip
    for bodies, fits in ((good, True), (bad, False)):
        for body in bodies:
            assert validator.is_valid(body) == fits, body
            try:
                protocol.read(msgspec.json.encode(body))
            except RowsRefused:
                assert not fits, body
            else:
                assert fits, body


def test_the_description_names_the_version_and_every_refusal(contract: Contract) -> None:
    document = openapi_of(contract, number=3, package="sha256:" + "ab" * 32, most_rows=10)
    assert document["info"]["version"] == "3"
    (operations,) = document["paths"].values()
    refusals = {"200", "400", "401", "403", "409", "413", "415", "422", "429", "503"}
    assert set(operations["post"]["responses"]) == refusals
    assert operations["post"]["security"] == [{"token": []}]
