"""The Open Inference Protocol v2 over HTTP, as stock KServe, Triton and MLServer clients speak it.

Inputs come as one tensor per feature, named like the feature, shape [N] or [N, 1]; or as the
model's own packed tensors "numbers" and "strings", shape [N, width]. Both are held to the same
contract as named rows. The receipt stands in the response's `parameters`.

The binary tensor extension: the body begins with the JSON, whose length stands in a header, and the raw data of the inputs that
announce `binary_data_size` follows in their order, to the last byte. Outputs come back so where the request asks for it.
Does not answer: shared memory and classification; a request for them is refused.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import UNSET, Meta, Raw, UnsetType

from sealwright.serving.contract import Batch, Contract
from sealwright.serving.field_rules import MOST_PROBLEMS, pointer
from sealwright.serving.oip_columns import OipColumns, Rows, Tensor, datatype_of
from sealwright.serving.oip_elements import Elements, json_elements, raw_elements, raw_text
from sealwright.serving.options import NO_OPTIONS, Options, option_problems, options_in, too_many_rows
from sealwright.serving.outcome import Outcome
from sealwright.serving.problems import BodyMalformed, FieldProblem, RowsRefused
from sealwright.serving.reasons import Reasons
from sealwright.serving.reply import Decided, Reply
from sealwright.serving.strict_bodies import strict_body

__all__ = ["OipBinary", "OipProtocol", "OipRequest", "beside", "options_among", "wanted_outputs"]

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_KNOWN = frozenset({"id", "inputs", "outputs", "parameters", "name", "shape", "datatype", "data"})
_Scalar = bool | int | float | Annotated[str, Meta(max_length=256)] | None
_Parameters = Annotated[dict[Annotated[str, Meta(max_length=64)], _Scalar], Meta(max_length=16)]
_NOT_OFFERED = frozenset({"shared_memory_region", "classification"})
_BINARY_SIZE = "binary_data_size"


class _Tensor(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    name: Annotated[str, Meta(max_length=256)]
    shape: Annotated[list[Annotated[int, Meta(ge=0, le=1 << 31)]], Meta(min_length=1, max_length=2)]
    datatype: Literal[
        "BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "FP32", "FP64", "BYTES"
    ]
    data: Raw | UnsetType = UNSET
    parameters: _Parameters | UnsetType = UNSET


class _Wanted(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    name: Annotated[str, Meta(max_length=64)]
    parameters: _Parameters | UnsetType = UNSET


class _Infer(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    inputs: Annotated[list[_Tensor], Meta(min_length=1, max_length=4096)]
    id: Annotated[str, Meta(max_length=128)] | UnsetType = UNSET
    parameters: _Parameters | UnsetType = UNSET
    outputs: Annotated[list[_Wanted], Meta(max_length=8)] | UnsetType = UNSET

    def keys(self) -> int:
        """How many keys the body holds if none is repeated."""
        count = 1 + sum(part is not UNSET for part in (self.id, self.parameters, self.outputs))
        count += len(self.parameters or ())
        for tensor in self.inputs:
            count += 3 + (tensor.data is not UNSET) + (tensor.parameters is not UNSET) + len(tensor.parameters or ())
        for wanted in self.outputs or ():
            count += 1 + (wanted.parameters is not UNSET) + len(wanted.parameters or ())
        return count


class OipRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Checked rows, the caller's id for them, and the outputs asked for."""

    count: int
    rows: Rows | None  # few of them, each in the order of the contract
    batch: Batch | None  # or the model's inputs
    options: Options = NO_OPTIONS
    id: str
    outputs: tuple[str, ...]
    raw: frozenset[str] = frozenset()  # those of them that are to come as raw bytes


class OipProtocol:
    """Reads requests and words answers for one contract."""

    media = "oip"

    def __init__(self, contract: Contract, *, most_rows: int) -> None:
        self._contract = contract
        self.columns = OipColumns(contract, most_rows=most_rows)
        self._decoder = msgspec.json.Decoder(_Infer)
        self.outputs = ("value",) if contract.output == "value" else ("label", "probabilities")

    def read(self, body: bytes) -> OipRequest:
        """Decode and check a body of JSON alone.

        Raises
        ------
        BodyMalformed, DuplicateKey
            Not one strict JSON value (400).
        RowsRefused
            Not an inference request, or outside the contract; names each tensor (422).
        """
        return self.read_parts(body, b"")

    def read_parts(self, body: bytes, raw: bytes) -> OipRequest:
        """The same of a body of JSON and of the raw data that came behind it."""
        try:
            found = self._decoder.decode(body)
        except _UNREADABLE as error:
            strict_body(body, _KNOWN)
            raise RowsRefused(
                "Expected an Open Inference Protocol v2 request: inputs with name, shape, datatype and data.",
                problems=[
                    FieldProblem(_where(error), "wrong_type", "This part does not have the form the protocol gives it.")
                ],
            ) from None
        if body.count(b":") != found.keys():
            strict_body(body, _KNOWN)
        _refuse_extensions(found)
        outputs = wanted_outputs([w.name for w in found.outputs or ()], self.outputs)
        count, rows, batch = self.columns.read(_tensors(found.inputs, raw))
        options = options_among(found.parameters or {}, count)
        as_bytes = _raw_outputs(found, outputs)
        return OipRequest(
            count=count, rows=rows, batch=batch, options=options, id=found.id or "", outputs=outputs, raw=as_bytes
        )

    def answer(
        self,
        request: OipRequest,
        outcome: Outcome,
        *,
        decision: str,
        model: Mapping[str, Any],
        reasons: Sequence[Reasons] = (),
    ) -> bytes:
        """The exact answer text, which the receipt then vouches for: the response without its receipt."""
        rows = request.count
        answer: dict[str, Any] = {"model_name": model["project"], "model_version": str(model["number"])}
        if request.id:
            answer["id"] = request.id
        answer["outputs"] = [
            {"name": name, "datatype": datatype, "shape": shape, "data": self.told(name, outcome)}
            for name, datatype, shape in self.shapes(request.outputs, rows)
        ]
        answer["parameters"] = {"decision": decision, "package": model["package"]}
        if outcome.beside is not None:
            answer["parameters"]["rows"] = msgspec.json.encode(outcome.beside).decode()
        if reasons:  # parameters hold single values only, so these are JSON text
            answer["parameters"]["reasons"] = msgspec.json.encode(reasons).decode()
        return msgspec.json.encode(answer)

    def reply(self, one: Decided, receipt: bytes) -> Reply:
        """The response: JSON, or JSON and raw data where that was asked for."""
        if one.asked.raw:
            return self._raw_reply(one, receipt)
        return Reply(self.wrap(one.answer, receipt))

    def wrap(self, answer: bytes, receipt: bytes) -> bytes:
        """The response body: the answer with the receipt, as JSON text, as its last parameter."""
        return answer[:-2] + b',"receipt":' + msgspec.json.encode(receipt.decode()) + b"}}"

    def shapes(self, names: Sequence[str], rows: int) -> list[tuple[str, str, list[int]]]:
        """Name, datatype and shape of outputs."""
        known = {
            "label": ("BYTES", [rows]),
            "probabilities": ("FP32", [rows, len(self._contract.classes)]),
            "value": ("FP32", [rows, 1]),
        }
        return [(name, *known[name]) for name in names]

    def told(self, name: str, outcome: Outcome) -> Sequence[Any]:
        """The elements of an output, row after row."""
        if name == "probabilities":
            return [share for line in outcome.probabilities for share in line]
        return outcome.labels if name == "label" else outcome.values

    def raw(self, name: str, outcome: Outcome) -> bytes:
        """The same as raw data: text with its length in front, numbers as four bytes, little endian."""
        told = self.told(name, outcome)
        return raw_text(told) if name == "label" else np.array(told, dtype="<f4").tobytes()

    def metadata(self, number: int) -> dict[str, Any]:
        """What GET /v2/models/{name} tells."""
        return {
            "name": self._contract.project,
            "versions": [str(number)],
            "platform": "onnx_onnxv1",
            "inputs": [{"name": f.name, "datatype": datatype_of(f), "shape": [-1, 1]} for f in self._contract.features],
            "outputs": [
                {"name": name, "datatype": datatype, "shape": shape} for name, datatype, shape in self.shapes(self.outputs, -1)
            ],
        }  # fmt: skip

    def _raw_reply(self, one: Decided, receipt: bytes) -> Reply:
        request: OipRequest = one.asked
        outputs: list[dict[str, Any]] = []
        parts: list[bytes] = []
        for name, datatype, shape in self.shapes(request.outputs, request.count):
            told: dict[str, Any] = {"name": name, "datatype": datatype, "shape": shape}
            if name in request.raw:
                parts.append(self.raw(name, one.outcome))
                told["parameters"] = {_BINARY_SIZE: len(parts[-1])}
            else:
                told["data"] = self.told(name, one.outcome)
            outputs.append(told)
        head: dict[str, Any] = {"model_name": one.served.told["project"], "model_version": str(one.served.number)}
        if request.id:
            head["id"] = request.id
        parameters = {"decision": one.decision, "package": one.served.package, "receipt": receipt.decode()}
        parameters |= beside(one)
        text = msgspec.json.encode(head | {"outputs": outputs, "parameters": parameters})
        length = (b"inference-header-content-length", b"%d" % len(text))
        return Reply(b"".join([text, *parts]), b"application/octet-stream", (length,))


class OipBinary:
    """One request in the binary extension: the same protocol, of a body whose JSON ends after `head` bytes."""

    media = "oip-binary"

    def __init__(self, oip: OipProtocol, head: int) -> None:
        self._oip, self._head = oip, head
        self.answer, self.reply = oip.answer, oip.reply

    def read(self, body: bytes) -> OipRequest:
        """As `OipProtocol.read`."""
        if self._head > len(body):
            raise BodyMalformed("Inference-Header-Content-Length says more than the body holds.")
        return self._oip.read_parts(body[: self._head], body[self._head :])


def wanted_outputs(asked: Sequence[str], offered: tuple[str, ...]) -> tuple[str, ...]:
    """The outputs asked for, each once; all where none is named.

    Raises
    ------
    RowsRefused
        One that the model does not give.
    """
    unknown = [at for at, name in enumerate(asked) if name not in offered]
    if unknown:
        text = f"This model gives: {', '.join(offered)}."
        raise RowsRefused(
            problems=[
                FieldProblem(pointer("outputs", at, "name"), "unknown_output", text) for at in unknown[:MOST_PROBLEMS]
            ]
        )
    return tuple(dict.fromkeys(asked)) or offered


def beside(one: Decided) -> dict[str, str]:
    """What is told beside the outputs, as parameters: these hold single values only, so it is JSON text."""
    told = {"rows": one.outcome.beside, "reasons": one.reasons or None}
    return {name: msgspec.json.encode(value).decode() for name, value in told.items() if value is not None}


def options_among(parameters: Mapping[str, Any], rows: int) -> Options:
    """The options among the parameters of a request for so many rows. Raises `RowsRefused`."""
    options = options_in(parameters)
    if wrong := option_problems(parameters, "/parameters") or too_many_rows(options, rows):
        raise RowsRefused(problems=wrong)
    return options


def _refuse_extensions(found: _Infer) -> None:
    parts = [found, *found.inputs, *(found.outputs or ())]
    if any(part.parameters and any(part.parameters.get(name) for name in _NOT_OFFERED) for part in parts):
        raise RowsRefused("Shared memory and classification are not offered here.")


def _tensors(inputs: Sequence[_Tensor], raw: bytes) -> list[Tensor]:
    """Each input with what reads its elements: its own JSON, or its share of the raw data, which they use up exactly."""
    tensors: list[Tensor] = []
    read: Callable[[int, int], Elements]
    at = 0
    for place, tensor in enumerate(inputs):
        size = tensor.parameters.get(_BINARY_SIZE) if tensor.parameters else None
        if size is None and tensor.data is not UNSET:
            read = partial(json_elements, tensor.data, tensor.datatype)
        elif tensor.data is UNSET and type(size) is int and 0 <= size <= len(raw) - at:
            read = partial(raw_elements, raw[at : at + size], tensor.datatype)
            at += size
        else:
            text = "Expected data, or a binary_data_size of the bytes that follow the JSON, and not both."
            raise RowsRefused(problems=[FieldProblem(pointer("inputs", place), "wrong_length", text)])
        tensors.append(Tensor(tensor.name, tensor.shape, tensor.datatype, read))
    if at != len(raw):
        raise RowsRefused(problems=[FieldProblem("/inputs", "wrong_length", "Bytes are left that no input announces.")])
    return tensors


def _raw_outputs(found: _Infer, outputs: tuple[str, ...]) -> frozenset[str]:
    """Which outputs are to come as raw bytes: each says so itself, or the request for all of them."""
    every = _yes(found.parameters, "binary_data_output")
    said = {wanted.name: _yes(wanted.parameters, "binary_data", every) for wanted in found.outputs or ()}
    return frozenset(name for name in outputs if said.get(name, every))


def _yes(parameters: Mapping[str, Any] | UnsetType, name: str, otherwise: bool = False) -> bool:
    value = parameters.get(name, otherwise) if parameters else otherwise
    if not isinstance(value, bool):
        raise RowsRefused(f"Expected true or false for the parameter {name}.")
    return value


def _where(error: Exception) -> str:
    """The JSON Pointer of a decoder's complaint, made of the protocol's own words and list positions only."""
    path = str(error).rpartition(" - at `$")[2].rstrip("`")
    steps = [step for step in path.replace("[", ".").replace("]", "").split(".") if step in _KNOWN or step.isdecimal()]
    return pointer(*steps[:6]) if " - at `$" in str(error) else ""
