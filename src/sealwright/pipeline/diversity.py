"""Who is in a project's data, and the rows that would be made up for those who are too few.

Answers: how do the groups of the newest snapshot stand against the reference; which rows would data.augment add, measured?
Does not answer: are they added. Taking data in does that, step by step, each step a snapshot of its own.

There is no verb that writes the weights of the reweighing proposal to a file. A weight says which group a row's person is
in: two columns of class special can be read off it where the row can be found again, and the file would lie outside every
snapshot, unencrypted and out of reach of an erasure. `sealwright.data.diversity.weights` gives them in memory.
"""

from dataclasses import dataclass
from typing import Any

from sealwright.data import Snapshot
from sealwright.data.diversity import DiversityReport, DiversitySpec, measure_diversity, read_reference
from sealwright.kernel import InvalidInput, Progress, silent
from sealwright.pipeline.data_basis import require_basis
from sealwright.pipeline.desk import Desk
from sealwright.pipeline.made_up import Augmentation, made_up
from sealwright.pipeline.permission import allow
from sealwright.pipeline.project import Project
from sealwright.pipeline.snapshots import SnapshotIndex
from sealwright.pipeline.take_in import snapshot_of
from sealwright.pipeline.version_facts import data_of
from sealwright.pipeline.withholding import withholding
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Principal

__all__ = ["DiversityView", "augmentation_of", "diversity_of", "diversity_spec"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiversityView:
    """The groups of a snapshot. `declared` is False where the project file says nothing and defaults were used."""

    snapshot: str
    declared: bool
    report: DiversityReport

    def to_json(self) -> dict[str, Any]:
        return {"snapshot": self.snapshot, "declared": self.declared, **self.report.to_json()}


def diversity_of(workspace: Workspace, project: Project, *, by: Principal) -> DiversityView:
    """Hold the groups of a project's newest snapshot against its reference.

    Raises
    ------
    NotFound
        Nothing was ingested yet.
    InvalidInput
        Nothing says which columns tell who people are, or the reference cannot be used.
    StoppedByPolicy
        Nothing says why this data may be held.
    """
    allow(workspace, by, "data.examine", data_of(project))
    desk = Desk(workspace, project)
    data = project.spec.data
    spec, left_out = diversity_spec(project)
    reference = read_reference(spec, project.folder)
    snapshot = _newest(desk, by=by.counts_as, purpose="diversity")
    table = snapshot.read([*spec.cut_points(), data.target])
    report = measure_diversity(table, spec, data, reference=reference, synthetic=snapshot.synthetic)
    if left_out:
        note = f"Not looked at: {', '.join(left_out)}. Give cut points in data.diversity, such as {{{left_out[0]}: [26, 40]}}."
        report = report.with_note(note)
    return DiversityView(snapshot=snapshot.digest, declared=data.diversity is not None, report=report)


def diversity_spec(project: Project) -> tuple[DiversitySpec, tuple[str, ...]]:
    """The spec of a project, and the columns it leaves out.

    Where the project file has none: the groups that assurance compares, and the sensitive columns, with no reference.

    Raises
    ------
    InvalidInput
        There are none of these either.
    """
    data = project.spec.data
    if data.diversity is not None:
        return data.diversity, ()
    cuts = {**dict.fromkeys(data.sensitive), **(project.spec.assurance.cut_points() or {})}
    kept = {name: cut for name, cut in cuts.items() if name in data.kept}
    usable = {
        name: cut for name, cut in kept.items() if cut is not None or data.columns[name].type in {"category", "boolean"}
    }
    if not usable:
        raise InvalidInput(
            "Nothing says which columns tell who people are.\nName them in data.diversity.attributes, e.g."
            " attributes: [sex, {age: [26, 40, 60]}]; or give columns role: sensitive."
        )
    attributes = [name if cut is None else {name: list(cut)} for name, cut in list(usable.items())[:12]]
    return DiversitySpec.model_validate({"attributes": attributes}), tuple(name for name in kept if name not in usable)


def augmentation_of(
    workspace: Workspace, project: Project, *, by: Principal, progress: Progress = silent
) -> Augmentation:
    """Make up the rows that data.augment asks for, measure them, and keep none.

    Raises
    ------
    NotFound
        Nothing was ingested yet.
    InvalidInput
        The project has no data.augment, or it asks for what cannot be learned.
    StoppedByPolicy
        Nothing says why this data may be held.
    """
    allow(workspace, by, "data.examine", data_of(project))
    desk = Desk(workspace, project)
    if project.spec.data.augment is None:
        raise InvalidInput(
            "The project file says nothing about made-up rows.\nAdd data.augment, e.g. augment: {method: synthesiser,"
            " groups: [{where: {sex: female}, rows: 100}]}."
        )
    progress("opening the snapshot", 0.0)
    snapshot = _newest(desk, by=by.counts_as, purpose="augmentation")
    return made_up(desk, snapshot, progress=progress)


def _newest(desk: Desk, *, by: str, purpose: str) -> Snapshot:
    """The newest snapshot, without the rows of persons who stay out by now."""
    out = withholding(desk, require_basis(desk, by=by))
    known = SnapshotIndex(desk.workspace.db).of_project(desk.project.name)
    digest = known[-1].digest if known else desk.last().product("ingest")["snapshot"]
    return snapshot_of(desk, digest, by=by, purpose=purpose, leave_out=out.since())
