"""A fitted recipe as one ONNX model with its preprocessing inside: the same model gives the same bytes.

Trees are translated by skl2onnx and their one node is put behind our encoding; before that every threshold is
moved down to the nearest float32. For float32 features x <= t is the same question as x <= float32 below t, so
no row can take another path in the graph. Linear models are two operators of our own.
"""

import warnings
from typing import Any

import numpy as np
from onnx import TensorProto, checker, helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType

from sealwright.kernel import OperationFailed
from sealwright.training.adapters.estimators import Fitted
from sealwright.training.adapters.onnx_encoding import Pieces, encoding_nodes, inputs_of

__all__ = ["IR_VERSION", "OPSETS", "export", "finished"]

OPSETS = {"": 18, "ai.onnx.ml": 3}
IR_VERSION = 8
_LARGEST = float(np.finfo(np.float32).max)
_LEFT_OUT = frozenset({"nodes_hitrates"})  # all ones


def export(fitted: Fitted, numbers: int, strings: int) -> bytes:
    """The model's bytes. Changes the thresholds of `fitted` (see above), so predict first.

    Parameters
    ----------
    numbers, strings : int
        Columns of the two inputs.
    """
    pieces = Pieces()
    matrix = encoding_nodes(pieces, fitted.encoding)
    result = _linear(pieces, fitted, matrix) if fitted.recipe == "logistic" else _trees(pieces, fitted, matrix)
    wanted, width = ("value", 1) if fitted.task == "regression" else ("probabilities", fitted.classes)
    if len(fitted.present) not in (0, fitted.classes):
        spread = np.zeros((len(fitted.present), fitted.classes), dtype=np.float32)
        spread[np.arange(len(fitted.present)), list(fitted.present)] = 1.0
        result = pieces.node("MatMul", [result, pieces.constant("spread", spread)], "all_classes")
    last = next(node for node in reversed(pieces.nodes) if result in node.output)
    last.output[list(last.output).index(result)] = wanted
    output = helper.make_tensor_value_info(wanted, TensorProto.FLOAT, ["N", width])
    return finished(pieces.nodes, pieces.constants, inputs_of(numbers, strings), output)


def finished(nodes: list[Any], constants: list[Any], inputs: list[Any], output: Any) -> bytes:
    """A checked model with fixed names and versions, as bytes."""
    graph = helper.make_graph(nodes, "sealwright", inputs, [output], constants)
    model = helper.make_model(
        graph,
        producer_name="sealwright",
        opset_imports=[helper.make_opsetid(domain, version) for domain, version in OPSETS.items()],
        ir_version=IR_VERSION,
    )
    checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def _linear(pieces: Pieces, fitted: Fitted, matrix: str) -> str:
    weights = np.atleast_2d(fitted.estimator.coef_).T
    start = np.atleast_1d(fitted.estimator.intercept_)
    if fitted.task != "regression" and weights.shape[1] == 1:
        weights = np.concatenate([np.zeros_like(weights), weights], axis=1)  # softmax of (0, z) is the logistic of z
        start = np.array([0.0, start[0]])
    inputs = [matrix, pieces.constant("weights", weights), pieces.constant("intercept", start)]
    scores = pieces.node("Gemm", inputs, "scores")
    return scores if fitted.task == "regression" else pieces.node("Softmax", [scores], "shares", axis=1)


def _trees(pieces: Pieces, fitted: Fitted, matrix: str) -> str:
    _lower_thresholds(fitted.estimator)
    options = {id(fitted.estimator): {"zipmap": False}} if fitted.task != "regression" else None
    types = [("matrix", FloatTensorType([None, fitted.estimator.n_features_in_]))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # skl2onnx hands truth values to protobuf where it wants integers
        model = convert_sklearn(fitted.estimator, initial_types=types, target_opset=OPSETS, options=options)
    if len(model.graph.node) != 1 or len(model.graph.initializer):
        raise OperationFailed(
            "skl2onnx translated the trees into more than one node; this release expects exactly one."
        )
    found = model.graph.node[0]
    node = helper.make_node(found.op_type, [matrix], [], name="make_trees", domain="ai.onnx.ml")
    node.attribute.extend(sorted((a for a in found.attribute if a.name not in _LEFT_OUT), key=lambda a: str(a.name)))
    if fitted.task == "regression":
        node.output.append("tree_sums")
    else:
        node.output.extend(["label", "tree_shares"])
    pieces.nodes.append(node)
    return str(node.output[-1])


def _lower_thresholds(estimator: Any) -> None:
    """Every threshold to the largest float32 not above it; infinity ("any number goes left") to the largest number."""
    if hasattr(estimator, "estimators_"):
        for tree in estimator.estimators_:
            tree.tree_.threshold[:] = _float32_below(tree.tree_.threshold)
    else:
        for stage in estimator._predictors:  # noqa: SLF001 (the only place scikit-learn keeps them)
            for predictor in stage:
                predictor.nodes["num_threshold"] = _float32_below(predictor.nodes["num_threshold"])


def _float32_below(values: Any) -> Any:
    near = np.clip(values, -_LARGEST, _LARGEST).astype(np.float32)
    with np.errstate(over="ignore", under="ignore"):
        below = np.nextafter(near, np.float32(-np.inf))
    lowered = np.where(near.astype(np.float64) > values, below, near).astype(np.float64)
    return np.clip(lowered, -_LARGEST, _LARGEST)
