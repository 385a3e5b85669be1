"""Look at the bytes of an ONNX file before any parser builds objects from them.

Answers: is this, byte for byte, one protobuf ONNX model with only fields we know, each used
as it is declared, nested and counted within limits?
Does not answer: whether the model makes sense (`structure`). It exists because a parser
spends hundreds of bytes of memory for two bytes of input, and because trailing or unknown
fields are where a second file hides inside a first.

The walk follows https://protobuf.dev/programming-guides/encoding/ and the field tables of
the installed `onnx` package. Long runs of plain numbers are skipped with one expression each.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn

from sealwright.registry.onnx_messages import model_message

__all__ = ["Counts", "WireLimits", "WireProblem", "walk_model"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WireLimits:
    """Counts past which the walk stops. A tree model of 1 M nodes stays below them."""

    nodes: int = 20_000
    messages: int = 400_000
    values: int = 2_000_000  # strings and lone scalars; a run of plain numbers counts as one
    graph_depth: int = 4
    depth: int = 40


@dataclass(slots=True)
class Counts:
    """What the walk saw."""

    nodes: int = 0
    initialisers: int = 0
    messages: int = 0
    values: int = 0


class WireProblem(ValueError):
    """The bytes are refused; `code` is the machine-readable reason."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    wire: int
    repeated: bool
    message: str  # name of the message type, "" for a scalar
    is_text: bool  # a string, which must be UTF-8; readers disagree about other bytes


_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_WIRE_OF_TYPE = {1: _FIXED64, 2: _FIXED32, 3: _VARINT, 4: _VARINT, 5: _VARINT, 8: _VARINT, 9: _BYTES, 11: _BYTES}
_STRING = 9
_WIRE_OF_TYPE |= {12: _BYTES, 13: _VARINT, 14: _VARINT}
# AttributeProto.floats (7), .ints (8) and .strings (9, the lengths of BRANCH_LEQ, LEAF and their kind)
_STRINGS, _SHORTEST_STRING = 9, 6  # field number; bytes of the shortest one in a run
_RUNS = {
    7: re.compile(rb"(?:\x3d.{4})++", re.DOTALL),
    8: re.compile(rb"(?:\x40[\x80-\xff]{0,9}[\x00-\x7f])++"),
    9: re.compile(rb"(?:\x4a(?:\x0a.{10}|\x04.{4}|\x09.{9}))++", re.DOTALL),
}


def walk_model(data: bytes, limits: WireLimits | None = None) -> Counts:
    """Walk a whole ONNX file without building objects.

    Parameters
    ----------
    data : bytes
        The file.
    limits : WireLimits, optional
        Where to stop.

    Returns
    -------
    Counts
        Nodes, initialisers, messages and values in all graphs together.

    Raises
    ------
    WireProblem
        Codes "onnx.not_protobuf", "onnx.unknown_field", "onnx.repeated_field",
        "onnx.too_many_nodes", "onnx.too_large", "onnx.too_deep".
    """
    walker = _Walker(data, limits or WireLimits())
    walker.message("ModelProto", 0, len(data), 0, 0)
    return walker.counts


@cache
def _tables() -> dict[str, dict[int, _Field]]:
    """Field tables of every message that an ONNX model can contain."""
    tables: dict[str, dict[int, _Field]] = {}
    waiting: list[Any] = [model_message().DESCRIPTOR]
    while waiting:
        described = waiting.pop()
        if described.full_name in tables:
            continue
        table = tables[described.full_name] = {}
        for field in described.fields:
            message = field.message_type.full_name if field.message_type else ""
            repeated = bool(field.is_repeated)
            message = message.removeprefix("onnx.")
            table[field.number] = _Field(
                field.name, _WIRE_OF_TYPE[field.type], repeated, message, field.type == _STRING
            )
            if message:
                waiting.append(field.message_type)
    return {name.removeprefix("onnx."): table for name, table in tables.items()}


class _Walker:
    def __init__(self, data: bytes, limits: WireLimits) -> None:
        self.data, self.limits, self.counts = data, limits, Counts()
        self.tables = _tables()

    def message(self, kind: str, at: int, end: int, depth: int, graphs: int) -> None:
        """One message in data[at:end]: every field known, used as declared, singular ones once."""
        self._enter(kind, depth, graphs)
        table, data, seen = self.tables[kind], self.data, 0
        attribute = kind == "AttributeProto"
        while at < end:
            start = at
            tag, at = self._varint(at, end)
            number, wire = tag >> 3, tag & 7
            field = table.get(number)
            if field is None:
                self._unknown(kind, number)
            if wire != field.wire and not (wire == _BYTES and field.repeated and field.wire != _BYTES):
                raise WireProblem("onnx.not_protobuf", f"{kind}.{field.name} is not encoded as ONNX declares it")
            if not field.repeated:
                if seen >> number & 1:
                    raise WireProblem(
                        "onnx.repeated_field", f"{kind}.{field.name} appears twice; two readers could disagree about it"
                    )
                seen |= 1 << number
            elif attribute and number in _RUNS and (run := _RUNS[number].match(data, start, end)):
                at = run.end()
                self._count((at - start) // _SHORTEST_STRING if number == _STRINGS else 1)
                continue
            at = self._field(kind, field, wire, at, end, depth, graphs)
        if at != end:
            raise WireProblem("onnx.not_protobuf", f"{kind} ends in the middle of a field")

    def _enter(self, kind: str, depth: int, graphs: int) -> None:
        counts, limits = self.counts, self.limits
        counts.messages += 1
        counts.nodes += kind == "NodeProto"
        if counts.nodes > limits.nodes:
            raise WireProblem("onnx.too_many_nodes", f"the graph has more than {limits.nodes:,} nodes")
        if counts.messages > limits.messages:
            raise WireProblem("onnx.too_large", f"the file has more than {limits.messages:,} parts")
        if depth > limits.depth or graphs > limits.graph_depth:
            raise WireProblem("onnx.too_deep", f"graphs or messages are nested too deep ({kind} at level {depth})")

    def _field(self, kind: str, field: _Field, wire: int, at: int, end: int, depth: int, graphs: int) -> int:
        """Step over one field; descend if it is a message."""
        if wire == _VARINT:
            _, at = self._varint(at, end)
        elif wire == _FIXED32:
            at += 4
        elif wire == _FIXED64:
            at += 8
        else:
            size, at = self._varint(at, end)
            if size > end - at:
                raise WireProblem("onnx.not_protobuf", f"{kind}.{field.name} reaches beyond the end of its message")
            if field.message:
                self.counts.initialisers += field.name == "initializer"
                self.message(field.message, at, at + size, depth + 1, graphs + (field.message == "GraphProto"))
                return at + size
            if field.is_text:
                self._text(kind, field, at, size)
            at += size
        if at > end:
            raise WireProblem("onnx.not_protobuf", f"{kind}.{field.name} reaches beyond the end of its message")
        self._count(1)
        return at

    def _count(self, values: int) -> None:
        self.counts.values += values
        if self.counts.values > self.limits.values:
            raise WireProblem("onnx.too_large", f"the file has more than {self.limits.values:,} separate values")

    def _text(self, kind: str, field: _Field, at: int, size: int) -> None:
        try:
            self.data[at : at + size].decode("utf-8")
        except UnicodeDecodeError:
            raise WireProblem("onnx.not_protobuf", f"{kind}.{field.name} is not UTF-8 text") from None

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        data, result, shift = self.data, 0, 0
        while at < end:
            byte = data[at]
            at += 1
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                return result, at
            shift += 7
            if shift > 63:
                break
        raise WireProblem("onnx.not_protobuf", "the file ends or breaks off inside a number")

    def _unknown(self, kind: str, number: int) -> NoReturn:
        raise WireProblem(
            "onnx.unknown_field" if 0 < number < 1 << 29 else "onnx.not_protobuf",
            f"{kind} has a field {number} that ONNX does not have",
        )
