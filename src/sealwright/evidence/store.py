"""Where statements are kept: their signed bytes in the database, their order in the ledger.

Answers: which statements are on file about a digest or for a project, and where in the ledger does each stand?
Does not answer: are they genuine? Whoever files them has verified them, and whoever reads them verifies again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sealwright.engines import Database, Row, Tx
from sealwright.kernel import NotFound, from_rfc3339, rfc3339
from sealwright.trust import Entry, Ledger, Statement

__all__ = ["FILED", "Filed", "StatementStore"]

FILED = "statement.filed"
_PENDING = -1
_ALL = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """One statement on file. `envelope` is the signed bytes as they came."""

    digest: str  # of the statement
    subject: str  # digest of its first subject
    predicate_type: str
    project: str
    envelope: bytes
    filed_at: datetime
    ledger_index: int


class StatementStore:
    """Statements in the database, each with its entry in the ledger. Filing one twice files it once.

    A statement is written down first and entered into the ledger second, so that a crash between the two
    loses nothing: the next filing finds what is pending and enters it, unless the ledger has it already.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    def file(
        self, statement: Statement, envelope: bytes, *, project: str, ledger: Ledger, now: datetime, actor: str = ""
    ) -> Filed:
        """Keep a verified statement and enter it into the ledger.

        Parameters
        ----------
        statement : Statement
            From `trust.verify_statement(envelope, …)`.
        project : str
            Whose it is; empty for what concerns the whole workspace.
        actor : str
            Who filed it, as the ledger shall name them.
        """
        with self._db.write() as tx:
            tx.hold_writers("statements")
            if not tx.run("SELECT digest FROM statements WHERE digest = :digest", digest=statement.digest):
                tx.run(
                    "INSERT INTO statements (digest, subject, predicate_type, project, envelope, filed_at, ledger_index)"
                    " VALUES (:digest, :subject, :predicate_type, :project, :envelope, :filed_at, :ledger_index)",
                    digest=statement.digest,
                    subject=statement.subject_digests[0],
                    predicate_type=statement.predicate_type,
                    project=project,
                    envelope=envelope.decode("utf-8"),
                    filed_at=rfc3339(now),
                    ledger_index=_PENDING,
                )
        self.settle(ledger, actor=actor)
        return self.get(statement.digest)

    def settle(self, ledger: Ledger, *, actor: str = "") -> None:
        """Enter into the ledger what was written down but not entered yet."""
        with self._db.write() as tx:
            tx.hold_writers("statements")
            pending = tx.run(
                "SELECT digest, subject, predicate_type, project FROM statements"
                " WHERE ledger_index < 0 ORDER BY filed_at, digest"
            )
            if pending:
                _enter(tx, ledger, pending, actor)

    def get(self, digest: str) -> Filed:
        """The statement with this digest.

        Raises
        ------
        NotFound
            It is not on file.
        """
        with self._db.read() as tx:
            rows = tx.run("SELECT * FROM statements WHERE digest = :digest", digest=digest)
        if not rows:
            raise NotFound(f"No statement {digest[:19]}… is on file in this workspace.")
        return _filed(rows[0])

    def about(self, subject: str, predicate_type: str | None = None) -> list[Filed]:
        """Statements whose first subject is this digest, in the order of the ledger."""
        with self._db.read() as tx:
            rows = tx.run(
                "SELECT * FROM statements WHERE subject = :subject AND ledger_index >= 0 ORDER BY ledger_index",
                subject=subject,
            )
        return [_filed(row) for row in rows if predicate_type in {None, row["predicate_type"]}]

    def of_project(self, project: str, predicate_type: str, *, newest: int | None = None) -> list[Filed]:
        """Statements of one kind filed for a project, in the order of the ledger; with `newest`, the last so many."""
        with self._db.read() as tx:
            rows = tx.run(
                "SELECT * FROM statements WHERE project = :project AND predicate_type = :predicate_type"
                " AND ledger_index >= 0 ORDER BY ledger_index DESC LIMIT :newest",
                project=project,
                predicate_type=predicate_type,
                newest=_ALL if newest is None else newest,
            )
        return [_filed(row) for row in reversed(rows)]

    def latest(self, project: str, predicate_type: str) -> Filed | None:
        """The statement of one kind that stands last in the ledger."""
        found = self.of_project(project, predicate_type, newest=1)
        return found[0] if found else None


def _enter(tx: Tx, ledger: Ledger, pending: Sequence[Row], actor: str) -> None:
    """Find each pending statement in the ledger or append it, and note its index."""
    wanted: Mapping[str, Row] = {row["digest"]: row for row in pending}
    last = tx.run("SELECT MAX(ledger_index) AS last FROM statements")[0]["last"]
    found: dict[str, int] = {}
    for entry in ledger.entries(start=max(0, int(last) + 1)):
        if entry.action == FILED and entry.subject in wanted:
            found.setdefault(entry.subject, entry.index)
    new = [row for digest, row in wanted.items() if digest not in found]
    entries = [
        Entry(
            action=FILED,
            subject=row["digest"],
            detail={"about": row["subject"], "project": row["project"], "type": row["predicate_type"]},
            actor=actor,
        )
        for row in new
    ]
    for row, appended in zip(new, ledger.append_many(entries), strict=True):
        found[row["digest"]] = appended.index
    for digest, index in found.items():
        tx.run("UPDATE statements SET ledger_index = :index WHERE digest = :digest", index=index, digest=digest)


def _filed(row: Row) -> Filed:
    return Filed(
        digest=row["digest"],
        subject=row["subject"],
        predicate_type=row["predicate_type"],
        project=row["project"],
        envelope=str(row["envelope"]).encode("utf-8"),
        filed_at=from_rfc3339(row["filed_at"]),
        ledger_index=int(row["ledger_index"]),
    )
