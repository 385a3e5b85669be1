"""Which person here an account at a provider belongs to: by issuer and subject, never by e-mail.

Answers: who is this here? Does not answer: what may they do? That comes from groups, at each login.
An e-mail address can be given to somebody else, or set by its owner; `sub` is the provider's own, for good.
The account is kept as a keyed tag, the link is sealed: who can write to the table cannot link an account.
"""

from collections.abc import Callable
from datetime import datetime

from sealwright.engines import Database, Tx
from sealwright.kernel import VerificationFailed, canonical_json, rfc3339
from sealwright.trust.identity.keys import IdentityKeys

__all__ = ["OidcAccounts"]

_PURPOSE = "oidc-account"


class OidcAccounts:
    """The table of linked accounts."""

    def __init__(self, db: Database, keys: IdentityKeys) -> None:
        self._db = db
        self._keys = keys

    def tag(self, issuer: str, subject: str) -> str:
        """What an account is called here: 64 hex digits that say nothing without our key."""
        return self._keys.tag(_PURPOSE, _account(issuer, subject))

    def person(self, issuer: str, subject: str) -> str | None:
        """Whose account this is; None if nobody's.

        Raises
        ------
        VerificationFailed
            Its row was changed.
        """
        with self._db.read() as tx:
            return self._find(tx, issuer, subject)

    def link(
        self, issuer: str, subject: str, person: str, now: datetime, *, first: Callable[[str | None], None]
    ) -> None:
        """Link an account, after `first` was told whose it is now; it raises if it may not be linked.

        An account that is this person's already stays as it is.
        """
        with self._db.write() as tx:
            tx.hold_writers("oidc_accounts")
            found = self._find(tx, issuer, subject)
            first(found)
            if found is not None:
                return
            tag = self.tag(issuer, subject)
            tx.run(
                "INSERT INTO oidc_accounts (account, person, sealed, linked_at) VALUES (:account, :person, :sealed, :at)",
                account=tag,
                person=person,
                sealed=self._keys.seal(_PURPOSE, person.encode(), place=tag),
                at=rfc3339(now),
            )

    def unlink(self, person: str) -> None:
        """Forget every account of a person."""
        with self._db.write() as tx:
            tx.run("DELETE FROM oidc_accounts WHERE person = :person", person=person)

    def _find(self, tx: Tx, issuer: str, subject: str) -> str | None:
        for tag in self._keys.tags(_PURPOSE, _account(issuer, subject)):
            rows = tx.run("SELECT person, sealed FROM oidc_accounts WHERE account = :account", account=tag)
            if rows:
                person = self._keys.open(_PURPOSE, bytes(rows[0]["sealed"]), place=tag).decode()
                if person != rows[0]["person"]:
                    raise VerificationFailed("The link of an account was changed.", link="oidc_accounts")
                return person
        return None


def _account(issuer: str, subject: str) -> bytes:
    return canonical_json([issuer, subject])
