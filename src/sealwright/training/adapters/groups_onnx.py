"""Which group a row is of, as ONNX nodes over its features: what `mitigation.groups.membership` does, node by node."""

import numpy as np
from onnx import TensorProto

from sealwright.training.adapters.onnx_encoding import Pieces
from sealwright.training.mitigation.groups import AttributeKey, GroupKey

__all__ = ["membership_nodes"]


def membership_nodes(pieces: Pieces, key: GroupKey, numbers: tuple[str, ...], strings: tuple[str, ...]) -> str:
    """Append the nodes; the name of the float matrix (rows, groups) with 1 where a row is of a group."""
    found = ""
    for place, one in enumerate(key.attributes):
        hot = (
            _texts(pieces, one, strings.index(one.name), place)
            if one.cuts is None
            else _numbers(pieces, one, numbers.index(one.name), place)
        )
        spread = np.zeros((len(one.levels), len(key.members)), dtype=np.float32)
        for group, member in enumerate(key.members):
            if member:
                spread[member[place], group] = 1.0
        part = pieces.node("MatMul", [hot, pieces.constant(f"of_group_{place}", spread)], f"in_group_{place}")
        found = pieces.node("Mul", [found, part], f"in_groups_{place}") if found else part
    return found


def _texts(pieces: Pieces, one: AttributeKey, column: int, place: int) -> str:
    at = pieces.constant(f"group_column_{place}", [column], np.int64)
    texts = pieces.node("Gather", ["strings", at], f"group_text_{place}", axis=1)
    hot = pieces.node("OneHotEncoder", [texts], f"group_hot_{place}", ml=True, cats_strings=list(one.levels), zeros=1)
    width = pieces.constant(f"group_width_{place}", [-1, len(one.levels)], np.int64)
    return pieces.node("Reshape", [hot, width], f"level_{place}")


def _numbers(pieces: Pieces, one: AttributeKey, column: int, place: int) -> str:
    """The level of x is what stands between `x >= cut` of one cut and of the next; a missing x has the last level."""
    assert one.cuts is not None
    at = pieces.constant(f"group_column_{place}", [column], np.int64)
    values = pieces.node("Gather", ["numbers", at], f"group_number_{place}", axis=1)
    cuts = pieces.constant(f"group_cuts_{place}", [one.cuts], np.float32)
    above = pieces.node("GreaterOrEqual", [values, cuts], f"above_{place}")
    missing = pieces.node("IsNaN", [values], f"group_missing_{place}")
    parts = [pieces.node("Cast", [name], f"{name}_number", to=TensorProto.FLOAT) for name in (above, missing)]
    both = pieces.node("Concat", parts, f"group_signs_{place}", axis=1)
    count = len(one.cuts)
    table = np.zeros((count + 1, count + 2), dtype=np.float32)
    for cut in range(count):
        table[cut, cut], table[cut, cut + 1] = -1.0, 1.0
    table[count, 0], table[count, count + 1] = -1.0, 1.0
    start = np.zeros(count + 2, dtype=np.float32)
    start[0] = 1.0
    inputs = [both, pieces.constant(f"group_table_{place}", table), pieces.constant(f"group_start_{place}", start)]
    return pieces.node("Gemm", inputs, f"level_{place}")
