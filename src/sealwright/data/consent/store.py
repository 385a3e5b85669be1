"""Where changes of consent are kept: one row each, only ever added."""

from collections.abc import Sequence

from sealwright.data.consent.model import ConsentChange
from sealwright.engines import Row, Tx

__all__ = ["digest_of_version", "everything_said", "insert", "latest", "of_subject", "said"]

Said = tuple[str, ...]


def insert(tx: Tx, changes: Sequence[ConsentChange], recorded_at: str) -> None:
    tx.run_many(
        "INSERT INTO consents"
        " (project, purpose, subject, change, text_version, text_digest, channel, at, recorded_at)"
        " VALUES (:project, :purpose, :subject, :change, :text_version, :text_digest, :channel, :at, :recorded_at)",
        [{**dict(zip(_NAMES, said(one), strict=True)), "recorded_at": recorded_at} for one in changes],
    )


_NAMES = ("project", "purpose", "text_version", "text_digest", "channel", "subject", "change", "at")


def said(change: ConsentChange) -> Said:
    """All of a change as a plain tuple, in the order of the columns named above."""
    return (
        change.project,
        change.purpose,
        change.text_version,
        change.text_digest,
        change.channel,
        change.subject,
        change.change,
        change.at,
    )


def latest(tx: Tx, project: str, purpose: str, at: str) -> Sequence[Row]:
    """The last change of each person up to a moment. Of two at the same moment a withdrawal is the last."""
    return tx.run(
        "SELECT subject, change FROM ("
        " SELECT subject, change,"
        " ROW_NUMBER() OVER (PARTITION BY subject ORDER BY at DESC, change DESC, seq DESC) AS place"
        " FROM consents WHERE project = :project AND purpose = :purpose AND at <= :at"
        ") AS ranked WHERE place = 1",
        project=project,
        purpose=purpose,
        at=at,
    )


def of_subject(tx: Tx, project: str, subject: str) -> list[ConsentChange]:
    """Everything one person ever agreed to or took back in a project, oldest first."""
    rows = tx.run(
        "SELECT * FROM consents WHERE project = :project AND subject = :subject ORDER BY at, change, seq",
        project=project,
        subject=subject,
    )
    return [_change(row) for row in rows]


def everything_said(tx: Tx) -> list[Said]:
    """All changes of the workspace, as `said` has them."""
    rows = tx.run("SELECT project, purpose, text_version, text_digest, channel, subject, change, at FROM consents")
    return [tuple(row.values()) for row in rows]


def digest_of_version(tx: Tx, project: str, purpose: str, version: str) -> str | None:
    """The digest of the words a version of the text stands for, if it was ever used."""
    rows = tx.run(
        "SELECT text_digest FROM consents WHERE project = :project AND purpose = :purpose"
        " AND text_version = :version ORDER BY seq LIMIT 1",
        project=project,
        purpose=purpose,
        version=version,
    )
    return str(rows[0]["text_digest"]) if rows else None


def _change(row: Row) -> ConsentChange:
    return ConsentChange(
        project=row["project"],
        purpose=row["purpose"],
        subject=row["subject"],
        change=row["change"],
        text_version=row["text_version"],
        text_digest=row["text_digest"],
        channel=row["channel"],
        at=row["at"],
    )
