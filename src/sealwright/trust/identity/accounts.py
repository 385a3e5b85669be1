"""Accounts: who can sign in, kept beside the enrolment that says who they are.

Answers: has this person a password here, which hash is it, and is the account locked?
Does not answer: which roles they have; no row here can give one. An account of somebody who is not enrolled opens nothing.
"""

from dataclasses import dataclass, field

from sealwright.engines import Tx
from sealwright.kernel import InvalidInput, NotFound
from sealwright.trust.audit import Event
from sealwright.trust.identity.errors import LastFactor, PasswordUnsuitable, ProofRefused, TooManyTries
from sealwright.trust.identity.means import Means
from sealwright.trust.identity.password_hash import PasswordHasher
from sealwright.trust.identity.password_rules import check_password
from sealwright.trust.identity.sessions import Sessions
from sealwright.trust.identity.throttle import reset, take
from sealwright.trust.unlock import Secret

__all__ = ["Account", "Accounts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account as signing in needs it."""

    name: str
    password: str = field(repr=False)  # the hash
    locked: str  # why, or empty


class Accounts:
    """The table of accounts, and the verbs on a whole account."""

    def __init__(self, means: Means, hasher: PasswordHasher, sessions: Sessions) -> None:
        self._means, self._hasher, self._sessions = means, hasher, sessions
        self._nobody = means.keys.seal("passwords", b"-", place="password/")

    def anybody(self, tx: Tx) -> bool:
        """Whether there is any account at all."""
        return bool(tx.run("SELECT name FROM identity_accounts LIMIT 1"))

    def read(self, tx: Tx, name: str) -> Account | None:
        """The account of a person; None if they have none.

        Raises
        ------
        VerificationFailed
            The row was changed, or copied from another person's.
        """
        rows = tx.run("SELECT name, password, locked FROM identity_accounts WHERE name = :name", name=name)
        if not rows:
            self._means.keys.open("passwords", self._nobody, place="password/")  # costs the same
            return None
        opened = self._means.keys.open("passwords", bytes(rows[0]["password"]), place=f"password/{name}")
        return Account(name=name, password=opened.decode(), locked=rows[0]["locked"])

    def exists(self, tx: Tx, name: str) -> bool:
        """Whether this person has an account, whatever state its row is in."""
        return bool(tx.run("SELECT name FROM identity_accounts WHERE name = :name", name=name))

    def hashed(self, name: str, password: Secret) -> str:
        """The hash of a new password, after it passed the rules.

        Raises
        ------
        PasswordUnsuitable
            It did not.
        SignInBusy
            Too many at once.
        """
        check_password(password, around=(name, self._means.rules.workspace))
        return self._hasher.hash(password)

    def put_password(self, tx: Tx, name: str, hashed: str) -> None:
        """Keep the hash of a person's password, in place of the one before; a new account is not locked."""
        tx.run(
            "INSERT INTO identity_accounts (name, password, password_at, locked, created_at)"
            " VALUES (:name, :password, :now, '', :now)"
            " ON CONFLICT (name) DO UPDATE SET password = :password, password_at = :now",
            name=name,
            password=self._means.keys.seal("passwords", hashed.encode(), place=f"password/{name}"),
            now=self._means.now(),
        )

    def change_password(self, cookie: str, old: Secret, new: Secret) -> None:
        """A person changes their own password; every other session of theirs ends, and known browsers are forgotten.

        Raises
        ------
        SessionOver, FreshProofNeeded
            As `Sessions.fresh`.
        TooManyTries
            The old password was tried too often.
        ProofRefused
            The old password is not right.
        PasswordUnsuitable
            The new one does not pass the rules, or is the old one.
        """
        session = self._sessions.fresh(cookie)
        bucket = self._means.keys.name("session", session.handle)
        with self._means.db.write() as tx:
            wait = take(tx, bucket, self._means.rules.per_account, self._means.now_ms())
            account = self.read(tx, session.name)
        if wait:
            raise TooManyTries(-(-wait // 1000))
        if not self._hasher.check(account.password if account else None, old).matches:
            self._record("password.change", session.name, "refused", "identity.wrong_password")
            raise ProofRefused("The present password is not right. Nothing was changed.")
        if old.reveal() == new.reveal():
            raise PasswordUnsuitable("The new password is the old one. Choose another.")
        hashed = self.hashed(session.name, new)
        with self._means.db.write() as tx:
            self._record("password.change", session.name)
            self.put_password(tx, session.name, hashed)
            self.changed(tx, session.name, keep=session.handle, reason="identity.password_changed")
            reset(tx, bucket)

    def lock(self, name: str, *, by: str, reason: str) -> None:
        """Nobody signs in as this person until unlocked; their sessions end. Permission is checked by the caller.

        Raises
        ------
        NotFound
            They have no account.
        InvalidInput
            No reason is given.
        """
        words = " ".join(reason.split())
        if not 8 <= len(words) <= 500:
            raise InvalidInput("Say in 8 to 500 characters why. It is shown to whoever unlocks the account.")
        self._set_lock(name, words, by=by, action="account.lock")

    def unlock(self, name: str, *, by: str) -> None:
        """The person can sign in again, with what they had. Permission is checked by the caller.

        Raises
        ------
        NotFound
            They have no account.
        """
        self._set_lock(name, "", by=by, action="account.unlock")

    def changed(self, tx: Tx, name: str, *, keep: str = "", by: str = "", reason: str) -> None:
        """After anything a person signs in with was changed: end other sessions, forget browsers."""
        self._sessions.end_others(tx, name, by=by, reason=reason, keep=keep)
        tx.run("DELETE FROM identity_devices WHERE name = :name", name=name)

    def needs_other_factor(self, tx: Tx, name: str, *, but_totp: bool = False, but_passkey: str = "") -> None:
        """Return if a second factor is left besides the named one. Holds writers, so two removals cannot both pass.

        Raises
        ------
        LastFactor
            None would be left.
        """
        tx.hold_writers("identity_accounts")
        totp = [] if but_totp else tx.run("SELECT name FROM identity_totp WHERE name = :name", name=name)
        keys = tx.run(
            "SELECT id FROM identity_passkeys WHERE name = :name AND id <> :but LIMIT 1", name=name, but=but_passkey
        )
        if not totp and not keys:
            raise LastFactor

    def _set_lock(self, name: str, words: str, *, by: str, action: str) -> None:
        with self._means.db.write() as tx:
            done = tx.run(
                "UPDATE identity_accounts SET locked = :words WHERE name = :name RETURNING name", words=words, name=name
            )
            if not done:
                raise NotFound(f"{name[:64]} has no account here.")
            self._means.audit.record(Event(action=action, outcome="done", actor=by, resource=f"person:{name}"))
            if words:
                self.changed(tx, name, by=by, reason="identity.account_locked")

    def _record(self, action: str, name: str, outcome: str = "done", reason: str = "") -> None:
        self._means.audit.record(
            Event(action=action, outcome=outcome, actor=name, resource=f"person:{name}", reason=reason)  # type: ignore[arg-type]
        )
