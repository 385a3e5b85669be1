"""The data card of a snapshot, from the statements about it."""

from typing import Any

from sealwright.charter import CHARTER_TYPE
from sealwright.data import check_snapshot, croissant_card
from sealwright.evidence import verify_any
from sealwright.kernel import NotFound
from sealwright.pipeline.by_name import project_named
from sealwright.pipeline.data_basis import basis_of_snapshot
from sealwright.pipeline.desk import evidence_of
from sealwright.pipeline.permission import allow
from sealwright.pipeline.snapshots import Known, SnapshotIndex
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Principal

__all__ = ["data_card", "snapshot_named"]


def data_card(workspace: Workspace, project: str, snapshot: str | None = None, *, by: Principal) -> dict[str, Any]:
    """A Croissant card with responsible-AI fields; needs no key, since it says nothing about a row.

    Raises
    ------
    PermissionDenied
        They may not see the project.
    NotFound
        The project has no such snapshot.
    VerificationFailed
        The snapshot or a statement about it was changed.
    """
    allow(workspace, by, "project.view", project_named(project))
    known = snapshot_named(workspace, project, snapshot)
    checked = check_snapshot(known.digest, snapshots=workspace.folder("snapshots"), trust_root=workspace.trust_root)
    basis = basis_of_snapshot(workspace, project, known.digest)
    stated = basis.spec.plain() if basis is not None and basis.spec is not None else None
    return croissant_card(
        checked.manifest,
        snapshot=known.digest,
        project=project,
        version=f"1.0.{known.sequence}",
        basis=stated,
        purpose=_purpose(workspace, project),
    )


def snapshot_named(workspace: Workspace, project: str, start: str | None) -> Known:
    """The newest kept snapshot of a project, or the one whose digest begins so.

    Raises
    ------
    NotFound
        There is none, or more than one.
    """
    kept = SnapshotIndex(workspace.db).of_project(project)
    if start is None and kept:
        return kept[-1]
    wanted = (start or "").removeprefix("sha256:")
    found = [one for one in kept if wanted and one.digest.removeprefix("sha256:").startswith(wanted)]
    if len(found) != 1:
        raise NotFound(
            f"{project} has {len(kept)} snapshots, and {len(found)} of them match. List them with: sealwright data lineage {project}"
        )
    return found[0]


def _purpose(workspace: Workspace, project: str) -> str:
    latest = evidence_of(workspace, look=True).statements.latest(project, CHARTER_TYPE)
    if latest is None:
        return ""
    return str(verify_any(latest.envelope, workspace.trust_root).predicate["charter"]["purpose"])
