"""ONNX nodes that encode columns, read as what each column of their result comes from.

Answers: which column of the matrix is which function of which column of the rows?
Does not answer: for nodes that mix columns before the model proper; these are refused, not guessed at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.registry.opened.source import Source, Unreadable

__all__ = ["Column", "Text", "encoded"]


@dataclass(frozen=True, slots=True)
class Text:
    """A column of texts as they came."""

    place: int


Column = Source | Text
_FLOATING = {1, 11}  # onnx.TensorProto.FLOAT, DOUBLE
_WHOLE = {6, 7}


def encoded(
    operator: str, attributes: Mapping[str, Any], inputs: Sequence[tuple[Column, ...]], constants: Sequence[Any]
) -> list[tuple[Column, ...]]:
    """The columns of each output of one node.

    Parameters
    ----------
    inputs : sequence of columns
        In the order of the node's inputs; empty where that input is a constant.
    constants : sequence of array or None

    Raises
    ------
    Unreadable
        The operator, or this use of it, is not known here.
    """
    if operator not in _READ:
        raise Unreadable(f"its graph has a node {operator}, which is not read here")
    return _READ[operator](attributes, inputs, constants)


def _same(_attributes: Any, inputs: Any, _constants: Any) -> list[tuple[Column, ...]]:
    return [inputs[0]]


def _cast(attributes: Any, inputs: Any, _constants: Any) -> list[tuple[Column, ...]]:
    to = attributes["to"]
    if to in _FLOATING or (to in _WHOLE and all(isinstance(c, Source) and c.kind != "number" for c in inputs[0])):
        return [inputs[0]]
    raise Unreadable("its graph casts numbers to a type that loses digits")


def _concat(attributes: Any, inputs: Any, constants: Any) -> list[tuple[Column, ...]]:
    if attributes.get("axis") not in (1, -1) or any(one is not None for one in constants):
        raise Unreadable("its graph joins something else than columns")
    return [tuple(column for part in inputs for column in part)]


def _split(attributes: Any, inputs: Any, constants: Any) -> list[tuple[Column, ...]]:
    if attributes.get("axis", 0) not in (1, -1):
        raise Unreadable("its graph splits something else than columns")
    width = len(inputs[0])
    parts = attributes.get("num_outputs")
    sizes = attributes.get("split") or (constants[1] if len(constants) > 1 else None)
    if sizes is None:
        each = -(-width // int(parts))
        sizes = [min(each, width - start) for start in range(0, width, each)]
    ends = np.cumsum([int(size) for size in sizes]).tolist()
    return [inputs[0][end - int(size) : end] for end, size in zip(ends, sizes, strict=True)]


def _gather(attributes: Any, inputs: Any, constants: Any) -> list[tuple[Column, ...]]:
    if constants[1] is None or attributes.get("axis", 1) not in (1, -1):
        raise Unreadable("its graph picks something else than columns")
    return [tuple(inputs[0][int(place)] for place in np.ravel(constants[1]))]


def _reshape(_attributes: Any, inputs: Any, constants: Any) -> list[tuple[Column, ...]]:
    shape = np.ravel(constants[1]).tolist() if constants[1] is not None else []
    if shape[1:] != [len(inputs[0])]:
        raise Unreadable("its graph reshapes columns")
    return [inputs[0]]


def _is_missing(_attributes: Any, inputs: Any, _constants: Any) -> list[tuple[Column, ...]]:
    return [tuple(replace(_number(column), kind="missing") for column in inputs[0])]


def _where(_attributes: Any, inputs: Any, constants: Any) -> list[tuple[Column, ...]]:
    columns = inputs[2]
    if constants[1] is None or not columns:
        raise Unreadable("its graph chooses between columns")
    values = _row(constants[1], len(columns))
    if constants[0] is not None:
        chosen = np.broadcast_to(np.ravel(constants[0]), len(columns))
        return [
            tuple(
                Source(kind="constant", other=float(value)) if taken else column
                for taken, value, column in zip(chosen, values, columns, strict=True)
            )
        ]
    asked = [(one.kind, one.place) for one in inputs[0] if isinstance(one, Source)]
    if asked != [("missing", _plain(column).place) for column in columns]:
        raise Unreadable("its graph replaces numbers on a condition that is not their own absence")
    return [tuple(replace(_plain(column), fill=float(value)) for column, value in zip(columns, values, strict=True))]


def _filled(attributes: Any, inputs: Any, _constants: Any) -> list[tuple[Column, ...]]:
    if not np.isnan(attributes.get("replaced_value_float", 0.0)):
        raise Unreadable("its graph replaces a number other than a missing one")
    values = _row(attributes["imputed_value_floats"], len(inputs[0]))
    return [tuple(replace(_plain(column), fill=float(value)) for column, value in zip(inputs[0], values, strict=True))]


def _scaled(attributes: Any, inputs: Any, _constants: Any) -> list[tuple[Column, ...]]:
    offset, scale = (_row(attributes[name], len(inputs[0])) for name in ("offset", "scale"))
    return [tuple(_times(_minus(c, float(o)), float(s)) for c, o, s in zip(inputs[0], offset, scale, strict=True))]


def _subtracted(_attributes: Any, inputs: Any, constants: Any) -> list[tuple[Column, ...]]:
    return [tuple(_minus(c, v) for c, v in zip(inputs[0], _second(inputs, constants), strict=True))]


def _added(_attributes: Any, inputs: Any, constants: Any) -> list[tuple[Column, ...]]:
    return [tuple(_minus(c, -v) for c, v in zip(inputs[0], _second(inputs, constants), strict=True))]


def _multiplied(_attributes: Any, inputs: Any, constants: Any) -> list[tuple[Column, ...]]:
    return [tuple(_times(c, v) for c, v in zip(inputs[0], _second(inputs, constants), strict=True))]


def _divided(_attributes: Any, inputs: Any, constants: Any) -> list[tuple[Column, ...]]:
    return [tuple(_times(c, 1 / v) for c, v in zip(inputs[0], _second(inputs, constants), strict=True))]


def _one_hot(attributes: Any, inputs: Any, _constants: Any) -> list[tuple[Column, ...]]:
    words = [word.decode() for word in attributes.get("cats_strings", ())]
    if len(inputs[0]) != 1 or not isinstance(inputs[0][0], Text) or not words or not attributes.get("zeros", 1):
        raise Unreadable("its graph one-hot encodes something else than one column of texts")
    return [tuple(Source(kind="string", place=inputs[0][0].place, table={word: 1.0}) for word in words)]


def _labelled(attributes: Any, inputs: Any, _constants: Any) -> list[tuple[Column, ...]]:
    words = [word.decode() for word in attributes.get("keys_strings", ())]
    kind = next((one for one in ("floats", "int64s") if f"values_{one}" in attributes), None)
    if len(inputs[0]) != 1 or not isinstance(inputs[0][0], Text) or not words or kind is None:
        raise Unreadable("its graph encodes something else than one column of texts")
    table = {word: float(value) for word, value in zip(words, attributes[f"values_{kind}"], strict=True)}
    default = {"floats": ("default_float", -0.0), "int64s": ("default_int64", -1)}[kind]
    other = float(attributes.get(*default))
    return [(Source(kind="string", place=inputs[0][0].place, table=table, other=other),)]


def _number(column: Column) -> Source:
    if not isinstance(column, Source) or column.kind != "number":
        raise Unreadable("its graph computes with columns that are no numbers")
    return column


def _plain(column: Column) -> Source:
    """A number nothing was done to yet."""
    source = _number(column)
    if (source.centre, source.factor) != (0.0, 1.0):
        raise Unreadable("its graph fills in numbers after scaling them")
    return source


def _minus(column: Column, value: float) -> Source:
    source = _number(column)
    if source.factor == 0:
        return source
    return replace(source, centre=source.centre + value / source.factor)


def _times(column: Column, value: float) -> Source:
    source = _number(column)
    return replace(source, factor=source.factor * value)


def _second(inputs: Any, constants: Any) -> list[float]:
    if constants[1] is None:
        raise Unreadable("its graph combines columns")
    return [float(value) for value in _row(constants[1], len(inputs[0]))]


def _row(values: Any, width: int) -> NDArray[np.float64]:
    flat = np.ravel(np.asarray(values, dtype=np.float64))
    if flat.size not in (1, width):
        raise Unreadable("its graph computes with more than one number for a column")
    return np.broadcast_to(flat, width)


_READ = {
    "Identity": _same,
    "Cast": _cast,
    "Concat": _concat,
    "Split": _split,
    "Gather": _gather,
    "ArrayFeatureExtractor": _gather,
    "Reshape": _reshape,
    "IsNaN": _is_missing,
    "Where": _where,
    "Imputer": _filled,
    "Scaler": _scaled,
    "Sub": _subtracted,
    "Add": _added,
    "Mul": _multiplied,
    "Div": _divided,
    "OneHotEncoder": _one_hot,
    "LabelEncoder": _labelled,
}
