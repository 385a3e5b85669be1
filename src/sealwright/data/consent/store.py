"""Where changes of consent are kept: one row each, only ever added."""

from collections.abc import Sequence
from dataclasses import asdict

from sealwright.data.consent.model import ConsentChange
from sealwright.engines import Row, Tx

__all__ = ["digest_of_version", "every_change", "insert", "latest", "of_subject"]


def insert(tx: Tx, changes: Sequence[ConsentChange], recorded_at: str) -> None:
    tx.run_many(
        "INSERT INTO consents"
        " (project, purpose, subject, change, text_version, text_digest, channel, at, recorded_at)"
        " VALUES (:project, :purpose, :subject, :change, :text_version, :text_digest, :channel, :at, :recorded_at)",
        [{**asdict(one), "recorded_at": recorded_at} for one in changes],
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


def every_change(tx: Tx) -> list[ConsentChange]:
    """All changes of the workspace in the order they were recorded."""
    return [_change(row) for row in tx.run("SELECT * FROM consents ORDER BY seq")]


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
