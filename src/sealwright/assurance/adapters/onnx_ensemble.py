"""The trees inside an ONNX model as arrays, and the matrix they look at, whatever stands in front of them.

Answers: where is the one tree ensemble of this graph, which trees does it hold, and what does it see for a row?
Does not answer: what happens behind it. Whether its sums lead to the model's answers is checked by who asks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.unexplained import CannotExplain
from sealwright.registry import Unreadable, ensemble_of

__all__ = ["OnnxTrees", "onnx_trees"]

_OPERATORS = ("TreeEnsembleClassifier", "TreeEnsembleRegressor")
_ERRORS_ONLY = 3


@dataclass(frozen=True, slots=True)
class OnnxTrees:
    """`model` as shap's dictionary form; `matrix` turns the model's inputs into what the trees see."""

    model: dict[str, Any]
    matrix: Callable[[Mapping[str, NDArray[Any]]], Floats]


def onnx_trees(data: bytes) -> OnnxTrees:
    """The one tree ensemble of a model.

    Raises
    ------
    CannotExplain
        There is none or more than one, or its nodes ask other questions than x <= t and x < t.
    """
    graph = onnx.load_model_from_string(data)
    found = [node for node in graph.graph.node if node.op_type in _OPERATORS]
    if len(found) != 1:
        raise CannotExplain(f"the graph holds {len(found)} tree ensembles; one can be read")
    node = found[0]
    given = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
    try:
        model = ensemble_of(given)
    except Unreadable as why:
        raise CannotExplain(str(why)) from None
    return OnnxTrees(model, _matrix(graph, node.input[0]))


def _matrix(graph: Any, name: str) -> Callable[[Mapping[str, NDArray[Any]]], Floats]:
    """What flows into the trees, as a function of the inputs."""
    inputs = [one.name for one in graph.graph.input]
    if name in inputs:
        return lambda given: np.asarray(given[name], dtype=np.float32).astype(np.float64)
    opened = onnx.ModelProto()
    opened.CopyFrom(graph)
    opened.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    try:
        session = ort.InferenceSession(opened.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own unrelated types  # noqa: BLE001
        raise CannotExplain(f"the graph cannot be opened at its trees: {str(error)[:120]}") from None
    return lambda given: np.asarray(session.run([name], dict(given))[0], dtype=np.float64)
