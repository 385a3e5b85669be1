"""A model like German credit, made here so that the room's tests need no training library."""

import copy
from typing import Any

import numpy as np
import pytest

from sealwright.serving import Contract, contract_of

_CATEGORIES = ("a11", "a12", "a13", "a14")


def _number(
    name: str, kind: str, low: float | str | None, high: float | str | None, *, nullable: bool = False
) -> dict[str, Any]:
    return {"name": name, "type": kind, "nullable": nullable, "min": low, "max": high}


@pytest.fixture
def interface() -> dict[str, Any]:
    """Numbers of every kind, categories with and without null; 20 features."""
    numbers = [
        _number("age", "integer", 18, 100),
        _number("amount", "number", 250, 20_000),
        _number("rate", "number", 0.0, 1.0, nullable=True),
        _number("foreign_worker", "boolean", 0, 1),
        _number("opened", "date", "2000-01-01", "2025-12-31"),
        *(_number(f"n{at}", "integer", 0, 10) for at in range(3)),
    ]
    strings = [
        {"name": f"c{at}", "type": "category", "nullable": at == 0, "categories": list(_CATEGORIES)} for at in range(12)
    ]
    strings[1]["categories"].append("rent: city")
    document = {
        "format": 1,
        "project": "german-credit",
        "task": "binary",
        "target": "outcome",
        "classes": ["good", "bad"],
        "positive": "good",
        "numbers": numbers,
        "strings": strings,
        "outputs": {"probabilities": [None, 2]},
    }
    document["order"] = [
        name for pair in zip(strings, numbers, strict=False) for name in (pair[0]["name"], pair[1]["name"])
    ]
    document["order"] += [part["name"] for part in strings[8:]]
    return copy.deepcopy(document)


@pytest.fixture
def contract(interface: dict[str, Any]) -> Contract:
    return contract_of(interface)


@pytest.fixture
def row(interface: dict[str, Any]) -> dict[str, Any]:
    """A row the contract accepts, in the order of the training file."""
    values: dict[str, Any] = {f"c{at}": _CATEGORIES[at % 4] for at in range(12)} | {f"n{at}": at for at in range(3)}
    values |= {"age": 41, "amount": 1169.5, "rate": None, "foreign_worker": True, "opened": "2020-02-29"}
    return {name: values[name] for name in interface["order"]}


def credit_model(interface: dict[str, Any]) -> bytes:
    """An ONNX graph with the interface's inputs: the share of "bad" grows with age, and with the category a14 in c2."""
    from onnx import TensorProto, helper, numpy_helper

    width, texts = len(interface["numbers"]), len(interface["strings"])
    weights = np.zeros((width, 1), dtype=np.float32)
    weights[0] = 0.05
    place = next(at for at, part in enumerate(interface["strings"]) if part["name"] == "c2")
    nodes = [
        helper.make_node("IsNaN", ["numbers"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "numbers"], ["filled"]),
        helper.make_node("MatMul", ["filled", "weights"], ["score"]),
        helper.make_node("Gather", ["strings", "place"], ["word"], axis=1),
        helper.make_node(
            "LabelEncoder",
            ["word"],
            ["known"],
            domain="ai.onnx.ml",
            keys_strings=["a14"],
            values_floats=[2.0],
            default_float=0.0,
        ),
        helper.make_node("Add", ["score", "known"], ["raised"]),
        helper.make_node("Sub", ["raised", "middle"], ["centred"]),
        helper.make_node("Sigmoid", ["centred"], ["bad"]),
        helper.make_node("Sub", ["one", "bad"], ["good"]),
        helper.make_node("Concat", ["good", "bad"], ["probabilities"], axis=1),
    ]
    constants = {
        "zero": np.float32(0),
        "weights": weights,
        "place": np.array([place], dtype=np.int64),
        "middle": np.float32(3),
        "one": np.float32(1),
    }
    graph = helper.make_graph(
        nodes,
        "credit",
        [
            helper.make_tensor_value_info("numbers", TensorProto.FLOAT, [None, width]),
            helper.make_tensor_value_info("strings", TensorProto.STRING, [None, texts]),
        ],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    data: bytes = model.SerializeToString()
    return data


@pytest.fixture
def model_bytes(interface: dict[str, Any]) -> bytes:
    return credit_model(interface)
