"""First two steps: freeze what was promised, take the data in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sealwright.data import Snapshot, open_snapshot, open_source
from sealwright.data import ingest as ingest_source
from sealwright.kernel import Progress, rfc3339, silent
from sealwright.pipeline.desk import Desk, digest_of_json
from sealwright.pipeline.project import Project
from sealwright.pipeline.runs import Run
from sealwright.pipeline.workspace import Workspace

__all__ = ["Ingested", "ingest", "promise", "snapshot_of"]


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
    settings = {
        name: digest_of_json(getattr(spec, name).model_dump(mode="json")) for name in ("data", "training", "assurance")
    }
    filed = desk.evidence.freeze(
        spec.charter,
        desk.policy,
        project=desk.project.name,
        groups=desk.groups,
        settings=settings,
        signer=desk.workspace.keyring.signer("statements"),
        actor=by,
    )
    if run.current("charter", filed.digest):
        return run
    return desk.runs.finish(run, "charter", {"of": filed.digest, "statement": filed.digest}, by=by)


def ingest(
    workspace: Workspace, project: Project, *, by: str, fresh: bool = False, progress: Progress = silent
) -> Ingested:
    """Freeze the charter and take the data into a snapshot.

    Raises
    ------
    InvalidInput
        The source cannot be read or its columns are not those of the contract.
    StoppedByPolicy
        More rows break the contract than it allows.
    """
    desk = Desk(workspace, project)
    run = promise(desk, desk.begin(by, fresh=fresh), by)
    spec = project.spec.data
    source = open_source(spec.source, project.folder)
    of = digest_of_json({"data": spec.model_dump(mode="json"), "source": source.digest or rfc3339(workspace.clock())})
    kept = run.current("ingest", of)
    if kept is not None:
        return Ingested(run=run, snapshot=snapshot_of(desk, kept["snapshot"]), again=True)
    known = {path.name for path in workspace.folder("snapshots").iterdir()}
    snapshot = ingest_source(
        source,
        spec,
        snapshots=workspace.folder("snapshots"),
        keyring=workspace.keyring,
        clock=workspace.clock,
        progress=progress,
        sequence=_next_sequence(desk),
    )
    filed = desk.evidence.file_statement(snapshot.statement, project=project.name, actor=by)
    _remember(desk, snapshot)
    product = {"of": of, "snapshot": snapshot.digest, "statement": filed.digest}
    run = desk.runs.finish(run, "ingest", product, by=by)
    return Ingested(run=run, snapshot=snapshot, again=snapshot.folder.name in known)


def snapshot_of(desk: Desk, digest: str) -> Snapshot:
    """A snapshot, opened with keys after every byte of it was checked."""
    workspace = desk.workspace
    return open_snapshot(
        digest, snapshots=workspace.folder("snapshots"), trust_root=workspace.trust_root, keyring=workspace.keyring
    )


def _next_sequence(desk: Desk) -> int:
    with desk.workspace.db.read() as tx:
        rows = tx.run(
            "SELECT COALESCE(MAX(sequence), 0) AS last FROM snapshots WHERE project = :project",
            project=desk.project.name,
        )
    return int(rows[0]["last"]) + 1


def _remember(desk: Desk, snapshot: Snapshot) -> None:
    """Note the snapshot in the index. The signed manifest is what counts; this is for finding it."""
    with desk.workspace.db.write() as tx:
        tx.hold_writers("snapshots")
        if tx.run("SELECT digest FROM snapshots WHERE digest = :digest", digest=snapshot.digest):
            return
        last = tx.run(
            "SELECT COALESCE(MAX(sequence), 0) AS last FROM snapshots WHERE project = :project",
            project=desk.project.name,
        )
        tx.run(
            "INSERT INTO snapshots (digest, project, sequence, rows, quarantined, created_at)"
            " VALUES (:digest, :project, :sequence, :rows, :quarantined, :created_at)",
            digest=snapshot.digest,
            project=desk.project.name,
            sequence=int(last[0]["last"]) + 1,
            rows=snapshot.rows,
            quarantined=snapshot.quarantined,
            created_at=str(snapshot.manifest["created_at"]),
        )
