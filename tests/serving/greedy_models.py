"""Models that keep their contract and pass admission, and take too much all the same: the more, the more rows are asked at once."""

from functools import partial
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_ROUNDS, _SIDE = 3000, 512  # of float32: 30 ms for a row, more than a second for 200
_LONG = (
    4000  # rows and columns of whole numbers, which no library multiplies quickly: 16 ms for a row, a second for 200
)
_WIDE = 100_000  # float32: 80 MB for 200 rows
_HEAVY = 1 << 24  # float32: 64 MiB, the most that admission lets a constant be


def greedy(model: bytes, kind: str, *, size: int = _LONG) -> bytes:
    """The credit model of `house.py`, made greedy.

    "time": operator after operator. "operator": inside one, the longer the larger its `size`. "memory": a wide layer.
    "load": for a single row, too. "loop": for ever; admission refuses it.
    """
    made = onnx.load_from_string(model)
    place = next(at for at, node in enumerate(made.graph.node) if "raised" in node.output)
    made.graph.node[place].output[0] = "modest"
    made_of = {
        "time": _multiplying, "operator": partial(_in_one, size), "memory": _widening, "load": _folding, "loop": _looping
    }  # fmt: skip
    nodes, constants = made_of[kind]()
    nodes.append(helper.make_node("Add", ["modest", "nothing"], ["raised"]))
    for at, node in enumerate(nodes):
        made.graph.node.insert(place + 1 + at, node)
    made.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    return bytes(made.SerializeToString())


_Part = tuple[list[Any], dict[str, Any]]


def _whole(value: Any) -> Any:
    return np.array(value, dtype=np.int64)


def _multiplying() -> _Part:
    rounds = [helper.make_node("MatMul", [f"state {at}", "square"], [f"state {at + 1}"]) for at in range(_ROUNDS)]
    nodes = [
        helper.make_node("MatMul", ["modest", "line"], ["state 0"]),
        *rounds,
        helper.make_node("ReduceMax", [f"state {_ROUNDS}"], ["nothing"], keepdims=0),
    ]
    return nodes, {"line": np.zeros((1, _SIDE), np.float32), "square": np.zeros((_SIDE, _SIDE), np.float32)}


def _in_one(size: int) -> _Part:
    nodes = [
        helper.make_node("Cast", ["modest"], ["asked"], to=TensorProto.INT64),
        helper.make_node("MatMul", ["asked", "line"], ["lines"]),
        helper.make_node("ConstantOfShape", ["sides"], ["square"], value=numpy_helper.from_array(_whole([0]))),
        helper.make_node("MatMul", ["lines", "square"], ["product"]),
        helper.make_node("ReduceMax", ["product"], ["most"], keepdims=0),
        helper.make_node("Cast", ["most"], ["nothing"], to=TensorProto.FLOAT),
    ]
    return nodes, {"line": np.zeros((1, size), np.int64), "sides": _whole([size, size])}


def _widening() -> _Part:
    nodes = [
        helper.make_node("MatMul", ["modest", "line"], ["wide"]),
        helper.make_node("ReduceMax", ["wide"], ["nothing"], keepdims=0),
    ]
    return nodes, {"line": np.zeros((1, _WIDE), np.float32)}


def _folding() -> _Part:
    nodes = [
        helper.make_node("ConstantOfShape", ["heavy"], ["row"]),
        helper.make_node("ReduceMin", ["known"], ["least"], keepdims=0),
        helper.make_node("Mul", ["row", "least"], ["other row"]),
        helper.make_node("ReduceMax", ["other row"], ["nothing"], keepdims=0),
    ]
    return nodes, {"heavy": _whole([_HEAVY])}


def _looping() -> _Part:
    """Only for rows with the category a14 in c2: for the others no round."""
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["goes"]), helper.make_node("MatMul", ["state", "state"], ["next"])],
        "round",
        [value("at", TensorProto.INT64, []), value("go", TensorProto.BOOL, []), value("state", TensorProto.FLOAT, [64, 64])],
        [value("goes", TensorProto.BOOL, []), value("next", TensorProto.FLOAT, [64, 64])],
    )  # fmt: skip
    nodes = [
        helper.make_node("ReduceMax", ["known"], ["largest known"], keepdims=0),
        helper.make_node("Cast", ["largest known"], ["asked"], to=TensorProto.INT64),
        helper.make_node("Mul", ["asked", "many"], ["rounds"]),
        helper.make_node("Loop", ["rounds", "yes", "square"], ["end"], body=body),
        helper.make_node("ReduceMax", ["end"], ["nothing"], keepdims=0),
    ]
    return nodes, {"many": _whole(10**12), "yes": np.array(True), "square": np.zeros((64, 64), dtype=np.float32)}
