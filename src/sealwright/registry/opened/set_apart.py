"""An ONNX graph without the nodes that only put columns in place and words into numbers.

Answers: which tensors are nothing but numbers of a row and codes of its words, and what is left of the graph behind them?
Does not answer: what is left computes. Not one node of that is read here: its bytes stay what they were.

Only what moves values or looks up a word is set apart: nodes that calculate stay in the graph, so that the same numbers come out,
bit for bit. Anything in doubt stays there, too.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealwright.registry.onnx_messages import model_message
from sealwright.registry.opened.columns import Column, Text, encoded
from sealwright.registry.opened.source import Source, Unreadable

__all__ = ["SetApart", "set_apart"]

_FLOAT, _INT64, _STRING = 1, 7, 8  # onnx.TensorProto element types
_EXACT = 2**24  # whole numbers up to here are float32, too
_READ: dict[int, Callable[[Any], Any]] = {  # onnx.AttributeProto types
    1: lambda a: a.f, 2: lambda a: a.i, 3: lambda a: a.s, 6: lambda a: list(a.floats), 7: lambda a: list(a.ints), 8: lambda a: list(a.strings),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SetApart:
    """A model in two parts. `fed`: for each input of the rest, where its columns come from: numbers as they are, and words."""

    rest: bytes
    fed: Mapping[str, tuple[Source, ...]]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A tensor of columns. `kind`: of its elements; `deep`: it has a dimension of 1 in the middle, as OneHotEncoder makes it."""

    columns: tuple[Column, ...]
    kind: int
    deep: bool = False


def set_apart(model: bytes, numbers: int, strings: int) -> SetApart:
    """Part a model that takes the packed inputs "numbers" and "strings", of so many columns.

    Raises
    ------
    Unreadable
        There is nothing to set apart, or words go into something else than a look-up.
    """
    found = model_message().FromString(model)
    graph = found.graph
    constants = {one.name: one for one in graph.initializer}
    known = {
        "numbers": _Placed(tuple(Source(kind="number", place=place) for place in range(numbers)), _FLOAT),
        "strings": _Placed(tuple(Text(place) for place in range(strings)), _STRING),
    }
    rest = []
    for node in graph.node:
        if any(one.HasField("g") or one.graphs for one in node.attribute):
            raise Unreadable("its graph holds another one")
        placed = _placed(node, known, constants)
        if placed is None:
            rest.append(node)
        else:
            known.update(zip(node.output, placed, strict=True))
    rest = [_fewer_inputs(node, known) if node.op_type == "Concat" else node for node in rest]
    needed = {name for node in rest for name in node.input} | {one.name for one in graph.output}
    fed = {name: _feedable(known[name]) for name in sorted(needed & known.keys())}
    if fed.keys() <= {"numbers"}:
        raise Unreadable("nothing in its graph only puts columns in place")
    return SetApart(rest=_without(found, rest, fed, needed), fed=fed)


def _placed(node: Any, known: Mapping[str, _Placed], constants: Mapping[str, Any]) -> list[_Placed] | None:
    """What the outputs of a node are, if it only moves columns or looks up words."""
    inputs = [known.get(name) for name in node.input]
    given = [one for one in inputs if one is not None]
    if not given or any(one is None and name not in constants for one, name in zip(inputs, node.input, strict=True)):
        return None
    deep = any(one.deep for one in given)
    attributes = {one.name: _READ[one.type](one) for one in node.attribute if one.type in _READ}
    if len(attributes) < len(node.attribute) or not _only_moves(node.op_type, attributes, given, deep=deep):
        return None
    try:
        values = [
            None if one is not None else _values(node.op_type, constants[name])
            for one, name in zip(inputs, node.input, strict=True)
        ]
        found = encoded(node.op_type, attributes, [() if one is None else one.columns for one in inputs], values)
    except (Unreadable, LookupError, TypeError, ValueError):
        return None
    if len(found) != len(node.output):
        return None
    kind = _kind_after(node.op_type, attributes, given)
    stays_deep = node.op_type == "OneHotEncoder" or (deep and node.op_type != "Reshape")
    return [_Placed(columns, kind, stays_deep) for columns in found]


def _only_moves(operator: str, attributes: Mapping[str, Any], given: Sequence[_Placed], *, deep: bool) -> bool:
    """Whether a node changes no value but by looking up a word. With a dimension in the middle the last one holds the columns."""
    same = len({one.kind for one in given}) == 1 and len({one.deep for one in given}) == 1
    match operator:
        case "Identity" | "Reshape":
            return len(given) == 1
        case "Concat":
            return same and attributes.get("axis") in ((-1,) if deep else (1, -1))
        case "Split" | "Gather":
            return not deep and len(given) == 1 and attributes.get("axis", 0) in (1, -1)
        case "ArrayFeatureExtractor":
            return not deep and len(given) == 1
        case "Cast":
            return attributes.get("to") == _FLOAT and given[0].kind in (_FLOAT, _INT64)
        case "OneHotEncoder":
            return given[0].kind == _STRING and not deep and _all_different(attributes.get("cats_strings", ()))
        case "LabelEncoder":
            exact = all(-_EXACT <= value <= _EXACT for value in attributes.get("values_int64s", ()))
            return (
                given[0].kind == _STRING and not deep and exact and _all_different(attributes.get("keys_strings", ()))
            )
    return False


def _all_different(words: Sequence[bytes]) -> bool:
    return len(set(words)) == len(words)


def _kind_after(operator: str, attributes: Mapping[str, Any], given: Sequence[_Placed]) -> int:
    if operator == "LabelEncoder":
        return _INT64 if "values_int64s" in attributes else _FLOAT
    return _FLOAT if operator in ("Cast", "OneHotEncoder") else given[0].kind


def _values(operator: str, tensor: Any) -> NDArray[np.int64]:
    """The whole numbers of a constant: places, sizes, or a shape of any number of rows."""
    if tensor.data_type != _INT64 or (operator == "Gather" and len(tensor.dims) != 1):
        raise Unreadable("its graph places columns by something else than a list of whole numbers")
    data = tensor.raw_data or np.array(tensor.int64_data, dtype="<i8").tobytes()
    values = np.frombuffer(data, dtype="<i8")
    if operator == "Reshape" and (values.size != 2 or values[0] != -1):
        raise Unreadable("its graph reshapes more than the columns of a row")
    return values


def _fewer_inputs(node: Any, known: dict[str, _Placed]) -> Any:
    """A node that joins columns, with what is fed to it side by side as one tensor: each input costs a microsecond."""
    fewer = type(node)()
    fewer.CopyFrom(node)
    fewer.ClearField("input")
    for is_placed, names in groupby(node.input, key=lambda name: name in known):
        together = list(names)
        if (
            is_placed
            and len(together) > 1
            and _only_moves(
                "Concat",
                {"axis": node.attribute[0].i},
                [known[name] for name in together],
                deep=known[together[0]].deep,
            )
        ):
            first, name = known[together[0]], "+".join(together)
            known[name] = _Placed(tuple(c for one in together for c in known[one].columns), first.kind, first.deep)
            together = [name]
        fewer.input.extend(together)
    return fewer


def _feedable(placed: _Placed) -> tuple[Source, ...]:
    columns = tuple(column for column in placed.columns if isinstance(column, Source))
    if placed.deep or placed.kind != _FLOAT or len(columns) != len(placed.columns) or not columns:
        raise Unreadable("its graph takes words for something else than to look them up")
    return columns


def _without(found: Any, rest: Sequence[Any], fed: Mapping[str, Sequence[Source]], needed: Collection[str]) -> bytes:
    """The model with these nodes only, which takes what is fed for its inputs."""
    made = type(found)()
    made.CopyFrom(found)
    graph = made.graph
    for field in ("node", "initializer", "input", "value_info"):
        graph.ClearField(field)
    graph.node.extend(rest)
    graph.initializer.extend(one for one in found.graph.initializer if one.name in needed)
    for name, columns in fed.items():
        tensor = graph.input.add(name=name).type.tensor_type
        tensor.elem_type = _FLOAT
        tensor.shape.dim.add(dim_param="N")
        tensor.shape.dim.add(dim_value=len(columns))
    return bytes(made.SerializeToString(deterministic=True))
