"""Small real models and packages for the tests of this room."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

Interface = dict[str, Any]


def number(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "number", "nullable": True, "min": None, "max": None, **more}


def category(name: str, *words: str) -> dict[str, Any]:
    return {"name": name, "type": "category", "nullable": True, "categories": list(words)}


def interface_of(
    numbers: Sequence[dict[str, Any]], strings: Sequence[dict[str, Any]] = (), project: str = "credit"
) -> Interface:
    """A binary interface over these columns."""
    return {
        "format": 1,
        "project": project,
        "task": "binary",
        "target": "outcome",
        "classes": ["bad", "good"],
        "positive": "good",
        "numbers": list(numbers),
        "strings": list(strings),
        "order": [column["name"] for column in (*numbers, *strings)],
        "outputs": {"probabilities": ["N", 2]},
    }


INTERFACE = interface_of(
    [number("income", min=0.0, max=1e6), number("age", type="integer", nullable=False, min=18.0, max=100.0)],
    [category("city", "bonn", "mainz")],
)


def tensor(values: Any, name: str, kind: type = np.float32) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(values, dtype=kind), name)


def value(name: str, kind: int, shape: Sequence[Any] | None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def graph_of(
    nodes: Sequence[onnx.NodeProto],
    constants: Sequence[onnx.TensorProto] = (),
    inputs: Sequence[onnx.ValueInfoProto] | None = None,
    outputs: Sequence[onnx.ValueInfoProto] | None = None,
) -> onnx.ModelProto:
    """A model over INTERFACE with these nodes."""
    if inputs is None:
        inputs = [value("numbers", TensorProto.FLOAT, [None, 2]), value("strings", TensorProto.STRING, [None, 1])]
    if outputs is None:
        outputs = [value("probabilities", TensorProto.FLOAT, [None, 2])]
    return helper.make_model(
        helper.make_graph(list(nodes), "sealwright", list(inputs), list(outputs), list(constants)),
        opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)],
        ir_version=9,
    )


def scoring_nodes(weights: str = "weights") -> list[onnx.NodeProto]:
    """Impute, scale, add a term for the city, then a two-class softmax."""
    return [
        helper.make_node(
            "Imputer",
            ["numbers"],
            ["filled"],
            "impute",
            domain="ai.onnx.ml",
            imputed_value_floats=[30_000.0, 40.0],
            replaced_value_float=float("nan"),
        ),
        helper.make_node("Mul", ["filled", "scale"], ["scaled"], "scale"),
        helper.make_node(
            "OneHotEncoder",
            ["strings"],
            ["hot"],
            "onehot",
            domain="ai.onnx.ml",
            cats_strings=["bonn", "mainz"],
            zeros=1,
        ),
        helper.make_node("Reshape", ["hot", "flat"], ["cities"], "flatten"),
        helper.make_node("Concat", ["scaled", "cities"], ["all"], "concat", axis=1),
        helper.make_node("MatMul", ["all", weights], ["scores"], "score"),
        helper.make_node("Softmax", ["scores"], ["probabilities"], "softmax", axis=1),
    ]


def scoring_constants() -> list[onnx.TensorProto]:
    return [
        tensor([[1e-6, 0.01]], "scale"),
        tensor([-1, 2], "flat", np.int64),
        tensor([[0.3, -0.3], [-0.4, 0.4], [0.1, -0.1], [-0.2, 0.2]], "weights"),
    ]


def good_model() -> bytes:
    """A small sound model over INTERFACE."""
    return bytes(graph_of(scoring_nodes(), scoring_constants()).SerializeToString())


@pytest.fixture(scope="session")
def interface() -> Interface:
    return INTERFACE


@pytest.fixture(scope="session")
def model() -> bytes:
    return good_model()


class Build:
    """The builders above, for test modules (which cannot import a conftest)."""

    number = staticmethod(number)
    category = staticmethod(category)
    interface_of = staticmethod(interface_of)
    tensor = staticmethod(tensor)
    value = staticmethod(value)
    graph_of = staticmethod(graph_of)
    scoring_nodes = staticmethod(scoring_nodes)
    scoring_constants = staticmethod(scoring_constants)
    good_model: Callable[[], bytes] = staticmethod(good_model)


@pytest.fixture(scope="session")
def build() -> type[Build]:
    return Build
