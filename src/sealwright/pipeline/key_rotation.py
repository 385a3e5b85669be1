"""New keys for the data of a workspace, with no row rewritten, and the old ones destroyed.

Answers: how do the keys of columns, and those that wrap the keys of persons, stop being what may have leaked?
Does not answer: what somebody copied while they had them. What was read with an old key stays read.

Three steps, each of which may be cut off and gone on with: a new version, everything wrapped anew, the old one destroyed.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealwright.data import SubjectKeys, rewrap_file_keys
from sealwright.kernel import Progress, silent
from sealwright.pipeline.permission import allow
from sealwright.pipeline.snapshots import SnapshotIndex
from sealwright.pipeline.workspace import Workspace, open_workspace
from sealwright.trust import KeyResource, Principal, Unlock, retire_branch, rotate_branch

__all__ = ["ROTATED", "Rotated", "rotate_data_keys"]

ROTATED = ("data", "subjects")
_KEYS = "keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """What was wrapped anew."""

    snapshots: int
    persons: int
    versions: dict[str, int]  # branch -> version in use now

    def to_json(self) -> dict[str, Any]:
        return {"snapshots": self.snapshots, "persons": self.persons, "versions": self.versions}


def rotate_data_keys(home: Path, unlock: Unlock, *, by: Principal, progress: Progress = silent) -> Rotated:
    """Rotate the branches that seal data. Nobody else may have the workspace open to write.

    Raises
    ------
    LedgerInUse
        Another program is at work in the workspace.
    NotFound, WrongUnlock, VerificationFailed
        As `open_workspace`.
    """
    with open_workspace(home, unlock) as workspace:
        workspace.hold_ledger()
        allow(workspace, by, "data.rotate", KeyResource(name="data"))
        before = {branch: workspace.keyring.versions(branch) for branch in ROTATED}
    for branch, versions in before.items():
        if len(versions) == 1:  # else a rotation was cut off, and goes on
            rotate_branch(home / _KEYS, unlock, branch)
    with open_workspace(home, unlock) as workspace:
        workspace.hold_ledger()
        done = _wrap_anew(workspace, by.counts_as, progress)
    for branch in ROTATED:
        for version in range(1, done.versions[branch]):
            if (home / _KEYS / f"{branch}.v{version}.json").exists():
                retire_branch(home / _KEYS, branch, version)
    return done


def _wrap_anew(workspace: Workspace, by: str, progress: Progress) -> Rotated:
    kept = [one for one in SnapshotIndex(workspace.db).all() if one.state == "kept"]
    snapshots = 0
    for place, one in enumerate(kept):
        progress("wrapping the keys of snapshots", 0.5 * place / len(kept))
        folder = workspace.folder("snapshots") / one.digest.removeprefix("sha256:")
        snapshots += rewrap_file_keys(folder, snapshot=one.digest, keyring=workspace.keyring)
    persons = 0
    projects = _projects(workspace)
    for place, project in enumerate(projects):
        progress("wrapping the keys of persons", 0.5 + 0.5 * place / len(projects))
        persons += SubjectKeys(workspace.db, workspace.keyring, project).rewrap()
    workspace.db.scrub("subject_keys")
    versions = {branch: workspace.keyring.versions(branch)[-1] for branch in ROTATED}
    done = Rotated(snapshots=snapshots, persons=persons, versions=versions)
    workspace.ledger.append("data.keys_rotated", workspace.id, done.to_json(), actor=by)
    return done


def _projects(workspace: Workspace) -> list[str]:
    """Every project that keeps keys of persons."""
    with workspace.db.read() as tx:
        return [str(row["project"]) for row in tx.run("SELECT DISTINCT project FROM subject_keys ORDER BY project")]
