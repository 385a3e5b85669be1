"""Train: in a confined child, to ONNX, with parity measured here and the model file let in by the gate for files."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

from sealwright.data import feature_interface, split
from sealwright.evidence import TEST_RESULT_TYPE, fact, measured
from sealwright.kernel import Progress, canonical_json, hex_of, silent, strict_json
from sealwright.pipeline.desk import Desk, digest_of_json
from sealwright.pipeline.project import Project
from sealwright.pipeline.runs import Run
from sealwright.pipeline.take_in import snapshot_of
from sealwright.pipeline.workspace import Workspace
from sealwright.registry import AdmissionReport, admit_onnx
from sealwright.training import (
    PROVENANCE,
    TrainingResult,
    digest_of_code,
    files_of_recipe,
    our_code,
    provenance_predicate,
)
from sealwright.training import train as train_confined

__all__ = ["Trained", "train"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A model on file. `record` is what training said about itself; `again` is True where it was made before."""

    run: Run
    model: str
    interface: Mapping[str, Any]
    record: Mapping[str, Any]
    again: bool

    def to_json(self) -> dict[str, Any]:
        return {"run": self.run.id, "model": self.model, "again": self.again, **self.record}


def train(workspace: Workspace, project: Project, *, by: str, progress: Progress = silent) -> Trained:
    """Train the project's recipe on its snapshot, and file provenance and conversion.

    Raises
    ------
    NotFound
        Nothing was ingested yet.
    InvalidInput
        The data cannot be learned from, or your own code failed.
    OperationFailed
        A limit on time or memory was reached.
    ModelRefused
        What came out is not a model file that may be let in.
    """
    desk = Desk(workspace, project)
    run, spec = desk.last(), project.spec
    taken = run.product("ingest")
    of = digest_of_json(
        {
            "snapshot": taken["snapshot"],
            "training": spec.training.model_dump(mode="json"),
            "split": [spec.data.test_share, spec.training.seed],
            "code": [our_code(), digest_of_code(files_of_recipe(spec.training, project.folder))],
        }
    )
    kept = run.current("train", of)
    if kept is not None:
        return _trained(desk, run, again=True)
    progress("opening the snapshot", 0.0)
    snapshot = snapshot_of(desk, taken["snapshot"])
    rows, holdout = split(snapshot.read(), spec.data, spec.training.seed)
    interface = feature_interface(spec.data, rows, project=project.name)
    features = list(interface["order"])
    started = workspace.clock()
    result = train_confined(
        rows.select([*features, spec.data.target]),
        holdout.select(features),
        interface,
        spec.training,
        project_dir=project.folder,
        progress=progress,
        hidden=(workspace.home.resolve(),),
    )
    progress("letting the model file in", 0.97)
    admitted = admit_onnx(result.model, interface)
    finished = workspace.clock()
    record = _record(result, admitted)
    statements = {
        "provenance": desk.state(
            [("model.onnx", result.model_digest)],
            PROVENANCE,
            provenance_predicate(
                result,
                spec.training,
                project=project.name,
                snapshot=snapshot.digest,
                lock=None,
                builder=f"urn:sealwright:builder:local:{workspace.id}",
                version=version("sealwright"),
                run=run.id,
                started=started,
                finished=finished,
                split={"test_share": spec.data.test_share, "seed": spec.training.seed},
            )
            | {"sealwright": _confinement(result, snapshot.digest, finished)},
            by=by,
        ),
        "conversion": desk.state(
            [("model.onnx", result.model_digest)],
            TEST_RESULT_TYPE,
            _conversion(result, admitted, snapshot.digest, finished),
            by=by,
        ),
    }
    product = {
        "of": of,
        "model": desk.runs.keep(result.model),
        "interface": desk.runs.keep(canonical_json(interface)),
        "environment": desk.runs.keep(canonical_json(result.environment)),
        "record": desk.runs.keep(canonical_json(record)),
        "task": interface["task"],
        "statements": statements,
    }
    return _trained(desk, desk.runs.finish(run, "train", product, by=by), again=False)


def _trained(desk: Desk, run: Run, *, again: bool) -> Trained:
    product = run.product("train")
    return Trained(
        run=run,
        model=product["model"],
        interface=strict_json(desk.runs.fetch(product["interface"]), what="interface.json"),
        record=strict_json(desk.runs.fetch(product["record"]), what="training record"),
        again=again,
    )


def _record(result: TrainingResult, admitted: AdmissionReport) -> dict[str, Any]:
    """What is shown of a training: aggregates, no row."""
    return {
        "recipe": result.recipe,
        "parameters": dict(result.parameters),
        "cv": dict(result.cv),
        "search": [dict(trial) for trial in result.search],
        "notes": list(result.notes),
        "parity": result.parity.to_json() if result.parity else None,
        "confinement": dict(result.confinement),
        "admission": admitted.to_json(),
        "rows": result.rows,
        "seconds": round(result.seconds, 3),
    }


_PROMISES = {
    "network": "The training process could reach no network.",
    "local_sockets": "The training process could open no socket on its machine.",
    "files": "The training process could read no file but the libraries and its own recipe.",
}


def _confinement(result: TrainingResult, data: str, at: datetime) -> dict[str, Any]:
    """What held around the training, as findings a policy can ask for."""
    measures = {measure["name"]: measure for measure in result.confinement["measures"]}
    held = {name for name, measure in measures.items() if measure["enforced"]}
    return measured(
        "training",
        model=result.model_digest,
        data=data,
        performed_at=at,
        findings=[
            fact(f"confinement.{name}", True, n=1, definition=definition)  # noqa: FBT003 - a fact that is yes
            for name, definition in _PROMISES.items()
            if name in held
        ],
        not_performed=[
            (
                f"confinement.{name}",
                f"not enforced here: {measures[name]['how'] if name in measures else 'not reported'}",
            )
            for name in _PROMISES
            if name not in held
        ],
    )


def _conversion(result: TrainingResult, admitted: AdmissionReport, data: str, at: datetime) -> dict[str, Any]:
    """A test result: the ONNX file answers as the framework did, and is a file that may be let in."""
    findings, gaps = [], []
    if result.parity is not None:
        rows = result.parity.rows
        findings = [
            fact(
                "parity.largest",
                result.parity.largest,
                n=rows,
                definition="Largest difference between the trained model and the ONNX file, over every hold-out row.",
            ),
            fact(
                "parity.flips",
                result.parity.flips,
                n=rows,
                unit="count",
                definition="Hold-out rows on which the trained model and the ONNX file decide differently.",
            ),
        ]
    else:
        why = "your own code handed over ONNX, so there is no other model to compare it with"
        gaps = [("parity.largest", why), ("parity.flips", why)]
    accepted = fact(
        "admission.accepted",
        admitted.model == result.model_digest,
        n=1,
        definition="The structural gate for model files and a trial run in a child process accepted the file.",
    )
    return {
        "result": "WARNED" if gaps else "PASSED",
        "configuration": [{"name": "data", "digest": {"sha256": hex_of(data)}}],
        "passedTests": [finding["check"] for finding in (*findings, accepted)],
        "warnedTests": [check for check, _ in gaps],
        "failedTests": [],
        "sealwright": measured(
            "conversion",
            model=result.model_digest,
            data=data,
            performed_at=at,
            findings=[*findings, accepted],
            not_performed=gaps,
        ),
    }
