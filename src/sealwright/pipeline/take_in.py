"""First two steps: freeze what was promised, take the data in."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sealwright.charter import RiskClass
from sealwright.data import Snapshot, Source, open_source
from sealwright.data import ingest as ingest_source
from sealwright.data.personal import refuse_unclassified, scan
from sealwright.kernel import Progress, rfc3339, silent
from sealwright.pipeline.data_basis import require_basis
from sealwright.pipeline.desk import Desk, digest_of_json
from sealwright.pipeline.permission import allow
from sealwright.pipeline.prepared import put_on_file
from sealwright.pipeline.project import Project
from sealwright.pipeline.runs import Run
from sealwright.pipeline.snapshots import SnapshotIndex, opened, subject_keys_of
from sealwright.pipeline.version_facts import data_of
from sealwright.pipeline.withholding import withholding
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Principal

__all__ = ["Ingested", "ingest", "note_transport", "promise", "refuse_unnamed_personal", "snapshot_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """A snapshot on file. `again` is True where the same one was there already."""

    run: Run
    snapshot: Snapshot
    again: bool

    @property
    def reasons(self) -> Mapping[str, int]:
        """Why rows were set aside: reason -> cells."""
        return dict(self.snapshot.reasons)

    def to_json(self) -> dict[str, Any]:
        return {
            "run": self.run.id,
            "snapshot": self.snapshot.digest,
            "rows": self.snapshot.rows,
            "quarantined": self.snapshot.quarantined,
            "reasons": self.reasons,
            "again": self.again,
        }


def promise(desk: Desk, run: Run, by: str) -> Run:
    """Sign the charter with its thresholds, unless it stands already exactly so."""
    spec = desk.project.spec
    sections = {
        name: getattr(spec, name).model_dump(mode="json") for name in ("data", "training", "assurance", "serving")
    }
    filed = desk.evidence.freeze(
        spec.charter,
        desk.policy,
        project=desk.project.name,
        groups=desk.groups,
        settings={name: digest_of_json(section) for name, section in sections.items()},
        # Whole: what a model was measured under, which the gate compares, and how its decisions will be kept.
        sections={name: sections[name] for name in ("assurance", "serving")},
        signer=desk.workspace.keyring.signer("statements"),
        actor=by,
    )
    if run.current("charter", filed.digest):
        return run
    return desk.runs.finish(run, "charter", {"of": filed.digest, "statement": filed.digest}, by=by)


def ingest(
    workspace: Workspace, project: Project, *, by: Principal, fresh: bool = False, progress: Progress = silent
) -> Ingested:
    """Freeze the charter and take the data into a snapshot.

    Raises
    ------
    InvalidInput
        The source cannot be read or its columns are not those of the contract.
    StoppedByPolicy
        More rows break the contract than it allows, nothing says why this data may be held and used, or columns of
        a high-risk project look personal and their contract does not say so.
    """
    allow(workspace, by, "data.ingest", data_of(project))
    desk = Desk(workspace, project)
    run = promise(desk, desk.begin(by.counts_as, fresh=fresh), by.counts_as)
    spec = project.spec.data
    out = withholding(desk, require_basis(desk, by=by.counts_as))
    source = open_source(spec.source, project.folder)
    note_transport(desk, source, by=by.counts_as)
    of = digest_of_json(
        {
            "data": spec.model_dump(mode="json"),
            "source": source.digest or rfc3339(workspace.clock()),
            "left out": out.digest if spec.subject is not None else None,
        }
    )
    kept = run.current("ingest", of)
    if kept is not None:
        return Ingested(
            run=run, snapshot=snapshot_of(desk, kept["snapshot"], by=by.counts_as, purpose="ingest"), again=True
        )
    refuse_unnamed_personal(project, source, progress)
    index = SnapshotIndex(workspace.db)
    known = {path.name for path in workspace.folder("snapshots").iterdir()}
    snapshot = ingest_source(
        source,
        spec,
        snapshots=workspace.folder("snapshots"),
        keyring=workspace.keyring,
        subject_keys=subject_keys_of(workspace, project.name),
        withhold=out.reasons,
        clock=workspace.clock,
        progress=progress,
        sequence=index.next_sequence(project.name),
    )
    run, used = put_on_file(desk, run, snapshot, of=of, by=by.counts_as, progress=progress)
    return Ingested(run=run, snapshot=used, again=used.folder.name in known)


def note_transport(desk: Desk, source: Source, *, by: str) -> None:
    """Where rows travel unencrypted because the project file says they may, the ledger knows before one does."""
    way = source.transport
    if way.override_reason is not None:
        detail = {"source": source.name, "how": way.how, "encrypted": way.encrypted}
        desk.workspace.ledger.append(
            "data.transport_unencrypted", desk.project.name, detail, actor=by, words=way.override_reason
        )


def refuse_unnamed_personal(project: Project, source: Source, progress: Progress, *, names: bool = True) -> None:
    """A high-risk project takes no rows in while a column of them looks personal and its contract does not say so.

    `names`: whether a column's name alone is enough. It is not for rows that come later: with few of them nothing
    speaks against a name, and it was judged with the first.

    Raises
    ------
    PersonalDataUnclassified
        With the columns, how sure the scanner is, and what to write into the project file.
    """
    if project.spec.charter.risk_class is RiskClass.HIGH:
        progress("looking for personal data", 0.0)
        refuse_unclassified(scan(source, contract=project.spec.data), project.spec.data, RiskClass.HIGH, names=names)


def snapshot_of(desk: Desk, digest: str, *, by: str, purpose: str, leave_out: Collection[bytes] = ()) -> Snapshot:
    """A snapshot, opened after every byte of it was checked; each key that is unwrapped is noted in the ledger."""
    return opened(desk.workspace, digest, desk.project.name, by=by, purpose=purpose, leave_out=leave_out)
