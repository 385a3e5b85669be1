"""A case as bytes, and rebuilt from them in another process.

Answers: what does a worker need to carry out the same checks on the same rows?
Does not answer: for a function or an estimator in a notebook. Those are code, and code is never sent: they stay where they are.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.case_making import assemble
from sealwright.assurance.environment import packages_here
from sealwright.assurance.interface import Interface, NumberInput, StringInput
from sealwright.assurance.one_check import in_one_order, run_check
from sealwright.assurance.predictor import Predictor
from sealwright.assurance.spec import AssuranceSpec
from sealwright.assurance.suites import SUITES
from sealwright.assurance.teaching import Teach
from sealwright.engines import Do, Material
from sealwright.kernel import OperationFailed

__all__ = ["Portable", "TeachFrom", "case_from", "material_of", "preparing"]

TeachFrom = Callable[[Mapping[str, Any]], Teach]
"""How models are trained, from what `Teach.told` says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portable:
    """A model that another process can open: bytes that carry no code."""

    kind: Literal["package", "file"]  # inputs named as in our packages, or as somebody's ONNX file names them
    model: bytes

    def predictor(self, interface: Interface) -> Predictor:
        if self.kind == "package":
            from sealwright.assurance.adapters.onnx import OnnxPredictor  # only when there is an ONNX model to run

            return OnnxPredictor(self.model, interface)
        from sealwright.assurance.adapters.onnx_file import OnnxFile

        numbers, strings = [one.name for one in interface.numbers], [one.name for one in interface.strings]
        return OnnxFile(self.model, numbers, strings, interface.task, interface.classes)


def material_of(case: Case, model: Portable, groups: Sequence[str]) -> dict[str, bytes | memoryview]:
    """Everything a case is made of, as bytes: tables as Arrow streams, arrays as they lie in memory, the rest as JSON."""
    facts = {
        "packages": packages_here(),
        "kind": model.kind,
        "interface": asdict(case.interface),
        "spec": case.spec.model_dump(mode="json"),
        "groups": list(groups),
        "seed": case.seed,
        "quarantined": case.quarantined,
        "knows_training": case.knows_training,
        "teach": None if case.teach is None else dict(case.teach.told or {}),
    }
    material: dict[str, bytes | memoryview] = {
        "facts": json.dumps(facts, allow_nan=False).encode(),
        "model": model.model,
        "test": _stream(case.test_table),
        "train": _stream(case.train_table),
        "outputs": _bytes(case.test.outputs),
    }
    if case.previous is not None:
        material["previous"] = _bytes(case.previous)
    return material


def case_from(material: Material, teach_from: TeachFrom) -> Case:
    """The case that `material_of` described; its tables stay where the material lies.

    Raises
    ------
    OperationFailed
        Other releases are installed here, which may say other numbers.
    """
    facts = json.loads(bytes(material["facts"]))
    _refuse_others(facts["packages"])
    interface = _interface(facts["interface"])
    model = Portable(kind=facts["kind"], model=bytes(material["model"]))
    before = _floats(material["previous"], interface) if "previous" in material else None
    return assemble(
        model.predictor(interface),
        _table(material["test"]),
        _table(material["train"]),
        interface,
        AssuranceSpec.model_validate(facts["spec"]),
        facts["groups"],
        facts["seed"],
        facts["quarantined"],
        before=None if before is None else lambda _rows: before,
        teach=None if facts["teach"] is None else teach_from(facts["teach"]),
        knows_training=facts["knows_training"],
        outputs=_floats(material["outputs"], interface),
    )


def preparing(teach_from: TeachFrom, clock: Callable[[], float]) -> Callable[[Material], Do]:
    """What a worker does: rebuild the case once, then carry out one check for each job.

    A job is {"check": name, "until": seconds since 1970 or null}; its answer the bytes of `Done`, or b"" where the time
    to begin was over.
    """
    checks = {check.name: check for suite in SUITES.values() for check in suite}

    def prepare(material: Material) -> Do:
        case = case_from(material, teach_from)

        def do(job: bytes) -> bytes:
            asked = json.loads(job)
            if asked["until"] is not None and clock() > asked["until"]:
                return b""
            with in_one_order():
                return run_check(checks[asked["check"]], case).to_bytes()

        return do

    return prepare


def _refuse_others(asked: Mapping[str, str]) -> None:
    here = packages_here()
    others = [f"{name} {here.get(name)} instead of {asked[name]}" for name in asked if here.get(name) != asked[name]]
    if others:
        raise OperationFailed(
            f"A worker has {', '.join(others)}, and might find other numbers than the statement would claim.\n"
            "Install the same releases on every machine."
        )


def _interface(said: Mapping[str, Any]) -> Interface:
    numbers = tuple(NumberInput(**one) for one in said["numbers"])
    strings = tuple(StringInput(**{**one, "categories": tuple(one["categories"])}) for one in said["strings"])
    return Interface(**{**said, "classes": tuple(said["classes"]), "numbers": numbers, "strings": strings})


def _stream(table: pa.Table) -> memoryview:
    """An Arrow stream of exactly its size: a buffer that grows would hold a large table twice."""
    measured = pa.MockOutputStream()
    _write(table, measured)
    buffer = pa.allocate_buffer(measured.size())
    with pa.FixedSizeBufferWriter(buffer) as sink:
        _write(table, sink)
    return memoryview(buffer)


def _write(table: pa.Table, sink: Any) -> None:
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


def _table(data: bytes | memoryview) -> pa.Table:
    return pa.ipc.open_stream(pa.py_buffer(data)).read_all()


def _bytes(values: Floats) -> bytes:
    return np.ascontiguousarray(values, dtype="<f8").tobytes()


def _floats(data: bytes | memoryview, interface: Interface) -> Floats:
    flat: NDArray[np.float64] = np.frombuffer(data, dtype="<f8")
    return flat if interface.task == "regression" else flat.reshape(-1, len(interface.classes))
