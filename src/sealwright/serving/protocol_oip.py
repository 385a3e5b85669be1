"""The Open Inference Protocol v2 over JSON, as stock KServe, Triton and MLServer clients speak it.

Inputs come as one tensor per feature, named like the feature, shape [N] or [N, 1]; or as the
model's own packed tensors "numbers" and "strings", shape [N, width]. Both are held to the same
contract as named rows. The receipt stands in the response's `parameters`.
Does not answer: the binary tensor extension; a request for it is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from sealwright.serving.contract import Contract, Feature
from sealwright.serving.field_rules import MOST_PROBLEMS, pointer
from sealwright.serving.options import Options, option_problems, options_in, too_many_rows
from sealwright.serving.outcome import Outcome
from sealwright.serving.problems import FieldProblem, RowsRefused
from sealwright.serving.reasons import Reasons
from sealwright.serving.strict_bodies import strict_body
from sealwright.serving.tensors import TensorRefused, checked_column, datatype_of, flat_values

__all__ = ["OipProtocol", "OipRequest"]

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_KNOWN = frozenset({"id", "inputs", "outputs", "parameters", "name", "shape", "datatype", "data"})
_Scalar = bool | int | float | Annotated[str, Meta(max_length=256)] | None
_Parameters = Annotated[dict[Annotated[str, Meta(max_length=64)], _Scalar], Meta(max_length=16)]
_BINARY = frozenset({"binary_data", "binary_data_output", "binary_data_size", "shared_memory_region", "classification"})


class _Tensor(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    name: Annotated[str, Meta(max_length=256)]
    shape: Annotated[list[Annotated[int, Meta(ge=0, le=1 << 31)]], Meta(min_length=1, max_length=2)]
    datatype: Literal[
        "BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "FP32", "FP64", "BYTES"
    ]
    data: Raw
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
            count += 4 + (tensor.parameters is not UNSET) + len(tensor.parameters or ())
        for wanted in self.outputs or ():
            count += 1 + (wanted.parameters is not UNSET) + len(wanted.parameters or ())
        return count


@dataclass(frozen=True, slots=True)
class OipRequest:
    """Checked rows, the caller's id for them, and the outputs asked for."""

    rows: Sequence[Sequence[Any]]  # each in the order of the contract
    options: Options
    id: str
    outputs: tuple[str, ...]


class OipProtocol:
    """Reads requests and words answers for one contract."""

    media = "oip"

    def __init__(self, contract: Contract, *, most_rows: int) -> None:
        self._contract, self._most_rows = contract, most_rows
        self._decoder = msgspec.json.Decoder(_Infer)
        self._packed = frozenset(["numbers"] * bool(contract.numbers) + ["strings"] * bool(contract.strings))
        self._outputs = ("value",) if contract.output == "value" else ("label", "probabilities")

    def read(self, body: bytes) -> OipRequest:
        """Decode and check a body.

        Raises
        ------
        BodyMalformed, DuplicateKey
            Not one strict JSON value (400).
        RowsRefused
            Not an inference request, or outside the contract; names each tensor (422).
        """
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
        self._refuse_extensions(found)
        wanted = tuple(w.name for w in found.outputs or ()) or self._outputs
        if unknown := [at for at, name in enumerate(wanted) if name not in self._outputs]:
            raise RowsRefused(
                problems=[
                    FieldProblem(
                        pointer("outputs", at, "name"),
                        "unknown_output",
                        f"This model gives: {', '.join(self._outputs)}.",
                    )
                    for at in unknown[:MOST_PROBLEMS]
                ]
            )
        rows, parameters = self._rows(found.inputs), found.parameters or {}
        options = options_in(parameters)
        if wrong := option_problems(parameters, "/parameters") or too_many_rows(options, len(rows)):
            raise RowsRefused(problems=wrong)
        return OipRequest(rows, options, found.id or "", tuple(dict.fromkeys(wanted)))

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
        rows = len(request.rows)
        made: dict[str, dict[str, Any]] = {
            "label": {"name": "label", "datatype": "BYTES", "shape": [rows], "data": outcome.labels},
            "probabilities": {
                "name": "probabilities",
                "datatype": "FP32",
                "shape": [rows, len(self._contract.classes)],
                "data": [p for line in outcome.probabilities for p in line],
            },
            "value": {"name": "value", "datatype": "FP32", "shape": [rows, 1], "data": outcome.values},
        }
        answer: dict[str, Any] = {"model_name": model["project"], "model_version": str(model["number"])}
        if request.id:
            answer["id"] = request.id
        answer["outputs"] = [made[name] for name in request.outputs]
        answer["parameters"] = {"decision": decision, "package": model["package"]}
        if outcome.beside is not None:
            answer["parameters"]["rows"] = msgspec.json.encode(outcome.beside).decode()
        if reasons:  # parameters hold single values only, so these are JSON text
            answer["parameters"]["reasons"] = msgspec.json.encode(reasons).decode()
        return msgspec.json.encode(answer)

    def wrap(self, answer: bytes, receipt: bytes) -> bytes:
        """The response body: the answer with the receipt, as JSON text, as its last parameter."""
        return answer[:-2] + b',"receipt":' + msgspec.json.encode(receipt.decode()) + b"}}"

    def metadata(self, number: int) -> dict[str, Any]:
        """What GET /v2/models/{name} tells."""
        outputs: dict[str, tuple[str, list[int]]] = {
            "label": ("BYTES", [-1]),
            "probabilities": ("FP32", [-1, len(self._contract.classes)]),
            "value": ("FP32", [-1, 1]),
        }
        return {
            "name": self._contract.project,
            "versions": [str(number)],
            "platform": "onnx_onnxv1",
            "inputs": [{"name": f.name, "datatype": datatype_of(f), "shape": [-1, 1]} for f in self._contract.features],
            "outputs": [
                {"name": name, "datatype": outputs[name][0], "shape": outputs[name][1]} for name in self._outputs
            ],
        }  # fmt: skip

    def _refuse_extensions(self, found: _Infer) -> None:
        parts = [found, *found.inputs, *(found.outputs or ())]
        if any(part.parameters and any(part.parameters.get(name) for name in _BINARY) for part in parts):
            raise RowsRefused(
                "Binary tensors, shared memory and classification are not offered here. Send and ask for JSON data."
            )

    def _rows(self, tensors: Sequence[_Tensor]) -> list[tuple[Any, ...]]:
        names = {tensor.name: at for at, tensor in enumerate(tensors)}
        packed = names.keys() == self._packed and names.keys() != self._contract.names
        rows = tensors[0].shape[0]
        problems = self._shape_problems(tensors, names, rows, packed)
        if problems:
            raise RowsRefused(problems=problems[:MOST_PROBLEMS])
        columns: dict[str, list[Any]] = {}
        for at, tensor in enumerate(tensors):
            group = self._group(tensor.name, packed=packed)
            try:
                flat = flat_values(tensor.data, tensor.datatype, rows, len(group))
            except TensorRefused as refusal:
                field = "" if packed else tensor.name
                problems.append(FieldProblem(pointer("inputs", at, "data"), refusal.reason, str(refusal), field))
                continue
            for offset, feature in enumerate(group):
                try:
                    columns[feature.name] = checked_column(
                        feature, tensor.datatype, flat[offset :: len(group)], packed=packed
                    )
                except TensorRefused as refusal:
                    where = ("datatype",) if refusal.at is None else ("data", refusal.at * len(group) + offset)
                    problems.append(
                        FieldProblem(pointer("inputs", at, *where), refusal.reason, str(refusal), feature.name)
                    )
        if problems:
            raise RowsRefused(problems=problems[:MOST_PROBLEMS])
        ordered = [columns[feature.name] for feature in self._contract.features]
        return list(zip(*ordered, strict=True))

    def _group(self, name: str, *, packed: bool) -> tuple[Feature, ...]:
        """The features one tensor carries."""
        if packed:
            return self._contract.numbers if name == "numbers" else self._contract.strings
        return (self._contract.feature(name),)

    def _shape_problems(
        self, tensors: Sequence[_Tensor], names: dict[str, int], rows: int, packed: bool
    ) -> list[FieldProblem]:
        """What is wrong before any value is looked at: names, number of rows, shapes, datatypes."""
        if len(names) != len(tensors):
            return [FieldProblem("/inputs", "duplicate_tensor", "Two inputs have the same name.")]
        if not 1 <= rows <= self._most_rows:
            return [
                FieldProblem(pointer("inputs", 0, "shape"), "wrong_length", f"Expected 1 to {self._most_rows} rows.")
            ]
        expected = self._packed if packed else self._contract.names
        problems = [
            FieldProblem("/inputs", "missing", "This input is missing.", name) for name in sorted(expected - names.keys())
        ] + [
            FieldProblem(pointer("inputs", names[name], "name"), "unknown_field", "This input is not in the contract.")
            for name in sorted(names.keys() - expected)
        ]  # fmt: skip
        for name in expected & names.keys():
            at = names[name]
            width = len(self._group(name, packed=packed))
            shape = tensors[at].shape
            if shape != [rows, width] and (packed or shape != [rows]):
                wanted = f"[{rows}, {width}]" if packed else f"[{rows}] or [{rows}, 1]"
                problems.append(
                    FieldProblem(
                        pointer("inputs", at, "shape"), "wrong_shape", f"Expected {wanted}.", "" if packed else name
                    )
                )
        return problems


def _where(error: Exception) -> str:
    """The JSON Pointer of a decoder's complaint, made of the protocol's own words and list positions only."""
    path = str(error).rpartition(" - at `$")[2].rstrip("`")
    steps = [step for step in path.replace("[", ".").replace("]", "").split(".") if step in _KNOWN or step.isdecimal()]
    return pointer(*steps[:6]) if " - at `$" in str(error) else ""
