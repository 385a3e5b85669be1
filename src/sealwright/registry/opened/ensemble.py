"""The trees of one ONNX operator as arrays.

Answers: which trees does this operator hold, which question does each node ask, what does each leaf add?
Does not answer: what happens before and behind it. Whoever asks holds the sums against the model's answers.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from sealwright.registry.opened.source import Floats, Unreadable

__all__ = ["ensemble_of"]


def ensemble_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The trees of one operator, from its attributes, in the dictionary form of shap.

    Raises
    ------
    Unreadable
        They are not added up, or ask other questions than x <= t and x < t.
    """
    kind = "class" if "class_ids" in given else "target"
    if given.get("aggregate_function", b"SUM") not in (b"SUM", b"AVERAGE"):
        raise Unreadable("the trees are not added up")
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
        raise Unreadable("its trees start from another number of values than there are scores")
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
        raise Unreadable("its trees ask other questions than whether a number is below a threshold")
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
