"""The tree operators of ONNX (TreeEnsembleClassifier, TreeEnsembleRegressor) as leaves with the conditions that lead there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sealwright.assurance.certified.reading import Leaves, Unreadable

__all__ = ["leaves_from", "leaves_of"]

_MODES = {"BRANCH_LEQ", "BRANCH_LT", "LEAF"}


@dataclass(slots=True)
class _Box:
    """What a row must be to come here, by column: low < value <= high, or missing."""

    sides: dict[int, tuple[float, float, bool]]

    def cut(self, column: int, low: float, high: float, *, missing: bool) -> "_Box":
        a, b, gone = self.sides.get(column, (-np.inf, np.inf, True))
        return _Box(self.sides | {column: (max(a, low), min(b, high), gone and missing)})


def leaves_from(
    trees: list[dict[int, tuple[int, float, int, int, bool]]], scores: list[dict[int, Any]], constant: Any
) -> Leaves:
    """Leaves of trees given as tables.

    Parameters
    ----------
    trees : list of mapping
        Per tree: node -> (column, threshold, node if value <= threshold, node otherwise, missing goes to the first).
        Nodes that are not keys are leaves; the root is node 0.
    scores : list of mapping
        Per tree: leaf -> scores.
    """
    first: list[int] = []
    rows: list[Any] = []
    parts: list[Any] = []
    for nodes, leaf_scores in zip(trees, scores, strict=True):
        first.append(len(rows))
        waiting = [(0, _Box({}))]
        while waiting:
            node, box = waiting.pop()
            if node in nodes:
                column, threshold, near, far, to_near = nodes[node]
                waiting.append((far, box.cut(column, threshold, np.inf, missing=not to_near)))
                waiting.append((near, box.cut(column, -np.inf, threshold, missing=to_near)))
            else:
                parts += [(len(rows), column, *side) for column, side in box.sides.items()]
                rows.append(leaf_scores.get(node, np.zeros_like(constant)))
    parts.sort(key=lambda part: (part[1], part[0]))
    table = np.array(parts, dtype=np.float64).reshape(len(parts), 5)
    return Leaves(
        first=np.array(first, dtype=np.intp),
        scores=np.array(rows, dtype=np.float64),
        constant=np.asarray(constant, dtype=np.float64),
        leaf=table[:, 0].astype(np.intp),
        column=table[:, 1].astype(np.intp),
        low=table[:, 2],
        high=table[:, 3],
        missing=table[:, 4].astype(np.bool_),
    )


def leaves_of(attributes: Mapping[str, Any], width: int) -> Leaves:
    """Read one operator.

    Raises
    ------
    Unreadable
        It asks something else than whether a number is at most, or below, a threshold.
    """
    modes = [mode.decode() for mode in attributes["nodes_modes"]]
    if unknown := sorted(set(modes) - _MODES):
        raise Unreadable(f"its trees ask questions that are not read here: {', '.join(unknown)}")
    kind = "class" if "class_ids" in attributes else "target"
    if attributes.get("aggregate_function", b"SUM") not in (b"SUM", b"AVERAGE"):
        raise Unreadable("its trees are not added up")
    numbers = list(dict.fromkeys(attributes["nodes_treeids"]))
    at = {tree: place for place, tree in enumerate(numbers)}
    trees: list[dict[int, tuple[int, float, int, int, bool]]] = [{} for _ in numbers]
    tracks = attributes.get("nodes_missing_value_tracks_true") or [0] * len(modes)
    columns = zip(
        attributes["nodes_treeids"],
        attributes["nodes_nodeids"],
        modes,
        attributes["nodes_featureids"],
        attributes["nodes_values"],
        attributes["nodes_truenodeids"],
        attributes["nodes_falsenodeids"],
        tracks,
        strict=True,
    )
    for tree, node, mode, column, value, near, far, to_near in columns:
        if mode == "LEAF":
            continue
        if not 0 <= column < width:
            raise Unreadable("its trees ask a column that is not there")
        threshold = np.float32(value)
        if mode == "BRANCH_LT":
            threshold = np.nextafter(threshold, np.float32(-np.inf))
        trees[at[tree]][node] = (column, float(threshold), near, far, bool(to_near))
    return leaves_from(trees, *_scores(attributes, kind, at))


def _scores(attributes: Mapping[str, Any], kind: str, at: Mapping[int, int]) -> tuple[list[dict[int, Any]], Any]:
    """Scores of each leaf, and where the sum starts."""
    ids = attributes[f"{kind}_ids"]
    named = len(attributes.get("classlabels_strings") or attributes.get("classlabels_int64s") or ())
    only = set(ids) == {0} and named == 2  # two classes told by one score, which is that of the second
    width = 1 if only else (named or int(attributes.get("n_targets", 1)))
    share = 1 / len(at) if attributes.get("aggregate_function") == b"AVERAGE" else 1.0
    leaf: list[dict[int, Any]] = [{} for _ in at]
    whose = zip(
        attributes[f"{kind}_treeids"], attributes[f"{kind}_nodeids"], ids, attributes[f"{kind}_weights"], strict=True
    )
    for tree, node, place, weight in whose:
        leaf[at[tree]].setdefault(node, np.zeros(width))[place] += weight * share
    start = np.zeros(width)
    base = np.asarray(attributes.get("base_values") or [0.0], dtype=np.float64)
    if base.size not in (1, width):
        raise Unreadable("its trees start from more numbers than there are scores")
    return leaf, start + base
