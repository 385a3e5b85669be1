"""An ONNX model opened up: its encoders, and the linear function or the trees behind them.

Answers: what is this model, if it is a linear function or a sum of trees behind encoders of single columns?
Does not answer: for any other. The bytes were verified or given by whoever asks; nothing in them is run here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.registry.opened.columns import Column, Text, encoded
from sealwright.registry.opened.ensemble import ensemble_of
from sealwright.registry.opened.source import Linear, Link, Source, Trees, Unreadable

__all__ = ["Opened", "open_model"]

_CORES = {"TreeEnsembleClassifier", "TreeEnsembleRegressor", "LinearClassifier", "LinearRegressor", "Gemm", "MatMul"}
_AFTER = {"Softmax", "Sigmoid", "Logistic", "Normalizer", "Identity", "ZipMap", "Cast", "ArgMax", "ArrayFeatureExtractor",
          "Reshape", "LabelEncoder", "Concat", "Sub", "Squeeze"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a model was found to be."""

    columns: tuple[Source, ...]  # of the matrix its core looks at
    core: Linear | Trees
    links: tuple[Link, ...]  # what may turn scores into answers; the one that gives the model's answers is it


def open_model(model: bytes, numbers: Sequence[str], strings: Sequence[str], task: str) -> Opened:
    """Open a model of these number and text columns.

    Raises
    ------
    Unreadable
        It is no linear function and no sum of trees behind encoders of single columns.
    """
    import onnx  # slow to import; few need it
    from onnx import numpy_helper

    graph = onnx.load_model_from_string(model).graph
    constants = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    known = _inputs(graph, numbers, strings)
    for position, node in enumerate(graph.node):
        attributes = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
        if node.op_type == "Constant":
            constants[node.output[0]] = numpy_helper.to_array(attributes["value"])
        elif node.op_type in _CORES:
            return _core(node, attributes, known, constants, graph.node[position + 1 :], task)
        else:
            inputs = [known.get(name, ()) for name in node.input]
            given = [constants.get(name) for name in node.input]
            if any(not columns and value is None for columns, value in zip(inputs, given, strict=True)):
                raise Unreadable("its graph is not made of encoders followed by one model")
            for name, columns in zip(node.output, encoded(node.op_type, attributes, inputs, given), strict=True):
                known[name] = columns
    raise Unreadable("its graph holds neither trees nor a linear function")


def _inputs(graph: Any, number_names: Sequence[str], text_names: Sequence[str]) -> dict[str, tuple[Column, ...]]:
    """What each input holds: a column of its name, or all numbers, or all texts."""
    from onnx import TensorProto

    numbers = {name: place for place, name in enumerate(number_names)}
    texts = {name: place for place, name in enumerate(text_names)}
    outer = {one.name for one in graph.initializer}
    given = [one for one in graph.input if one.name not in outer]
    by_name = all(one.name in {**numbers, **texts} for one in given)
    known: dict[str, tuple[Column, ...]] = {}
    for one in given:
        if by_name:
            known[one.name] = (
                (Source(kind="number", place=numbers[one.name]),) if one.name in numbers else (Text(texts[one.name]),)
            )
        elif one.type.tensor_type.elem_type == TensorProto.STRING:
            known[one.name] = tuple(Text(place) for place in texts.values())
        else:
            known[one.name] = tuple(Source(kind="number", place=place) for place in numbers.values())
    return known


def _core(
    node: Any,
    attributes: Mapping[str, Any],
    known: Mapping[str, tuple[Column, ...]],
    constants: Mapping[str, NDArray[Any]],
    after: Sequence[Any],
    task: str,
) -> Opened:
    columns = known.get(node.input[0], ())
    matrix = tuple(column for column in columns if isinstance(column, Source))
    if not matrix or len(matrix) != len(columns):
        raise Unreadable("its trees or weights do not take the encoded columns")
    links: tuple[Link, ...] = ("value",) if task == "regression" else ("softmax", "logistic", "shares")
    if node.op_type.startswith("Tree"):
        trees = ensemble_of(attributes)
        asked = max((int(tree["features"].max()) for tree in trees["trees"]), default=-1)
        if asked >= len(matrix):
            raise Unreadable("its trees ask a column that is not there")
        _refuse_unknown(after)
        return Opened(columns=matrix, core=Trees(model=trees), links=links)
    return Opened(columns=matrix, core=_linear(node, attributes, constants, after, len(matrix)), links=links)


def _linear(
    node: Any, attributes: Mapping[str, Any], constants: Mapping[str, NDArray[Any]], after: Sequence[Any], width: int
) -> Linear:
    if node.op_type.startswith("Linear"):
        rows = np.asarray(attributes["coefficients"], dtype=np.float64).reshape(-1, width)
        start = np.asarray(attributes.get("intercepts", np.zeros(len(rows))), dtype=np.float64)
        _refuse_unknown(after)
        return _one_score(Linear(weights=rows.T, constant=start))
    weights = constants.get(node.input[1])
    if weights is None or attributes.get("transA") or weights.ndim != 2:
        raise Unreadable("its graph multiplies columns with each other")
    weights = (weights.T if attributes.get("transB") else weights).astype(np.float64) * attributes.get("alpha", 1.0)
    start = np.zeros(weights.shape[1])
    if len(node.input) > 2:
        start = start + np.ravel(constants[node.input[2]]).astype(np.float64) * attributes.get("beta", 1.0)
    if after and after[0].op_type == "Add" and node.output[0] in after[0].input:
        other = next(name for name in after[0].input if name != node.output[0])
        if other not in constants:
            raise Unreadable("its graph adds columns to its scores")
        start, after = start + np.ravel(constants[other]).astype(np.float64), after[1:]
    _refuse_unknown(after)
    return Linear(weights=weights, constant=start)


def _one_score(linear: Linear) -> Linear:
    """Two rows of weights that are each other's negative, as converters write one regression, as the second alone."""
    w, c = linear.weights, linear.constant
    if w.shape[1] == 2 and np.array_equal(w[:, 0], -w[:, 1]) and c[0] == -c[1]:
        return Linear(weights=w[:, 1:], constant=c[1:])
    return linear


def _refuse_unknown(after: Sequence[Any]) -> None:
    unknown = sorted({node.op_type for node in after if node.op_type not in _AFTER})
    if unknown:
        raise Unreadable(f"its graph does more with its scores than to turn them into answers: {', '.join(unknown)}")
