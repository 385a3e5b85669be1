"""How versions, pointers and revocations are kept: rows beside the signed bytes they come from.

Answers: which rows are there? Every function takes an open transaction.
Does not answer: may they be believed? The signed envelope in the row and the ledger decide that;
columns exist so that a database can search.
"""

from sealwright.engines import Row, Tx
from sealwright.kernel import from_rfc3339, rfc3339
from sealwright.registry.model import PointerFacts, Revocation, Version

__all__ = [
    "all_keys",
    "hold",
    "insert_pointer",
    "insert_revocation",
    "insert_version",
    "newest_pointers",
    "pointer_rows",
    "revocation_rows",
    "version_of_package",
    "versions",
]


def hold(tx: Tx) -> None:
    """Make other writers of this room wait; always in the same order, so that nobody waits in a circle."""
    tx.hold_writers("versions")
    tx.hold_writers("pointers")
    tx.hold_writers("revocations")


def insert_version(tx: Tx, version: Version) -> None:
    tx.run(
        "INSERT INTO versions (project, number, package, model, created_at)"
        " VALUES (:project, :number, :package, :model, :created_at)",
        project=version.project,
        number=version.number,
        package=version.package,
        model=version.model,
        created_at=rfc3339(version.created_at),
    )


def versions(tx: Tx, project: str) -> list[Version]:
    """Every version of a project, oldest first."""
    rows = tx.run(
        "SELECT project, number, package, model, created_at FROM versions WHERE project = :project ORDER BY number",
        project=project,
    )
    return [_version(row) for row in rows]


def version_of_package(tx: Tx, package: str) -> Version | None:
    rows = tx.run(
        "SELECT project, number, package, model, created_at FROM versions WHERE package = :package", package=package
    )
    return _version(rows[0]) if rows else None


def insert_pointer(tx: Tx, facts: PointerFacts, envelope: bytes) -> None:
    tx.run(
        "INSERT INTO pointers (project, channel, sequence, package, number, envelope, created_at, expires_at)"
        " VALUES (:project, :channel, :sequence, :package, :number, :envelope, :created_at, :expires_at)",
        project=facts.project,
        channel=facts.channel,
        sequence=facts.sequence,
        package=facts.package,
        number=facts.number,
        envelope=envelope.decode("utf-8"),
        created_at=rfc3339(facts.not_before),
        expires_at=rfc3339(facts.expires),
    )


def pointer_rows(tx: Tx, project: str, channel: str) -> list[Row]:
    """Every pointer of a place, oldest first."""
    return list(
        tx.run(
            "SELECT project, channel, sequence, package, number, envelope, created_at, expires_at FROM pointers"
            " WHERE project = :project AND channel = :channel ORDER BY sequence",
            project=project,
            channel=channel,
        )
    )


def newest_pointers(tx: Tx) -> list[Row]:
    """The newest pointer of every place."""
    return list(
        tx.run(
            "SELECT project, channel, sequence, package, number, envelope, created_at, expires_at FROM pointers AS one"
            " WHERE sequence = (SELECT MAX(sequence) FROM pointers"
            "   WHERE project = one.project AND channel = one.channel)"
            " ORDER BY project, channel"
        )
    )


def insert_revocation(tx: Tx, revocation: Revocation, envelope: bytes) -> None:
    tx.run(
        "INSERT INTO revocations (package, sequence, reason, envelope, revoked_at)"
        " VALUES (:package, :sequence, :reason, :envelope, :revoked_at)",
        package=revocation.package,
        sequence=revocation.sequence,
        reason=revocation.reason,
        envelope=envelope.decode("utf-8"),
        revoked_at=rfc3339(revocation.at),
    )


def revocation_rows(tx: Tx) -> list[Row]:
    """Every revocation, oldest first."""
    return list(tx.run("SELECT package, sequence, reason, envelope, revoked_at FROM revocations ORDER BY sequence"))


def all_keys(tx: Tx) -> dict[tuple[str, ...], str]:
    """What every row is (kind and key) and the package it names: compared with the ledger."""
    found: dict[tuple[str, ...], str] = {}
    for row in tx.run("SELECT project, number, package FROM versions"):
        found["version", row["project"], str(row["number"])] = row["package"]
    for row in tx.run("SELECT project, channel, sequence, package FROM pointers"):
        found["pointer", row["project"], row["channel"], str(row["sequence"])] = row["package"]
    for row in tx.run("SELECT sequence, package FROM revocations"):
        found["revocation", str(row["sequence"])] = row["package"]
    return found


def _version(row: Row) -> Version:
    return Version(
        project=row["project"],
        number=row["number"],
        package=row["package"],
        model=row["model"],
        created_at=from_rfc3339(row["created_at"]),
    )
