"""Sessions: what a browser holds after somebody proved who they are.

Answers: whose session is this, is it still good, and how recently was a second factor shown?
Does not answer: which roles they have. These are asked of the register of people at every use, so a session of somebody
whose enrolment ended is over at that moment.
The id is 256 random bits, kept as its SHA-256; it changes at login and at every step-up. It is bound to neither address
nor browser: both change under honest people, and a thief can copy both.
"""

import hmac
from collections.abc import Sequence
from datetime import timedelta

from sealwright.engines import Row, Tx
from sealwright.kernel import from_rfc3339, new_id, rfc3339
from sealwright.trust.audit import Event
from sealwright.trust.identity.errors import FreshProofNeeded, SessionOver
from sealwright.trust.identity.keys import fingerprint
from sealwright.trust.identity.means import Means
from sealwright.trust.identity.session_row import PROVIDER, NewSession, Session, bound_bytes, kept_factor, session_of
from sealwright.trust.principal import Principal, RoleGrant

__all__ = ["Sessions"]

_NEVER = "1970-01-01T00:00:00Z"  # when a second factor was shown that was not
_SEEN_EVERY = timedelta(minutes=1)  # a use is noted at most this often, so most uses only read


class Sessions:
    """The sessions of a workspace."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def look_up(self, cookie: str) -> Session:
        """The session behind a cookie. One indexed read; the use is noted once a minute.

        Raises
        ------
        SessionOver
            Unknown, ended, idle too long, too old, or its person is not enrolled any more.
        """
        return self._good(cookie)[0]

    def principal(self, cookie: str) -> Principal:
        """Who acts, with the roles of their enrolment as it stands now. `strong` for 10 minutes after a second factor.

        A session by the identity provider has none of these, whatever was shown in it since: whoever let it in knows its
        roles.

        Raises
        ------
        SessionOver
            As `look_up`.
        """
        session, enrolled = self._good(cookie)
        grants = frozenset[RoleGrant]() if session.by_provider else enrolled
        strong = self._is_fresh(session)
        return Principal(kind="person", name=session.name, proof="session", grants=grants, strong=strong)

    def fresh(self, cookie: str) -> Session:
        """The session, if a second factor kept here was shown within the step-up window: for changing what one signs in with.

        The identity provider's word is not enough: whoever has the account there would get one here that outlasts it.

        Raises
        ------
        SessionOver
            As `look_up`.
        FreshProofNeeded
            None was.
        """
        session = self.look_up(cookie)
        if not self._is_fresh(session):
            raise FreshProofNeeded
        if session.factor == PROVIDER:
            raise FreshProofNeeded(kept_here=True)
        return session

    def own(self, cookie: str) -> Sequence[Session]:
        """All sessions of the person, the newest first.

        Raises
        ------
        SessionOver
            As `look_up`.
        """
        session = self.look_up(cookie)
        with self._means.db.read() as tx:
            rows = tx.run("SELECT * FROM identity_sessions WHERE name = :name", name=session.name)
        good = [session_of(row) for row in rows if self._is_ours(row) and self._is_alive(row)]
        return sorted(good, key=lambda one: one.started_at, reverse=True)

    def end(self, cookie: str) -> None:
        """Sign out. A session that is over already stays so."""
        with self._means.db.write() as tx:
            rows = tx.run("DELETE FROM identity_sessions WHERE id = :id RETURNING name", id=fingerprint(cookie))
            for row in rows:
                self._record("logout", row["name"], 1)

    def end_one(self, cookie: str, handle: str) -> None:
        """End one of the person's own sessions, by the handle in `own`. Another's handle ends nothing.

        Raises
        ------
        SessionOver
            As `look_up`.
        """
        name = self.look_up(cookie).name
        with self._means.db.write() as tx:
            gone = tx.run(
                "DELETE FROM identity_sessions WHERE handle = :handle AND name = :name RETURNING handle",
                handle=handle,
                name=name,
            )
            if gone:
                self._record("session.end", name, 1, reason="identity.ended_by_person")

    def end_all(self, name: str, *, by: str, reason: str, keep: str = "") -> int:
        """End every session of a person but the one with the handle `keep`; returns how many ended."""
        with self._means.db.write() as tx:
            return self.end_others(tx, name, keep=keep, by=by, reason=reason)

    def begin_by_provider(self, name: str, *, strong: bool, previous: str = "") -> NewSession:
        """The session of somebody the identity provider brought; `OidcLogin.finish` has put their login on record.

        Parameters
        ----------
        strong : bool
            The provider says that a second factor was shown. If not, nothing that needs one can be done before a step-up.
        previous : str
            The session cookie the browser had; it is replaced.
        """
        now = self._means.now()
        with self._means.db.write() as tx:
            if previous:
                self.drop(tx, previous)
            handle = new_id("ses", self._means.random)
            return self._put(tx, handle, name, PROVIDER, now, strong_at=now if strong else _NEVER)

    # within a transaction of another verb, which records its own event

    def open(self, tx: Tx, name: str, *, factor: str) -> NewSession:
        """Begin a session with an id of its own."""
        return self._put(tx, new_id("ses", self._means.random), name, factor, self._means.now())

    def renew(self, tx: Tx, cookie: str, session: Session, *, factor: str) -> NewSession:
        """The same session after a step-up: another id, the old one is dead, the absolute limit goes on, and where it came from
        stays.

        Raises
        ------
        SessionOver
            It ended in the meantime, or was renewed by another step-up.
        """
        gone = tx.run("DELETE FROM identity_sessions WHERE id = :id RETURNING id", id=fingerprint(cookie))
        if not gone:
            raise SessionOver
        return self._put(tx, session.handle, session.name, kept_factor(session, factor), rfc3339(session.started_at))

    def end_others(self, tx: Tx, name: str, *, by: str, reason: str, keep: str = "") -> int:
        """As `end_all`."""
        gone = tx.run(
            "DELETE FROM identity_sessions WHERE name = :name AND handle <> :keep RETURNING handle",
            name=name,
            keep=keep,
        )
        if gone:
            self._record("session.end", name, len(gone), by=by, reason=reason)
        return len(gone)

    def drop(self, tx: Tx, cookie: str) -> None:
        """End the session a browser brought along to a login: whoever planted it holds nothing."""
        tx.run("DELETE FROM identity_sessions WHERE id = :id", id=fingerprint(cookie))

    def _good(self, cookie: str) -> tuple[Session, frozenset[RoleGrant]]:
        key = fingerprint(cookie)
        with self._means.db.read() as tx:
            rows = tx.run("SELECT * FROM identity_sessions WHERE id = :id", id=key)
        if not rows or not hmac.compare_digest(rows[0]["id"], key) or not self._is_ours(rows[0]):
            raise SessionOver
        row = rows[0]
        if not self._is_alive(row):
            self.end_all_expired(row["name"])
            raise SessionOver
        grants = self._means.enrolled(row["name"])
        if grants is None:
            self.end_all(row["name"], by="", reason="identity.not_enrolled")
            raise SessionOver
        self._note_use(row)
        return session_of(row), frozenset(grants)

    def end_all_expired(self, name: str = "") -> None:
        """Remove sessions of a person (or of all) that are over by time."""
        now, rules = self._means.clock(), self._means.rules
        with self._means.db.write() as tx:
            gone = tx.run(
                "DELETE FROM identity_sessions WHERE (name = :name OR :name = '')"
                " AND (seen_at <= :idle OR started_at <= :absolute) RETURNING name",
                name=name,
                idle=rfc3339(now - rules.idle_limit),
                absolute=rfc3339(now - rules.absolute_limit),
            )
            for person in {row["name"] for row in gone}:
                count = sum(row["name"] == person for row in gone)
                self._record("session.end", person, count, reason="identity.session_expired")

    def _put(self, tx: Tx, handle: str, name: str, factor: str, started_at: str, *, strong_at: str = "") -> NewSession:
        secret, now = self._means.secret(), self._means.now()
        row = {
            "id": fingerprint(secret.reveal()),
            "handle": handle,
            "name": name,
            "factor": factor,
            "started_at": started_at,
            "strong_at": strong_at or now,
            "seen_at": now,
        }
        tx.run(
            "INSERT INTO identity_sessions (id, handle, name, factor, started_at, strong_at, seen_at, mac)"
            " VALUES (:id, :handle, :name, :factor, :started_at, :strong_at, :seen_at, :mac)",
            **row,
            mac=self._means.keys.tag("sessions", bound_bytes(row)),
        )
        return NewSession(secret, session_of(row))

    def _is_ours(self, row: Row) -> bool:
        """Whether we wrote the row; somebody with the database alone cannot."""
        tags = self._means.keys.tags("sessions", bound_bytes(row))
        return any(hmac.compare_digest(tag, row["mac"]) for tag in tags)

    def _is_alive(self, row: Row) -> bool:
        now, rules = self._means.clock(), self._means.rules
        idle, age = now - from_rfc3339(row["seen_at"]), now - from_rfc3339(row["started_at"])
        return idle < rules.idle_limit and age < rules.absolute_limit

    def _is_fresh(self, session: Session) -> bool:
        since = self._means.clock() - session.strong_at
        return timedelta(0) <= since < self._means.rules.step_up_window

    def _note_use(self, row: Row) -> None:
        if self._means.clock() - from_rfc3339(row["seen_at"]) < _SEEN_EVERY:
            return
        with self._means.db.write() as tx:
            tx.run("UPDATE identity_sessions SET seen_at = :now WHERE id = :id", now=self._means.now(), id=row["id"])

    def _record(self, action: str, name: str, count: int, *, by: str = "", reason: str = "") -> None:
        self._means.audit.record(
            Event(
                action=action,
                outcome="done",
                actor=by or name,
                resource=f"person:{name}",
                reason=reason,
                detail={"sessions": count},
            )
        )
