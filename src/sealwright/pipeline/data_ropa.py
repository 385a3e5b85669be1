"""The record of processing activities of a workspace, put together from the statements its projects filed.

Answers: which datasets are processed here, on what was stated, and which systems were made from them?
Does not answer: what nobody stated. That stands in it as missing.
"""

from sealwright.data.basis import DATA_BASIS_TYPE, RopaRecord, read_basis, ropa_record, unstated_record
from sealwright.evidence import Filed, verify_any
from sealwright.kernel import rfc3339
from sealwright.pipeline.by_name import project_named
from sealwright.pipeline.desk import evidence_of
from sealwright.pipeline.permission import allow
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Principal

__all__ = ["record_of_processing"]


def record_of_processing(workspace: Workspace, *, by: Principal, project: str | None = None) -> list[RopaRecord]:
    """One record per project and dataset, from the newest statement about each, verified again.

    Projects that hold snapshots and never stated a basis are in it, with everything missing.

    Parameters
    ----------
    project : str, optional
        Only its records; left out: those of all projects.

    Raises
    ------
    PermissionDenied
        They may not see the project, or not all of them.
    VerificationFailed
        A statement on file was changed.
    """
    allow(workspace, by, "project.view", project_named(project))
    with workspace.db.read() as tx:
        rows = tx.run(
            "SELECT project FROM snapshots UNION SELECT project FROM statements WHERE predicate_type = :kind"
            " ORDER BY project",
            kind=DATA_BASIS_TYPE,
        )
    records: list[RopaRecord] = []
    for name in (str(row["project"]) for row in rows if project in {None, row["project"]}):
        systems = _systems(workspace, name)
        newest = _newest_by_dataset(workspace, name)
        records += [_record(workspace, filed, systems) for filed in newest]
        if not newest:
            records.append(unstated_record(name, systems=systems))
    return records


def _newest_by_dataset(workspace: Workspace, project: str) -> list[Filed]:
    """The newest statement about each dataset of a project, in the order in which the datasets first came."""
    found: dict[str | None, Filed] = {}
    for filed in evidence_of(workspace, look=True).statements.of_project(project, DATA_BASIS_TYPE):
        said = read_basis(verify_any(filed.envelope, workspace.trust_root).predicate)
        found[said.spec.dataset if said.spec is not None else None] = filed
    if len(found) > 1:
        found.pop(None, None)  # what was stated later stands in place of what was not stated before
    return list(found.values())


def _record(workspace: Workspace, filed: Filed, systems: list[str]) -> RopaRecord:
    statement = verify_any(filed.envelope, workspace.trust_root)
    said = read_basis(statement.predicate, statement.subject_digests)
    return ropa_record(said, statement=statement.digest, stated_at=rfc3339(said.stated_at), systems=systems)


def _systems(workspace: Workspace, project: str) -> list[str]:
    """The registered versions of a project, and which were revoked (control DG-03: they are those of the registry)."""
    registry = workspace.registry_to_read
    revoked = set(registry.revocations().packages)
    return [
        f"{project} version {one.number}{', revoked' if one.package in revoked else ''} ({one.package[:19]}…)"
        for one in registry.versions(project)
    ]
