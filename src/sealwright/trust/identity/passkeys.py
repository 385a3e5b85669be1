"""Passkeys: keys that an authenticator keeps, and that answer only to our address.

Answers: did one of this person's authenticators sign the question we put to them, just now and for the first time?
Kept: the public key, sealed for this person and credential, so that nobody with the database alone adds one; and the
authenticator's count of signatures. A count that does not grow means two devices hold the key: refused, with an alarm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sealwright.engines import Tx
from sealwright.kernel import Conflict, InvalidInput, NotFound
from sealwright.trust.audit import Event
from sealwright.trust.identity.accounts import Accounts
from sealwright.trust.identity.errors import ProofRefused
from sealwright.trust.identity.means import Means
from sealwright.trust.identity.passkey_answer import Registered, check_assertion
from sealwright.trust.identity.passkey_questions import PasskeyQuestions
from sealwright.trust.identity.sessions import Sessions
from sealwright.trust.strict_base64 import encode_base64url

__all__ = ["Passkey", "Passkeys"]

_MOST_KEYS = 20  # of one person


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """A passkey as its person sees it."""

    id: str
    label: str
    added_at: str
    used_at: str


class Passkeys:
    """The passkeys of a workspace. Every use needs the person verified: a PIN or a finger, not just a touch."""

    def __init__(self, means: Means, accounts: Accounts, sessions: Sessions, questions: PasskeyQuestions) -> None:
        self._means, self._accounts, self._sessions, self._questions = means, accounts, sessions, questions

    def offer(self, cookie: str) -> Mapping[str, Any]:
        """Options for `navigator.credentials.create()`, as its JSON form wants them.

        Raises
        ------
        SessionOver, FreshProofNeeded
            As `Sessions.fresh`.
        """
        session = self._sessions.fresh(cookie)
        with self._means.db.write() as tx:
            return self._questions.creation_options(tx, session.name, bound=session.handle)

    def add(self, cookie: str, response: Mapping[str, Any], *, label: str) -> str:
        """Keep the passkey in the browser's answer; every other session of the person ends. Returns its id.

        Raises
        ------
        SessionOver, FreshProofNeeded
            As `Sessions.fresh`.
        ProofRefused
            Not a good answer to a question put to this session.
        Conflict
            This passkey is registered already, here or by somebody else.
        InvalidInput
            The person has twenty, or the label is longer than 60 characters.
        """
        session = self._sessions.fresh(cookie)
        try:
            found = self._questions.registered(response, bound=session.handle)
        except ProofRefused:
            self._record("passkey.add", session.name, refused="identity.wrong_passkey")
            raise
        with self._means.db.write() as tx:
            self._record("passkey.add", session.name)
            self.put(tx, session.name, found, label=label)
            self._accounts.changed(tx, session.name, keep=session.handle, reason="identity.factor_changed")
        return encode_base64url(found.credential_id)

    def own(self, cookie: str) -> Sequence[Passkey]:
        """The person's passkeys, the oldest first.

        Raises
        ------
        SessionOver
            As `Sessions.look_up`.
        """
        name = self._sessions.look_up(cookie).name
        with self._means.db.read() as tx:
            rows = tx.run(
                "SELECT id, label, added_at, used_at FROM identity_passkeys WHERE name = :name ORDER BY added_at, id",
                name=name,
            )
        return [Passkey(**row) for row in rows]

    def remove(self, cookie: str, credential: str) -> None:
        """Take one away; every other session of the person ends.

        Raises
        ------
        SessionOver, FreshProofNeeded
            As `Sessions.fresh`.
        LastFactor
            It is the only second factor.
        NotFound
            The person has no such passkey.
        """
        session = self._sessions.fresh(cookie)
        with self._means.db.write() as tx:
            self._accounts.needs_other_factor(tx, session.name, but_passkey=credential)
            gone = tx.run(
                "DELETE FROM identity_passkeys WHERE id = :id AND name = :name RETURNING id",
                id=credential,
                name=session.name,
            )
            if not gone:
                raise NotFound("There is no such passkey on this account.")
            self._record("passkey.remove", session.name)
            self._accounts.changed(tx, session.name, keep=session.handle, reason="identity.factor_changed")

    # what other verbs build on

    def put(self, tx: Tx, name: str, found: Registered, *, label: str) -> None:
        """Keep a new credential.

        Raises
        ------
        Conflict, InvalidInput
            As `add`.
        """
        tx.hold_writers("identity_passkeys")
        key = encode_base64url(found.credential_id)
        if tx.run("SELECT id FROM identity_passkeys WHERE id = :id", id=key):
            raise Conflict("This passkey is registered already.")
        count = tx.run("SELECT COUNT(*) AS n FROM identity_passkeys WHERE name = :name", name=name)
        words = " ".join(label.split())
        if int(count[0]["n"]) >= _MOST_KEYS or not 1 <= len(words) <= 60 or not words.isprintable():
            raise InvalidInput(f"A person has up to {_MOST_KEYS} passkeys, each with a label of 1 to 60 characters.")
        tx.run(
            "INSERT INTO identity_passkeys (id, name, sealed, sign_count, label, added_at, used_at)"
            " VALUES (:id, :name, :sealed, :count, :label, :now, '')",
            id=key,
            name=name,
            sealed=self._means.keys.seal("passkeys", found.public_key, place=f"passkey/{name}/{key}"),
            count=found.sign_count,
            label=words,
            now=self._means.now(),
        )

    def use(self, name: str, response: Mapping[str, Any], *, purpose: str, bound: str) -> tuple[bytes, Any]:
        """The public key that answered an open question for this person, and the question's payload.

        Raises
        ------
        ProofRefused
            Not a good answer to an open question, not by a key of this person, or its count did not grow.
        """
        challenge, payload = self._questions.answered(response, purpose=purpose, bound=bound)
        key = response.get("id")
        with self._means.db.read() as tx:
            rows = tx.run(
                "SELECT sealed FROM identity_passkeys WHERE id = :id AND name = :name",
                id=key if isinstance(key, str) else "",
                name=name,
            )
        if not rows:
            raise ProofRefused("This passkey does not belong to the account.")
        public_key = self._means.keys.open("passkeys", bytes(rows[0]["sealed"]), place=f"passkey/{name}/{key}")
        rules = self._means.rules
        count = check_assertion(
            response, challenge=challenge, rp_id=rules.rp_id, origin=rules.origin, public_key=public_key
        )
        self._count(name, str(key), count)
        return public_key, payload

    def _count(self, name: str, key: str, count: int) -> None:
        """Note the count if it grew; an authenticator that does not count says 0 each time."""
        with self._means.db.write() as tx:
            grew = tx.run(
                "UPDATE identity_passkeys SET sign_count = :count, used_at = :now WHERE id = :id"
                " AND (sign_count < :count OR (sign_count = 0 AND :count = 0)) RETURNING id",
                count=count,
                now=self._means.now(),
                id=key,
            )
        if not grew:
            self._record("alert.raise", name, refused="identity.passkey_counter_back")
            raise ProofRefused(
                "This passkey may have been copied: its counter went back. Use another factor, tell security."
            )

    def _record(self, action: str, name: str, *, refused: str = "") -> None:
        outcome = "done" if action == "alert.raise" or not refused else "refused"
        self._means.audit.record(
            Event(action=action, outcome=outcome, actor=name, resource=f"person:{name}", reason=refused)  # type: ignore[arg-type]
        )
