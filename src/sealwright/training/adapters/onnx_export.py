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
from sealwright.training.adapters.estimators import Fitted, Model
from sealwright.training.adapters.groups_onnx import membership_nodes
from sealwright.training.adapters.onnx_encoding import Pieces, encoding_nodes, inputs_of
from sealwright.training.adapters.put_together import ByGroup, Mixture

__all__ = ["IR_VERSION", "OPSETS", "export", "finished"]

OPSETS = {"": 18, "ai.onnx.ml": 3}
IR_VERSION = 8
_LARGEST = float(np.finfo(np.float32).max)
_LEFT_OUT = frozenset({"nodes_hitrates"})  # all ones


def export(fitted: Model, numbers: int, strings: int) -> bytes:
    """The model's bytes. Changes the thresholds of its trees (see above), so predict first.

    Parameters
    ----------
    numbers, strings : int
        Columns of the two inputs.
    """
    pieces = Pieces()
    first = _first(fitted)
    matrix = encoding_nodes(pieces, first.encoding)
    wanted, width = ("value", 1) if first.task == "regression" else ("probabilities", first.classes)
    result = _answer(pieces, fitted, matrix)
    last = next(node for node in reversed(pieces.nodes) if result in node.output)
    last.output[list(last.output).index(result)] = wanted
    output = helper.make_tensor_value_info(wanted, TensorProto.FLOAT, ["N", width])
    return finished(pieces.nodes, pieces.constants, inputs_of(numbers, strings), output)


def _first(model: Model) -> Fitted:
    """A recipe of the model; all of them have one encoding."""
    if isinstance(model, Mixture):
        return model.members[0]
    if isinstance(model, ByGroup):
        return model.inner
    assert isinstance(model, Fitted)
    return model


def _answer(pieces: Pieces, model: Model, matrix: str) -> str:
    if isinstance(model, Mixture):
        return _mean(pieces, model, matrix)
    if isinstance(model, ByGroup):
        return _by_group(pieces, model, matrix)
    return _recipe(pieces, _first(model), matrix, "")


def _recipe(pieces: Pieces, fitted: Fitted, matrix: str, mark: str) -> str:
    """One recipe; `mark` tells its nodes from those of others."""
    make = _linear if fitted.recipe == "logistic" else _trees
    result = make(pieces, fitted, matrix, mark)
    if fitted.present in ((), tuple(range(fitted.classes))):
        return result
    spread = np.zeros((len(fitted.present), fitted.classes), dtype=np.float32)
    spread[np.arange(len(fitted.present)), list(fitted.present)] = 1.0
    return pieces.node("MatMul", [result, pieces.constant(f"spread{mark}", spread)], f"all_classes{mark}")


def _mean(pieces: Pieces, model: Mixture, matrix: str) -> str:
    parts = []
    for place, (weight, one) in enumerate(zip(model.weights, model.members, strict=True)):
        share = pieces.constant(f"weight_{place}", weight)
        parts.append(pieces.node("Mul", [_recipe(pieces, one, matrix, f"_{place}"), share], f"part_{place}"))
    return pieces.node("Sum", [*parts, pieces.constant("constant", [model.constant])], "mean")


def _by_group(pieces: Pieces, model: ByGroup, matrix: str) -> str:
    shares = _recipe(pieces, model.inner, matrix, "")
    of = membership_nodes(pieces, model.key, model.numbers, model.strings)
    moved = [of, pieces.constant("moved", model.factors - 1.0), pieces.constant("unmoved", [1.0, 1.0])]
    raised = pieces.node("Mul", [shares, pieces.node("Gemm", moved, "factors")], "raised")
    axis = pieces.constant("over_classes", [1], np.int64)
    return pieces.node("Div", [raised, pieces.node("ReduceSum", [raised, axis], "whole", keepdims=1)], "by_group")


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


def _linear(pieces: Pieces, fitted: Fitted, matrix: str, mark: str) -> str:
    weights = np.atleast_2d(fitted.estimator.coef_).T
    start = np.atleast_1d(fitted.estimator.intercept_)
    if fitted.task != "regression" and weights.shape[1] == 1:
        weights = np.concatenate([np.zeros_like(weights), weights], axis=1)  # softmax of (0, z) is the logistic of z
        start = np.array([0.0, start[0]])
    inputs = [matrix, pieces.constant(f"weights{mark}", weights), pieces.constant(f"intercept{mark}", start)]
    scores = pieces.node("Gemm", inputs, f"scores{mark}")
    return scores if fitted.task == "regression" else pieces.node("Softmax", [scores], f"shares{mark}", axis=1)


def _trees(pieces: Pieces, fitted: Fitted, matrix: str, mark: str) -> str:
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
    node = helper.make_node(found.op_type, [matrix], [], name=f"make_trees{mark}", domain="ai.onnx.ml")
    node.attribute.extend(sorted((a for a in found.attribute if a.name not in _LEFT_OUT), key=lambda a: str(a.name)))
    if fitted.task == "regression":
        node.output.append(f"tree_sums{mark}")
    else:
        node.output.extend([f"label{mark}", f"tree_shares{mark}"])
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
