"""Logged in on the command line: a short session after somebody opened their own key once.

Answers: did this person prove who they are on this machine a while ago, and does it still count?
Does not answer: what they may do. Web sessions are elsewhere; this one is a file only its owner can read.

The file holds a random secret; the database holds its digest with times and the person's key, under a seal that only
the workspace's keys can make. A forged file, a changed row and a session that was ended count for nothing.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sealwright.engines import Database
from sealwright.kernel import Clock, canonical_json, check_name, from_rfc3339, new_id, rfc3339
from sealwright.trust.audit import Audit, Event
from sealwright.trust.discretion import digest_of_resource
from sealwright.trust.keyring import Keyring
from sealwright.trust.ledger import Ledger

__all__ = ["IDLE", "LONGEST", "STRONG", "LocalSession", "LocalSessions"]

LONGEST = timedelta(hours=8)
IDLE = timedelta(minutes=30)
STRONG = timedelta(minutes=15)  # so long the key counts as shown "recently"

_SKEW = timedelta(minutes=5)
_SEALED = ("id", "secret", "person", "key_id", "opened_at", "used_at", "ledger_size")


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSession:
    """Somebody who is logged in."""

    id: str
    person: str
    key_id: str  # of the key they opened; another enrolment ends the session
    opened_at: datetime
    ends_at: datetime
    strong: bool


class LocalSessions:
    """The sessions of one workspace."""

    def __init__(
        self, db: Database, ledger: Callable[[], Ledger], keyring: Keyring, audit: Audit, clock: Clock
    ) -> None:
        """Take what the workspace has; `ledger` gives it as it is now, to look at."""
        self._db, self._ledger, self._audit, self._clock = db, ledger, audit, clock
        self._keyring = keyring

    def open(self, person: str, key_id: str) -> str:
        """Begin a session for somebody whose key was just opened; returns the token for their file.

        Raises
        ------
        LedgerUnavailable
            It could not be recorded, so there is none.
        """
        check_name(person, what="person")
        name, secret, now = new_id("ses"), secrets.token_hex(32), rfc3339(self._clock())
        row: dict[str, object] = {
            "id": name,
            "secret": _digest(secret),
            "person": person,
            "key_id": key_id,
            "opened_at": now,
            "used_at": now,
            "ledger_size": self._ledger().size,
        }
        self._audit.record(Event(action="login", outcome="done", actor=person, resource=f"session:{name}"))
        with self._db.write() as tx:
            tx.run("DELETE FROM local_sessions WHERE opened_at < :old", old=rfc3339(self._clock() - 2 * LONGEST))
            tx.run(
                "INSERT INTO local_sessions (id, secret, person, key_id, opened_at, used_at, ledger_size, seal)"
                " VALUES (:id, :secret, :person, :key_id, :opened_at, :used_at, :ledger_size, :seal)",
                **row,
                seal=self._seals(row)[0],
            )
        return f"{name}.{secret}"

    def find(self, token: str) -> LocalSession | None:
        """The session of a token, used just now; None where there is none, or it is over."""
        name, _, secret = token.partition(".")
        with self._db.read() as tx:
            rows = tx.run("SELECT * FROM local_sessions WHERE id = :id", id=name)
        row = dict(rows[0]) if rows else {}
        if not row or not hmac.compare_digest(str(row["secret"]), _digest(secret)):
            return None
        if not any(hmac.compare_digest(str(row["seal"]), one) for one in self._seals(row)) or self._was_ended(row):
            return None
        now, opened, used = self._clock(), from_rfc3339(row["opened_at"]), from_rfc3339(row["used_at"])
        if not opened - _SKEW <= now < opened + LONGEST or not used - _SKEW <= now < used + IDLE:
            return None
        self._use(row, now)
        return LocalSession(
            id=name,
            person=row["person"],
            key_id=row["key_id"],
            opened_at=opened,
            ends_at=min(opened + LONGEST, now + IDLE),
            strong=now < opened + STRONG,
        )

    def end(self, token: str) -> str:
        """End the session of a token, for good; returns whose it was, "" where there was none."""
        found = self.find(token)
        if found is None:
            return ""
        resource = f"session:{found.id}"
        self._audit.record(Event(action="logout", outcome="done", actor=found.person, resource=resource))
        with self._db.write() as tx:
            tx.run("DELETE FROM local_sessions WHERE id = :id", id=found.id)
        return found.person

    def _use(self, row: dict[str, object], now: datetime) -> None:
        row["used_at"] = rfc3339(now)
        with self._db.write() as tx:
            tx.run(
                "UPDATE local_sessions SET used_at = :used_at, seal = :seal WHERE id = :id",
                used_at=row["used_at"],
                seal=self._seals(row)[0],
                id=row["id"],
            )

    def _seals(self, row: Mapping[str, object]) -> tuple[str, ...]:
        """Under each version of the key, the newest first: a session outlives the key it began with."""
        data = canonical_json({name: row[name] for name in _SEALED})
        keys = self._keyring.keys("identity", "local-session/v1")
        return tuple(hmac.digest(key, data, "sha256").hex() for key in keys)

    def _was_ended(self, row: Mapping[str, object]) -> bool:
        """Whether the ledger has its end: a database from a backup brings nobody back."""
        subject = digest_of_resource(f"session:{row['id']}")
        after = int(str(row["ledger_size"]))
        return any(one.action == "logout" and one.subject == subject for one in self._ledger().entries(start=after))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
