"""What a training leaves as evidence: where the model came from, what confined it, and that its file says the same.

Answers: which facts about a training can a policy ask for?
Does not answer: are they good enough? The gate does.
"""

from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Any

from sealwright.evidence import fact, measured
from sealwright.kernel import hex_of
from sealwright.pipeline.desk import Desk
from sealwright.pipeline.runs import Run
from sealwright.registry import AdmissionReport
from sealwright.training import TrainingResult, provenance_predicate

__all__ = ["conversion_predicate", "provenance_of"]

_PROMISES = {
    "network": "The training process could reach no network.",
    "local_sockets": "The training process could open no socket on its machine.",
    "files": "The training process could read no file but the libraries and its own recipe.",
}


def provenance_of(
    desk: Desk, run: Run, result: TrainingResult, *, data: str, started: datetime, finished: datetime
) -> Mapping[str, Any]:
    """SLSA v1 provenance, with what held around the training as findings."""
    spec = desk.project.spec
    predicate = provenance_predicate(
        result,
        spec.training,
        project=desk.project.name,
        snapshot=data,
        lock=None,
        builder=f"urn:sealwright:builder:local:{desk.workspace.id}",
        version=version("sealwright"),
        run=run.id,
        started=started,
        finished=finished,
        split={"test_share": spec.data.test_share, "seed": spec.training.seed},
    )
    return predicate | {"sealwright": _confinement(result, data, finished)}


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


def conversion_predicate(result: TrainingResult, admitted: AdmissionReport, data: str, at: datetime) -> dict[str, Any]:
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
