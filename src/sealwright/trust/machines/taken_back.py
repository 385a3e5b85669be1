"""What was taken back, the numbers of the lists that say so, and what those lists hold. SQL and rows, no decisions."""

from collections.abc import Sequence
from datetime import datetime

from sealwright.engines import Row, Tx
from sealwright.trust.machines import store
from sealwright.trust.machines.access_list import AccessList, ListedKey
from sealwright.trust.machines.model import ApiKey

__all__ = [
    "access_about",
    "access_content",
    "next_sequence",
    "prune",
    "revoke_all",
    "revoke_token",
    "revoked_tokens_of",
    "sequence",
]


def revoke_token(tx: Tx, token: str, subject: str, until: int) -> None:
    """Take back one token of a client; forget it at `until`."""
    tx.run("DELETE FROM machine_revocations WHERE kind = 'token' AND name = :name", name=token)
    tx.run(
        "INSERT INTO machine_revocations (kind, name, subject, before, until)"
        " VALUES ('token', :name, :subject, 0, :until)",
        name=token,
        subject=subject,
        until=until,
    )


def revoked_tokens_of(tx: Tx, subject: str) -> int:
    """How many single tokens of a client are listed."""
    rows = tx.run(
        "SELECT COUNT(*) AS n FROM machine_revocations WHERE kind = 'token' AND subject = :subject", subject=subject
    )
    return int(rows[0]["n"])


def revoke_all(tx: Tx, subject: str, *, before: int, until: int) -> None:
    """Take back all tokens of a client issued up to `before`; forget that at `until`."""
    tx.run("DELETE FROM machine_revocations WHERE kind = 'client' AND subject = :subject", subject=subject)
    tx.run(
        "INSERT INTO machine_revocations (kind, name, subject, before, until)"
        " VALUES ('client', :subject, :subject, :before, :until)",
        subject=subject,
        before=before,
        until=until,
    )


def prune(tx: Tx, now: int) -> None:
    """Forget what has expired by itself."""
    tx.run("DELETE FROM machine_revocations WHERE until <= :now", now=now)
    tx.run("DELETE FROM machine_assertions WHERE until <= :now", now=now)


def next_sequence(tx: Tx, name: str) -> None:
    """The list "access" or "crl" has changed."""
    tx.run("UPDATE machine_sequences SET sequence = sequence + 1 WHERE list = :name", name=name)


def sequence(tx: Tx, name: str) -> int:
    return int(tx.run("SELECT sequence FROM machine_sequences WHERE list = :name", name=name)[0]["sequence"])


def access_content(tx: Tx, now: datetime) -> AccessList:
    """The access list as it is at `now`; what has expired is left out."""
    seconds = int(now.timestamp())
    taken = _revoked(tx.run("SELECT * FROM machine_revocations WHERE until > :now", now=seconds))
    return AccessList(
        sequence=sequence(tx, "access"),
        issued_at=now,
        tokens=taken["token"],
        clients=taken["client"],
        keys={key.id: _listed(key) for key in store.api_keys(tx) if key.state(now) == "active"},
    )


def access_about(tx: Tx, now: datetime, *, key: str = "", token: str = "", subject: str = "") -> AccessList:
    """The part of the access list about one API key, or about one token and whom it was given to."""
    seconds = int(now.timestamp())
    taken = _revoked(
        tx.run(
            "SELECT * FROM machine_revocations WHERE until > :now"
            " AND ((kind = 'token' AND name = :token) OR (kind = 'client' AND name = :subject))",
            now=seconds,
            token=token,
            subject=subject,
        )
    )
    found = store.api_key(tx, key) if key else None
    listed = {found.id: _listed(found)} if found is not None and found.state(now) == "active" else {}
    return AccessList(sequence=0, issued_at=now, tokens=taken["token"], clients=taken["client"], keys=listed)


def _listed(key: ApiKey) -> ListedKey:
    return ListedKey(
        subject=key.subject,
        digest=bytes.fromhex(key.digest),
        scopes=frozenset(key.scopes),
        expires=int(key.expires_at.timestamp()),
    )


def _revoked(rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {"token": {}, "client": {}}
    for row in rows:
        found[row["kind"]][row["name"]] = int(row["until" if row["kind"] == "token" else "before"])
    return found
