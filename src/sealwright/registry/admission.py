"""Whether a model file may come in at all: refused formats, hard limits, structure, and a trial run.

Answers: is this file one ONNX model that carries no code, cannot outgrow its limits, takes and
gives what its interface says, and answers soundly on difficult rows?
Does not answer: is it a good model? Suites in `assurance` measure that.

`check_structure` needs nothing but the bytes and is what serving repeats at every load.
`admit_onnx` adds the trial run in a child process and is asked once, before anything is signed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sealwright.evidence import fact
from sealwright.kernel import Refused, digest_of
from sealwright.registry.formats import format_of
from sealwright.registry.graph import reasons_against_graph
from sealwright.registry.interface import read_interface
from sealwright.registry.onnx_messages import model_message
from sealwright.registry.reasons import Reason
from sealwright.registry.wire import WireLimits, WireProblem, walk_model

__all__ = ["AdmissionLimits", "AdmissionReport", "ModelRefused", "admit_onnx", "check_structure"]

_MOST_REASONS = 50  # what a person can use; the first one already refuses


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionLimits:
    """Hard limits of the gate. Bytes, counts and seconds."""

    file_bytes: int = 256 << 20
    wire: WireLimits = field(default_factory=WireLimits)
    trial_rows: int = 1_000
    trial_memory_bytes: int = 512 << 20  # of the child; eight times the size of the file is added
    trial_cpu_seconds: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionReport:
    """What was looked at, for the file: digests and counts, and what was not done."""

    model: str  # digest of the bytes
    size: int  # bytes
    nodes: int
    initialisers: int
    operators: tuple[str, ...]  # "ai.onnx.ml.TreeEnsembleClassifier", sorted
    opsets: Mapping[str, int]
    checked: tuple[str, ...]
    not_checked: tuple[str, ...]
    trial: Mapping[str, Any] | None = None  # what the trial run measured and how it was confined

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "size": self.size,
            "nodes": self.nodes,
            "initialisers": self.initialisers,
            "operators": list(self.operators),
            "opsets": dict(self.opsets),
            "checked": list(self.checked),
            "not_checked": list(self.not_checked),
            "trial": dict(self.trial) if self.trial is not None else None,
        }

    def findings(self) -> list[dict[str, Any]]:
        """What a gate may ask about admission, for the statement that files it."""
        tried = self.trial is not None
        return [
            fact(
                "admission.accepted",
                tried,
                n=1,
                definition="The model file passed the structural gate, and a trial run in a confined child.",
                note="" if tried else "The trial run was not made.",
            )
        ]


class ModelRefused(Refused):
    """A model file may not come in. Carries every reason, each with a code a program can match on."""

    code = "model.refused"
    status = 422

    def __init__(self, reasons: Sequence[Reason]) -> None:
        self.reasons = tuple(reasons)
        lines = [f"{reason} [{reason.code}]" for reason in self.reasons[:_MOST_REASONS]]
        super().__init__(
            "This model file is refused:\n  "
            + "\n  ".join(lines)
            + "\nModels come in as one ONNX file with standard operators and all weights inside; export it again that way."
        )

    def to_json(self) -> dict[str, Any]:
        return {"code": self.code, "reasons": [reason.to_json() for reason in self.reasons]}


def check_structure(
    data: bytes, interface: Mapping[str, Any], limits: AdmissionLimits | None = None
) -> AdmissionReport:
    """The gate without the trial run: format, counts, operators, constants, inputs and outputs.

    Parameters
    ----------
    data : bytes
        The model file.
    interface : mapping
        The interface document it must fit.
    limits : AdmissionLimits, optional
        Stricter or wider limits.

    Returns
    -------
    AdmissionReport
        With the trial run listed under `not_checked`.

    Raises
    ------
    ModelRefused
        Every reason at once.
    InvalidInput
        The interface contradicts itself.
    """
    limits = limits or AdmissionLimits()
    shape = read_interface(interface)
    _refuse_format(data, limits)
    try:
        counts = walk_model(data, limits.wire)
    except WireProblem as problem:
        raise ModelRefused([Reason(code=problem.code, where="", message=str(problem))]) from None
    model = _parse(data)
    reasons = [reason for reason, _ in zip(reasons_against_graph(model, shape), range(_MOST_REASONS), strict=False)]
    if reasons:
        raise ModelRefused(reasons)
    return AdmissionReport(
        model=digest_of(data),
        size=len(data),
        nodes=counts.nodes,
        initialisers=counts.initialisers,
        operators=tuple(sorted({f"{node.domain or 'ai.onnx'}.{node.op_type}" for node in model.graph.node})),
        opsets={entry.domain or "ai.onnx": entry.version for entry in model.opset_import},
        checked=(
            "the file is one ONNX model and nothing else: every byte belongs to a known field",
            "no code, no own operators or functions, no data outside the file",
            "stored weights have the size they claim and are finite",
            "no operator makes outputs as large as a request wishes",
            "inputs and outputs are those of the interface",
        ),
        not_checked=("the model was not run",),
    )


def admit_onnx(
    data: bytes,
    interface: Mapping[str, Any],
    *,
    limits: AdmissionLimits | None = None,
) -> AdmissionReport:
    """Let a model file in, or refuse it with every reason.

    Parameters
    ----------
    data : bytes
        The model file.
    interface : mapping
        The interface document it must fit.
    limits : AdmissionLimits, optional
        Stricter or wider limits.

    Returns
    -------
    AdmissionReport
        What was looked at.

    Raises
    ------
    ModelRefused
        The structure or the trial run speaks against it.
    """
    from sealwright.registry.adapters.dry_run import dry_run  # starts processes; serving never needs it

    limits = limits or AdmissionLimits()
    report = check_structure(data, interface, limits)
    reasons, measured = dry_run(
        data,
        read_interface(interface),
        rows=limits.trial_rows,
        memory_bytes=limits.trial_memory_bytes,
        cpu_seconds=limits.trial_cpu_seconds,
    )
    if reasons:
        raise ModelRefused(reasons)
    return replace(
        report,
        checked=(
            *report.checked,
            f"a trial run on 0 to {limits.trial_rows:,} difficult rows: sound answers, the same alone and in a batch, in bounds",
        ),
        not_checked=("the model was not tried on rows other than generated ones",),
        trial=measured,
    )


def _refuse_format(data: bytes, limits: AdmissionLimits) -> None:
    if len(data) > limits.file_bytes:
        message = f"the file is {len(data):,} bytes; at most {limits.file_bytes:,} are admitted"
        raise ModelRefused([Reason(code="model.too_large", where="", message=message)])
    other = format_of(data)
    if other:
        message = f"this is {other}, not ONNX; it is never opened here"
        raise ModelRefused([Reason(code="model.format", where="", message=message)])


def _parse(data: bytes) -> Any:
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        model = model_message().FromString(data)
    except DecodeError:
        raise ModelRefused([Reason(code="onnx.not_protobuf", where="", message="the file is damaged")]) from None
    if not model.HasField("graph") or not model.HasField("ir_version"):
        raise ModelRefused([Reason(code="onnx.not_protobuf", where="", message="the file holds no graph")])
    return model
