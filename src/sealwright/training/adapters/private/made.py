"""What a private recipe makes: a model that predicts and writes itself as ONNX, and the record of its guarantee."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from sealwright.training.adapters.onnx_encoding import Pieces, encoding_nodes, inputs_of
from sealwright.training.adapters.onnx_export import finished
from sealwright.training.encoding import Encoding
from sealwright.training.packed import Packed
from sealwright.training.recipes import Value

__all__ = ["Asked", "Guarantee", "Head", "PrivateModel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What every private recipe is given. `noise` hides the rows, so whoever knows its seed sees through it."""

    matrix: NDArray[np.float64]  # bounded, shape (rows, width)
    target: NDArray[Any]  # class positions
    classes: int
    columns: int  # of the contract; each adds at most 1 to the squared length of a row
    numbers: int  # the first columns of the matrix, each from -1 to 1
    epsilon: float
    delta: float
    clip: float
    parameters: Mapping[str, Value]
    noise: np.random.Generator
    seed: int  # for what is no secret, such as which tree asks what

    @property
    def rows(self) -> int:
        return int(self.matrix.shape[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarantee:
    """What was added and what that is worth."""

    mechanism: str  # in one sentence
    unit: str  # which two sets of rows are not told apart
    scale: float  # noise, in sensitivities (or in clipped gradients, for a step)
    sensitivity: float | None  # of what the noise was added to
    details: Mapping[str, float | int | str]


class Head(Protocol):
    """From the matrix of an encoding to probabilities."""

    def answer(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        """Probabilities, shape (rows, classes)."""

    def nodes(self, pieces: Pieces, matrix: str, width: int) -> str:
        """Append the same as a graph; the name of the probabilities."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateModel:
    """An encoding nobody's row had a part in, and a head learned with noise."""

    encoding: Encoding
    head: Head
    classes: int
    guarantee: Guarantee
    parameters: Mapping[str, Value]  # with what "0: chosen here" came to

    def predict(self, packed: Packed) -> NDArray[np.float64]:
        """Probabilities, shape (rows, classes)."""
        return self.head.answer(self.encoding.transform(packed))

    def export(self, numbers: int, strings: int) -> bytes:
        """The model's ONNX bytes for inputs of that many columns."""
        pieces = Pieces()
        matrix = encoding_nodes(pieces, self.encoding)
        width = (
            self.encoding.fill.size + len(self.encoding.flagged) + sum(len(one.words) for one in self.encoding.texts)
        )
        last = self.head.nodes(pieces, matrix, width)
        node = next(one for one in reversed(pieces.nodes) if last in one.output)
        node.output[list(node.output).index(last)] = "probabilities"
        output = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", self.classes])
        return finished(pieces.nodes, pieces.constants, inputs_of(numbers, strings), output)
