"""Train: in a confined child, to ONNX, with parity measured here and the model file let in by the gate for files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sealwright.data import feature_interface, split
from sealwright.evidence import TEST_RESULT_TYPE
from sealwright.kernel import Progress, canonical_json, silent, strict_json
from sealwright.pipeline.answers import learned_for_answers, refuse_unclear_answers
from sealwright.pipeline.data_basis import require_basis
from sealwright.pipeline.desk import Desk, digest_of_json
from sealwright.pipeline.explainer import counted_for_reasons, refuse_unclear_reasons
from sealwright.pipeline.governance_facts import governance_predicate
from sealwright.pipeline.learned_columns import columns_learned_from
from sealwright.pipeline.permission import allow
from sealwright.pipeline.prepared import refuse_stale_data
from sealwright.pipeline.private_training import (
    entered,
    most_rows_of_one,
    reserve,
    rows_learned_from,
)
from sealwright.pipeline.project import Project
from sealwright.pipeline.runs import Run
from sealwright.pipeline.take_in import snapshot_of
from sealwright.pipeline.training_facts import conversion_predicate, provenance_of
from sealwright.pipeline.version_facts import project_facts
from sealwright.pipeline.withholding import Withholding, withholding
from sealwright.pipeline.workspace import Workspace
from sealwright.registry import AdmissionReport, admit_onnx
from sealwright.training import (
    PROVENANCE,
    TrainingResult,
    digest_of_code,
    files_of_recipe,
    our_code,
)
from sealwright.training import train as train_confined

if TYPE_CHECKING:
    import pyarrow as pa
from sealwright.trust import Principal

__all__ = ["Trained", "dealt_from", "train"]


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


def train(workspace: Workspace, project: Project, *, by: Principal, progress: Progress = silent) -> Trained:
    """Train the project's recipe on its snapshot, and file provenance, conversion and what is counted about the data.

    Raises
    ------
    NotFound
        Nothing was ingested yet.
    InvalidInput
        The data cannot be learned from, your own code failed, or the declared reasons are unclear.
    OperationFailed
        A limit on time or memory was reached.
    StoppedByPolicy
        The data was not collected for what the model is for.
    PrivacyBudgetMissing, PrivacyBudgetSpent, PrivacyBudgetChanged
        `training.privacy` is asked for, and the privacy budget of the dataset does not allow it. Nothing was trained.
    ModelRefused
        What came out is not a model file that may be let in.
    """
    allow(workspace, by, "model.train", project_facts(project))
    desk = Desk(workspace, project)
    run, spec = desk.last(), project.spec
    taken = run.product("ingest")
    refuse_unclear_reasons(desk)
    refuse_unclear_answers(desk)
    cleared = require_basis(desk, by=by.counts_as)
    out = withholding(desk, cleared)
    of = _made_from(project, taken["snapshot"], out)
    kept = run.current("train", of)
    if kept is not None:
        return _trained(desk, run, again=True)
    progress("opening the snapshot", 0.0)
    snapshot = snapshot_of(desk, taken["snapshot"], by=by.counts_as, purpose="training", leave_out=out.since())
    refuse_stale_data(desk, snapshot)
    reserved = reserve(desk, snapshot, {run.id: spec.training}, by=by.counts_as)
    table = snapshot.read()
    started = workspace.clock()
    result, interface, rows, apart = _learned(desk, table, snapshot.synthetic, progress)
    result = entered(result, reserved.get(run.id))
    progress("letting the model file in", 0.97)
    admitted = admit_onnx(result.model, interface)
    counted, why = counted_for_reasons(desk, result.model, interface, rows)
    answers, no_answers = learned_for_answers(desk, result.model, interface, rows, apart)
    finished = workspace.clock()
    said = {
        "provenance": (
            PROVENANCE,
            provenance_of(desk, run, result, data=snapshot.digest, started=started, finished=finished),
        ),
        "conversion": (TEST_RESULT_TYPE, conversion_predicate(result, admitted, snapshot.digest, finished)),
        "governance": (
            TEST_RESULT_TYPE,
            governance_predicate(
                desk, snapshot, table, model=result.model_digest, cleared=cleared, out=out, at=finished
            ),
        ),
    }
    about = [("model.onnx", result.model_digest)]
    product = {
        "of": of,
        "dealt": dealt_from(project, taken["snapshot"], out),
        "model": desk.runs.keep(result.model),
        "interface": desk.runs.keep(canonical_json(interface)),
        "environment": desk.runs.keep(canonical_json(result.environment)),
        "record": desk.runs.keep(
            canonical_json({**_record(result, admitted), "no_reasons": why, "no_answers": no_answers})
        ),
        "task": interface["task"],
        **({"explainer": desk.runs.keep(counted)} if counted is not None else {}),
        **({"answers": desk.runs.keep(answers)} if answers is not None else {}),
        "statements": {
            name: desk.state(about, kind, predicate, by=by.counts_as) for name, (kind, predicate) in said.items()
        },
    }
    return _trained(desk, desk.runs.finish(run, "train", product, by=by.counts_as), again=False)


def _learned(
    desk: Desk, table: "pa.Table", synthetic: int, progress: Progress
) -> tuple[TrainingResult, Mapping[str, Any], "pa.Table", "pa.Table"]:
    """What the recipe learned, the interface of the model, the rows it learned from, and those kept apart."""
    project, spec = desk.project, desk.project.spec
    rows, holdout = split(table, spec.data, spec.training.seed, synthetic=synthetic)
    rows = rows_learned_from(desk.workspace, project, spec.training, rows)
    interface = feature_interface(spec.data, rows, project=project.name)
    result = train_confined(
        rows.select(columns_learned_from(spec.data, spec.training)),
        holdout.select(list(interface["order"])),
        interface,
        spec.training,
        project_dir=project.folder,
        progress=progress,
        hidden=(desk.workspace.home.resolve(),),
    )
    return result, interface, rows, holdout


def dealt_from(project: Project, snapshot: str, out: Withholding) -> str:
    """Digest of everything by which rows are dealt to training and hold-out: another one is another hold-out."""
    spec, most = project.spec, most_rows_of_one(project, project.spec.training)
    return digest_of_json(
        {
            "snapshot": snapshot,
            "target": [spec.data.task, spec.data.target],
            "left out": out.digest if spec.data.subject is not None else None,
            "split": [spec.data.test_share, spec.training.seed],
            "rows of a person": most,
        }
    )


def _made_from(project: Project, snapshot: str, out: Withholding) -> str:
    """Digest of everything a model follows from: rows, their meaning, settings, and the code that trains."""
    spec = project.spec
    most = most_rows_of_one(project, spec.training)
    return digest_of_json(
        {
            **({"rows of a person": most} if most is not None else {}),
            "snapshot": snapshot,
            "interface": feature_interface(spec.data, project=project.name),
            "training": spec.training.model_dump(mode="json"),
            "left out": out.digest if spec.data.subject is not None else None,
            "split": [spec.data.test_share, spec.training.seed],
            "code": [our_code(), digest_of_code(files_of_recipe(spec.training, project.folder))],
        }
    )


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
        "privacy": dict(result.privacy) if result.privacy is not None else None,
        "parity": result.parity.to_json() if result.parity else None,
        "confinement": dict(result.confinement),
        "admission": admitted.to_json(),
        "rows": result.rows,
        "seconds": round(result.seconds, 3),
    }
