"""A hardened model as one ONNX graph: inputs sanitised, copied with their offsets, members side by side, a mean.

Every member is exported as always and its graph put in under names of its own. Clipping and adding are float32 and
elementwise, so the graph gives a member the bits it was given while training; only the means are rounded differently.
"""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from sealwright.training.adapters.hardening import Hardened, Sanitiser
from sealwright.training.adapters.onnx_encoding import Pieces, inputs_of
from sealwright.training.adapters.onnx_export import export, finished

__all__ = ["export_hardened"]

_ENDS = ("probabilities", "value")


def export_hardened(hardened: Hardened, numbers: int, strings: int) -> bytes:
    """The model's bytes. Changes the thresholds of the members, as `export` does, so predict first."""
    pieces = Pieces()
    given = {"numbers": "numbers", "strings": "strings"}
    if hardened.sanitiser is not None:
        given = _sanitised(pieces, hardened.sanitiser, numbers, strings)
    copies = 1
    if hardened.offsets is not None and numbers:
        copies = len(hardened.offsets)
        given = _copied(pieces, hardened.offsets, given, strings)
    first = hardened.members[0]
    wanted, width = ("value", 1) if first.task == "regression" else ("probabilities", first.classes)
    ends = [_member(pieces, export(one, numbers, strings), at, given) for at, one in enumerate(hardened.members)]
    result = pieces.node("Mean", ends, "members_mean") if len(ends) > 1 else ends[0]
    if copies > 1:
        shape = pieces.constant("copies_shape", [copies, -1, width], np.int64)
        apart = pieces.node("Reshape", [result, shape], "by_copy")
        result = pieces.node("ReduceMean", [apart, pieces.constant("over", [0], np.int64)], "smoothed", keepdims=0)
    pieces.node("Identity", [result], wanted)
    output = helper.make_tensor_value_info(wanted, TensorProto.FLOAT, ["N", width])
    return finished(pieces.nodes, pieces.constants, inputs_of(numbers, strings), output)


def _sanitised(pieces: Pieces, sanitiser: Sanitiser, numbers: int, strings: int) -> dict[str, str]:
    found = {"numbers": "numbers", "strings": "strings"}
    if numbers:
        above = pieces.node("Max", ["numbers", pieces.constant("lowest", sanitiser.low)], "not_below")
        within = pieces.node("Min", [above, pieces.constant("highest", sanitiser.high)], "within")
        gone = pieces.node(
            "IsNaN", ["numbers"], "not_given"
        )  # a missing number stays missing, whatever Max makes of it
        found["numbers"] = pieces.node("Where", [gone, "numbers", within], "clean_numbers")
    if strings:
        columns = ["strings"]
        if strings > 1:
            columns = [f"given_text_{place}" for place in range(strings)]
            pieces.nodes.append(
                helper.make_node("Split", ["strings"], columns, name="make_given_texts", axis=1, num_outputs=strings)
            )
        known = [
            _known(pieces, column, words, place)
            for place, (column, words) in enumerate(zip(columns, sanitiser.known, strict=True))
        ]
        found["strings"] = pieces.node("Concat", known, "clean_strings", axis=1) if strings > 1 else known[0]
    return found


def _known(pieces: Pieces, column: str, words: tuple[str, ...], place: int) -> str:
    """Known words stay, all others become missing."""
    every = ["", *words]
    return pieces.node(
        "LabelEncoder",
        [column],
        f"clean_text_{place}",
        ml=True,
        keys_strings=every,
        values_strings=every,
        default_string="",
    )


def _copied(pieces: Pieces, offsets: Any, given: dict[str, str], strings: int) -> dict[str, str]:
    moved = [
        pieces.node("Add", [given["numbers"], pieces.constant(f"offset_{place}", offset)], f"moved_{place}")
        for place, offset in enumerate(offsets)
    ]
    found = given | {"numbers": pieces.node("Concat", moved, "copied_numbers", axis=0)}
    if strings:
        found["strings"] = pieces.node("Concat", [given["strings"]] * len(offsets), "copied_strings", axis=0)
    return found


def _member(pieces: Pieces, model: bytes, place: int, given: dict[str, str]) -> str:
    """A member's nodes and constants under names of its own; the name of its answer."""
    graph = onnx.load_from_string(model).graph

    def named(name: str) -> str:
        return given.get(name, f"member{place}_{name}") if name else ""

    for constant in graph.initializer:
        constant.name = named(constant.name)
        pieces.constants.append(constant)
    for node in graph.node:
        node.name = f"member{place}_{node.name}"
        node.input[:] = [named(name) for name in node.input]
        node.output[:] = [named(name) for name in node.output]
        pieces.nodes.append(node)
    return named(next(item.name for item in graph.output if item.name in _ENDS))
