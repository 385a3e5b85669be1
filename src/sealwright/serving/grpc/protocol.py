"""The Open Inference Protocol's ModelInfer: a protobuf message in, another out, held to the same contract as its JSON.

What the receipt vouches for is the JSON text the same request would have got over HTTP; it travels in the receipt, which is a
parameter of the response. Outputs come raw where the inputs did, as stock clients expect.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from sealwright.serving.columns import ColumnRefused
from sealwright.serving.field_rules import pointer
from sealwright.serving.grpc.messages import message_class
from sealwright.serving.oip_columns import Tensor
from sealwright.serving.oip_elements import DATATYPES, Elements, counted, decoded, raw_elements
from sealwright.serving.problems import FieldProblem, Forbidden, HttpRefusal, NoSuchRoute, RowsRefused
from sealwright.serving.protocol_oip import OipProtocol, OipRequest, beside, options_among, wanted_outputs
from sealwright.serving.reply import Decided, Reply

__all__ = ["GrpcProtocol", "MessageMalformed", "named_in", "parsed", "version_in"]

_CONTENTS = {
    "BOOL": "bool_contents", "INT8": "int_contents", "INT16": "int_contents", "INT32": "int_contents",
    "INT64": "int64_contents", "UINT8": "uint_contents", "UINT16": "uint_contents", "UINT32": "uint_contents",
    "UINT64": "uint64_contents", "FP32": "fp32_contents", "FP64": "fp64_contents", "BYTES": "bytes_contents",
}  # fmt: skip
_NOT_OFFERED = ("shared_memory_region", "classification")
_MOST_INPUTS = 4096
_LONGEST_ID = 128
_FIRST_TEXT, _SECOND_TEXT = 0x0A, 0x12  # how the fields 1 and 2 begin, where they are of text
_LONGEST_NAME = 64
_NAN = float("nan")  # what is not told


class MessageMalformed(HttpRefusal):
    """Not such a message, or one with fields that the protocol does not have."""

    code, status, title = "grpc.message_malformed", 400, "The message cannot be read"


def parsed(name: str, body: bytes) -> Any:
    """A message, held to the fields it is known to have.

    Raises
    ------
    MessageMalformed
    """
    try:
        found = message_class(name).FromString(body)
    except DecodeError:
        raise MessageMalformed(f"Expected a {name}.") from None
    size = found.ByteSize()
    found.DiscardUnknownFields()
    if found.ByteSize() != size:
        raise MessageMalformed(f"It holds fields that {name} does not have.")
    return found


def named_in(message: bytes) -> str:
    """The model that a request is about, before it is read as a whole: in every one of them the first field, and protobuf writes
    fields in their order. "" where it does not begin so; what is read later must name the same."""
    return _short_text(message, 0, _FIRST_TEXT)


def version_in(message: bytes) -> str:
    """The version of the model that a request asks for: in every one of them the field after the name. "" where none stands there;
    what is read later must name the same."""
    named = named_in(message)
    return _short_text(message, 2 + len(named) if named else 0, _SECOND_TEXT)


def _short_text(message: bytes, at: int, begins: int) -> str:
    """The field at this place, a character for each byte; "" where it begins otherwise."""
    if len(message) < at + 2 or message[at] != begins or message[at + 1] > _LONGEST_NAME:
        return ""
    return message[at + 2 : at + 2 + message[at + 1]].decode("ascii", "replace")


class GrpcProtocol:
    """ModelInfer for one served version."""

    media = "oip-grpc"

    def __init__(self, oip: OipProtocol, *, project: str, number: int) -> None:
        self._oip, self._project, self._number = oip, project, str(number)
        self.answer = oip.answer

    def read(self, body: bytes) -> OipRequest:
        """Decode and check a message.

        Raises
        ------
        MessageMalformed
            Not a ModelInferRequest.
        Forbidden, NoSuchRoute
            It asks for another model, or another version.
        RowsRefused
            Outside the contract; names each tensor.
        """
        found = parsed("ModelInferRequest", body)
        if found.model_name != self._project:
            raise Forbidden(reason="auth.scope")
        if found.model_version not in ("", self._number):
            raise NoSuchRoute
        if len(found.id) > _LONGEST_ID or not 1 <= len(found.inputs) <= _MOST_INPUTS:
            raise RowsRefused(f"Expected an id of up to {_LONGEST_ID} characters and 1 to {_MOST_INPUTS} inputs.")
        if any(name in part.parameters for part in (*found.inputs, *found.outputs) for name in _NOT_OFFERED):
            raise RowsRefused("Shared memory and classification are not offered here.")
        names = wanted_outputs([output.name for output in found.outputs], self._oip.outputs)
        count, rows, batch = self._oip.columns.read(_tensors(found))
        raw = frozenset(names if found.raw_input_contents else ())
        options = options_among({name: _plain(value) for name, value in found.parameters.items()}, count)
        return OipRequest(count=count, rows=rows, batch=batch, options=options, id=found.id, outputs=names, raw=raw)

    def reply(self, one: Decided, receipt: bytes) -> Reply:
        """The ModelInferResponse."""
        asked: OipRequest = one.asked
        response = message_class("ModelInferResponse")(
            model_name=self._project, model_version=self._number, id=asked.id
        )
        told = {"decision": one.decision, "package": one.served.package, "receipt": receipt.decode()}
        told |= beside(one)
        for name, value in told.items():
            response.parameters[name].string_param = value
        for name, datatype, shape in self._oip.shapes(asked.outputs, asked.count):
            output = response.outputs.add(name=name, datatype=datatype, shape=shape)
            if name in asked.raw:
                response.raw_output_contents.append(self._oip.raw(name, one.outcome))
                continue
            values = self._oip.told(name, one.outcome)
            if datatype == "BYTES":
                output.contents.bytes_contents.extend([text.encode() for text in values])
            else:
                output.contents.fp32_contents.extend([_NAN if value is None else value for value in values])
        return Reply(response.SerializeToString(deterministic=True), b"application/grpc")


def _plain(parameter: Any) -> Any:
    """The value of a parameter, None where it has none."""
    chosen = parameter.WhichOneof("parameter_choice")
    return None if chosen is None else getattr(parameter, chosen)


def _tensors(found: Any) -> list[Tensor]:
    """Each input with what reads its elements: typed ones, or the raw data of the same place."""
    raw = found.raw_input_contents
    if raw and len(raw) != len(found.inputs):
        raise RowsRefused("Expected raw data for each input, or for none.")
    tensors = []
    for place, tensor in enumerate(found.inputs):
        where = pointer("inputs", place)
        if tensor.datatype not in DATATYPES or not 1 <= len(tensor.shape) <= 2 or min(tensor.shape) < 0:
            text = "Expected a known datatype and one or two dimensions."
            raise RowsRefused(problems=[FieldProblem(where, "wrong_type", text)])
        if raw and tensor.HasField("contents"):
            text = "Expected raw data or typed contents, not both."
            raise RowsRefused(problems=[FieldProblem(where, "wrong_length", text)])
        read: Callable[[int, int], Elements]
        if raw:
            read = partial(raw_elements, raw[place], tensor.datatype)
        else:
            read = partial(_typed_elements, tensor.contents, tensor.datatype)
        tensors.append(Tensor(tensor.name, list(tensor.shape), tensor.datatype, read))
    return tensors


def _typed_elements(contents: Any, datatype: str, rows: int, width: int) -> Elements:
    """Elements from the list that is meant for their datatype; all other lists are empty."""
    meant = _CONTENTS[datatype]
    if any(field.name != meant for field, _ in contents.ListFields()):
        raise ColumnRefused("wrong_type", f"Expected {datatype} elements in {meant}.")
    values = counted(list(getattr(contents, meant)), rows, width)
    if datatype == "BYTES":
        return decoded(values)
    return np.array(values, dtype=np.float64) if datatype in ("FP32", "FP64") else values
