"""From a snapshot to its page: collects verified statements and hands them to the page."""

from pathlib import Path
from typing import Any

from sealwright.charter import CHARTER_TYPE
from sealwright.evidence import verify_any
from sealwright.kernel import Progress, private_folder, silent, write_atomically
from sealwright.oversight import DataPageFacts, render_data_page
from sealwright.pipeline import Desk, Project, Workspace
from sealwright.pipeline.data_basis import basis_of_line, line_of
from sealwright.pipeline.data_examined import examine_data
from sealwright.pipeline.lineage import lineage_of
from sealwright.pipeline.snapshots import SnapshotIndex
from sealwright.trust import Principal

__all__ = ["write_data_page"]


def write_data_page(
    workspace: Workspace,
    project: Project,
    *,
    by: Principal,
    snapshot: str | None = None,
    to: Path | None = None,
    fresh: bool = False,
    progress: Progress = silent,
) -> tuple[Path, dict[str, Any]]:
    """Examine a snapshot if that was not done yet, and write its page; returns its path and the counts of findings.

    Raises
    ------
    NotFound
        Nothing was ingested yet.
    """
    examined = examine_data(workspace, project, by=by, snapshot=snapshot, fresh=fresh, progress=progress)
    progress("drawing the page", 0.95)
    known, desk = examined.known, Desk(workspace, project)
    manifest = _manifest(desk, known.digest)
    index = {one.digest: one for one in SnapshotIndex(workspace.db).of_project(project.name, kept=False)}
    filed = basis_of_line(workspace, line_of(known, index))
    facts = DataPageFacts(
        project=project.name,
        purpose=_purpose(desk),
        snapshot=known.digest,
        kind=known.kind,
        sequence=known.sequence,
        at=workspace.clock(),
        fingerprint=workspace.trust_root.fingerprint,
        manifest=manifest[1],
        examination=examined.said,
        basis=filed.spec.plain() if filed is not None and filed.spec is not None else None,
        lineage=lineage_of(workspace, project.name, by=by).around(known.digest).to_json(),
        statements={"snapshot": manifest[0], "examination": examined.statement},
    )
    path = to
    if path is None:
        path = private_folder(workspace.folder("reports")) / f"{project.name}-data-{known.sequence}.html"
    write_atomically(path, render_data_page(facts).encode(), mode=0o600 if to is None else 0o644)
    return path, dict(examined.said["quality"]["findings"])


def _manifest(desk: Desk, snapshot: str) -> tuple[str, dict[str, Any]]:
    """Digest and content of the snapshot's own statement."""
    from sealwright.data import SNAPSHOT_TYPE

    filed = desk.evidence.statements.about(snapshot, SNAPSHOT_TYPE)[-1]
    statement = verify_any(filed.envelope, desk.workspace.trust_root)
    return statement.digest, {"derivation": None, "withheld": {}, **statement.predicate}


def _purpose(desk: Desk) -> str:
    latest = desk.evidence.statements.latest(desk.project.name, CHARTER_TYPE)
    if latest is None:
        return ""
    return str(verify_any(latest.envelope, desk.workspace.trust_root).predicate["charter"]["purpose"])
