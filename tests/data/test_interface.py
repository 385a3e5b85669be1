"""The interface is the contract's word to training and serving."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sealwright.data import DataSpec, Snapshot, example_row, feature_interface, infer_contract

COLUMNS: dict[str, Any] = {
    "amount": {"type": "number", "min": 0.5, "nullable": True},
    "id": {"type": "text", "role": "identifier"},
    "kind": {"type": "category", "categories": ["b", "a"], "nullable": True},
    "since": {"type": "date", "min": "1970-01-02", "max": "2015-12-31"},
    "flag": {"type": "boolean"},
    "sex": {"type": "category", "categories": ["f", "m"], "role": "sensitive"},
    "years": {"type": "integer", "min": 0, "max": 99},
    "note": {"type": "text", "role": "ignore"},
}


def spec_of(**target: Any) -> DataSpec:
    more = {"positive": target.pop("positive", None)}
    return DataSpec.model_validate({"source": "x.csv", "target": "y", "columns": {**COLUMNS, "y": target}, **more})


def test_a_binary_interface_word_for_word() -> None:
    interface = feature_interface(spec_of(type="category", categories=["no", "yes"], positive="yes"), project="loans")
    assert interface == {
        "format": 1,
        "project": "loans",
        "task": "binary",
        "target": "y",
        "classes": ["no", "yes"],
        "positive": "yes",
        "numbers": [
            {"name": "amount", "type": "number", "nullable": True, "min": 0.5, "max": None},
            {"name": "since", "type": "date", "nullable": False, "min": 1, "max": 16800},
            {"name": "flag", "type": "boolean", "nullable": False, "min": None, "max": None},
            {"name": "years", "type": "integer", "nullable": False, "min": 0, "max": 99},
        ],
        "strings": [{"name": "kind", "type": "category", "nullable": True, "categories": ["b", "a"]}],
        "outputs": {"probabilities": ["N", 2]},
        "order": ["amount", "kind", "since", "flag", "years"],
    }
    assert json.loads(json.dumps(interface)) == interface


def test_what_is_not_a_feature_is_not_in_it() -> None:
    text = json.dumps(feature_interface(spec_of(type="boolean", positive="true")))
    for name in ("sex", "id", "note"):
        assert f'"{name}"' not in text


@pytest.mark.parametrize(
    ("target", "classes", "outputs"),
    [
        ({"type": "number"}, [], {"value": ["N", 1]}),
        ({"type": "category", "categories": ["a", "b", "c"]}, ["a", "b", "c"], {"probabilities": ["N", 3]}),
        ({"type": "boolean", "positive": "true"}, ["false", "true"], {"probabilities": ["N", 2]}),
    ],
)
def test_outputs_follow_the_task(target: dict[str, Any], classes: list[str], outputs: Any) -> None:
    interface = feature_interface(spec_of(**target))
    assert (interface["classes"], interface["outputs"]) == (classes, outputs)
    assert interface["positive"] == ("true" if target["type"] == "boolean" else None)


def test_a_table_without_the_features_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks features"):
        feature_interface(spec_of(type="number"), pa.table({"amount": [1.0]}))


def test_an_example_row_is_typical_and_within_the_contract(
    take_in: Callable[..., Snapshot], german: Path, flights: Path
) -> None:
    for path, target in ((german, "outcome"), (flights, "CANCELLED")):
        spec = infer_contract(path, target).spec
        train = take_in(path, spec).read()
        interface = feature_interface(spec, train)
        row = example_row(train, interface)
        assert list(row) == interface["order"]
        for item in interface["strings"]:
            assert row[item["name"]] in item["categories"]
        for item in interface["numbers"]:
            if item["type"] == "integer":
                assert isinstance(row[item["name"]], int)
                assert item["min"] <= row[item["name"]] <= item["max"]
        json.dumps(row)


def test_an_example_of_an_empty_column_is_null() -> None:
    interface = feature_interface(spec_of(type="number"))
    table = pa.table(
        {
            "amount": pa.nulls(1, pa.float64()),
            "kind": ["a"],
            "since": pa.array([5], pa.int32()).cast(pa.date32()),
            "flag": [True],
            "years": [3],
        }
    )
    assert example_row(table, interface) == {
        "amount": None,
        "kind": "a",
        "since": "1970-01-06",
        "flag": True,
        "years": 3,
    }
