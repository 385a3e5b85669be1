"""A head of layers: optionally bands of numbers, then weights, then softmax. Linear models, naive Bayes and small networks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from sealwright.training.adapters.onnx_encoding import Pieces

__all__ = ["Layers", "banded"]

Floats = NDArray[np.float64]


def banded(matrix: NDArray[np.floating], numbers: int, bands: int) -> NDArray[np.float32]:
    """The matrix with each number replaced by one 0/1 column for each inner edge of equal bands: is it above?"""
    above = matrix[:, :numbers, None].astype(np.float32) > _edges(bands)
    steps = above.reshape(matrix.shape[0], -1).astype(np.float32)
    return np.concatenate([steps, matrix[:, numbers:].astype(np.float32)], axis=1)


def _edges(bands: int) -> NDArray[np.float32]:
    return np.linspace(-1, 1, bands + 1)[1:-1].astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """Weights (in, out) and constants (out,) of each layer; all but the last are cut off at zero (ReLU)."""

    layers: Sequence[tuple[Floats, Floats]]
    numbers: int = 0
    bands: int = 0  # 0: numbers as they are

    def answer(self, matrix: NDArray[np.float32]) -> Floats:
        """Probabilities, shape (rows, classes)."""
        found = banded(matrix, self.numbers, self.bands) if self.bands and self.numbers else matrix
        values: Floats = found.astype(np.float64)
        for place, (weights, start) in enumerate(self.layers):
            values = values @ weights + start
            if place + 1 < len(self.layers):
                values = np.maximum(values, 0.0)
        values = np.exp(values - values.max(axis=1, keepdims=True))
        shares: Floats = values / values.sum(axis=1, keepdims=True)
        return shares

    def nodes(self, pieces: Pieces, matrix: str, width: int) -> str:
        """The same as a graph."""
        last = self._bands(pieces, matrix, width) if self.bands and self.numbers else matrix
        for place, (weights, start) in enumerate(self.layers):
            inputs = [last, pieces.constant(f"weights_{place}", weights), pieces.constant(f"start_{place}", start)]
            last = pieces.node("Gemm", inputs, f"layer_{place}")
            if place + 1 < len(self.layers):
                last = pieces.node("Relu", [last], f"cut_{place}")
        return pieces.node("Softmax", [last], "shares", axis=1)

    def _bands(self, pieces: Pieces, matrix: str, width: int) -> str:
        parts = [matrix]
        if width > self.numbers:
            sizes = pieces.constant("parts", [self.numbers, width - self.numbers], np.int64)
            parts = ["part_numbers", "part_rest"]
            pieces.nodes.append(helper.make_node("Split", [matrix, sizes], parts, name="make_parts", axis=1))
        column = pieces.node("Unsqueeze", [parts[0], pieces.constant("last_axis", [2], np.int64)], "column")
        above = pieces.node("Greater", [column, pieces.constant("edges", _edges(self.bands))], "above")
        flat = pieces.constant("flat", [-1, self.numbers * (self.bands - 1)], np.int64)
        steps = pieces.node(
            "Cast", [pieces.node("Reshape", [above, flat], "steps")], "step_numbers", to=TensorProto.FLOAT
        )
        return pieces.node("Concat", [steps, *parts[1:]], "banded", axis=1)
