"""Private trees: what they ask is drawn by lot before a row is seen, only the counts in their leaves are learned, with noise.

Every row stands in one leaf of each tree, so replacing one moves the counts of t trees by at most sqrt(2 t). Gaussian noise
of that sensitivity keeps (epsilon, delta). (Random trees: Jagannathan, Pillaipakkamnatt & Wright 2012, Trans. Data Privacy 5.)
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import helper

from sealwright.training.accounting import gaussian_scale
from sealwright.training.adapters.onnx_encoding import Pieces
from sealwright.training.adapters.private.made import Asked, Guarantee
from sealwright.training.encoding import Encoding

__all__ = ["Trees", "learn_forest"]

Floats = NDArray[np.float64]

_DEEPEST = 8
_SIGNAL = 2.0  # rows a leaf is to hold on average, in standard deviations of its noise


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """Complete binary trees of one depth: node i asks `matrix[:, column[i]] <= cut[i]`, and goes on to 2i+1 if so, else 2i+2."""

    columns: NDArray[np.int64]  # shape (trees, inner nodes)
    cuts: NDArray[np.float32]
    shares: NDArray[np.float32]  # shape (trees, leaves, classes); what a tree adds to the probabilities

    def leaves(self, matrix: NDArray[np.float32]) -> NDArray[np.int64]:
        """The leaf of each row in each tree, shape (rows, trees)."""
        trees, inner = self.columns.shape
        rows, at = np.arange(matrix.shape[0]), np.zeros((matrix.shape[0], trees), dtype=np.int64)
        for _ in range(int(math.log2(inner + 1))):
            for tree in range(trees):
                node = at[:, tree]
                goes_left = matrix[rows, self.columns[tree, node]] <= self.cuts[tree, node]
                at[:, tree] = 2 * node + np.where(goes_left, 1, 2)
        places: NDArray[np.int64] = at - inner
        return places

    def answer(self, matrix: NDArray[np.float32]) -> Floats:
        """Probabilities, shape (rows, classes)."""
        places = self.leaves(matrix)
        each = self.shares[np.arange(places.shape[1]), places]
        return np.asarray(each.sum(axis=1, dtype=np.float64))

    def nodes(self, pieces: Pieces, matrix: str, width: int) -> str:  # noqa: ARG002 (the columns are known already)
        """The same as one node."""
        trees, inner = self.columns.shape
        leaves, classes = self.shares.shape[1:]
        count = inner + leaves
        ids, own = np.tile(np.arange(count), trees), np.repeat(np.arange(trees), count)
        is_leaf = ids >= inner
        column, cut = np.zeros(ids.size, dtype=np.int64), np.zeros(ids.size, dtype=np.float32)
        column[~is_leaf], cut[~is_leaf] = self.columns.ravel(), self.cuts.ravel()
        pieces.nodes.append(
            helper.make_node(
                "TreeEnsembleClassifier",
                [matrix],
                ["label", "shares"],
                name="make_trees",
                domain="ai.onnx.ml",
                nodes_treeids=own.tolist(),
                nodes_nodeids=ids.tolist(),
                nodes_featureids=column.tolist(),
                nodes_values=cut.astype(np.float64).tolist(),
                nodes_modes=["LEAF" if leaf else "BRANCH_LEQ" for leaf in is_leaf],
                nodes_truenodeids=np.where(is_leaf, 0, 2 * ids + 1).tolist(),
                nodes_falsenodeids=np.where(is_leaf, 0, 2 * ids + 2).tolist(),
                nodes_missing_value_tracks_true=[0] * ids.size,
                class_treeids=np.repeat(own[is_leaf], classes).tolist(),
                class_nodeids=np.repeat(ids[is_leaf], classes).tolist(),
                class_ids=np.tile(np.arange(classes), trees * leaves).tolist(),
                class_weights=self.shares.ravel().astype(np.float64).tolist(),
                classlabels_int64s=list(range(classes)),
                post_transform="NONE",
            )
        )
        return "shares"


def learn_forest(asked: Asked, encoding: Encoding) -> tuple[Trees, Guarantee, dict[str, float]]:
    """Trees by lot, leaves by noisy counts."""
    trees = int(asked.parameters["trees"])
    scale, sensitivity = gaussian_scale(asked.epsilon, asked.delta), math.sqrt(2 * trees)
    spread = scale * sensitivity
    fitting = int(math.log2(max(2.0, asked.rows / (_SIGNAL * spread))))
    depth = int(asked.parameters["depth"]) or min(max(1, fitting), _DEEPEST)
    columns, cuts = _drawn(asked, encoding, trees, depth)
    blank = Trees(columns=columns, cuts=cuts, shares=np.zeros((trees, 2**depth, asked.classes), dtype=np.float32))
    places = blank.leaves(asked.matrix.astype(np.float32))
    counts = np.zeros((trees, 2**depth, asked.classes))
    for tree in range(trees):
        np.add.at(counts[tree], (places[:, tree], asked.target), 1.0)
    noisy = np.maximum(counts + asked.noise.normal(scale=spread, size=counts.shape), 0.0)
    overall = noisy.sum(axis=(0, 1)) + 1.0
    held = noisy + spread * (overall / overall.sum())  # a leaf says nothing until it stands out of the noise
    shares = held / held.sum(axis=2, keepdims=True) / trees
    guarantee = Guarantee(
        mechanism="Gaussian noise on the counts in the leaves of trees whose questions were drawn by lot.",
        unit="one row replaced by another",
        scale=scale,
        sensitivity=sensitivity,
        details={"trees": trees, "depth": depth},
    )
    made = Trees(columns=columns, cuts=cuts, shares=shares.astype(np.float32))
    return made, guarantee, {"depth": depth}


def _drawn(asked: Asked, encoding: Encoding, trees: int, depth: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """A question for every inner node: a column of the contract by lot, then a cut within what is left of its range, or a value."""
    rng = np.random.default_rng(asked.seed)
    inner = 2**depth - 1
    columns, cuts = np.zeros((trees, inner), dtype=np.int64), np.zeros((trees, inner), dtype=np.float32)
    widths = np.array([len(text.words) for text in encoding.texts], dtype=np.int64)
    first = asked.numbers + len(encoding.flagged) + np.concatenate([[0], np.cumsum(widths)]).astype(np.int64)
    for tree in range(trees):
        ranges = {0: np.tile([-1.0, 1.0], (asked.numbers, 1))}
        for node in range(inner):
            held = ranges.pop(node)
            left, right = held.copy(), held.copy()
            which = int(rng.integers(asked.columns))
            if which < asked.numbers:
                columns[tree, node], cuts[tree, node] = which, rng.uniform(*held[which])
                left[which, 1] = right[which, 0] = cuts[tree, node]
            else:
                text = which - asked.numbers
                columns[tree, node], cuts[tree, node] = first[text] + rng.integers(widths[text]), 0.5
            ranges[2 * node + 1], ranges[2 * node + 2] = left, right
    return columns, cuts
