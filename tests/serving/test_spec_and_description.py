"""What a project may say about serving, and the description its callers get."""

import copy
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from sealwright.serving import Contract, ServingSpec, example_row, openapi_of


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


def test_the_description_accepts_its_example_and_refuses_what_the_contract_refuses(contract: Contract) -> None:
    document = openapi_of(contract, number=3, package="sha256:" + "ab" * 32, most_rows=10)
    (operations,) = document["paths"].values()
    content = operations["post"]["requestBody"]["content"]["application/json"]
    validator = jsonschema.Draft202012Validator({**content["schema"], "components": document["components"]})
    good = {"row": example_row(contract)}
    validator.validate(good)
    validator.validate({"rows": [good["row"]] * 10})
    validator.validate({"row": good["row"] | {"c0": None, "rate": None}})
    for change in ({"age": 17}, {"age": "41"}, {"c1": "?"}, {"c1": None}, {"foreign_worker": 1}, {"extra": 1}):
        with pytest.raises(jsonschema.ValidationError):
            validator.validate({"row": good["row"] | change})
    missing = copy.deepcopy(good)
    del missing["row"]["age"]
    for body in (missing, {}, {"rows": []}, {"rows": [good["row"]] * 11}, good | {"rows": [good["row"]]}):
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(body)


def test_the_description_names_the_version_and_every_refusal(contract: Contract) -> None:
    document = openapi_of(contract, number=3, package="sha256:" + "ab" * 32, most_rows=10)
    assert document["info"]["version"] == "3"
    (operations,) = document["paths"].values()
    assert set(operations["post"]["responses"]) == {"200", "400", "401", "403", "413", "415", "422", "503"}
    assert operations["post"]["security"] == [{"token": []}]
