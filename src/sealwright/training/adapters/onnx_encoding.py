"""An encoding as ONNX nodes: the packed inputs in, the recipe's float32 matrix out.

Node by node what `encoding.Encoding.transform` does, in the same float32 operations and the same column order.
"""

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from sealwright.training.encoding import Encoding, TextEncoding

__all__ = ["Pieces", "encoding_nodes", "inputs_of"]


class Pieces:
    """Nodes and constants of a graph under construction."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, values: Any, kind: Any = np.float32) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(np.asarray(values, dtype=kind)), name=name))
        return name

    def node(self, operator: str, inputs: list[str], output: str, *, ml: bool = False, **attributes: Any) -> str:
        domain = "ai.onnx.ml" if ml else ""
        self.nodes.append(
            helper.make_node(operator, inputs, [output], name=f"make_{output}", domain=domain, **attributes)
        )
        return output


def inputs_of(numbers: int, strings: int) -> list[Any]:
    """The graph's inputs; one without columns is absent."""
    found = []
    if numbers:
        found.append(helper.make_tensor_value_info("numbers", TensorProto.FLOAT, ["N", numbers]))
    if strings:
        found.append(helper.make_tensor_value_info("strings", TensorProto.STRING, ["N", strings]))
    return found


def encoding_nodes(pieces: Pieces, encoding: Encoding) -> str:
    """Append the encoding; the name of the matrix."""
    parts: list[str] = []
    if encoding.fill.size:
        parts += _numbers(pieces, encoding)
    if encoding.texts:
        columns = ["strings"]
        if len(encoding.texts) > 1:
            columns = [f"text_{place}" for place in range(len(encoding.texts))]
            pieces.nodes.append(
                helper.make_node(
                    "Split", ["strings"], columns, name="make_texts", axis=1, num_outputs=len(encoding.texts)
                )
            )
        parts += [
            _text(pieces, text, column, place)
            for place, (text, column) in enumerate(zip(encoding.texts, columns, strict=True))
        ]
    return pieces.node("Concat", parts, "matrix", axis=1) if len(parts) > 1 else parts[0]


def _numbers(pieces: Pieces, encoding: Encoding) -> list[str]:
    if encoding.style == "plain":
        if not encoding.empty:
            return ["numbers"]
        which = pieces.constant("empty", np.isin(np.arange(encoding.fill.size), encoding.empty), np.bool_)
        return [pieces.node("Where", [which, pieces.constant("zero", 0.0), "numbers"], "known")]
    missing = pieces.node("IsNaN", ["numbers"], "missing")
    found = pieces.node("Where", [missing, pieces.constant("fill", encoding.fill), "numbers"], "filled")
    if encoding.style == "scaled":
        found = pieces.node("Sub", [found, pieces.constant("centre", encoding.centre)], "centred")
        found = pieces.node("Mul", [found, pieces.constant("factor", encoding.factor)], "scaled")
    if not encoding.flagged:
        return [found]
    which = pieces.constant("flagged", encoding.flagged, np.int64)
    flags = pieces.node("Gather", [missing, which], "flags", axis=1)
    return [found, pieces.node("Cast", [flags], "flag_numbers", to=TensorProto.FLOAT)]


def _text(pieces: Pieces, text: TextEncoding, column: str, place: int) -> str:
    if text.one_hot:
        hot = pieces.node("OneHotEncoder", [column], f"hot_{place}", ml=True, cats_strings=list(text.words), zeros=1)
        width = pieces.constant(f"width_{place}", [-1, len(text.words)], np.int64)
        return pieces.node("Reshape", [hot, width], f"encoded_{place}")
    words = ["", *text.words]
    return pieces.node(
        "LabelEncoder",
        [column],
        f"encoded_{place}",
        ml=True,
        keys_strings=words,
        values_floats=[float(code) for code in range(len(words))],
        default_float=-1.0,
    )
