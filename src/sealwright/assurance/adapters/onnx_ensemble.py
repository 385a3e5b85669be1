"""The trees inside an ONNX model as arrays, and the matrix they look at: what bounds and Shapley values both read.

Answers: where is the one tree ensemble of this graph, which trees does it hold, and what does it see for a row?
Does not answer: what happens behind it. Whether its sums lead to the model's answers is checked by who asks.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.unexplained import CannotExplain

__all__ = ["OnnxTrees", "ensemble_of", "onnx_trees"]

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
    return OnnxTrees(ensemble_of(given), _matrix(graph, node.input[0]))


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


def ensemble_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The trees of one operator, from its attributes, in the dictionary form of shap.

    Raises
    ------
    CannotExplain
        They are not added up, or ask other questions than x <= t and x < t.
    """
    kind = "class" if "class_ids" in given else "target"
    if given.get("aggregate_function", b"SUM") not in (b"SUM", b"AVERAGE"):
        raise CannotExplain("the trees are not added up")
    numbers = sorted(set(given["nodes_treeids"]))
    scale = 1 / len(numbers) if given.get("aggregate_function") == b"AVERAGE" else 1.0
    outputs = _outputs(given, kind)
    leaves: dict[tuple[int, int], Floats] = defaultdict(lambda: np.zeros(len(outputs)))
    columns = (given[f"{kind}_treeids"], given[f"{kind}_nodeids"], given[f"{kind}_ids"], given[f"{kind}_weights"])
    for tree, leaf, output, weight in zip(*columns, strict=True):
        leaves[tree, leaf][outputs[output]] += weight * scale
    places: dict[int, list[int]] = defaultdict(list)
    for place, tree in enumerate(given["nodes_treeids"]):
        places[tree].append(place)
    start = np.array(given.get("base_values") or [0.0], dtype=np.float64)
    if start.size not in (1, len(outputs)):
        raise CannotExplain("its trees start from another number of values than there are scores")
    return {
        "trees": [_tree(given, places[tree], tree, leaves, len(outputs)) for tree in numbers],
        "base_offset": np.zeros(len(outputs)) + start,
        "tree_output": "raw_value",
        "input_dtype": np.float64,
        "internal_dtype": np.float64,
    }


def _outputs(given: Mapping[str, Any], kind: str) -> dict[int, int]:
    """Where the score of each class or target stands; two classes told by one score have that one."""
    told = sorted(set(given[f"{kind}_ids"]))
    named = len(given.get("classlabels_strings") or given.get("classlabels_int64s") or ())
    if len(told) == 1 and named == 2:
        return {told[0]: 0}
    return {one: place for place, one in enumerate(range(named) if kind == "class" and named else told)}


def _tree(given: Mapping[str, Any], places: list[int], tree: int, leaves: Any, outputs: int) -> dict[str, Any]:
    """One tree in shap's form. Its weights of nodes are not known, and not needed against a background."""
    modes = [given["nodes_modes"][place] for place in places]
    if not set(modes) <= {b"LEAF", b"BRANCH_LEQ", b"BRANCH_LT"}:
        raise CannotExplain("its trees ask other questions than whether a number is below a threshold")
    at = {given["nodes_nodeids"][place]: here for here, place in enumerate(places)}
    leaf = np.array([mode == b"LEAF" for mode in modes])
    yes = np.array([at.get(given["nodes_truenodeids"][place], 0) for place in places])
    no = np.array([at.get(given["nodes_falsenodeids"][place], 0) for place in places])
    tracks = given.get("nodes_missing_value_tracks_true") or [0] * len(given["nodes_nodeids"])
    missing = np.where([bool(tracks[place]) for place in places], yes, no)
    limits = np.array([given["nodes_values"][place] for place in places], dtype=np.float32)
    strict = np.array([mode == b"BRANCH_LT" for mode in modes])
    limits = np.where(strict, np.nextafter(limits, np.float32(-np.inf)), limits).astype(np.float64)
    return {
        "children_left": np.where(leaf, -1, yes),
        "children_right": np.where(leaf, -1, no),
        "children_default": np.where(leaf, -1, missing),
        "features": np.where(leaf, -2, [given["nodes_featureids"][place] for place in places]),
        "thresholds": limits,
        "values": np.array([leaves.get((tree, node), np.zeros(outputs)) for node in at]).reshape(-1, outputs),
        "node_sample_weight": np.ones(len(places)),
    }
