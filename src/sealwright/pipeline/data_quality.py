"""Examine what a project made its models from, or would: its newest snapshot.

Answers: how good is the data of this project, as it lies in the workspace?
Does not answer: what a file outside holds. `data.quality` examines tables anywhere.
"""

from dataclasses import dataclass

from sealwright.data.quality import QualityReport, examine
from sealwright.kernel import NotFound, Progress, silent
from sealwright.pipeline.permission import allow
from sealwright.pipeline.project import Project
from sealwright.pipeline.snapshots import SnapshotIndex, opened
from sealwright.pipeline.version_facts import data_of
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Principal

__all__ = ["ExaminedSnapshot", "examine_newest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedSnapshot:
    """A snapshot and what was found in it."""

    digest: str
    report: QualityReport


def examine_newest(
    workspace: Workspace, project: Project, *, by: Principal, seed: int = 0, progress: Progress = silent
) -> ExaminedSnapshot:
    """Profile and check the newest snapshot of a project; the unwrapping of its keys is noted in the ledger.

    Raises
    ------
    NotFound
        Nothing was ingested yet.
    """
    allow(workspace, by, "data.examine", data_of(project))
    kept = SnapshotIndex(workspace.db).of_project(project.name)
    if not kept:
        raise NotFound(
            f"Nothing was ingested yet for {project.name}.\n"
            f"Ingest with: sealwright ingest {project.folder}; or name a file instead of the project."
        )
    snapshot = opened(workspace, kept[-1].digest, project.name, by=by.counts_as, purpose="quality examination")
    report = examine(snapshot.parts(), project.spec.data, seed=seed, progress=progress)
    return ExaminedSnapshot(digest=snapshot.digest, report=report)
