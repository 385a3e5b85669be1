"""The retention job: what is past its limit is found, shown, and on request disposed of with proof.

Answers: what may no longer be here, what is kept by a hold, and what is left of what went?
Does not answer: what the limit should be. `data.basis.retention` says it, in statements filed at ingest.

Of several limits the earliest holds: that of the statement about the snapshot, and that of the project's latest
statement about the same dataset, so that a period that was shortened since reaches older snapshots, too, and one that
was lengthened does not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sealwright.data import Disposal, dispose_snapshot
from sealwright.data.basis import DATA_BASIS_TYPE, FiledBasis, read_basis
from sealwright.data.retention import (
    Hold,
    Holds,
    Judged,
    Stored,
    judge,
    limit_of,
    past_limit,
)
from sealwright.evidence import verify_any
from sealwright.kernel import NotFound, Progress, from_rfc3339, hex_of, silent, strict_json
from sealwright.pipeline.by_name import data_of_project, project_named
from sealwright.pipeline.data_basis import basis_of_line, line_of
from sealwright.pipeline.desk import evidence_of
from sealwright.pipeline.permission import allow
from sealwright.pipeline.snapshots import Known, SnapshotIndex
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import Principal

__all__ = [
    "Disposed",
    "Retained",
    "dispose_past_limit",
    "holds_for",
    "holds_of",
    "left_behind",
    "list_holds",
    "remove_left_behind",
    "retention_plan",
]

DISPOSED = "data.disposed"

Dispose = Callable[[str], Disposal]
"""Removes the snapshot of a digest, and the keys only it needed; raises NotFound where its files are gone already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """Everything that lies here, and what is to happen to it today."""

    today: date
    judged: tuple[Judged, ...]

    @property
    def due(self) -> tuple[Judged, ...]:
        """What is to be disposed of."""
        return tuple(one for one in self.judged if one.verdict == "dispose")

    @property
    def findings(self) -> tuple[Judged, ...]:
        """What control DG-08 finds: past its limit and not on hold, or without any limit."""
        return tuple(past_limit(self.judged))

    def to_json(self) -> dict[str, Any]:
        return {
            "today": self.today.isoformat(),
            "items": [
                {
                    "kind": one.item.kind,
                    "digest": one.item.digest,
                    "project": one.item.project,
                    "stored_on": one.item.stored_on.isoformat(),
                    "limit": one.item.limit.isoformat() if one.item.limit else None,
                    "verdict": one.verdict,
                    "days_left": one.days_left,
                    "held_by": list(one.held_by),
                    "note": one.item.note,
                    "models": list(one.item.models),
                }
                for one in self.judged
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposed:
    """One thing that is gone, with its proof in the ledger."""

    item: Stored
    receipt: Disposal | None  # None: its files were gone already, from a try that a crash ended
    ledger_index: int

    def to_json(self) -> dict[str, Any]:
        return {
            "digest": self.item.digest,
            "project": self.item.project,
            "proof": self.receipt.to_json() if self.receipt is not None else None,
            "models": list(self.item.models),
            "ledger_index": self.ledger_index,
        }


def holds_of(workspace: Workspace, *, look: bool = False) -> Holds:
    """The holds, for verbs that asked already; with `look`, nothing can be changed and nobody is held up."""
    ledger = workspace.ledger_to_read() if look else workspace.ledger
    return Holds(workspace.db, ledger, workspace.clock)


def list_holds(
    workspace: Workspace, *, by: Principal, project: str | None = None, everything: bool = False
) -> list[Hold]:
    """The holds that stand, oldest first.

    Parameters
    ----------
    project : str, optional
        Only those of this project; left out: of all.
    everything : bool
        Also those that have ended.

    Raises
    ------
    PermissionDenied
        They may not see what persons and courts asked for there, or not in all projects.
    """
    allow(workspace, by, "requests.view", data_of_project(project))
    holds = holds_of(workspace, look=True)
    found = holds.all() if everything else holds.standing()
    return [one for one in found if project in {None, one.project}]


def holds_for(workspace: Workspace, by: Principal, *, project: str | None = None, hold: str = "") -> Holds:
    """The holds, for somebody who may set and lift them.

    Parameters
    ----------
    project : str, optional
        Whose data is to be held; left out: that of the hold that is named.

    Raises
    ------
    PermissionDenied
        Not in a role that may.
    """
    holds = holds_of(workspace)
    known = next((one.project for one in holds.all() if one.id == hold), None)
    allow(workspace, by, "hold.set", data_of_project(project or known))
    return holds


def retention_plan(workspace: Workspace, *, by: Principal, project: str | None = None) -> Retained:
    """What is to happen today to every snapshot of the workspace, or of one project. Changes nothing.

    Raises
    ------
    PermissionDenied
        They may not see the project, or not all of them.
    VerificationFailed
        A statement about the basis of a snapshot was changed.
    """
    allow(workspace, by, "project.view", project_named(project))
    return _plan(workspace, project)


def _plan(workspace: Workspace, project: str | None) -> Retained:
    today = workspace.clock().date()
    items, holds = _snapshots(workspace, project), holds_of(workspace, look=True)
    return Retained(today=today, judged=tuple(judge(items, holds.standing(), today)))


def dispose_past_limit(
    workspace: Workspace,
    *,
    by: Principal,
    project: str | None = None,
    dispose: Dispose | None = None,
    progress: Progress = silent,
) -> list[Disposed]:
    """Dispose of what is past its limit and not on hold; returns what went. A crash is finished by the next run.

    What a crash left of snapshots that had ended goes, too, with an entry in the ledger.

    Parameters
    ----------
    dispose : callable, optional
        Removes a snapshot and the keys only it needed; left out: its files are removed.

    Raises
    ------
    OperationFailed
        The machine refused to remove something. What went before it is recorded.
    """
    allow(workspace, by, "data.dispose", data_of_project(project))
    remove = dispose or _disposing(workspace)
    remove_left_behind(workspace, project, by=by.counts_as, dispose=remove)
    due = _plan(workspace, project).due
    done: list[Disposed] = []
    for place, one in enumerate(due):
        progress(f"disposing of {one.item.digest[:19]}…", place / len(due))
        done.append(_dispose(workspace, one.item, remove, by.counts_as))
    return done


def left_behind(workspace: Workspace, project: str | None) -> list[Known]:
    """The snapshots that were replaced or disposed of, and whose files are there all the same: a process was killed."""
    folder = workspace.folder("snapshots")
    return [one for one in _ended(workspace, project) if (folder / hex_of(one.digest)).is_dir()]


def remove_left_behind(
    workspace: Workspace, project: str | None, *, by: str, subject: str = "", dispose: Dispose | None = None
) -> None:
    """Remove what a killed process left of snapshots that have ended, unless it is on hold; each is a ledger entry.

    Parameters
    ----------
    subject : str, optional
        Pseudonym of the person for whose sake; then a hold on another person keeps nothing, since their rows lie in
        what took its place. Left out: a hold on anybody does.
    """
    workspace.hold_ledger()
    remove, today, holds = dispose or _disposing(workspace), workspace.clock().date(), holds_of(workspace).standing()
    for one in _ended(workspace, project):
        if any(
            hold.covers_person(one.project, subject, today, [one.digest])
            if subject
            else hold.covers(one.project, one.digest, today)
            for hold in holds
        ):
            continue
        try:
            receipt = remove(one.digest)  # which also removes what is out of sight already
        except NotFound:
            continue
        detail = {"project": one.project, "why": "left behind", "proof": receipt.to_json()}
        workspace.ledger.append(DISPOSED, one.digest, detail, actor=by)


def _ended(workspace: Workspace, project: str | None) -> list[Known]:
    return [one for one in SnapshotIndex(workspace.db).all() if one.state != "kept" and project in {None, one.project}]


def _disposing(workspace: Workspace) -> Dispose:
    return lambda digest: dispose_snapshot(digest, snapshots=workspace.folder("snapshots"))


def _dispose(workspace: Workspace, item: Stored, remove: Dispose, by: str) -> Disposed:
    """Remove it, enter the proof, then note that it is gone: what a crash leaves in between, the next run finishes."""
    try:
        receipt = remove(item.digest)
    except NotFound:
        receipt = None
    detail = {
        "project": item.project,
        "why": "retention",
        "limit": item.limit.isoformat() if item.limit else None,
        "models": list(item.models),
        "proof": receipt.to_json() if receipt is not None else None,
    }
    entry = workspace.ledger.append(DISPOSED, item.digest, detail, actor=by)
    SnapshotIndex(workspace.db).end(item.digest, "disposed")
    return Disposed(item=item, receipt=receipt, ledger_index=entry.index)


def _snapshots(workspace: Workspace, project: str | None) -> list[Stored]:
    """Every snapshot whose files should be there."""
    latest, models = _latest_bases(workspace), _models(workspace)
    index = {one.digest: one for one in SnapshotIndex(workspace.db).all()}
    return [
        _stored(workspace, line_of(one, index), latest.get(one.project), models.get(one.digest, ()))
        for one in index.values()
        if one.state == "kept" and project in {None, one.project}
    ]


def _stored(workspace: Workspace, line: Sequence[Known], latest: FiledBasis | None, models: tuple[str, ...]) -> Stored:
    known = line[0]  # rows grow no younger by being cleaned
    stored_on = min(from_rfc3339(one.created_at) for one in line).date()
    own = basis_of_line(workspace, line)
    bases = [one for one in (own, latest) if one is not None and (own is None or _same_dataset(one, own))]
    found = [limit_of(one.groups, stored_on) for one in bases]
    limits = [limit for limit, _ in found if limit is not None]
    note = found[0][1] if found else "no basis on file; take the data in again with data.basis in the project file"
    return Stored(
        kind="snapshot",
        digest=known.digest,
        project=known.project,
        stored_on=stored_on,
        limit=min(limits) if limits else None,
        note="" if limits else note,
        models=models,
    )


def _same_dataset(one: FiledBasis, other: FiledBasis) -> bool:
    names = [basis.spec.dataset if basis.spec is not None else None for basis in (one, other)]
    return names[0] == names[1]


def _latest_bases(workspace: Workspace) -> dict[str, FiledBasis]:
    """The last basis statement of every project."""
    store = evidence_of(workspace, look=True).statements
    with workspace.db.read() as tx:
        rows = tx.run("SELECT DISTINCT project FROM statements WHERE predicate_type = :kind", kind=DATA_BASIS_TYPE)
    found: dict[str, FiledBasis] = {}
    for row in rows:
        latest = store.latest(str(row["project"]), DATA_BASIS_TYPE)
        if latest is not None:
            statement = verify_any(latest.envelope, workspace.trust_root)
            found[str(row["project"])] = read_basis(statement.predicate, statement.subject_digests)
    return found


def _models(workspace: Workspace) -> dict[str, tuple[str, ...]]:
    """Snapshot -> the registered versions made from it, from the runs that made them."""
    with workspace.db.read() as tx:
        rows = tx.run("SELECT project, detail FROM runs WHERE state = 'sealed' ORDER BY created_at")
    found: dict[str, list[str]] = {}
    for row in rows:
        done = strict_json(str(row["detail"]), what="run")["done"]
        if "ingest" in done and "seal" in done:
            found.setdefault(done["ingest"]["snapshot"], []).append(f"{row['project']} {done['seal']['version']}")
    return {snapshot: tuple(dict.fromkeys(names)) for snapshot, names in found.items()}
