"""The snapshots of a workspace: which there are, what became of each, and opening one on the record.

Answers: which snapshot is the newest of a project, what was it made from, who unwrapped its keys and what for?
Does not answer: is it as it was signed? Opening it checks that; this table is for finding it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from sealwright.data import Snapshot, SubjectKeys, open_snapshot
from sealwright.engines import Database, Row, Tx
from sealwright.kernel import InvalidInput, NotFound
from sealwright.pipeline.workspace import Workspace

__all__ = ["Known", "SnapshotIndex", "opened", "subject_keys_of"]

State = Literal["kept", "replaced", "disposed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the table knows of a snapshot."""

    digest: str
    project: str
    sequence: int
    rows: int
    quarantined: int
    created_at: str
    kind: str  # ingest, or as the manifest names the step that made it
    parent: str | None
    state: State  # replaced: persons were taken out, and `successor` is what is left
    successor: str | None


class SnapshotIndex:
    """The table of snapshots."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def next_sequence(self, project: str) -> int:
        """The number the next snapshot of a project gets."""
        with self._db.read() as tx:
            return _last(tx, project) + 1

    def remember(self, snapshot: Snapshot, project: str) -> None:
        """Note a snapshot; noting it twice notes it once."""
        derivation = snapshot.signed.derivation
        with self._db.write() as tx:
            tx.hold_writers("snapshots")
            if tx.run("SELECT digest FROM snapshots WHERE digest = :digest", digest=snapshot.digest):
                tx.run(
                    "UPDATE snapshots SET state = 'kept', successor = NULL WHERE digest = :digest",
                    digest=snapshot.digest,
                )
                return
            tx.run(
                "INSERT INTO snapshots"
                " (digest, project, sequence, rows, quarantined, created_at, kind, parent, state)"
                " VALUES (:digest, :project, :sequence, :rows, :quarantined, :created_at, :kind, :parent, 'kept')",
                digest=snapshot.digest,
                project=project,
                sequence=_last(tx, project) + 1,
                rows=snapshot.rows,
                quarantined=snapshot.quarantined,
                created_at=str(snapshot.manifest["created_at"]),
                kind=derivation.kind if derivation is not None else "ingest",
                parent=derivation.parents[0] if derivation is not None else None,
            )

    def find(self, digest: str) -> Known:
        """One snapshot.

        Raises
        ------
        NotFound
            The workspace never had it.
        """
        with self._db.read() as tx:
            rows = tx.run("SELECT * FROM snapshots WHERE digest = :digest", digest=digest)
        if not rows:
            raise NotFound(f"This workspace never had a snapshot {digest}.")
        return _known(rows[0])

    def of_project(self, project: str, *, kept: bool = True) -> list[Known]:
        """The snapshots of a project, oldest first; `kept`: only those whose files are there."""
        with self._db.read() as tx:
            rows = tx.run("SELECT * FROM snapshots WHERE project = :project ORDER BY sequence", project=project)
        return [one for one in map(_known, rows) if one.state == "kept" or not kept]

    def only_project(self) -> str:
        """The project whose data the workspace holds, where it is one.

        Raises
        ------
        InvalidInput
            There are several; they are named. Or there is none.
        """
        names = sorted({one.project for one in self.all()})
        if len(names) == 1:
            return names[0]
        if not names:
            raise InvalidInput("This workspace holds no data yet. First: sealwright ingest PROJECT")
        raise InvalidInput(f"The workspace holds the data of several projects. Say --project {', or '.join(names)}.")

    def all(self) -> list[Known]:
        """Every snapshot of the workspace, by project and age."""
        with self._db.read() as tx:
            return [_known(row) for row in tx.run("SELECT * FROM snapshots ORDER BY project, sequence")]

    def end(self, digest: str, state: State, successor: str | None = None) -> None:
        """Note that a snapshot's files are gone, and what took its place."""
        with self._db.write() as tx:
            tx.run(
                "UPDATE snapshots SET state = :state, successor = :successor WHERE digest = :digest",
                state=state,
                successor=successor,
                digest=digest,
            )


def subject_keys_of(workspace: Workspace, project: str) -> SubjectKeys:
    """The keys of the persons of one project."""
    return SubjectKeys(workspace.db, workspace.keyring, project)


def opened(
    workspace: Workspace,
    digest: str,
    project: str,
    *,
    by: str,
    purpose: str,
    classes: Collection[str] | None = None,
    leave_out: Collection[bytes] = (),
    words: str = "",
) -> Snapshot:
    """Open a snapshot to read it; every unwrapping of a key is a ledger entry before it happens.

    Parameters
    ----------
    by, purpose : str
        Who reads, and what for, in a few words: "training", "subject access".
    classes : collection of str, optional
        The classes of columns whose keys the reader's role may have; left out: all.
    leave_out : collection of bytes, optional
        Persons whose rows are not read (`withholding`).
    words : str, optional
        Why, as the reader wrote it; it is sealed.
    """

    def note(names: Sequence[str]) -> None:
        workspace.ledger.append(
            "data.key_unwrapped", digest, {"keys": sorted(names), "purpose": purpose}, actor=by, words=words
        )

    return open_snapshot(
        digest,
        snapshots=workspace.folder("snapshots"),
        trust_root=workspace.trust_root,
        keyring=workspace.keyring,
        subject_keys=subject_keys_of(workspace, project),
        classes=classes,
        leave_out=leave_out,
        on_unwrap=lambda names: note(list(names)),
    )


def _last(tx: Tx, project: str) -> int:
    rows = tx.run("SELECT COALESCE(MAX(sequence), 0) AS last FROM snapshots WHERE project = :project", project=project)
    return int(rows[0]["last"])


def _known(row: Row) -> Known:
    return Known(
        digest=row["digest"],
        project=row["project"],
        sequence=row["sequence"],
        rows=row["rows"],
        quarantined=row["quarantined"],
        created_at=row["created_at"],
        kind=row["kind"],
        parent=row["parent"],
        state=row["state"],
        successor=row["successor"],
    )
