"""A snapshot gives way to another one: the new one is filed, the old one disposed of, and runs go on from the new one.

Answers: how does a snapshot change for the sake of a person, with nothing of the old one left?
Does not answer: what changes. The caller makes the new one.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sealwright.data import SNAPSHOT_TYPE, Snapshot, SourceUnreadable, Step, derive, dispose_snapshot
from sealwright.pipeline.desk import evidence_of
from sealwright.pipeline.runs import RunStore
from sealwright.pipeline.snapshots import SnapshotIndex, opened, subject_keys_of
from sealwright.pipeline.workspace import Workspace

__all__ = ["made_by", "point_runs", "replace_snapshot"]


def made_by(workspace: Workspace, project: str, parent: Snapshot, step: Step) -> Snapshot:
    """The snapshot that follows by a step, with the workspace's keys and the project's next number; not yet on file."""
    return derive(
        parent,
        step,
        snapshots=workspace.folder("snapshots"),
        keyring=workspace.keyring,
        subject_keys=subject_keys_of(workspace, project),
        clock=workspace.clock,
        sequence=SnapshotIndex(workspace.db).next_sequence(project),
    )


def replace_snapshot(
    workspace: Workspace,
    project: str,
    before: str,
    step_of: Callable[[Snapshot], Step],
    *,
    action: str,
    purpose: str,
    by: str,
) -> str | None:
    """Put what a step leaves of a snapshot in its place; returns its digest, None where no row is left.

    Parameters
    ----------
    action : str
        Of the ledger entry that says so, e.g. "data.redacted".
    purpose : str
        Noted with every key that is unwrapped.
    """
    snapshot = opened(workspace, before, project, by=by, purpose=purpose)
    step, index = step_of(snapshot), SnapshotIndex(workspace.db)
    try:
        after = made_by(workspace, project, snapshot, step)
    except SourceUnreadable:
        after = None
    if after is not None:
        index.remember(after, project)
        evidence_of(workspace).file_statement(after.statement, project=project, actor=by)
    index.end(before, "replaced", after.digest if after is not None else None)
    gone = dispose_snapshot(before, snapshots=workspace.folder("snapshots"))
    detail: dict[str, Any] = {"project": project, "why": step.why, "proof": gone.to_json()}
    workspace.ledger.append(action, before, detail | {"successor": after.digest if after else ""}, actor=by)
    return after.digest if after is not None else None


def point_runs(workspace: Workspace, project: str, moved: Mapping[str, str], *, by: str) -> None:
    """The newest run goes on from what is left, so that training is done again on it and never on what was."""
    workspace.hold_ledger()
    runs = RunStore(workspace.db, workspace.folder("runs"), workspace.clock)
    run = runs.latest(project)
    if run is None or not run.has("ingest"):
        return
    product = {key: value for key, value in run.product("ingest").items() if key != "by"}
    changed = {key: moved.get(value, value) if isinstance(value, str) else value for key, value in product.items()}
    if changed != product:
        statements = evidence_of(workspace).statements.about(changed["snapshot"], SNAPSHOT_TYPE)
        runs.finish(run, "ingest", {**changed, "statement": statements[-1].digest}, by=by)
